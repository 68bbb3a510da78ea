"""The display of a search over two parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._inspection.plotting import STEPS, axes_or_new

_NUMBERED_AT_MOST = 60  # cells of which each shows its score
_LABELLED_AT_MOST = 16  # values of an axis
_CUT = 2.0  # interquartile ranges below the lower quartile: colours end there


class SearchDisplay:
    """Scores of a search as a heat map over two of its parameters.

    Create it with `from_estimator`; the parameters are stored as attributes and drawn by
    `plot`.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
        Mean scores, the best over all other parameters that were searched.
    x_values : sequence of length n_columns
        Values of the parameter across.
    y_values : sequence of length n_rows
        Values of the parameter upwards.
    x_name, y_name : str
        Names of the parameters.
    score_name : str, default="score"
        What the scores are.
    diverged : ndarray of bool of shape (n_rows, n_columns), default=None
        Where a descent diverged on some fold.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the heat map.
    figure_ : matplotlib Figure
        Figure of the axes.
    image_ : matplotlib QuadMesh
        The heat map.
    texts_ : list of matplotlib Text
        The scores in its cells, if the cells are few.
    best_mark_ : matplotlib Line2D
        A frame around the best cell.
    diverged_marks_ : matplotlib Line2D or None
        Crosses where descents diverged.

    See Also
    --------
    LearningRateDisplay : Losses against the learning rate.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressorCV, SearchDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = GDLinearRegressorCV(lrs=(0.01, 0.1), alphas=(0.0, 0.01, 0.1)).fit(X, y)
    >>> display = SearchDisplay.from_estimator(search)
    >>> display.scores.shape, display.x_name
    ((3, 2), 'lr')
    """

    __module__ = "sklearn_gd"

    def __init__(
        self,
        *,
        scores: np.ndarray,
        x_values: Sequence[Any],
        y_values: Sequence[Any],
        x_name: str,
        y_name: str,
        score_name: str = "score",
        diverged: np.ndarray | None = None,
    ):
        self.scores = scores
        self.x_values = x_values
        self.y_values = y_values
        self.x_name = x_name
        self.y_name = y_name
        self.score_name = score_name
        self.diverged = diverged

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        params: tuple[str, str] | None = None,
        metric: str | None = None,
        ax: Any = None,
        image_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Read the scores of a fitted search, and draw them.

        Parameters
        ----------
        estimator : GDLinearRegressorCV, GDPolynomialRegressorCV or GridSearchCV
            A fitted search; all that is read is its `cv_results_`.
        params : pair of str, default=None
            The parameters across and upwards. None takes the learning rate (else the
            last) and the first other parameter with several values.
        metric : str, default=None
            Which of several scorers; None is the one of `refit`, else the first.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        image_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        SearchDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the search has fewer than two parameters of several values, or no such
            parameter or metric.
        """
        check_is_fitted(estimator, "cv_results_")
        results = estimator.cv_results_
        metric = metric or _metric(estimator)
        if f"mean_test_{metric}" not in results:
            raise ValueError(f"The search has no scores of {metric!r}.")
        axes = {
            key.removeprefix("param_"): list(dict.fromkeys(values.tolist()))
            for key, values in results.items()
            if key.startswith("param_")
        }
        x_name, y_name = params or _two(axes)
        for name in (x_name, y_name):
            if name not in axes:
                raise ValueError(f"The search has no parameter {name!r}; it has {sorted(axes)}.")
        columns, rows = (_in_order(axes[name]) for name in (x_name, y_name))
        shape = len(rows), len(columns)
        scores, diverged = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
        counts = results.get("diverged", np.zeros(len(results["params"])))
        for score, count, own in zip(
            results[f"mean_test_{metric}"], counts, results["params"], strict=True
        ):
            cell = rows.index(own[y_name]), columns.index(own[x_name])
            if not score <= scores[cell]:
                scores[cell], diverged[cell] = score, count > 0
        return cls(
            scores=scores,
            x_values=columns,
            y_values=rows,
            x_name=x_name,
            y_name=y_name,
            score_name=_score_name(estimator, metric),
            diverged=diverged,
        ).plot(ax, image_kwargs=image_kwargs)

    def plot(self, ax: Any = None, *, image_kwargs: dict[str, Any] | None = None) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        image_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        self : SearchDisplay
            The display.
        """
        self.ax_ = ax = axes_or_new(ax)
        self.figure_ = ax.figure
        scores = np.asarray(self.scores, dtype=np.float64)
        low, high, is_cut = _range(scores)
        options = {"cmap": "cividis", "vmin": low, "vmax": high, **(image_kwargs or {})}
        self.image_ = ax.pcolormesh(np.ma.masked_invalid(scores), **options)
        self.figure_.colorbar(
            self.image_,
            ax=ax,
            label=f"Mean {self.score_name}",
            extend="min" if is_cut else "neither",
        )
        for axis, name, values in (
            (ax.xaxis, self.x_name, self.x_values),
            (ax.yaxis, self.y_name, self.y_values),
        ):
            # of many values a few are labelled
            shown = np.unique(
                np.linspace(0, len(values) - 1, min(len(values), _LABELLED_AT_MOST)).round()
            )
            labels = [_text(values[int(i)]) for i in shown]
            axis.set_ticks(shown + 0.5, labels)
            axis.set_label_text(name)
        if len(self.x_values) > 6:
            ax.tick_params(axis="x", rotation=45)
        self._number(scores, (low + high) / 2)
        self._mark(scores)
        return self

    def _number(self, scores: np.ndarray, middle: float) -> None:
        """Write the scores into their cells, if these are few."""
        self.texts_ = []
        if scores.size > _NUMBERED_AT_MOST:
            return
        for (row, column), score in np.ndenumerate(scores):
            if np.isfinite(score):
                self.texts_.append(
                    self.ax_.text(
                        column + 0.5,
                        row + 0.5,
                        f"{score:.3g}",
                        ha="center",
                        va="center",
                        fontsize="small",
                        color="black" if score > middle else "white",
                    )
                )

    def _mark(self, scores: np.ndarray) -> None:
        """A frame around the best cell, and crosses where descents diverged."""
        self.best_mark_ = self.diverged_marks_ = None
        if np.isfinite(scores).any():
            row, column = np.unravel_index(np.nanargmax(scores), scores.shape)
            (self.best_mark_,) = self.ax_.plot(
                column + np.array([0, 1, 1, 0, 0]),
                row + np.array([0, 0, 1, 1, 0]),
                color=STEPS,
                linewidth=2.5,
                clip_on=False,
                zorder=3,
                label="best",
            )
        if self.diverged is not None and self.diverged.any():
            rows, columns = np.nonzero(self.diverged)
            (self.diverged_marks_,) = self.ax_.plot(
                columns + 0.9,
                rows + 0.82,
                color="white",
                marker="X",
                markeredgecolor="black",
                markeredgewidth=0.8,
                linestyle="none",
                label="diverged on some fold",
            )
        if self.best_mark_ is not None:
            self.ax_.legend(loc="lower center", bbox_to_anchor=(0.5, 1.01), ncols=2, frameon=False)


def _metric(estimator: Any) -> str:
    """The scorer that chose the best candidate, or the first."""
    names = [
        key.removeprefix("mean_test_")
        for key in estimator.cv_results_
        if key.startswith("mean_test_")
    ]
    refit = getattr(estimator, "refit", None)
    return refit if isinstance(refit, str) and refit in names else names[0]


def _score_name(estimator: Any, metric: str) -> str:
    """What the scores of a metric are called."""
    if metric != "score":
        return metric
    scoring = getattr(estimator, "scoring", None)
    if scoring is None:
        return "R²"
    return scoring if isinstance(scoring, str) else "score"


def _two(axes: dict[str, list[Any]]) -> tuple[str, str]:
    """The parameters to draw, of those with several values."""
    several = [name for name, values in axes.items() if len(values) > 1]
    if len(several) < 2:
        raise ValueError(
            f"SearchDisplay draws two parameters with several values each, and this search has "
            f"{several or 'none'}. LearningRateDisplay draws learning rates alone."
        )
    across = next((name for name in several if name.split("__")[-1] == "lr"), several[-1])
    return across, next(name for name in several if name != across)


def _in_order(values: list[Any]) -> list[Any]:
    """Numbers in ascending order, other values as they come."""
    numbers = all(isinstance(value, int | float) for value in values)
    return sorted(values) if numbers else values


def _range(scores: np.ndarray) -> tuple[float, float, bool]:
    """The scores where colours begin and end: a few that are far worse go out of sight."""
    finite = scores[np.isfinite(scores)]
    if not len(finite):
        return 0.0, 1.0, False
    high, quartiles = finite.max(), np.quantile(finite, [0.25, 0.75])
    cut = quartiles[0] - _CUT * max(quartiles[1] - quartiles[0], 0.05 * (high - quartiles[0]))
    low = finite[finite >= cut].min()
    return float(low), float(high), bool(low > finite.min())


def _text(value: Any) -> str:
    """A value as a label."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
