"""The display of a descent's way through the space of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np

from sklearn_gd._inspection.fit_trace import check_single_target, explore
from sklearn_gd._functions.user_function import values_at
from sklearn_gd._base.parameters import invalid
from sklearn_gd._inspection.plotting import CURVE, STEPS, axes_or_new, styled

_CURVE_POINTS, _SURFACE_POINTS = 400, 120  # of the grid, per axis
_LEVELS = 16


class DescentPathDisplay:
    """The steps of a descent on the curve, or on the contours, of what it minimizes.

    Create it with `from_estimator` or `from_function`; the parameters are stored as
    attributes and drawn by `plot`, or step by step by `animate`.

    Parameters
    ----------
    path : ndarray of shape (n_steps + 1, 1) or (n_steps + 1, 2)
        The points passed: values of one parameter, or of two.
    values : ndarray of shape (n_steps + 1,)
        What is minimized, at these points.
    grid : sequence of one or two ndarrays
        Values of each parameter at which it is known.
    surface : ndarray of shape (len(grid[0]),) or (len(grid[0]), len(grid[1]))
        What is minimized, on the grid.
    labels : sequence of str
        Names of the parameters.
    value_label : str, default="Loss"
        Name of what is minimized.
    diverged : bool, default=False
        Whether the run diverged.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the path.
    figure_ : matplotlib Figure
        Figure of the axes.
    line_ : matplotlib Line2D
        The steps.
    start_, end_ : matplotlib Line2D
        Marks at the first point and the last.
    curve_ : matplotlib Line2D
        The function of one parameter; None for two.
    contours_ : matplotlib QuadContourSet
        The contours over two parameters; None for one.

    See Also
    --------
    LearningRateDisplay : The descents of several learning rates.

    Examples
    --------
    >>> from sklearn_gd import DescentPathDisplay, minimize
    >>> def fun(x):
    ...     return x**2 - 4 * x + 5
    >>> result = minimize(fun, 7.0, lr=0.1, epochs=30)
    >>> display = DescentPathDisplay.from_function(fun, result)
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('x', 'f(x)')
    """

    __module__ = "sklearn_gd"

    def __init__(
        self,
        *,
        path: np.ndarray,
        values: np.ndarray,
        grid: Sequence[np.ndarray],
        surface: np.ndarray,
        labels: Sequence[str],
        value_label: str = "Loss",
        diverged: bool = False,
    ):
        self.path = path
        self.values = values
        self.grid = grid
        self.surface = surface
        self.labels = labels
        self.value_label = value_label
        self.diverged = diverged

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        features: Sequence[int | str] | None = None,
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Descend as a cold fit would, and draw the path of two parameters on the loss.

        Parameters
        ----------
        estimator : GDLinearRegressor or GDPolynomialRegressor
            The estimator, fitted or not; it is only read.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Targets.
        features : pair of int or str, default=None
            The two coefficients to draw, by position in `coef_` or by name (a
            polynomial's are its terms, such as ``"x0^2"``). None draws the first two; with
            one coefficient that and the intercept, if there is one. All other coefficients
            are held at the values that a fit keeps.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps.

        Returns
        -------
        DescentPathDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not one of this package's regressors.
        ValueError
            If `features` names no two coefficients, or there are several targets.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import DescentPathDisplay, GDLinearRegressor
        >>> x = np.linspace(0, 1, 20)[:, None]
        >>> line = GDLinearRegressor(precondition=None, lr=0.3)
        >>> display = DescentPathDisplay.from_estimator(line, x, 2 * x[:, 0] + 1)
        >>> display.path[0], display.path[-1].round(6)
        (array([0., 0.]), array([2., 1.]))
        """
        exploration = explore(estimator, X, y, cls.__name__)
        check_single_target(exploration, cls.__name__)
        run = exploration.path()
        coef, intercept = (part[:, 0] for part in run.in_user_terms())
        chosen = _choose(features, exploration.terms)
        path, labels = coef[:, chosen], [f"Coefficient of {exploration.terms[i]}" for i in chosen]
        if len(chosen) == 1 and exploration.settings.fit_intercept:
            path, labels = np.column_stack([path, intercept]), [*labels, "Intercept"]

        def loss(points: np.ndarray) -> np.ndarray:
            at = np.tile(coef[run.kept], (len(points), 1))
            at[:, chosen] = points[:, : len(chosen)]
            return run.losses_at(at, points[:, 1].copy() if path.shape[1] > len(chosen) else None)

        (display,) = cls._over(loss, [path], [run.losses], labels, "Loss", [run.diverged])
        return display.plot(ax, line_kwargs=line_kwargs)

    @classmethod
    def from_function(
        cls,
        fun: Callable[..., Any],
        result: Mapping[str, Any],
        *,
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the path of `minimize` on the function of one or two variables.

        Parameters
        ----------
        fun : callable
            The function that was minimized.
        result : scipy.optimize.OptimizeResult
            What `minimize` returned, for a single learning rate.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps.

        Returns
        -------
        DescentPathDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are more than two variables, or the result holds several runs.
        """
        if np.ndim(result["nit"]):
            raise ValueError(
                f"DescentPathDisplay draws one run, and this result holds {len(result['nit'])}. "
                "Use LearningRateDisplay.from_function for several learning rates."
            )
        (display,) = cls._of_function(fun, [result])
        return display.plot(ax, line_kwargs=line_kwargs)

    @classmethod
    def _of_function(cls, fun: Callable[..., Any], runs: Sequence[Mapping[str, Any]]) -> list[Self]:
        """Runs of one function, all on the same part of it; not drawn."""
        named = runs[0]["path"]
        parts = named if isinstance(named, Mapping) else {"x": named}
        labels = [
            name if part[0].size == 1 else f"{name}[{i}]"
            for name, part in parts.items()
            for i in range(part[0].size)
        ]
        if len(labels) > 2:
            raise ValueError(
                f"DescentPathDisplay draws one variable or two, and the path has {len(labels)}. "
                "LossCurveDisplay.from_curves draws the losses of any number."
            )
        start = {name: part[0] for name, part in parts.items()}
        x0 = start if isinstance(named, Mapping) else start["x"]
        return cls._over(
            lambda points: values_at(fun, x0, points),
            [_flat(run["path"]) for run in runs],
            [run["loss_curve"] for run in runs],
            labels,
            f"f({', '.join(parts)})",
            [run["status"] == 2 for run in runs],
        )

    @classmethod
    def _over(
        cls,
        function: Callable[[np.ndarray], np.ndarray],
        paths: Sequence[np.ndarray],
        values: Sequence[np.ndarray],
        labels: Sequence[str],
        value_label: str,
        diverged: Sequence[bool],
    ) -> list[Self]:
        """Paths on the surface of a function of points (n, n_parameters), around them all."""
        count = _CURVE_POINTS if len(labels) == 1 else _SURFACE_POINTS
        shown = np.concatenate([_shown(p, v) for p, v in zip(paths, values, strict=True)])
        grid = [np.linspace(*_range(column), count) for column in shown.T]
        points = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1)
        surface = function(points.reshape(-1, len(grid))).reshape(points.shape[:-1])
        if not np.isfinite(surface).any():
            raise ValueError(
                "DescentPathDisplay has nothing to draw: the function is finite nowhere around "
                "the path."
            )
        return [
            cls(
                path=path,
                values=own,
                grid=grid,
                surface=surface,
                labels=labels,
                value_label=value_label,
                diverged=bad,
            )
            for path, own, bad in zip(paths, values, diverged, strict=True)
        ]

    def plot(
        self,
        ax: Any = None,
        *,
        line_kwargs: dict[str, Any] | None = None,
        colorbar: bool = True,
    ) -> Self:
        """Draw the curve or the contours, and the path on them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps.
        colorbar : bool, default=True
            Whether contours get a colour bar.

        Returns
        -------
        self : DescentPathDisplay
            The display.
        """
        self.ax_ = ax = axes_or_new(ax)
        self.figure_ = ax.figure
        self.curve_ = self.contours_ = None
        if len(self.grid) == 1:
            (self.curve_,) = ax.plot(self.grid[0], self.surface, color=CURVE, zorder=1)
            ax.set(xlabel=self.labels[0], ylabel=self.value_label)
            _limit_height(ax, self.surface)
        else:
            from matplotlib.colors import BoundaryNorm

            levels = _levels(self.surface)
            norm = BoundaryNorm(levels, 256)  # every level its colour
            self.contours_ = ax.contourf(
                *self.grid, self.surface.T, levels=levels, norm=norm, cmap="cividis"
            )
            if colorbar:
                self.figure_.colorbar(self.contours_, ax=ax, label=self.value_label, format="%.3g")
            ax.set(xlabel=self.labels[0], ylabel=self.labels[1])
            ax.set_ylim(self.grid[1][[0, -1]])
        ax.set_xlim(self.grid[0][[0, -1]])
        style = {"color": STEPS, "marker": ".", "markersize": 4, "linewidth": 1.2, "label": "steps"}
        (self.line_,) = ax.plot(*self._points(slice(None)), **styled(style, line_kwargs))
        mark = {"linestyle": "none", "markeredgecolor": "black", "markersize": 7, "zorder": 3}
        (self.start_,) = ax.plot(
            *self._points(slice(1)), marker="o", color="white", label="start", **mark
        )
        (self.end_,) = ax.plot(
            *self._points(slice(-1, None)),
            marker="X" if self.diverged else "D",
            color=self.line_.get_color(),
            label=f"diverged, step {len(self.path) - 1}"
            if self.diverged
            else f"step {len(self.path) - 1}",
            **mark,
        )
        ax.legend()
        return self

    def animate(
        self, ax: Any = None, *, frames: int = 60, interval: int = 80, **plot_options: Any
    ) -> Any:
        """Draw the path as it grows, first step by step and then in longer strides.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        frames : int, default=60
            Pictures, at most.
        interval : int, default=80
            Milliseconds between two pictures.
        **plot_options
            Options of `plot`.

        Returns
        -------
        matplotlib.animation.FuncAnimation
            The animation; keep it while it is shown.

        Examples
        --------
        >>> import tempfile
        >>> from sklearn_gd import DescentPathDisplay, minimize
        >>> def fun(x):
        ...     return x**2
        >>> display = DescentPathDisplay.from_function(fun, minimize(fun, 3.0, lr=0.1))
        >>> animation = display.animate(frames=3)
        >>> with tempfile.NamedTemporaryFile(suffix=".gif") as file:
        ...     animation.save(file.name, writer="pillow")
        """
        self.plot(ax, **plot_options)
        from matplotlib.animation import FuncAnimation

        last = len(self.path) - 1
        shown = np.unique(np.geomspace(1, last + 1, frames).round().astype(int))

        def draw(count: int) -> tuple[Any, Any]:
            self.line_.set_data(*self._points(slice(count)))
            self.end_.set_data(*self._points(slice(count - 1, count)))
            return self.line_, self.end_

        return FuncAnimation(self.figure_, draw, frames=shown, interval=interval, repeat=False)

    def _points(self, steps: slice) -> list[np.ndarray]:
        """Horizontal and vertical places of some steps."""
        both = [*self.path.T, self.values]
        return [column[steps] for column in both[:2]]


def _choose(features: Sequence[int | str] | None, terms: Sequence[str]) -> list[int]:
    """Positions of the coefficients to draw: two, or the only one."""
    if len(terms) == 1 and features is None:
        return [0]
    features = (0, 1) if features is None else features
    places = [terms.index(f) if isinstance(f, str) and f in terms else f for f in features]
    known = [isinstance(i, Integral) and -len(terms) <= i < len(terms) for i in places]
    if len(places) != 2 or not all(known) or len({int(i) % len(terms) for i in places}) < 2:
        raise invalid(
            "DescentPathDisplay",
            "features",
            f"two different positions below {len(terms)} or names among {list(terms)}",
            features,
        )
    return [int(i) % len(terms) for i in places]


def _flat(path: Any) -> np.ndarray:
    """A path of any form as (n_steps + 1, n_parameters)."""
    parts = path.values() if isinstance(path, Mapping) else [path]
    return np.concatenate([np.reshape(part, (len(part), -1)) for part in parts], axis=1)


def _shown(path: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The points of a path without the heights of a divergence."""
    above = values - np.nanmin(values, initial=np.inf)
    sane = above <= 10 * above[0]
    sane[:2] = True
    return path[sane & np.isfinite(path).all(axis=1)]


def _range(column: np.ndarray) -> tuple[float, float]:
    """What to show of a parameter: where it has been, and a margin."""
    low, high = column.min(), column.max()
    margin = 0.25 * (high - low) or 1.0
    return low - margin, high + margin


def _limit_height(ax: Any, surface: np.ndarray) -> None:
    """Leave room around a curve."""
    low, high = np.nanmin(surface), np.nanmax(surface)
    margin = 0.08 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)


def _levels(surface: np.ndarray) -> np.ndarray:
    """Levels of contours that are equally far apart on a bowl, and fit a ravine too."""
    finite = surface[np.isfinite(surface)]
    levels = np.unique(np.quantile(finite, np.linspace(0, 1, _LEVELS) ** 2))
    return levels if len(levels) > 1 else levels[0] + np.array([0.0, 1.0])
