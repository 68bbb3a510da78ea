"""The display of loss curves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base.parameters import invalid, real
from sklearn_gd._base.types import Style
from sklearn_gd._data.array_api import to_numpy
from sklearn_gd._inspection.plotting import (
    DIVERGED_STYLE,
    axes_or_new,
    below,
    curve_style,
    distance_above,
    line_style,
    point_style,
    scale_losses,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Converted = TypeVar("Converted")


class LossCurveDisplay:
    """Loss against epochs, for one estimator or several.

    Create a display with `from_estimator`, `from_estimators` or `from_curves`. The parameters
    are stored as attributes, and `plot` draws them.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (n_epochs,)
        Loss curves by name.
    validation_curves : dict of str to ndarray of shape (n_epochs,), default=None
        Validation losses by name, for some or all of the names of `curves`.
    best_epochs : dict of str to int, default=None
        The epoch with the lowest validation loss by name, for some or all of the names.
    diverged : collection of str, default=()
        The names of the runs that diverged.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure of the axes.
    lines_ : dict of str to matplotlib Line2D
        The loss curves.
    validation_lines_ : dict of str to matplotlib Line2D
        The validation curves.
    best_lines_ : dict of str to matplotlib Line2D
        Vertical lines at the best epochs.
    diverged_marks_ : dict of str to matplotlib Line2D
        Crosses at the last finite losses of the runs that diverged.

    See Also
    --------
    LearningRateDisplay : How the learning rate changes the descent.
    DescentPathDisplay : The steps of a descent on what it minimizes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor, LossCurveDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GDLinearRegressor().fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(model)
    >>> display.ax_.get_xlabel()
    'Epoch'
    """

    __module__ = "sklearn_gd"

    ax_: Axes
    figure_: Figure
    lines_: dict[str, Line2D]
    validation_lines_: dict[str, Line2D]
    best_lines_: dict[str, Line2D]
    diverged_marks_: dict[str, Line2D]

    def __init__(
        self,
        *,
        curves: Mapping[str, np.ndarray],
        validation_curves: Mapping[str, np.ndarray] | None = None,
        best_epochs: Mapping[str, int] | None = None,
        diverged: Collection[str] = (),
    ):
        self.curves = curves
        self.validation_curves = validation_curves
        self.best_epochs = best_epochs
        self.diverged = diverged

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        log_scale: bool | str = "auto",
        optimum: float | None = None,
        curve_kwargs: Style | None = None,
    ) -> Self:
        """Draw the loss curve of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Any fitted estimator with a `loss_curve_`, such as `GDLinearRegressor` or
            `sklearn.neural_network.MLPRegressor`. Its `validation_loss_curve_`,
            `best_epoch_` and `diverged_` are shown if it has them. The loss of an
            MLPRegressor is half of the mean squared error, and the display doubles it.
        name : str, default=None
            The name of the curve in the legend. None is the name of the class.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        log_scale : bool or "auto", default="auto"
            Whether the losses have a log scale. ``"auto"`` uses a log scale if all losses
            are positive and the largest is more than 30 times the smallest.
        optimum : float, default=None
            The lowest loss that is possible, such as the `optimum` of a LearningRateDisplay.
            If given, the display shows the distance of the losses from it on a log scale, and
            no validation losses.
        curve_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the loss curve.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no `loss_curve_`.
        ValueError
            If `optimum` is not a finite number.

        See Also
        --------
        LossCurveDisplay.from_estimators : Draw the curves of several estimators.
        LossCurveDisplay.from_curves : Draw curves of any origin.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_gd import GDLinearRegressor, LossCurveDisplay
        >>> model = GDLinearRegressor(early_stopping=True, lr=0.2, random_state=0)
        >>> model = model.fit(*load_diabetes(return_X_y=True))
        >>> display = LossCurveDisplay.from_estimator(model, name="diabetes")
        >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
        ['diabetes', 'diabetes, validation', 'diabetes, best epoch ...']
        """
        name = type(estimator).__name__ if name is None else name
        return cls.from_estimators(
            {name: estimator},
            ax=ax,
            log_scale=log_scale,
            optimum=optimum,
            curve_kwargs=curve_kwargs,
        )

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, BaseEstimator],
        *,
        ax: Axes | None = None,
        log_scale: bool | str = "auto",
        optimum: float | None = None,
        curve_kwargs: Style | None = None,
    ) -> Self:
        """Draw the loss curves of several fitted estimators.

        Parameters
        ----------
        estimators : dict of str to estimator
            Fitted estimators by name, each as in `from_estimator`.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        log_scale : bool or "auto", default="auto"
            Whether the losses have a log scale. ``"auto"`` uses a log scale if all losses
            are positive and the largest is more than 30 times the smallest.
        optimum : float, default=None
            The lowest loss that is possible, such as the `optimum` of a LearningRateDisplay.
            If given, the display shows the distance of the losses from it on a log scale, and
            no validation losses.
        curve_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the loss curves.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If an estimator is not fitted.
        TypeError
            If an estimator has no `loss_curve_`, or a name is not a str.
        ValueError
            If there are no estimators, or `optimum` is not a finite number.

        See Also
        --------
        LossCurveDisplay.from_estimator : Draw the curve of one estimator.
        LossCurveDisplay.from_curves : Draw curves of any origin.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_gd import GDLinearRegressor, LossCurveDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> models = {f"lr = {lr}": GDLinearRegressor(lr=lr).fit(X, y) for lr in (0.01, 0.1)}
        >>> display = LossCurveDisplay.from_estimators(models)
        >>> list(display.lines_)
        ['lr = 0.01', 'lr = 0.1']
        """
        _check_names(estimators, "estimators")
        for estimator in estimators.values():
            _check_has_loss_curve(estimator)
        return cls(
            curves={name: _loss_curve(estimator) for name, estimator in estimators.items()},
            validation_curves=_attributes(estimators, "validation_loss_curve_", _as_curve),
            best_epochs=_attributes(estimators, "best_epoch_", int),
            diverged=[name for name, e in estimators.items() if getattr(e, "diverged_", False)],
        ).plot(ax, log_scale=log_scale, optimum=optimum, curve_kwargs=curve_kwargs)

    @classmethod
    def from_curves(
        cls,
        curves: Mapping[str, ArrayLike] | ArrayLike,
        *,
        ax: Axes | None = None,
        log_scale: bool | str = "auto",
        optimum: float | None = None,
        curve_kwargs: Style | None = None,
    ) -> Self:
        """Draw loss curves of any origin.

        Parameters
        ----------
        curves : dict of str to array-like of shape (n_epochs,), or one such array-like
            The losses. A curve with a value that is not finite is marked as diverged.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        log_scale : bool or "auto", default="auto"
            Whether the losses have a log scale. ``"auto"`` uses a log scale if all losses
            are positive and the largest is more than 30 times the smallest.
        optimum : float, default=None
            The lowest loss that is possible, such as the `optimum` of a LearningRateDisplay.
            If given, the display shows the distance of the losses from it on a log scale, and
            no validation losses.
        curve_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the loss curves.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If a name is not a str.
        ValueError
            If there is no curve, a curve is not one-dimensional, or `optimum` is not a finite
            number.

        See Also
        --------
        LossCurveDisplay.from_estimators : Draw the curves of fitted estimators.
        minimize : A function whose result has a `loss_curve`.

        Examples
        --------
        >>> from sklearn_gd import LossCurveDisplay, minimize
        >>> result = minimize(lambda x: x**2 - 4 * x + 5, 7.0, lr=0.1, epochs=50)
        >>> display = LossCurveDisplay.from_curves({"lr = 0.1": result.loss_curve})
        >>> len(display.lines_["lr = 0.1"].get_xdata())
        51
        """
        named = curves if isinstance(curves, Mapping) else {"loss": curves}
        _check_names(named, "curves")
        arrays = {name: _as_curve(curve) for name, curve in named.items()}
        for name, curve in arrays.items():
            if curve.ndim != 1 or not len(curve):
                raise ValueError(
                    f"A loss curve is one-dimensional with a value for each epoch, and {name!r} "
                    f"has shape {curve.shape}. Pass several curves as a dict of names to curves."
                )
        diverged = [name for name, curve in arrays.items() if not np.isfinite(curve).all()]
        return cls(curves=arrays, diverged=diverged).plot(
            ax, log_scale=log_scale, optimum=optimum, curve_kwargs=curve_kwargs
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        log_scale: bool | str = "auto",
        optimum: float | None = None,
        curve_kwargs: Style | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        log_scale : bool or "auto", default="auto"
            Whether the losses have a log scale. ``"auto"`` uses a log scale if all losses
            are positive and the largest is more than 30 times the smallest.
        optimum : float, default=None
            The lowest loss that is possible, such as the `optimum` of a LearningRateDisplay.
            If given, the display shows the distance of the losses from it on a log scale, and
            no validation losses.
        curve_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the loss curves.

        Returns
        -------
        self : LossCurveDisplay
            The display.

        Raises
        ------
        ValueError
            If `optimum` is not a finite number.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        LossCurveDisplay.from_estimator : Make a display and draw it.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import LossCurveDisplay
        >>> display = LossCurveDisplay(curves={"halving": 0.5 ** np.arange(10)})
        >>> display.plot().ax_.get_yscale()
        'log'
        """
        ax, self.figure_ = axes_or_new(ax)
        self.ax_ = ax
        self.lines_, self.validation_lines_, self.best_lines_ = {}, {}, {}
        curves, validation = self.curves, self.validation_curves or {}
        if optimum is not None:
            _check_optimum(optimum)
            curves = {name: distance_above(c, optimum) for name, c in curves.items()}
            validation = {}  # their optimum is another
        for i, (name, curve) in enumerate(curves.items()):
            defaults = {**curve_style(ax, i), **point_style(curve), "label": name}
            (self.lines_[name],) = ax.plot(curve, **line_style(defaults, curve_kwargs))
            self._plot_validation(ax, name, validation.get(name))
        ax.set(xlabel="Epoch", ylabel="Loss" if optimum is None else "Loss above the optimum")
        converged = [curve for name, curve in curves.items() if name not in self.diverged]
        shown = [*(converged or curves.values()), *validation.values()]
        scale_losses(ax, shown, log_scale if optimum is None else True)
        self.diverged_marks_ = {name: self._mark_divergence(name) for name in self.diverged}
        ax.legend(fontsize="small" if len(ax.get_legend_handles_labels()[1]) > 6 else None)
        return self

    def _plot_validation(self, ax: Axes, name: str, curve: ArrayLike | None) -> None:
        """Draw the validation losses of a curve, and its best epoch, where there are any."""
        color, best_epochs = self.lines_[name].get_color(), self.best_epochs or {}
        if curve is not None:
            (self.validation_lines_[name],) = ax.plot(
                curve,
                color=color,
                linestyle="--",
                label=f"{name}, validation",
                **point_style(curve),
            )
        if name in best_epochs:
            label = f"{name}, best epoch {best_epochs[name]}"
            self.best_lines_[name] = ax.axvline(
                best_epochs[name], color=color, linestyle=":", label=label
            )

    def _mark_divergence(self, name: str) -> Line2D:
        """A cross at the last finite loss, or at the upper edge where the loss is not visible."""
        curve = np.asarray(self.lines_[name].get_ydata(), dtype=np.float64)
        last = np.flatnonzero(np.isfinite(curve))[-1:]  # empty, if the start is not finite
        top, transform = self.ax_.get_ylim()[1], self.ax_.transData
        (mark,) = self.ax_.plot(
            last,
            np.minimum(curve[last], top),
            color=self.lines_[name].get_color(),
            label=f"{name}, diverged",
            transform=below(self.ax_, transform) if (curve[last] > top).any() else transform,
            **DIVERGED_STYLE,
        )
        return mark


