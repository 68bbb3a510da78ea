"""The display of how the learning rate changes a descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base.parameters import invalid, real
from sklearn_gd._base.types import MatrixLike, Results, Style, TorchFunction
from sklearn_gd._data.array_api import to_numpy
from sklearn_gd._functions.minimize import minimize
from sklearn_gd._functions.result import select_run
from sklearn_gd._inspection.descent_path import DescentPathDisplay
from sklearn_gd._inspection.descent_surface import flatten_path, surfaces_of_function
from sklearn_gd._inspection.fit_trace import PreparedEstimator
from sklearn_gd._inspection.plotting import (
    CURVE_COLOR,
    DIVERGED_STYLE,
    STEPS_COLOR,
    below,
    distance_above,
    distinct_colors,
    distinct_labels,
    legend_above,
    line_style,
    log_helps,
    ordered_colors,
    point_style,
    pyplot,
    scale_losses,
)
from sklearn_gd._model_selection.linear import GDLinearRegressorCV
from sklearn_gd._model_selection.polynomial import GDPolynomialRegressorCV

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_TUTORIAL_LRS = (0.01, 0.1, 0.3, 0.7, 1.0)
_PANELS_PER_ROW = 3
_MAX_LEGEND_ENTRIES = 6
_LOG_LRS = 10.0  # the ratio of learning rates below which the ticks of a log scale overlap


class LearningRateDisplay:
    """The same descent with several learning rates, side by side.

    `from_estimator` draws the final loss against the learning rate, and the loss curves beside
    it. `from_function` draws a panel with the steps for each learning rate. The parameters are
    stored as attributes, and `plot` draws them.

    Parameters
    ----------
    lrs : ndarray of shape (n_lrs,)
        Learning rates, in ascending order.
    loss_curves : sequence of n_lrs ndarrays of shape (n_epochs,)
        The loss curve of each learning rate.
    final_losses : ndarray of shape (n_lrs,)
        The loss at the end of each descent. If a descent diverged, the lowest loss that it
        passed.
    diverged : ndarray of bool of shape (n_lrs,)
        Whether each descent diverged.
    max_stable_lr : float, default=None
        The largest learning rate that converges, if there is such a number.
    panels : sequence of DescentPathDisplay, default=()
        A display for each learning rate. If there are panels, they are drawn instead of the
        losses.
    loss_name : str, default="loss"
        Name of the losses.
    optimum : float, default=None
        The lowest loss that any parameters reach, if it is known.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (2,) or (n_panels,)
        The axes.
    figure_ : matplotlib Figure
        Figure of the axes.
    lines_ : list of matplotlib Line2D
        The loss curves, or the steps in each panel.
    stable_line_ : matplotlib Line2D or None
        The vertical line at the largest stable learning rate.

    See Also
    --------
    lr_report : The same in words and numbers, without a descent.
    LossCurveDisplay : The loss curves of fitted estimators.

    Examples
    --------
    >>> from sklearn_gd import LearningRateDisplay
    >>> display = LearningRateDisplay.from_function(lambda x: x**2 - 4 * x + 5, 7.0, epochs=20)
    >>> [ax.get_title() for ax in display.axes_]
    ['lr = 0.01', 'lr = 0.1', 'lr = 0.3', 'lr = 0.7', 'lr = 1']
    """

    __module__ = "sklearn_gd"

    axes_: np.ndarray
    figure_: Figure
    lines_: list[Line2D]
    stable_line_: Line2D | None

    def __init__(
        self,
        *,
        lrs: np.ndarray,
        loss_curves: Sequence[np.ndarray],
        final_losses: np.ndarray,
        diverged: np.ndarray,
        max_stable_lr: float | None = None,
        panels: Sequence[DescentPathDisplay] = (),
        loss_name: str = "loss",
        optimum: float | None = None,
    ):
        self.lrs = lrs
        self.loss_curves = loss_curves
        self.final_losses = final_losses
        self.diverged = diverged
        self.max_stable_lr = max_stable_lr
        self.panels = panels
        self.loss_name = loss_name
        self.optimum = optimum

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike | None = None,
        y: ArrayLike | None = None,
        *,
        lrs: Sequence[float] | None = None,
        above_optimum: bool = False,
        ax: Axes | None = None,
        line_kwargs: Style | None = None,
    ) -> Self:
        """Descend from zeros with every learning rate at once, and draw the losses.

        Parameters
        ----------
        estimator : GDLinearRegressor, GDPolynomialRegressor or a fitted search
            The estimator, fitted or not. The estimator is only read. Of a fitted
            GDLinearRegressorCV or GDPolynomialRegressorCV the display shows the losses of
            the held-out rows, averaged over the folds. It shows the learning rates of the
            search, with the best values of the other parameters.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features), default=None
            Training data. Not needed for a search.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Targets. Not needed for a search.
        lrs : sequence of float, default=None
            Learning rates. None takes twelve learning rates, from 0.001 to 1.5 times the
            largest stable one, or from 1e-4 to 1 if there is no such number. Of a search
            None takes the learning rates of the search.
        above_optimum : bool, default=False
            Whether the loss curves are distances from the optimum on a log scale. The optimum
            is known for the squared error without `l1_ratio`, `positive` and `bounds`.
        ax : array-like of two matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the loss curves.

        Returns
        -------
        LearningRateDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a regressor of this package, or `X` or `y` is missing.
        ValueError
            If a learning rate is not a positive number, a parameter is outside its range, or
            the data hold NaN or infinity. Of a search also if `lrs` is given, or the search
            has no best candidate.

        See Also
        --------
        LearningRateDisplay.from_function : Draw the descents on a function.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_gd import GDLinearRegressor, LearningRateDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> display = LearningRateDisplay.from_estimator(
        ...     GDLinearRegressor(), X, y, lrs=(0.01, 0.1, 1.1)
        ... )
        >>> display.max_stable_lr, display.diverged
        (1.0, array([False, False,  True]))
        """
        if isinstance(estimator, GDLinearRegressorCV | GDPolynomialRegressorCV):
            display = cls(**_read_search(estimator, lrs))
            return display.plot(ax, above_optimum=above_optimum, line_kwargs=line_kwargs)
        if X is None or y is None:
            raise TypeError(
                f"LearningRateDisplay.from_estimator needs X and y to descend with "
                f"{type(estimator).__name__}; only a search has its curves already."
            )
        prepared = PreparedEstimator.of(estimator, X, y, cls.__name__)
        max_stable_lr = prepared.fit.max_stable_lr
        checked_lrs = _default_lrs(max_stable_lr) if lrs is None else _check_lrs(lrs)
        results = prepared.results(checked_lrs.tolist())
        return cls(
            lrs=checked_lrs,
            loss_curves=[result.loss_curve for result in results],
            final_losses=np.array([result.loss for result in results]),
            diverged=np.array([result.diverged for result in results]),
            max_stable_lr=max_stable_lr,
            optimum=prepared.optimum,
        ).plot(ax, above_optimum=above_optimum, line_kwargs=line_kwargs)

    @classmethod
    def from_function(
        cls,
        fun: TorchFunction,
        x0: ArrayLike,
        *,
        lrs: Sequence[float] = _TUTORIAL_LRS,
        epochs: int = 100,
        ax: Axes | None = None,
        line_kwargs: Style | None = None,
        **minimize_options: Any,
    ) -> Self:
        """Minimize a function with every learning rate at once, and draw the steps of each.

        Parameters
        ----------
        fun : callable
            The function, as for `minimize`. With one or two variables the steps are drawn on
            the function. With more variables the losses are drawn as in `from_estimator`.
        x0 : float, array-like or dict of str to float or array-like
            Where the descents start.
        lrs : sequence of float, default=(0.01, 0.1, 0.3, 0.7, 1.0)
            Learning rates.
        epochs : int, default=100
            Number of steps.
        ax : array-like of matplotlib Axes, default=None
            Where to draw: an axes for each learning rate, or two where the losses are drawn.
            None makes a new figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps or the loss curves.
        **minimize_options : dict
            Further options of `minimize`, such as ``optimizer``.

        Returns
        -------
        LearningRateDisplay
            The display, drawn.

        Raises
        ------
        ValueError, TypeError
            If a learning rate is not a positive number, `ax` does not hold the right number
            of axes, or `minimize` raises.

        See Also
        --------
        minimize : Minimize a function.
        DescentPathDisplay.from_function : Draw the steps of one learning rate.

        Examples
        --------
        >>> from sklearn_gd import LearningRateDisplay
        >>> def bowl(x):
        ...     return x[0] ** 2 + 10 * x[1] ** 2
        >>> display = LearningRateDisplay.from_function(bowl, [1.0, 1.0], lrs=(0.05, 0.2))
        >>> [ax.get_title() for ax in display.axes_]
        ['lr = 0.05', 'lr = 0.2, diverged']
        """
        checked_lrs = _check_lrs(lrs)
        result = minimize(fun, x0, lr=checked_lrs.tolist(), epochs=epochs, **minimize_options)
        runs = [select_run(result, run) for run in range(len(checked_lrs))]
        surfaces = []
        if flatten_path(runs[0].path).shape[1] <= 2:
            surfaces = surfaces_of_function(fun, runs)
        return cls(
            lrs=checked_lrs,
            loss_curves=[run.loss_curve for run in runs],
            final_losses=result.fun,
            diverged=result.status == 2,
            panels=[DescentPathDisplay(**surface._asdict()) for surface in surfaces],
        ).plot(ax, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        above_optimum: bool = False,
        line_kwargs: Style | None = None,
    ) -> Self:
        """Draw the panels, or the losses.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, default=None
            Where to draw: an axes for each panel, or two where the losses are drawn. None
            makes a new figure.
        above_optimum : bool, default=False
            Whether the loss curves are distances from `optimum` on a log scale.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps or the loss curves.

        Returns
        -------
        self : LearningRateDisplay
            The display.

        Raises
        ------
        ValueError
            If there are too few or too many axes, or `above_optimum` is true and the optimum
            is not known.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        LearningRateDisplay.from_estimator : Make a display of an estimator and draw it.
        LearningRateDisplay.from_function : Make a display of a function and draw it.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import LearningRateDisplay
        >>> lrs, epochs = np.array([0.1, 0.4]), np.arange(20)
        >>> display = LearningRateDisplay(
        ...     lrs=lrs,
        ...     loss_curves=[(1 - lr) ** epochs for lr in lrs],
        ...     final_losses=(1 - lrs) ** 20,
        ...     diverged=np.array([False, False]),
        ...     max_stable_lr=2.0,
        ... )
        >>> display.plot().axes_[0].get_xlabel()
        'Learning rate'
        """
        if above_optimum and self.optimum is None:
            raise ValueError(
                "above_optimum=True needs an optimum, and it is not known here. It is known for "
                "the squared error of all rows without l1_ratio, positive and bounds."
            )
        self.axes_ = self._new_axes() if ax is None else self._check_axes(ax)
        self.figure_ = self.axes_[0].figure
        self.stable_line_ = None
        if self.panels:
            self._plot_panels(line_kwargs)
            if ax is None:
                first = self.panels[0]
                handles = {"steps": first.line_, "start": first.start_, "last step": first.end_}
                self.figure_.legend(
                    handles.values(), handles.keys(), loc="outside lower center", ncols=3
                )
        else:
            self._plot_final_losses(self.axes_[0])
            self._plot_curves(self.axes_[1], line_kwargs, self.optimum if above_optimum else None)
        return self

    @property
    def _n_axes(self) -> int:
        return len(self.panels) or 2

    def _new_axes(self) -> np.ndarray:
        """The axes of a new figure."""
        columns = 2 if self._n_axes == 4 else min(self._n_axes, _PANELS_PER_ROW)
        rows = -(-self._n_axes // columns)
        size = (3.2 * columns, 2.7 * rows) if self.panels else (9.0, 4.2)
        figure = pyplot().figure(figsize=size, layout="constrained")
        cells = figure.add_gridspec(rows, 2 * columns)
        axes = []
        for i in range(self._n_axes):
            row, column = divmod(i, columns)
            # a last row with fewer panels is centred
            gap = columns - min(columns, self._n_axes - row * columns)
            axes.append(figure.add_subplot(cells[row, gap + 2 * column : gap + 2 * column + 2]))
        return np.array(axes, dtype=object)

    def _check_axes(self, ax: Axes) -> np.ndarray:
        """The axes of the user as an array."""
        axes = np.asarray(ax, dtype=object).ravel()
        if len(axes) != self._n_axes:
            raise ValueError(
                f"LearningRateDisplay needs {self._n_axes} axes here, and ax holds {len(axes)}."
            )
        return axes

    def _plot_panels(self, line_kwargs: Style | None) -> None:
        """Draw the steps of each learning rate."""
        for ax, lr, panel in zip(self.axes_, self.lrs, self.panels, strict=True):
            panel.plot(ax, line_kwargs=line_kwargs, colorbar=False)
            ax.set_title(f"lr = {lr:g}" + (", diverged" if panel.diverged else ""))
            ax.get_legend().remove()
        self.lines_ = [panel.line_ for panel in self.panels]

    def _plot_final_losses(self, ax: Axes) -> None:
        """Draw the final loss against the learning rate."""
        converged = ~self.diverged
        lrs, losses = self.lrs[converged], self.final_losses[converged]
        ax.plot(lrs, losses, color="0.7", zorder=1)
        colors = ordered_colors(ax, converged.sum())
        for lr, loss, color in zip(lrs, losses, colors, strict=True):
            ax.plot(lr, loss, color=color, marker="o", linestyle="none")
        if self.diverged.any():  # a diverged descent has no final loss, but a mark at the edge
            ax.plot(
                self.lrs[self.diverged],
                np.ones(self.diverged.sum()),
                transform=below(ax, ax.get_xaxis_transform()),
                color=STEPS_COLOR,
                label="diverged",
                **DIVERGED_STYLE,
            )
        low, high = self.lrs[[0, -1]]
        if self.max_stable_lr is not None and np.isfinite(self.max_stable_lr):
            low, high = min(low, self.max_stable_lr), max(high, self.max_stable_lr)
            label = f"largest stable lr, {self.max_stable_lr:.4g}"
            self.stable_line_ = ax.axvline(
                self.max_stable_lr, color=CURVE_COLOR, linestyle="--", label=label
            )
        margin = (high / low) ** 0.05 * 1.1
        is_log = high > _LOG_LRS * low
        ax.set(
            xlabel="Learning rate",
            ylabel=f"Final {self.loss_name}",
            xscale="log" if is_log else "linear",
            xlim=(low / margin, high * margin),
            yscale="log" if log_helps([losses]) else "linear",
        )
        if not is_log:
            ax.locator_params(axis="x", nbins=4)
        if not len(losses):
            ax.set_yticks([])
        if ax.get_legend_handles_labels()[1]:
            legend_above(ax, gap=0.03)

    def _plot_curves(self, ax: Axes, line_kwargs: Style | None, optimum: float | None) -> None:
        """Draw the loss curves, or their distances from an optimum."""
        curves = self.loss_curves
        if optimum is not None:
            curves = [distance_above(curve, optimum) for curve in curves]
        self.lines_ = []
        colors = iter(ordered_colors(ax, (~self.diverged).sum()))
        names, ink = distinct_labels(self.lrs.tolist()), distinct_colors(ax)[-1]
        for name, curve, diverged in zip(names, curves, self.diverged, strict=True):
            style: Style
            if diverged:
                # what follows the divergence is the loss of the parameters that are kept
                curve = curve[: int(np.argmax(np.nan_to_num(curve, nan=np.inf))) + 1]
                style = {"label": f"lr = {name}, diverged", "color": ink, "linestyle": "--"}
            else:
                style = {"label": f"lr = {name}", "color": next(colors)}
            style.update(point_style(curve))
            self.lines_ += ax.plot(curve, **line_style(style, line_kwargs))
        runs = zip(curves, self.diverged, strict=True)
        converged = [curve for curve, has_diverged in runs if not has_diverged]
        scale_losses(ax, converged or curves, "auto" if optimum is None else True)
        suffix = "" if optimum is None else " above the optimum"
        ax.set(xlabel="Epoch", ylabel=f"{self.loss_name.capitalize()}{suffix}")
        if len(self.lrs) <= _MAX_LEGEND_ENTRIES:
            legend_above(ax, gap=0.03, columns=2)
        else:
            note = ", diverged runs dashed" if self.diverged.any() else ""
            ax.set_title(f"colours as on the left{note}", fontsize="small")


def _read_search(search: BaseEstimator, lrs: Sequence[float] | None) -> Results:
    """The parameters of a display of a fitted search, with the best other parameters."""
    check_is_fitted(search)
    if not hasattr(search, "best_index_"):
        raise ValueError(
            f"This {type(search).__name__} chose no best candidate: it has several scorers and "
            "refit=False. Name one of them in refit."
        )
    if lrs is not None:
        raise ValueError("A search has tried its own learning rates; lrs cannot be given.")
    n_lrs = len(search.lrs)
    first = search.best_index_ - search.best_index_ % n_lrs  # the learning rate varies fastest
    candidates = sorted((lr, first + k) for k, lr in enumerate(search.lrs) if lr != "auto")
    if not candidates:
        raise ValueError("The only learning rate of this search is 'auto'.")
    numbers = [number for _, number in candidates]
    curves = to_numpy(search.test_loss_curves_)[numbers].mean(axis=1)
    return {
        "lrs": np.array([lr for lr, _ in candidates], dtype=np.float64),
        "loss_curves": list(curves),
        "final_losses": curves[:, -1],
        "diverged": search.cv_results_["diverged"][numbers] > 0,
        "max_stable_lr": getattr(search, "max_stable_lr_", None),
        "loss_name": "held-out loss",
    }


def _default_lrs(max_stable_lr: float | None) -> np.ndarray:
    """Learning rates around the largest stable one."""
    if max_stable_lr is None or not np.isfinite(max_stable_lr):
        return np.geomspace(1e-4, 1.0, 12)
    return max_stable_lr * np.geomspace(1e-3, 1.5, 12)


def _check_lrs(lrs: Sequence[float]) -> np.ndarray:
    """The learning rates in ascending order. Raises unless all are positive numbers."""
    rule = real(0.0)
    values = list(np.atleast_1d(np.asarray(lrs, dtype=object)))
    if not values or not all(rule.holds(lr) for lr in values):
        raise invalid("LearningRateDisplay", "lrs", f"a sequence, each {rule.words}", lrs)
    return np.sort(np.array(values, dtype=np.float64))
