"""The display of the path of a descent through the space of its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_gd._base.types import MatrixLike, Results, Style, TorchFunction
from sklearn_gd._inspection.descent_surface import surface_of_estimator, surfaces_of_function
from sklearn_gd._inspection.film import in_frame, render_film
from sklearn_gd._inspection.plotting import (
    CURVE_COLOR,
    STEPS_COLOR,
    axes_or_new,
    axis_label,
    distinct_labels,
    into_view,
    line_style,
    pyplot,
)
from sklearn_gd._inspection.quadratic_descent import (
    QuadraticDescent,
    descent_of_path,
    fit_quadratic,
)

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes
    from matplotlib.contour import ContourSet
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_LEVELS = 16


class DescentPathDisplay:
    """The steps of a descent on the curve, or on the contours, of what it minimizes.

    Create a display with `from_estimator` or `from_function`. The parameters are stored as
    attributes. `plot` draws them, `animate` draws the steps one after the other, and `to_html`
    makes a page in which sliders change the learning rate and the momentum.

    Parameters
    ----------
    path : ndarray of shape (n_steps + 1, 1) or (n_steps + 1, 2)
        The points of the descent: values of one parameter, or of two.
    values : ndarray of shape (n_steps + 1,)
        What is minimized, at these points.
    grid : sequence of one or two ndarrays
        For each parameter the values at which `surface` is known.
    surface : ndarray of shape (len(grid[0]),) or (len(grid[0]), len(grid[1]))
        What is minimized, on the grid.
    labels : sequence of str
        Names of the parameters.
    value_label : str, default="Loss"
        Name of what is minimized.
    diverged : bool, default=False
        Whether the run diverged.
    quadratic : QuadraticDescent, default=None
        The numbers by which `to_html` runs the descent of an estimator again. With None,
        `to_html` reads them from `path` and `surface` where that is possible.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the path.
    figure_ : matplotlib Figure
        Figure of the axes.
    line_ : matplotlib Line2D
        The steps.
    start_ : matplotlib Line2D
        The mark at the first point.
    end_ : matplotlib Line2D
        The mark at the last point.
    curve_ : matplotlib Line2D or None
        The function of one parameter. None for two parameters.
    contours_ : matplotlib QuadContourSet or None
        The contours over two parameters. None for one parameter.

    See Also
    --------
    LearningRateDisplay : The descents of several learning rates.
    FitDisplay : The model at several epochs of the same descent.

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

    ax_: Axes
    figure_: Figure
    line_: Line2D
    start_: Line2D
    end_: Line2D
    curve_: Line2D | None
    contours_: ContourSet | None

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
        quadratic: QuadraticDescent | None = None,
    ):
        self.path = path
        self.values = values
        self.grid = grid
        self.surface = surface
        self.labels = labels
        self.value_label = value_label
        self.diverged = diverged
        self.quadratic = quadratic

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike,
        y: ArrayLike,
        *,
        features: Sequence[int | str] | None = None,
        ax: Axes | None = None,
        line_kwargs: Style | None = None,
    ) -> Self:
        """Descend from zeros as `fit` does, and draw the path of two parameters on the loss.

        Parameters
        ----------
        estimator : GDLinearRegressor or GDPolynomialRegressor
            The estimator, fitted or not. The estimator is only read.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Targets.
        features : sequence of two int or str, default=None
            The two coefficients to draw, by position in `coef_` or by name. The names of a
            polynomial are its terms, such as ``"x0^2"``. None draws the first two. If there
            is one coefficient, None draws that coefficient and the intercept, if there is
            one. All other coefficients have the values that a fit keeps.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps.

        Returns
        -------
        DescentPathDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a regressor of this package.
        ValueError
            If `features` are not two different coefficients, or there are several targets.
            Also if a parameter is outside its range, or the data hold NaN or infinity.

        See Also
        --------
        DescentPathDisplay.from_function : Draw the path of `minimize`.
        LearningRateDisplay.from_estimator : Draw the losses of several learning rates.

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
        surface = surface_of_estimator(estimator, X, y, features)
        return cls(**surface._asdict()).plot(ax, line_kwargs=line_kwargs)

    @classmethod
    def from_function(
        cls,
        fun: TorchFunction,
        result: Results,
        *,
        ax: Axes | None = None,
        line_kwargs: Style | None = None,
    ) -> Self:
        """Draw the path of `minimize` on a function of one or two variables.

        Parameters
        ----------
        fun : callable
            The function that was minimized.
        result : scipy.optimize.OptimizeResult
            What `minimize` returned, for a single learning rate.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps.

        Returns
        -------
        DescentPathDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are more than two variables, the result holds several runs, or the
            function is not finite anywhere around the path.

        See Also
        --------
        minimize : Minimize a function.
        LearningRateDisplay.from_function : Draw the paths of several learning rates.

        Examples
        --------
        >>> from sklearn_gd import DescentPathDisplay, minimize
        >>> def bowl(x):
        ...     return x[0] ** 2 + 10 * x[1] ** 2
        >>> result = minimize(bowl, [3.0, 1.0], lr=0.05, epochs=20)
        >>> display = DescentPathDisplay.from_function(bowl, result)
        >>> display.labels, display.path.shape
        (['x[0]', 'x[1]'], (21, 2))
        """
        if np.ndim(result["nit"]):
            raise ValueError(
                f"DescentPathDisplay draws one run, and this result holds {len(result['nit'])}. "
                "Use LearningRateDisplay.from_function for several learning rates."
            )
        (surface,) = surfaces_of_function(fun, [result])
        return cls(**surface._asdict()).plot(ax, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        line_kwargs: Style | None = None,
        colorbar: bool = True,
    ) -> Self:
        """Draw the curve or the contours, and the path on them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        line_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the steps.
        colorbar : bool, default=True
            Whether contours have a colour bar.

        Returns
        -------
        self : DescentPathDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        DescentPathDisplay.animate : Draw the steps one after the other.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import DescentPathDisplay
        >>> x = np.linspace(-2.0, 2.0, 50)
        >>> path = np.array([[1.5], [0.5], [0.1]])
        >>> display = DescentPathDisplay(
        ...     path=path, values=path[:, 0] ** 2, grid=[x], surface=x**2, labels=["x"]
        ... )
        >>> display.plot().end_.get_xdata().tolist()
        [0.1]
        """
        ax, self.figure_ = axes_or_new(ax)
        self.ax_ = ax
        self.curve_ = self.contours_ = None
        if len(self.grid) == 1:
            self._plot_curve(ax)
        else:
            self._plot_contours(ax, colorbar=colorbar)
        ax.set_xlim(*self.grid[0][[0, -1]])
        style = {"color": STEPS_COLOR, "marker": ".", "markersize": 4, "linewidth": 1.2}
        style["label"] = "steps"
        (self.line_,) = ax.plot(*self._points(slice(None)), **line_style(style, line_kwargs))
        mark: Style = {"linestyle": "none", "markeredgecolor": "black", "zorder": 3}
        (self.start_,) = ax.plot(  # so large that the mark of the end does not hide it
            *self._points(slice(1)), marker="o", color="white", label="start", markersize=11, **mark
        )
        (self.end_,) = ax.plot(
            *self._end(len(self.path)),
            marker="X" if self.diverged else "D",
            color=self.line_.get_color(),
            label=self._end_label(len(self.path)),
            markersize=9 if self.diverged else 6,
            **mark,
        )
        ax.legend()
        return self

    def animate(
        self, ax: Axes | None = None, *, frames: int = 60, interval: int = 80, **plot_options: Any
    ) -> FuncAnimation:
        """Draw the path as it grows, first step by step and then several steps at a time.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        frames : int, default=60
            The largest number of pictures.
        interval : int, default=80
            Milliseconds between two pictures.
        **plot_options : dict
            Options of `plot`.

        Returns
        -------
        matplotlib.animation.FuncAnimation
            The animation. Keep a reference to it while it is shown.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        DescentPathDisplay.plot : Draw the whole path.

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
        from matplotlib import get_backend
        from matplotlib.animation import FuncAnimation

        if ax is None and "inline" in get_backend():  # the notebook would show the figure too
            pyplot().close(self.figure_)

        n_points = len(self.path)
        counts = np.unique(np.geomspace(1, n_points, frames).round().astype(int))

        def draw(count: int) -> tuple[Line2D, Line2D]:
            self.line_.set_data(*self._points(slice(count)))
            self.end_.set_data(*self._end(count))
            legend = self.ax_.get_legend()
            if legend is not None:
                legend.get_texts()[-1].set_text(self._end_label(count))
            return self.line_, self.end_

        draw(counts[0])
        return FuncAnimation(self.figure_, draw, frames=counts, interval=interval, repeat=False)

    def to_html(self, path: str | Path | None = None) -> str | None:
        """A page of HTML in which sliders change the learning rate and the momentum.

        The page shows the steps on the contours, and the loss of every step. It runs the
        descent again in the browser when a slider moves, and it marks the largest stable
        learning rate. It is one file that needs no network. A notebook shows the page where
        the display is the last value of a cell.

        Parameters
        ----------
        path : str or pathlib.Path, default=None
            Where to write the page. None returns the page.

        Returns
        -------
        str or None
            The page if `path` is None, and else None.

        Raises
        ------
        ValueError
            If the descent is not gradient descent, with or without momentum, on a quadratic.
        OSError
            If the file cannot be written.

        See Also
        --------
        DescentPathDisplay.animate : The steps as an animation of matplotlib.

        Notes
        -----
        In the directions of the eigenvectors of a quadratic the descent is a recurrence for
        each eigenvalue (Goh, Why Momentum Really Works, Distill, 2017). The page holds the
        eigenvalues, not the data. It takes as many steps as the descent of the display, at
        most 10,000, and at least 100 if that descent diverged.

        Examples
        --------
        >>> from sklearn_gd import DescentPathDisplay, minimize
        >>> def bowl(x):
        ...     return x[0] ** 2 + 10 * x[1] ** 2
        >>> result = minimize(bowl, [3.0, 1.0], lr=0.05, epochs=50)
        >>> page = DescentPathDisplay.from_function(bowl, result).to_html()
        >>> page[:15]
        '<!DOCTYPE html>'
        """
        page = self._film()
        if page is None:
            raise ValueError(
                "to_html shows gradient descent with or without momentum (optimizer='sgd' "
                "without lr_scheduler) that moves on a quadratic with a minimum. That is a fit "
                "of the squared error, without batch_size, l1_ratio, positive and bounds, of at "
                "most 500 coefficients; or a quadratic function. For all others use animate."
            )
        if path is None:
            return page
        Path(path).write_text(page, encoding="utf-8")
        return None

    def _repr_html_(self) -> str | None:
        """The page for a notebook, if there is one."""
        page = self._film()
        return None if page is None else in_frame(page)

    def _film(self) -> str | None:
        """The page, or None if the descent is not one that the page can run."""
        surface = fit_quadratic(self.grid, self.surface)
        if surface is None:
            return None
        descent = self.quadratic or descent_of_path(surface, self.path, self.values)
        if descent is None or not descent.can_be_shown:
            return None
        return render_film(
            descent,
            surface,
            len(self.path) - 1,
            self.labels,
            self.value_label,
            diverged=self.diverged,
        )

    def _plot_curve(self, ax: Axes) -> None:
        """Draw the function of one parameter."""
        (self.curve_,) = ax.plot(self.grid[0], self.surface, color=CURVE_COLOR, zorder=1)
        ax.set(xlabel=axis_label(self.labels[0]), ylabel=axis_label(self.value_label))
        low, high = np.nanmin(self.surface), np.nanmax(self.surface)
        margin = 0.08 * (high - low) or 1.0
        ax.set_ylim(low - margin, high + margin)

    def _plot_contours(self, ax: Axes, *, colorbar: bool) -> None:
        """Draw the contours over two parameters."""
        from matplotlib.colors import BoundaryNorm

        levels = _contour_levels(self.surface)
        norm = BoundaryNorm(levels, 256)  # so that every level has a colour
        self.contours_ = ax.contourf(
            *self.grid, self.surface.T, levels=levels, norm=norm, cmap="cividis"
        )
        if colorbar:
            bar = self.figure_.colorbar(self.contours_, ax=ax, label=axis_label(self.value_label))
            ticks = levels[::2].tolist()
            bar.set_ticks(ticks, labels=distinct_labels(ticks))
        ax.set(xlabel=axis_label(self.labels[0]), ylabel=axis_label(self.labels[1]))
        ax.set_ylim(*self.grid[1][[0, -1]])

    def _points(self, steps: slice) -> list[np.ndarray]:
        """Horizontal and vertical positions of some steps."""
        columns = [*self.path.T, self.values]
        return [column[steps] for column in columns[:2]]

    def _end(self, count: int) -> list[np.ndarray]:
        """Where the mark of the last of some points is drawn: in sight, also if it is far away."""
        x, y = self._points(slice(count - 1, count))
        return [into_view(x, self.ax_.get_xlim()), into_view(y, self.ax_.get_ylim())]

    def _end_label(self, count: int) -> str:
        """The name of the mark of the last of some points."""
        label = f"step {count - 1}"
        return f"diverged, {label}" if self.diverged and count == len(self.path) else label


def _contour_levels(surface: np.ndarray) -> np.ndarray:
    """Levels by quantiles, which are equally far apart on a bowl and also suit a narrow valley."""
    finite = surface[np.isfinite(surface)]
    levels = np.unique(np.quantile(finite, np.linspace(0, 1, _LEVELS) ** 2))
    return levels if len(levels) > 1 else levels[0] + np.array([0.0, 1.0])