def _attributes(
    estimators: Mapping[str, BaseEstimator], attribute: str, convert: Callable[[Any], Converted]
) -> dict[str, Converted]:
    """The converted attribute of every estimator that has it, by name."""
    values = {name: getattr(e, attribute, None) for name, e in estimators.items()}
    return {name: convert(value) for name, value in values.items() if value is not None}


def _as_curve(values: ArrayLike) -> np.ndarray:
    """Losses as an array. Those of a model fitted on tensors are a tensor."""
    return np.asarray(to_numpy(values), dtype=np.float64)


def _loss_curve(estimator: BaseEstimator) -> np.ndarray:
    """The loss curve, in full squared errors where the estimator halves them."""
    from sklearn.neural_network import MLPRegressor

    curve = _as_curve(estimator.loss_curve_)
    is_halved = isinstance(estimator, MLPRegressor) and estimator.loss == "squared_error"
    return 2.0 * curve if is_halved else curve


def _check_optimum(optimum: float) -> None:
    """Raise unless the optimum is a finite number."""
    rule = real(-np.inf)
    if not rule.holds(optimum):
        raise invalid("LossCurveDisplay", "optimum", f"{rule.words} or None", optimum)


def _check_names(values: Mapping[str, object], what: str) -> None:
    """Raise unless there are values, each with a str as its name."""
    if not values:
        raise ValueError(f"LossCurveDisplay has nothing to draw: {what} is empty.")
    for name in values:
        if not isinstance(name, str):
            raise TypeError(f"The names of {what} must be str, and {name!r} is not.")


def _check_has_loss_curve(estimator: BaseEstimator) -> None:
    """Raise unless the estimator is fitted and has a loss curve."""
    check_is_fitted(estimator)
    if not hasattr(estimator, "loss_curve_"):
        raise TypeError(
            "LossCurveDisplay needs an estimator with a loss_curve_, and "
            f"{type(estimator).__name__} has none. Of a pipeline or a search pass the "
            "estimator inside, such as pipeline[-1] or search.best_estimator_."
        )
