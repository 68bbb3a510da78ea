"""The display of a search over two parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base.types import Results, Style
from sklearn_gd._inspection.plotting import (
    STEPS_COLOR,
    axes_or_new,
    axis_label,
    distinct_labels,
    legend_above,
    luminance,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

_FONT_SIZE, _LINE_HEIGHT = "small", 1.05  # of the scores; the height is a factor of the size
_MAX_TICKS = 10  # tick labels of an axis
_ROTATE_FROM = 7  # values across from which tick labels are rotated
_MAX_LETTERS = 64  # of tick labels across; longer ones are rotated
_COLOR_RANGE = 2.0  # colours end so many interquartile ranges below the lower quartile


class SearchDisplay:
    """Scores of a search as a heat map over two of its parameters.

    Create a display with `from_estimator`. The parameters are stored as attributes, and
    `plot` draws them.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
        Mean scores. Each is the best over all other parameters of the search.
    x_values : sequence of length n_columns
        Values of the parameter on the horizontal axis.
    y_values : sequence of length n_rows
        Values of the parameter on the vertical axis.
    x_name : str
        Name of the parameter on the horizontal axis.
    y_name : str
        Name of the parameter on the vertical axis.
    score_name : str, default="score"
        Name of the scores.
    diverged : ndarray of bool of shape (n_rows, n_columns), default=None
        Whether a descent diverged on some fold.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the heat map.
    figure_ : matplotlib Figure
        Figure of the axes.
    image_ : matplotlib QuadMesh
        The heat map.
    texts_ : list of matplotlib Text
        The scores that are written into the cells. Empty if there are many cells.
    best_mark_ : matplotlib Line2D or None
        A frame around the cell with the best score.
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

    ax_: Axes
    figure_: Figure
    image_: QuadMesh
    texts_: list[Text]
    best_mark_: Line2D | None
    diverged_marks_: Line2D | None

    def __init__(
        self,
        *,
        scores: np.ndarray,
        x_values: Sequence[object],
        y_values: Sequence[object],
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
        estimator: BaseEstimator,
        *,
        params: tuple[str, str] | None = None,
        metric: str | None = None,
        ax: Axes | None = None,
        image_kwargs: Style | None = None,
    ) -> Self:
        """Read the scores of a fitted search, and draw them.

        Parameters
        ----------
        estimator : GDLinearRegressorCV, GDPolynomialRegressorCV or GridSearchCV
            A fitted search. Only its `cv_results_` are read.
        params : tuple of two str, default=None
            The parameters on the horizontal and on the vertical axis. None takes the
            learning rate, or the last parameter if there is no learning rate, and the first
            other parameter with several values.
        metric : str, default=None
            The scorer, if there are several. None takes the scorer of `refit`, or the first
            scorer if `refit` names none.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        image_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        SearchDisplay
            The display, drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the search is not fitted.
        ValueError
            If the search has fewer than two parameters with several values, no parameter of
            these names, or no such metric.

        See Also
        --------
        LearningRateDisplay.from_estimator : Draw the losses of the learning rates alone.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.linear_model import Ridge
        >>> from sklearn.model_selection import GridSearchCV
        >>> from sklearn_gd import SearchDisplay
        >>> grid = {"alpha": [0.1, 1.0], "fit_intercept": [True, False]}
        >>> search = GridSearchCV(Ridge(), grid).fit(*load_diabetes(return_X_y=True))
        >>> display = SearchDisplay.from_estimator(search, params=("alpha", "fit_intercept"))
        >>> display.x_values, display.y_values
        ([0.1, 1.0], [False, True])
        """
        check_is_fitted(estimator, "cv_results_")
        results = estimator.cv_results_
        metric = metric or _default_metric(estimator)
        if f"mean_test_{metric}" not in results:
            raise ValueError(f"The search has no scores of {metric!r}.")
        values = _searched_values(results)
        x_name, y_name = params or _default_params(values)
        for name in (x_name, y_name):
            if name not in values:
                raise ValueError(f"The search has no parameter {name!r}; it has {sorted(values)}.")
        x_values, y_values = _in_order(values[x_name]), _in_order(values[y_name])
        shape = len(y_values), len(x_values)
        scores, diverged = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
        n_diverged = results.get("diverged", np.zeros(len(results["params"])))
        for candidate, score, count in zip(
            results["params"], results[f"mean_test_{metric}"], n_diverged, strict=True
        ):
            cell = y_values.index(candidate[y_name]), x_values.index(candidate[x_name])
            if not score <= scores[cell]:  # also where the cell is still NaN
                scores[cell], diverged[cell] = score, count > 0
        return cls(
            scores=scores,
            x_values=x_values,
            y_values=y_values,
            x_name=x_name,
            y_name=y_name,
            score_name=_score_name(estimator, metric),
            diverged=diverged,
        ).plot(ax, image_kwargs=image_kwargs)

    def plot(self, ax: Axes | None = None, *, image_kwargs: Style | None = None) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        image_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        self : SearchDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        SearchDisplay.from_estimator : Make a display and draw it.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import SearchDisplay
        >>> display = SearchDisplay(
        ...     scores=np.array([[0.1, 0.4], [0.2, 0.3]]),
        ...     x_values=[0.01, 0.1],
        ...     y_values=[0.0, 1.0],
        ...     x_name="lr",
        ...     y_name="alpha",
        ... )
        >>> [text.get_text() for text in display.plot().texts_]
        ['0.1', '0.4', '0.2', '0.3']
        """
        ax, self.figure_ = axes_or_new(ax)
        self.ax_ = ax
        scores = np.asarray(self.scores, dtype=np.float64)
        low, high, has_lower = _color_limits(scores)
        options = {"cmap": "cividis", "vmin": low, "vmax": high, **(image_kwargs or {})}
        self.image_ = ax.pcolormesh(np.ma.masked_invalid(scores), **options)
        self.figure_.colorbar(
            self.image_,
            ax=ax,
            label=f"Mean {self.score_name}",
            extend="min" if has_lower else "neither",
        )
        _label_axis(ax.xaxis, self.x_name, self.x_values)
        _label_axis(ax.yaxis, self.y_name, self.y_values)
        letters = sum(len(label.get_text()) for label in ax.get_xticklabels())
        if len(self.x_values) >= _ROTATE_FROM or letters > _MAX_LETTERS:
            ax.tick_params(axis="x", rotation=45)
            for label in ax.get_xticklabels():
                label.set(horizontalalignment="right", rotation_mode="anchor")
        self.texts_ = self._write_scores(scores)
        self.best_mark_ = self._mark_best(scores)
        self.diverged_marks_ = self._mark_diverged()
        if self.best_mark_ is not None:
            legend_above(ax, gap=0.01, columns=2)
        return self

    def _write_scores(self, scores: np.ndarray) -> list[Text]:
        """Write the scores into their cells, if there is room for them."""
        labels = _score_labels(scores)
        if not self._has_room(list(labels.values())):
            return []
        return [
            self.ax_.text(
                column + 0.5,
                row + 0.5,
                label,
                ha="center",
                va="center",
                fontsize=_FONT_SIZE,
                color=self._readable_on(scores[row, column]),
            )
            for (row, column), label in labels.items()
        ]

    def _readable_on(self, score: float) -> str:
        """Black or white, whichever is readable on the colour of a score."""
        return "black" if luminance(self.image_.to_rgba(np.array(score))) > 0.5 else "white"

    def _has_room(self, labels: Sequence[str]) -> bool:
        """Whether all labels are smaller than a cell."""
        from matplotlib.font_manager import FontProperties

        n_rows, n_columns = self.scores.shape
        box, dpi = self.ax_.get_window_extent(), cast("Figure", self.ax_.figure).dpi
        size = FontProperties(size=_FONT_SIZE).get_size_in_points() * dpi / 72.0
        width = size * max(map(_label_width, labels), default=0.0)
        return box.width >= n_columns * width and box.height >= n_rows * _LINE_HEIGHT * size

    def _mark_best(self, scores: np.ndarray) -> Line2D | None:
        """Draw a frame around the cell with the best score."""
        if not np.isfinite(scores).any():
            return None
        row, column = np.unravel_index(np.nanargmax(scores), scores.shape)
        (mark,) = self.ax_.plot(
            column + np.array([0, 1, 1, 0, 0]),
            row + np.array([0, 0, 1, 1, 0]),
            color=STEPS_COLOR,
            linewidth=2.5,
            clip_on=False,
            zorder=3,
            label="best",
        )
        return mark

    def _mark_diverged(self) -> Line2D | None:
        """Draw crosses where descents diverged."""
        if self.diverged is None or not self.diverged.any():
            return None
        rows, columns = np.nonzero(self.diverged)
        # beside the scores, or in the middle of cells without scores
        right, up = (0.9, 0.82) if self.texts_ else (0.5, 0.5)
        (marks,) = self.ax_.plot(
            columns + right,
            rows + up,
            markersize=min(6.0, 150.0 / max(self.scores.shape)),
            color="white",
            marker="X",
            markeredgecolor="black",
            markeredgewidth=0.8,
            linestyle="none",
            label="diverged on some fold",
        )
        return marks


def _searched_values(results: Results) -> dict[str, list[object]]:
    """The values of every parameter of a search, in the order of their first candidate."""
    prefix = "param_"
    return {
        key.removeprefix(prefix): list(dict.fromkeys(values.tolist()))
        for key, values in results.items()
        if key.startswith(prefix)
    }


def _default_metric(estimator: BaseEstimator) -> str:
    """The scorer that chose the best candidate, or the first scorer."""
    prefix = "mean_test_"
    names = [key.removeprefix(prefix) for key in estimator.cv_results_ if key.startswith(prefix)]
    refit = getattr(estimator, "refit", None)
    return refit if isinstance(refit, str) and refit in names else names[0]


def _score_name(estimator: BaseEstimator, metric: str) -> str:
    """The name of the scores of a metric."""
    if metric != "score":
        return metric
    scoring = getattr(estimator, "scoring", None)
    if scoring is None:
        return "R²"
    return scoring if isinstance(scoring, str) else "score"


def _default_params(values: Mapping[str, Sequence[object]]) -> tuple[str, str]:
    """The parameters to draw, among those with several values."""
    names = [name for name, of_name in values.items() if len(of_name) > 1]
    if len(names) < 2:
        raise ValueError(
            f"SearchDisplay draws two parameters with several values each, and this search has "
            f"{names or 'none'}. LearningRateDisplay draws learning rates alone."
        )
    # in the search of a pipeline the name has a prefix
    learning_rates = [name for name in names if name.split("__")[-1] == "lr"]
    x_name = learning_rates[0] if learning_rates else names[-1]
    return x_name, next(name for name in names if name != x_name)


def _in_order(values: list[Any]) -> list[Any]:
    """Numbers in ascending order, and other values in the given order."""
    are_numbers = all(isinstance(value, int | float) for value in values)
    return sorted(values) if are_numbers else values


def _color_limits(scores: np.ndarray) -> tuple[float, float, bool]:
    """The scores where the colours begin and end, and whether there are lower scores.

    A few scores that are much lower than the others share the colour of the lower limit.
    """
    finite = scores[np.isfinite(scores)]
    if not len(finite):
        return 0.0, 1.0, False
    high, (lower, upper) = finite.max(), np.quantile(finite, [0.25, 0.75])
    bound = lower - _COLOR_RANGE * max(upper - lower, 0.05 * (high - lower))
    low = finite[finite >= bound].min()
    return float(low), float(high), bool(low > finite.min())


def _score_labels(scores: np.ndarray) -> dict[tuple[int, int], str]:
    """The finite scores as text, with as many decimals as the best has at three digits."""
    finite = scores[np.isfinite(scores)]
    best = np.abs(finite.max(initial=-np.inf))
    decimals = 2 - int(np.floor(np.log10(best))) if best and np.isfinite(best) else 3
    return {
        (row, column): f"{round(float(score), decimals) + 0.0:.3g}"
        for (row, column), score in np.ndenumerate(scores)
        if np.isfinite(score)
    }


def _label_width(label: str) -> float:
    """The width of a number with some room beside it, as a factor of the font size."""
    return 0.4 + sum(0.35 if letter in ".-" else 0.65 for letter in label)


def _label_axis(axis: Axis, name: str, values: Sequence[object]) -> None:
    """Label the cells along an axis. Of many values some are labelled."""
    floats = [value for value in values if isinstance(value, float)]
    texts = dict(zip(floats, distinct_labels(floats), strict=True))
    labels = [texts[value] if isinstance(value, float) else _name(value) for value in values]
    positions = np.arange(0, len(values), -(-len(values) // _MAX_TICKS))
    axis.set_ticks(positions + 0.5, [labels[i] for i in positions])
    axis.set_label_text(axis_label(name))


def _name(value: object) -> str:
    """A value as a label: classes and functions by their names, long text in several lines."""
    return axis_label(value.__name__ if hasattr(value, "__name__") else str(value))
