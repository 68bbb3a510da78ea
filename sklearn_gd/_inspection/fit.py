"""The display of the model at several epochs of its training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator

from sklearn_gd._base.parameters import check_params, choice, invalid, real
from sklearn_gd._base.types import MatrixLike, Style
from sklearn_gd._inspection.estimation import estimate_terms
from sklearn_gd._inspection.fit_trace import PreparedEstimator, trace_fit
from sklearn_gd._inspection.plotting import (
    COLORS,
    axes_or_new,
    axis_label,
    band_color,
    line_style,
    ordered_colors,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_CURVE_POINTS = 300
_MAX_ROWS = 500  # that are drawn for an epoch; more would hide the other epochs
_RULES = {"interval": choice("confidence", "prediction", None), "confidence": real(0.0, 1.0)}


class FitDisplay:
    """The model at several epochs of its training, against the data.

    With one feature the display shows the data, and the line or polynomial of each epoch.
    With several features it shows the predictions against the true targets, of at most 500
    rows at equal distances. Create a display with `from_estimator`. The parameters are stored
    as attributes, and `plot` draws them.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The feature, or the true targets if there are several features.
    y : ndarray of shape (n_samples,)
        The targets.
    epochs : ndarray of int of shape (n_epochs,)
        The numbers of steps after which the model is shown.
    curve_x : ndarray of shape (n_points,)
        Where the predictions are drawn on the horizontal axis.
    curves : ndarray of shape (n_epochs, n_points)
        The predictions of each epoch.
    labels : sequence of two str
        Labels of the axes.
    single_feature : bool, default=True
        Whether there is one feature.
    band : ndarray of shape (2, n_points), default=None
        Lower and upper ends of an interval around the optimum, at `curve_x`.
    band_label : str, default="interval"
        The name of the interval.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the model.
    figure_ : matplotlib Figure
        Figure of the axes.
    data_ : matplotlib Line2D
        The data, or the line on which predictions are true.
    lines_ : dict of int to matplotlib Line2D
        The predictions of each epoch.
    band_ : matplotlib artist or None
        The interval: a band with one feature, and else a vertical line for each sample.

    See Also
    --------
    inference : The intervals as numbers.
    DescentPathDisplay : The same descent in the space of its parameters.
    LossCurveDisplay : The losses of the epochs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_gd import FitDisplay, GDPolynomialRegressor
    >>> x = np.random.default_rng(0).normal(0, 5, size=(20, 1))
    >>> y = x[:, 0] ** 2 + 2 * x[:, 0] + 3
    >>> model = GDPolynomialRegressor(optimizer="nadam")
    >>> display = FitDisplay.from_estimator(model, x, y)
    >>> list(display.lines_)
    [0, 1, 10, 100, 1000]
    """

    __module__ = "sklearn_gd"

    ax_: Axes
    figure_: Figure
    data_: Artist
    lines_: dict[int, Line2D]
    band_: Artist | None

    def __init__(
        self,
        *,
        x: np.ndarray,
        y: np.ndarray,
        epochs: np.ndarray,
        curve_x: np.ndarray,
        curves: np.ndarray,
        labels: Sequence[str],
        single_feature: bool = True,
        band: np.ndarray | None = None,
        band_label: str = "interval",
    ):
        self.x = x
        self.y = y
        self.epochs = epochs
        self.curve_x = curve_x
        self.curves = curves
        self.labels = labels
        self.single_feature = single_feature
        self.band = band
        self.band_label = band_label

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike,
        y: ArrayLike,
        *,
        epochs: Sequence[int] = (0, 1, 10, 100, -1),
        interval: str | None = None,
        confidence: float = 0.95,
        ax: Axes | None = None,
        line_kwargs: Style | None = None,
        data_kwargs: Style | None = None,
    ) -> Self:
        """Descend from zeros as `fit` does, and draw the model at several epochs.

        Parameters
        ----------
        estimator : GDLinearRegressor or GDPolynomialRegressor
            The estimator, fitted or not. The estimator is only read.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Targets.
        epochs : sequence of int, default=(0, 1, 10, 100, -1)
            The numbers of steps after which the model is drawn. 0 is the start and -1 is
            the end. Epochs that the training does not reach are left out.
        interval : {"confidence", "prediction", None}, default=None
            The interval to draw around the least-squares optimum, as `inference` computes
            it. ``"confidence"`` is to cover the mean of the target, and ``"prediction"`` a
            new target.
        confidence : float, default=0.95
            The confidence of the interval, between 0 and 1.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the model.
        data_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the data.

        Returns
        -------
        FitDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a regressor of this package.
        ValueError
            If `epochs` holds anything but integers, or no epoch that the training reaches.
            Also if there are several targets, a parameter is outside its range, or the data
            hold NaN or infinity. With `interval`, if standard errors are undefined.

        See Also
        --------
        DescentPathDisplay.from_estimator : Draw the path of the same descent.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_gd import FitDisplay, GDLinearRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> display = FitDisplay.from_estimator(GDLinearRegressor(), X, y, epochs=(0, 100))
        >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
        ('True target', 'Prediction')
        """
        given = {"interval": interval, "confidence": confidence}
        check_params(cls.__name__, given, _RULES)
        _check_integers(epochs)
        trace = trace_fit(estimator, X, y, cls.__name__)
        chosen = _reached_epochs(epochs, len(trace.losses))
        data = trace.prepared.inputs.data
        x, targets = data.x, data.y[:, 0]
        has_single_feature = x.shape[1] == 1
        if has_single_feature:
            horizontal = (x.toarray() if sparse.issparse(x) else x)[:, 0].astype(np.float64)
            margin = 0.05 * np.ptp(horizontal) or 1.0
            ends = horizontal.min() - margin, horizontal.max() + margin
            curve_x = np.linspace(*ends, _CURVE_POINTS)
            rows, labels = curve_x[:, None], [trace.prepared.term_names[0], "Target"]
        else:
            horizontal = curve_x = targets
            rows, labels = x, ["True target", "Prediction"]
        band = None
        if interval is not None:
            band = _interval(trace.prepared, rows, interval, confidence)
        return cls(
            x=horizontal,
            y=targets,
            epochs=chosen,
            curve_x=curve_x,
            curves=np.array([trace.predict(rows, epoch) for epoch in chosen]),
            labels=labels,
            single_feature=has_single_feature,
            band=band,
            band_label=f"{100 * confidence:g}% {interval} interval",
        ).plot(ax, line_kwargs=line_kwargs, data_kwargs=data_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        line_kwargs: Style | None = None,
        data_kwargs: Style | None = None,
    ) -> Self:
        """Draw the data and the model.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the model.
        data_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the data.

        Returns
        -------
        self : FitDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        FitDisplay.from_estimator : Make a display and draw it.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import FitDisplay
        >>> x = np.linspace(0.0, 1.0, 10)
        >>> display = FitDisplay(
        ...     x=x, y=2 * x, epochs=np.array([0, 5]), curve_x=x, curves=np.array([0 * x, x]),
        ...     labels=("x", "y"),
        ... )
        >>> list(display.plot().lines_)
        [0, 5]
        """
        ax, self.figure_ = axes_or_new(ax)
        self.ax_ = ax
        data_style: Style
        model_style: Style
        if self.single_feature:
            data = self.x, self.y
            data_style = {"linestyle": "none", "marker": "o", "label": "data", "color": "0.45"}
            if len(self.x) > _MAX_ROWS:
                data_style = {**data_style, "markersize": 2, "alpha": 0.4, "color": "0.6"}
            model_style = {"linewidth": 2}
        else:
            ends = np.array([self.y.min(), self.y.max()])
            data = ends, ends
            data_style = {"linestyle": "--", "label": "prediction = target", "color": COLORS[2]}
            data_style = {**data_style, "linewidth": 2, "zorder": 3}
            model_style = {"linestyle": "none", "marker": "o", "markersize": 3, "alpha": 0.7}
            model_style = {**model_style, "markevery": -(-len(self.y) // _MAX_ROWS)}
        (self.data_,) = ax.plot(*data, **line_style(data_style, data_kwargs))
        self.lines_, self.band_ = {}, None
        if self.band is not None:
            draw = ax.fill_between if self.single_feature else ax.vlines
            style: Style = {"color": band_color(ax), "label": self.band_label, "zorder": 0}
            style = {**style, "linewidth": 1, "alpha": 0.2 if self.single_feature else 0.4}
            self.band_ = draw(self.curve_x, *self.band, **style)
        colors = ordered_colors(ax, len(self.epochs))
        for epoch, curve, color in zip(self.epochs.tolist(), self.curves, colors, strict=True):
            style = {**model_style, "color": color, "label": f"epoch {epoch}"}
            (self.lines_[epoch],) = ax.plot(self.curve_x, curve, **line_style(style, line_kwargs))
        self._limit_height(ax)
        ax.set(xlabel=axis_label(self.labels[0]), ylabel=axis_label(self.labels[1]))
        ax.legend(fontsize="small" if len(ax.get_legend_handles_labels()[1]) > 6 else None)
        return self

    def _limit_height(self, ax: Axes) -> None:
        """Keep the targets readable where the predictions of a divergence are far away."""
        low, high = self.y.min(), self.y.max()
        height = (high - low) or 1.0
        is_near = np.abs(self.curves - (low + high) / 2) < 2 * height
        if not is_near.all():
            ax.set_ylim(low - 0.5 * height, high + 0.5 * height)


def _interval(
    prepared: PreparedEstimator, rows: MatrixLike, interval: str, confidence: float
) -> np.ndarray:
    """Lower and upper ends (2, samples) of an interval around the optimum at some rows."""
    inputs = prepared.inputs
    user = estimate_terms(
        inputs.checked,
        inputs.data,
        inputs.basis,
        prepared.term_names,
        cov_type="nonrobust",
        owner="FitDisplay with an interval",
    ).estimate
    mean, error = user.predict(rows)
    if interval == "prediction":
        error = np.sqrt(error**2 + user.estimate.scale)
    return np.stack(user.interval(mean[:, 0], error[:, 0], confidence))


def _check_integers(epochs: Sequence[int]) -> None:
    """Check the numbers of epochs as far as that is possible before the descent."""
    if not isinstance(epochs, Iterable) or not all(
        isinstance(epoch, Integral) and not isinstance(epoch, bool) for epoch in epochs
    ):
        raise invalid("FitDisplay", "epochs", "a sequence of int", epochs)


def _reached_epochs(epochs: Sequence[int], n_points: int) -> np.ndarray:
    """The epochs that the training reaches, counted from the start, in order."""
    reached = {int(epoch) % n_points for epoch in epochs if -n_points <= epoch < n_points}
    if not reached:
        words = f"epochs that the training reaches, of {n_points - 1}"
        raise invalid("FitDisplay", "epochs", words, epochs)
    return np.array(sorted(reached))
