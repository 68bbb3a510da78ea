"""The display of coefficients with their intervals, and of how a descent enters the intervals."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_gd._base.parameters import boolean, check_params, choice, integer, real
from sklearn_gd._base.types import MatrixLike, Style
from sklearn_gd._inspection.estimation import estimate_terms
from sklearn_gd._inspection.fit_trace import trace_fit
from sklearn_gd._inspection.plotting import (
    COLORS,
    CURVE_COLOR,
    STEPS_COLOR,
    axes_or_new,
    band_color,
    distinct_colors,
    line_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

_KINDS = choice("intervals", "epochs")
_LINE_LENGTH, _MAX_LINES = 32, 2  # characters and lines of a name; a longer name is cut
_ROW_HEIGHT, _TWO_LINES_HEIGHT, _LEAST_HEIGHT = 0.27, 0.4, 3.2  # inches
_WIDTH, _EPOCHS_SIZE = 7.5, (9.0, 4.8)  # inches
_OTHERS_COLOR = "0.72"
_LEAST_EPOCHS = 10  # that are shown
_NAMED_LINES = len(COLORS)


class CoefficientDisplay:
    """Coefficients with their intervals, and how a descent enters these intervals.

    The intervals are those of `inference`, around the least-squares optimum. With
    ``kind="intervals"`` each coefficient is a row, with its interval and with the coefficient
    at the end of the descent. With ``kind="epochs"`` the horizontal axis counts epochs, and
    the vertical axis is the distance of each coefficient from its optimum in standard errors.
    The band is the interval, the same for all coefficients in this unit. Create a display
    with `from_estimator`. The parameters are stored as attributes, and `plot` draws them.

    Parameters
    ----------
    names : sequence of str of length n_terms
        Names of the coefficients. The intercept is not one of them.
    path : ndarray of shape (n_epochs + 1, n_terms)
        The coefficients of the descent, from the start to the end.
    optimum : ndarray of shape (n_terms,)
        The coefficients of least squares.
    errors : ndarray of shape (n_terms,)
        Standard errors of the coefficients.
    quantile : float
        Half the width of an interval in standard errors.
    confidence : float, default=0.95
        The confidence of the intervals.
    label : str, default="Coefficient"
        The label of the coefficients.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the coefficients.
    figure_ : matplotlib Figure
        Figure of the axes.
    shown_ : ndarray of int
        Positions of the coefficients that are shown.
    intervals_ : matplotlib LineCollection or None
        The intervals. None with ``kind="epochs"``.
    points_ : matplotlib Line2D or None
        The coefficients at the end of the descent. None with ``kind="epochs"``.
    lines_ : dict of str to matplotlib Line2D
        The distances over the epochs by name. Empty with ``kind="intervals"``.
    band_ : matplotlib Rectangle or None
        The band of all intervals. None with ``kind="intervals"``.

    See Also
    --------
    inference : The numbers.
    FitDisplay : The predictions with a band.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import CoefficientDisplay, GDLinearRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> display = CoefficientDisplay.from_estimator(GDLinearRegressor(), X, y)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()][:3]
    ['age', 'sex', 'bmi']
    """

    __module__ = "sklearn_gd"

    ax_: Axes
    figure_: Figure
    shown_: np.ndarray
    intervals_: LineCollection | None
    points_: Line2D | None
    lines_: dict[str, Line2D]
    band_: Rectangle | None

    def __init__(
        self,
        *,
        names: Sequence[str],
        path: np.ndarray,
        optimum: np.ndarray,
        errors: np.ndarray,
        quantile: float,
        confidence: float = 0.95,
        label: str = "Coefficient",
    ):
        self.names = names
        self.path = path
        self.optimum = optimum
        self.errors = errors
        self.quantile = quantile
        self.confidence = confidence
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike,
        y: ArrayLike,
        *,
        kind: str = "intervals",
        standardize: bool = False,
        max_terms: int = 20,
        cov_type: str = "nonrobust",
        confidence: float = 0.95,
        ax: Axes | None = None,
        line_kwargs: Style | None = None,
        point_kwargs: Style | None = None,
    ) -> Self:
        """Descend from zeros as `fit` does, and draw the coefficients with their intervals.

        Parameters
        ----------
        estimator : GDLinearRegressor or GDPolynomialRegressor
            The estimator, fitted or not. The estimator is only read.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Targets.
        kind : {"intervals", "epochs"}, default="intervals"
            Whether to draw the end of the descent, or the way to it over the epochs.
        standardize : bool, default=False
            Whether to multiply each coefficient by the standard deviation of its term. The
            coefficients are then in units of the target and can be compared.
        max_terms : int, default=20
            The largest number of coefficients to draw. Of more coefficients those with the
            largest t values are drawn.
        cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3"}, default="nonrobust"
            The covariance, as in `inference`.
        confidence : float, default=0.95
            The confidence of the intervals, between 0 and 1.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the lines over the epochs, or of
            `matplotlib.axes.Axes.hlines` for the intervals.
        point_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the coefficients of the model.

        Returns
        -------
        CoefficientDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a regressor of this package.
        ValueError
            If standard errors are undefined (see `inference`) or are rounding, if there are
            several targets, a parameter is outside its range, or the data hold NaN or
            infinity.

        See Also
        --------
        inference : The same intervals as numbers.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_gd import CoefficientDisplay, GDLinearRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> display = CoefficientDisplay.from_estimator(GDLinearRegressor(), X, y, kind="epochs")
        >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
        ('Epoch', 'Distance from the optimum (standard errors)')
        """
        rules = {
            "kind": _KINDS,
            "standardize": boolean(),
            "cov_type": choice("nonrobust", "HC0", "HC1", "HC2", "HC3"),
            "confidence": real(0.0, 1.0),
        }
        given = {
            "kind": kind,
            "standardize": standardize,
            "cov_type": cov_type,
            "confidence": confidence,
        }
        check_params(cls.__name__, given, rules)
        trace = trace_fit(estimator, X, y, cls.__name__)
        inputs, names = trace.prepared.inputs, trace.prepared.term_names
        user = estimate_terms(
            estimator, inputs.data, inputs.basis, names, cov_type=cov_type, owner=cls.__name__
        ).estimate
        if user.estimate.is_exact[0]:
            raise ValueError(
                f"{cls.__name__} has no intervals to draw: the residuals of this fit are rounding, "
                "and so are the standard errors. Use data with noise, or FitDisplay."
            )
        first = int(user.estimate.has_intercept)
        path = trace.in_user_terms()[0][: trace.kept_epoch + 1]
        optimum = user.params()[0, first:]
        errors = user.bse()[0, first:]
        unit, label = np.ones(len(names)), "Coefficient"
        if standardize:
            unit, label = user.deviations(), "Coefficient × standard deviation of its term"
        quantile = float(user.interval(np.zeros(1), np.ones(1), confidence)[1][0])
        return cls(
            names=names,
            path=path * unit,
            optimum=optimum * unit,
            errors=errors * unit,
            quantile=quantile,
            confidence=confidence,
            label=label,
        ).plot(
            ax,
            kind=kind,
            max_terms=max_terms,
            line_kwargs=line_kwargs,
            point_kwargs=point_kwargs,
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        kind: str = "intervals",
        max_terms: int = 20,
        line_kwargs: Style | None = None,
        point_kwargs: Style | None = None,
    ) -> Self:
        """Draw the coefficients.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        kind : {"intervals", "epochs"}, default="intervals"
            Whether to draw the end of the descent, or the way to it over the epochs.
        max_terms : int, default=20
            The largest number of coefficients to draw.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the lines over the epochs, or of
            `matplotlib.axes.Axes.hlines` for the intervals.
        point_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the coefficients of the model.

        Returns
        -------
        self : CoefficientDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `kind` or `max_terms` is outside its range.

        See Also
        --------
        CoefficientDisplay.from_estimator : Make a display and draw it.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import CoefficientDisplay
        >>> display = CoefficientDisplay(
        ...     names=["a", "b"], path=np.array([[0.0, 0.0], [1.0, 2.0]]),
        ...     optimum=np.array([1.0, 2.1]), errors=np.array([0.1, 0.2]), quantile=2.0,
        ... )
        >>> display.plot().points_.get_xdata().tolist()
        [1.0, 2.0]
        """
        rules = {"kind": _KINDS, "max_terms": integer(1)}
        check_params(type(self).__name__, {"kind": kind, "max_terms": max_terms}, rules)
        # of many coefficients those that the data tell most of, in their order
        by_size = np.argsort(-np.abs(self.optimum / self.errors), kind="stable")
        self.shown_ = np.sort(by_size[:max_terms])
        is_long = any(len(self.names[j]) > _LINE_LENGTH for j in self.shown_)
        row_height = _TWO_LINES_HEIGHT if is_long else _ROW_HEIGHT
        height = max(_LEAST_HEIGHT, 1.2 + row_height * len(self.shown_))
        is_new = ax is None
        ax, self.figure_ = axes_or_new(
            ax, (_WIDTH, height) if kind == "intervals" else _EPOCHS_SIZE
        )
        self.ax_ = ax
        self.intervals_, self.points_, self.lines_, self.band_ = None, None, {}, None
        if kind == "intervals":
            self._draw_intervals(ax, line_kwargs, point_kwargs)
        else:
            self._draw_epochs(ax, line_kwargs, is_new=is_new)
        if len(self.shown_) < len(self.names):
            words = f"the {len(self.shown_)} of {len(self.names)} coefficients with the largest |t|"
            ax.set_xlabel(f"{ax.get_xlabel()}\n{words}")
        return self

    def _draw_intervals(
        self, ax: Axes, line_kwargs: Style | None, point_kwargs: Style | None
    ) -> None:
        """A row for each coefficient: its interval, the optimum and the model."""
        rows = np.arange(len(self.shown_))
        center, half = self.optimum[self.shown_], self.quantile * self.errors[self.shown_]
        has_sign = np.abs(center) > half  # the interval does not hold zero
        colors = np.where(has_sign, CURVE_COLOR, _OTHERS_COLOR)
        ax.axvline(0.0, color="0.5", linewidth=0.8, zorder=0)
        style = {"colors": colors, "linewidth": 4, **(line_kwargs or {})}
        self.intervals_ = ax.hlines(rows, center - half, center + half, **style)
        (self.points_,) = ax.plot(
            self.path[-1, self.shown_],
            rows,
            **line_style(
                {
                    "linestyle": "none",
                    "marker": "o",
                    "markersize": 5,
                    "color": STEPS_COLOR,
                    "markeredgecolor": "white",
                    "zorder": 3,
                    "label": "end of the descent",
                },
                point_kwargs,
            ),
        )
        for flags, color, words in (
            (has_sign, CURVE_COLOR, f"{100 * self.confidence:g}% interval"),
            (~has_sign, _OTHERS_COLOR, f"{100 * self.confidence:g}% interval with 0"),
        ):
            if flags.any():
                ax.plot([], [], color=color, linewidth=4, label=words)
        ax.set_yticks(rows, [_wrapped(self.names[j]) for j in self.shown_])
        ax.set(ylim=(len(rows) - 0.4, -0.6), xlabel=self.label)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color="0.5", alpha=0.2, zorder=-1)
        ax.set_axisbelow(True)
        for side in ("top", "right", "left"):
            ax.spines[side].set_visible(False)
        # the names may leave little room for the axes
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False)

    def _draw_epochs(self, ax: Axes, line_kwargs: Style | None, *, is_new: bool) -> None:
        """Distances from the optimum over the epochs, and the band that they enter."""
        shown = self.shown_
        distance = (self.path[:, shown] - self.optimum[shown]) / self.errors[shown]
        entered = _entered(distance, self.quantile)
        # almost linear in the band, and logarithmic far away
        ax.set_yscale("asinh", linear_width=self.quantile)
        self.band_ = ax.axhspan(
            -self.quantile, self.quantile, color=band_color(ax), alpha=0.13, lw=0
        )
        ax.axhline(0.0, color="0.5", linewidth=0.8, zorder=1)
        last = np.argsort(-entered, kind="stable")[:_NAMED_LINES]
        colors = dict(zip(last.tolist(), distinct_colors(ax), strict=False))
        for j in [j for j in range(len(entered)) if j not in colors] + last.tolist():
            name, is_named = self.names[self.shown_[j]], j in colors
            when = _when(entered[j], len(distance))
            style = {
                "color": colors.get(j, _OTHERS_COLOR),
                "linewidth": 1.8 if is_named else 1.0,
                "label": f"{_wrapped(name)}, {when}" if is_named else "_",
                "zorder": 3 if is_named else 2,
            }
            (self.lines_[name],) = ax.plot(distance[:, j], **line_style(style, line_kwargs))
        n_others = len(entered) - len(last)
        if n_others:
            latest = int(np.sort(entered)[:n_others][-1])
            words = _when(latest, len(distance)) + (" or before" if latest else "")
            ax.plot([], [], color=_OTHERS_COLOR, label=f"{n_others} others, {words}")
        # not much happens after all have entered
        end = min(len(distance) - 1, max(_LEAST_EPOCHS, 3 * int(entered.max())))
        ax.set_xlim(-0.01 * end, 1.01 * end)
        ax.set(xlabel="Epoch", ylabel="Distance from the optimum (standard errors)")
        _label_distances(ax, distance)
        place: Style = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.02), "frameon": False}
        if not is_new:
            place = {"loc": "best"}  # beside the axes of the user may be no room
        ax.legend(
            title=f"Inside the {100 * self.confidence:g}% interval",
            alignment="left",
            fontsize="small",
            **place,
        )


def _entered(distance: np.ndarray, quantile: float) -> np.ndarray:
    """The epoch from which each distance (epochs, terms) stays within the quantile."""
    is_inside = np.abs(distance) <= quantile
    stays = np.logical_and.accumulate(is_inside[::-1])[::-1]
    epoch: np.ndarray = len(distance) - stays.sum(axis=0)
    return epoch


def _label_distances(ax: Axes, distance: np.ndarray) -> None:
    """Ticks at round distances; those of matplotlib leave the linear part empty."""
    largest = np.abs(distance[np.isfinite(distance)]).max(initial=1.0)
    top = max(1.3 * largest, 4.0)
    steps = [step for step in (2, 5, 10, 30, 100, 1000, 10_000, 100_000) if step <= top]
    low = -top if distance.min() < -2.0 else -3.5
    high = top if distance.max() > 2.0 else 3.5
    ticks = [tick for tick in (*(-step for step in steps), 0, *steps) if low <= tick <= high]
    ax.set_ylim(low, high)
    ax.set_yticks(ticks, [f"{tick:,}".replace("-", "−") for tick in ticks])
    ax.minorticks_off()


def _when(epoch: int, n_epochs: int) -> str:
    """From which epoch a coefficient is inside of its interval."""
    if epoch == 0:
        return "from the start"
    return f"from epoch {epoch}" if epoch < n_epochs else "not yet"


def _wrapped(name: str) -> str:
    """A name in at most two lines. matplotlib reads text between two $ signs as a formula."""
    name = name.replace("$", r"\$")
    if len(name) <= _LINE_LENGTH:
        return name
    lines = textwrap.wrap(name, _LINE_LENGTH, max_lines=_MAX_LINES, placeholder="…")
    return "\n".join(lines)
