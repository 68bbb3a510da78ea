"""The display of what the learning rate does to a descent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from scipy.optimize import OptimizeResult
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base import parameters as _params
from sklearn_gd._inspection.descent_path import DescentPathDisplay
from sklearn_gd._inspection.fit_trace import explore
from sklearn_gd._model_selection.linear import GDLinearRegressorCV
from sklearn_gd._functions.minimize import minimize
from sklearn_gd._base.parameters import invalid
from sklearn_gd._inspection.plotting import CURVE, STEPS, log_helps, pyplot, scale_losses, shades, styled
from sklearn_gd._model_selection.polynomial import GDPolynomialRegressorCV

_TUTORIAL_LRS = (0.01, 0.1, 0.3, 0.7, 1.0)
_PANELS_IN_A_ROW = 3


class LearningRateDisplay:
    """The same descent with many learning rates, side by side.

    Create it with `from_estimator`, which draws the final loss against the rate and the
    loss curves beside it, or with `from_function`, which draws a picture of the steps
    for each rate; the parameters are stored as attributes and drawn by `plot`.

    Parameters
    ----------
    lrs : ndarray of shape (n_lrs,)
        Learning rates, in ascending order.
    loss_curves : sequence of ndarray
        The loss curve of each rate.
    final_losses : ndarray of shape (n_lrs,)
        The loss where each descent ended; of a diverged one the lowest it passed.
    diverged : ndarray of bool of shape (n_lrs,)
        Which of them diverged.
    max_stable_lr : float, default=None
        The largest learning rate that converges, where there is such a number.
    panels : sequence of DescentPathDisplay, default=()
        A picture for each rate, to be drawn instead of the losses.
    loss_name : str, default="loss"
        What the losses are.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The axes: two, or one for each panel.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : list of matplotlib Line2D
        The loss curves, or the steps of each panel.
    stable_line_ : matplotlib Line2D or None
        The vertical line at the largest stable rate.

    See Also
    --------
    lr_report : The same in words and numbers.

    Examples
    --------
    >>> from sklearn_gd import LearningRateDisplay
    >>> display = LearningRateDisplay.from_function(lambda x: x**2 - 4 * x + 5, 7.0, epochs=20)
    >>> [ax.get_title() for ax in display.axes_]
    ['lr = 0.01', 'lr = 0.1', 'lr = 0.3', 'lr = 0.7', 'lr = 1']
    """

    __module__ = "sklearn_gd"

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
    ):
        self.lrs = lrs
        self.loss_curves = loss_curves
        self.final_losses = final_losses
        self.diverged = diverged
        self.max_stable_lr = max_stable_lr
        self.panels = panels
        self.loss_name = loss_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        lrs: Sequence[float] | None = None,
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Descend with every rate at once, as cold fits would, and draw the losses.

        Parameters
        ----------
        estimator : GDLinearRegressor or GDPolynomialRegressor
            The estimator, fitted or not; it is only read. Of a fitted GDLinearRegressorCV
            or GDPolynomialRegressorCV the held-out losses are drawn, averaged over folds,
            of the learning rates it has tried with the best other parameters.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features), default=None
            Training data; not needed for a search.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Targets; not needed for a search.
        lrs : sequence of float, default=None
            Learning rates. None takes twelve, from a thousandth of the largest stable one
            to one and a half times as much (from 1e-4 to 1 where there is none), or those
            of the search.
        ax : pair of matplotlib Axes, default=None
            Where to draw; None makes a figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the loss curves.

        Returns
        -------
        LearningRateDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not one of this package's regressors.
        ValueError
            If a rate is not a positive number.

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
            return cls(**_of_search(estimator, lrs)).plot(ax, line_kwargs=line_kwargs)
        if X is None or y is None:
            raise TypeError(
                f"LearningRateDisplay.from_estimator needs X and y to descend with "
                f"{type(estimator).__name__}; only a search has its curves already."
            )
        exploration = explore(estimator, X, y, cls.__name__)
        bound = exploration.max_stable_lr
        rates = _around(bound) if lrs is None else _checked(lrs)
        trace = exploration.descend(rates.tolist())
        curves, final = exploration.curves(trace)
        return cls(
            lrs=rates,
            loss_curves=curves,
            final_losses=final,
            diverged=trace.diverged.numpy(),
            max_stable_lr=bound,
        ).plot(ax, line_kwargs=line_kwargs)

    @classmethod
    def from_function(
        cls,
        fun: Callable[..., Any],
        x0: Any,
        *,
        lrs: Sequence[float] = _TUTORIAL_LRS,
        epochs: int = 100,
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
        **minimize_options: Any,
    ) -> Self:
        """Minimize with every rate at once, and draw the steps of each.

        Parameters
        ----------
        fun : callable
            The function, as for `minimize`. Of one or two variables the steps are drawn
            on it, of more the losses as in `from_estimator`.
        x0 : float, array-like or dict of str to float or array-like
            Where to start.
        lrs : sequence of float, default=(0.01, 0.1, 0.3, 0.7, 1.0)
            Learning rates.
        epochs : int, default=100
            Steps to take.
        ax : sequence of matplotlib Axes, default=None
            Where to draw, one for each rate (two where the losses are drawn); None makes
            a figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps or the loss curves.
        **minimize_options
            Further options of `minimize`, such as ``optimizer``.

        Returns
        -------
        LearningRateDisplay
            The display, drawn.
        """
        rates = _checked(lrs)
        result = minimize(fun, x0, lr=rates.tolist(), epochs=epochs, **minimize_options)
        runs = [_run(result, k) for k in range(len(rates))]
        path = runs[0]["path"]
        parts = path.values() if isinstance(path, dict) else [path]
        drawn = sum(part[0].size for part in parts) <= 2
        return cls(
            lrs=rates,
            loss_curves=[run["loss_curve"] for run in runs],
            final_losses=result.fun,
            diverged=result.status == 2,
            panels=DescentPathDisplay._of_function(fun, runs) if drawn else (),
        ).plot(ax, line_kwargs=line_kwargs)

    def plot(self, ax: Any = None, *, line_kwargs: dict[str, Any] | None = None) -> Self:
        """Draw the panels, or the losses.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default=None
            Where to draw: one for each panel, or two; None makes a figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps or the loss curves.

        Returns
        -------
        self : LearningRateDisplay
            The display.

        Raises
        ------
        ValueError
            If there are too few or too many axes.
        """
        count = len(self.panels) or 2
        if ax is None:
            columns = min(count, _PANELS_IN_A_ROW)
            rows = -(-count // columns)
            size = (3.2 * columns, 2.7 * rows) if self.panels else (9.0, 4.2)
            figure = pyplot().figure(figsize=size, layout="constrained")
            axes = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
        else:
            axes = list(np.ravel(np.asarray(ax, dtype=object)))
            if len(axes) != count:
                raise ValueError(
                    f"LearningRateDisplay needs {count} axes here, and ax holds {len(axes)}."
                )
        self.axes_ = np.array(axes, dtype=object)
        self.figure_ = axes[0].figure
        self.stable_line_ = None
        if self.panels:
            self._plot_panels(line_kwargs)
        else:
            self._plot_final_losses(self.axes_[0])
            self._plot_curves(self.axes_[1], line_kwargs)
        return self

    def _plot_panels(self, line_kwargs: dict[str, Any] | None) -> None:
        for ax, lr, panel in zip(self.axes_, self.lrs, self.panels, strict=True):
            panel.plot(ax, line_kwargs=line_kwargs, colorbar=False)
            ax.set_title(f"lr = {lr:g}" + (", diverged" if panel.diverged else ""))
            ax.get_legend().remove()
        self.lines_ = [panel.line_ for panel in self.panels]

    def _plot_final_losses(self, ax: Any) -> None:
        colors = shades(len(self.lrs))
        ax.plot(
            self.lrs[~self.diverged],
            self.final_losses[~self.diverged],
            color="0.7",
            zorder=1,
        )
        for lr, loss, diverged, color in zip(
            self.lrs, self.final_losses, self.diverged, colors, strict=True
        ):
            if not diverged:
                ax.plot(lr, loss, color=color, marker="o", linestyle="none")
        if self.diverged.any():
            # they have no final loss: a cross at the upper edge
            ax.plot(
                self.lrs[self.diverged],
                np.ones(self.diverged.sum()),
                transform=ax.get_xaxis_transform(),
                color=STEPS,
                marker="X",
                markersize=9,
                linestyle="none",
                clip_on=False,
                label="diverged",
            )
        if self.max_stable_lr is not None and np.isfinite(self.max_stable_lr):
            self.stable_line_ = ax.axvline(
                self.max_stable_lr,
                color=CURVE,
                linestyle="--",
                label=f"largest stable lr, {self.max_stable_lr:.4g}",
            )
        helps = log_helps([self.final_losses[~self.diverged]])
        ax.set(
            xlabel="Learning rate",
            ylabel=f"Final {self.loss_name}",
            xscale="log",
            yscale="log" if helps else "linear",
        )
        if ax.get_legend_handles_labels()[1]:
            # above the axes: inside, no place is free for all data
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.03), frameon=False)

    def _plot_curves(self, ax: Any, line_kwargs: dict[str, Any] | None) -> None:
        colors = shades(len(self.lrs))
        self.lines_ = []
        for lr, curve, color in zip(self.lrs, self.loss_curves, colors, strict=True):
            style = styled({"color": color, "label": f"lr = {lr:.3g}"}, line_kwargs)
            self.lines_ += ax.plot(curve, **style)
        sane = [c for c, bad in zip(self.loss_curves, self.diverged, strict=True) if not bad]
        scale_losses(ax, sane or self.loss_curves, "auto")
        ax.set(xlabel="Epoch", ylabel=self.loss_name.capitalize())
        if len(self.lrs) <= 6:
            ax.legend()
        else:
            ax.set_title("colours as on the left", fontsize="small")


def _of_search(search: Any, lrs: Sequence[float] | None) -> dict[str, Any]:
    """What a fitted search knows of its learning rates, at the best other parameters."""
    check_is_fitted(search)
    if not hasattr(search, "best_index_"):
        raise ValueError(
            f"This {type(search).__name__} chose no best candidate: it has several scorers and "
            "refit=False. Name one of them in refit."
        )
    if lrs is not None:
        raise ValueError("A search has tried its own learning rates; lrs cannot be given.")
    count = len(search.lrs)
    first = search.best_index_ - search.best_index_ % count  # rates change fastest
    named = [(lr, first + k) for k, lr in enumerate(search.lrs) if lr != "auto"]
    if not named:
        raise ValueError("The only learning rate of this search is 'auto'.")
    rates, candidates = zip(*sorted(named), strict=True)
    curves = search.test_loss_curves_[list(candidates)].mean(axis=1)
    return {
        "lrs": np.array(rates, dtype=np.float64),
        "loss_curves": list(curves),
        "final_losses": curves[:, -1],
        "diverged": search.cv_results_["diverged"][list(candidates)] > 0,
        "max_stable_lr": getattr(search, "max_stable_lr_", None),
        "loss_name": "held-out loss",
    }


def _around(bound: float | None) -> np.ndarray:
    """Rates worth looking at, given the largest stable one."""
    if bound is None or not np.isfinite(bound):
        return np.geomspace(1e-4, 1.0, 12)
    return bound * np.geomspace(1e-3, 1.5, 12)


def _checked(lrs: Sequence[float]) -> np.ndarray:
    """The rates in ascending order; a sentence if they are none."""
    rule = _params.real(0.0)
    values = list(np.atleast_1d(np.asarray(lrs, dtype=object)))
    if not values or not all(rule.holds(lr) for lr in values):
        raise invalid("LearningRateDisplay", "lrs", f"a sequence, each {rule.words}", lrs)
    return np.sort(np.array(values, dtype=np.float64))


def _run(result: OptimizeResult, run: int) -> dict[str, Any]:
    """One run's steps, without what fills it up to the length of others."""
    count = int(result.nit[run]) + 1
    path = result.path
    return {
        "nit": count - 1,
        "status": int(result.status[run]),
        "loss_curve": result.loss_curve[run, :count],
        "path": {name: part[run, :count] for name, part in path.items()}
        if isinstance(path, dict)
        else path[run, :count],
    }
