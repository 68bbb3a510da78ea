"""The display of loss curves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._inspection.plotting import COLORS, axes_or_new, scale_losses, styled


class LossCurveDisplay:
    """Loss against epochs, for one estimator or several.

    Create it with `from_estimator`, `from_estimators` or `from_curves`; the parameters
    are stored as attributes and drawn by `plot`.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (n_epochs,)
        Loss curves by name.
    validation_curves : dict of str to ndarray of shape (n_epochs,), default=None
        Validation losses of some of them.
    best_epochs : dict of str to int, default=None
        The epoch with the lowest validation loss of some of them.
    diverged : collection of str, default=()
        The names of diverged runs.

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
        Crosses where runs diverged.

    See Also
    --------
    LearningRateDisplay : How the learning rate changes the descent.

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
        estimator: Any,
        *,
        name: str | None = None,
        ax: Any = None,
        log_scale: bool | str = "auto",
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the loss curve of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Any fitted estimator with a `loss_curve_`, such as `GDLinearRegressor` or
            `sklearn.neural_network.MLPRegressor`. Its `validation_loss_curve_`,
            `best_epoch_` and `diverged_` are shown if it has them.
        name : str, default=None
            Its name in the legend; None is that of its class.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        log_scale : bool or "auto", default="auto"
            Whether the losses are drawn on a log scale; ``"auto"`` does where they are
            positive and span more than a factor of 30.
        curve_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the loss curve.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no `loss_curve_`.
        """
        name = type(estimator).__name__ if name is None else name
        return cls.from_estimators(
            {name: estimator}, ax=ax, log_scale=log_scale, curve_kwargs=curve_kwargs
        )

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, Any],
        *,
        ax: Any = None,
        log_scale: bool | str = "auto",
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the loss curves of several fitted estimators.

        Parameters
        ----------
        estimators : dict of str to estimator
            Fitted estimators by name, each as in `from_estimator`.
        ax, log_scale, curve_kwargs
            As in `from_estimator`.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If an estimator has no `loss_curve_`, or a name is not a str.
        ValueError
            If there are no estimators.
        """
        _check_names(estimators, "estimators")
        for estimator in estimators.values():
            check_is_fitted(estimator)
            if not hasattr(estimator, "loss_curve_"):
                raise TypeError(
                    "LossCurveDisplay needs an estimator with a loss_curve_, and "
                    f"{type(estimator).__name__} has none. Of a pipeline or a search pass the "
                    "estimator inside, such as pipeline[-1] or search.best_estimator_."
                )
        return cls(
            curves={name: np.asarray(e.loss_curve_) for name, e in estimators.items()},
            validation_curves={
                name: np.asarray(e.validation_loss_curve_)
                for name, e in estimators.items()
                if getattr(e, "validation_loss_curve_", None) is not None
            },
            best_epochs={
                name: int(e.best_epoch_)
                for name, e in estimators.items()
                if getattr(e, "best_epoch_", None) is not None
            },
            diverged=[name for name, e in estimators.items() if getattr(e, "diverged_", False)],
        ).plot(ax, log_scale=log_scale, curve_kwargs=curve_kwargs)

    @classmethod
    def from_curves(
        cls,
        curves: Mapping[str, ArrayLike] | ArrayLike,
        *,
        ax: Any = None,
        log_scale: bool | str = "auto",
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw loss curves that come from anywhere.

        Parameters
        ----------
        curves : dict of str to array-like of shape (n_epochs,), or one such array-like
            The losses. A curve with a value that is not finite is marked as diverged.
        ax, log_scale, curve_kwargs
            As in `from_estimator`.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there is no curve, or one is not one-dimensional.

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
        arrays = {name: np.asarray(curve, dtype=np.float64) for name, curve in named.items()}
        for name, curve in arrays.items():
            if curve.ndim != 1 or not len(curve):
                raise ValueError(
                    f"A loss curve is one-dimensional with a value for each epoch, and {name!r} "
                    f"has shape {curve.shape}. Pass several curves as a dict of names to curves."
                )
        diverged = [name for name, curve in arrays.items() if not np.isfinite(curve).all()]
        return cls(curves=arrays, diverged=diverged).plot(
            ax, log_scale=log_scale, curve_kwargs=curve_kwargs
        )

    def plot(
        self,
        ax: Any = None,
        *,
        log_scale: bool | str = "auto",
        curve_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        log_scale : bool or "auto", default="auto"
            Whether the losses are drawn on a log scale; ``"auto"`` does where they are
            positive and span more than a factor of 30.
        curve_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the loss curves.

        Returns
        -------
        self : LossCurveDisplay
            The display.
        """
        self.ax_ = ax = axes_or_new(ax)
        self.figure_ = ax.figure
        self.lines_, self.validation_lines_ = {}, {}
        self.best_lines_: dict[str, Any] = {}
        self.diverged_marks_: dict[str, Any] = {}
        validation, best = self.validation_curves or {}, self.best_epochs or {}
        for i, (name, curve) in enumerate(self.curves.items()):
            style = styled({"color": COLORS[i % len(COLORS)], "label": name}, curve_kwargs)
            (self.lines_[name],) = ax.plot(curve, **style)
            color = self.lines_[name].get_color()
            if name in validation:
                (self.validation_lines_[name],) = ax.plot(
                    validation[name], color=color, linestyle="--", label=f"{name}, validation"
                )
            if name in best:
                self.best_lines_[name] = ax.axvline(
                    best[name],
                    color=color,
                    linestyle=":",
                    label=f"{name}, best epoch {best[name]}",
                )
        ax.set(xlabel="Epoch", ylabel="Loss")
        arrived = [curve for name, curve in self.curves.items() if name not in self.diverged]
        scale_losses(ax, [*(arrived or self.curves.values()), *validation.values()], log_scale)
        for name in self.diverged:
            self._mark_divergence(name)
        ax.legend()
        return self

    def _mark_divergence(self, name: str) -> None:
        """A cross at the last finite loss, or at the upper edge where that is out of sight."""
        curve = np.asarray(self.curves[name])
        last = np.flatnonzero(np.isfinite(curve))[-1:]  # none, if the start was not finite
        (self.diverged_marks_[name],) = self.ax_.plot(
            last,
            np.minimum(curve[last], self.ax_.get_ylim()[1]),
            color=self.lines_[name].get_color(),
            marker="X",
            markersize=9,
            linestyle="none",
            clip_on=False,
            label=f"{name}, diverged",
        )


def _check_names(values: Mapping[str, Any], what: str) -> None:
    """A sentence unless there are values, each with a name."""
    if not values:
        raise ValueError(f"LossCurveDisplay has nothing to draw: {what} is empty.")
    for name in values:
        if not isinstance(name, str):
            raise TypeError(f"The names of {what} must be str, and {name!r} is not.")
