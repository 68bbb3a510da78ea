"""The path of a descent, and what it minimizes on a grid around the path.

These are the numbers that `DescentPathDisplay` stores and draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_gd._base.parameters import invalid
from sklearn_gd._base.types import MatrixLike, Results, Structure, TorchFunction
from sklearn_gd._functions.objective import values_at
from sklearn_gd._inspection.fit_trace import trace_fit
from sklearn_gd._inspection.quadratic_descent import QuadraticDescent, descent_of_trace

_CURVE_POINTS, _SURFACE_POINTS = 400, 120  # of the grid, per axis
_OWNER = "DescentPathDisplay"


class DescentSurface(NamedTuple):
    """The parameters of `DescentPathDisplay`."""

    path: np.ndarray  # (steps + 1, parameters)
    values: np.ndarray  # (steps + 1,)
    grid: list[np.ndarray]  # one array for each parameter
    surface: np.ndarray  # an axis for each parameter
    labels: Sequence[str]
    value_label: str
    diverged: bool
    quadratic: QuadraticDescent | None = None  # the descent, where the estimator tells it


class _Run(NamedTuple):
    """One descent."""

    path: np.ndarray  # (steps + 1, parameters)
    values: np.ndarray  # (steps + 1,)
    diverged: bool


def surface_of_estimator(
    estimator: BaseEstimator, X: MatrixLike, y: ArrayLike, features: Sequence[int | str] | None
) -> DescentSurface:
    """The path of two coefficients, or of the only one and the intercept.

    All other coefficients have the values that a fit keeps.
    """
    trace = trace_fit(estimator, X, y, _OWNER)
    terms = trace.prepared.term_names
    chosen = _coefficient_positions(features, terms)
    labels = [f"Coefficient of {terms[i]}" for i in chosen]
    shows_intercept = len(chosen) == 1 and trace.prepared.fit.options.fit_intercept
    if shows_intercept:
        labels.append("Intercept")

    def drawn(coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        return np.column_stack([coef, intercept]) if shows_intercept else coef[:, chosen]

    coef, intercept = trace.in_user_terms()

    def loss(points: np.ndarray) -> np.ndarray:
        coef_at = np.tile(coef[trace.kept_epoch], (len(points), 1))
        coef_at[:, chosen] = points[:, : len(chosen)]
        return trace.losses_at(coef_at, points[:, 1].copy() if shows_intercept else None)

    run = _Run(drawn(coef, intercept), trace.losses, trace.diverged)
    (surface,) = _surfaces(loss, [run], labels, "Loss")
    return surface._replace(quadratic=descent_of_trace(trace, drawn))


def surfaces_of_function(fun: TorchFunction, results: Sequence[Results]) -> list[DescentSurface]:
    """The paths of several results of `minimize`, all on the same grid."""
    first_path = results[0]["path"]
    is_named = isinstance(first_path, Mapping)
    arguments = first_path if is_named else {"x": first_path}
    labels = [
        label
        for name, points in arguments.items()
        for label in _argument_labels(name, points[0].size)
    ]
    if len(labels) > 2:
        raise ValueError(
            f"DescentPathDisplay draws one variable or two, and the path has {len(labels)}. "
            "LossCurveDisplay.from_curves draws the losses of any number."
        )
    start = {name: points[0] for name, points in arguments.items()}
    x0 = start if is_named else start["x"]
    return _surfaces(
        lambda points: values_at(fun, x0, points),
        [_Run(flatten_path(r["path"]), r["loss_curve"], r["status"] == 2) for r in results],
        labels,
        f"f({', '.join(arguments)})",
    )


def flatten_path(path: Structure) -> np.ndarray:
    """The path of a result of `minimize` as (steps + 1, parameters)."""
    arguments = path.values() if isinstance(path, Mapping) else [path]
    return np.concatenate([np.reshape(points, (len(points), -1)) for points in arguments], axis=1)


def _surfaces(
    function: Callable[[np.ndarray], np.ndarray],
    runs: Sequence[_Run],
    labels: Sequence[str],
    value_label: str,
) -> list[DescentSurface]:
    """Runs on the surface of a function of points (n, parameters), on a grid around them all."""
    count = _CURVE_POINTS if len(labels) == 1 else _SURFACE_POINTS
    visible = np.concatenate([_visible_points(run) for run in runs])
    grid = [np.linspace(*_limits(column), count) for column in visible.T]
    points = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1)
    surface = function(points.reshape(-1, len(grid))).reshape(points.shape[:-1])
    if not np.isfinite(surface).any():
        raise ValueError(
            "DescentPathDisplay has nothing to draw: the function is finite nowhere around "
            "the path."
        )
    return [
        DescentSurface(run.path, run.values, grid, surface, labels, value_label, run.diverged)
        for run in runs
    ]


def _coefficient_positions(features: Sequence[int | str] | None, terms: Sequence[str]) -> list[int]:
    """Positions of the coefficients to draw: two, or the only one."""
    if features is None:
        return list(range(len(terms)))[:2]
    positions = [_position(feature, terms) for feature in features]
    known = [position for position in positions if position is not None]
    if len(positions) != 2 or len(set(known)) != 2:
        raise invalid(
            _OWNER,
            "features",
            f"two different positions below {len(terms)} or names among {list(terms)}",
            features,
        )
    return known


def _position(feature: int | str, terms: Sequence[str]) -> int | None:
    """The position of a coefficient that is given by its name or by its position."""
    if isinstance(feature, str):
        return terms.index(feature) if feature in terms else None
    is_position = isinstance(feature, Integral) and -len(terms) <= feature < len(terms)
    return int(feature) % len(terms) if is_position else None


def _argument_labels(name: str, size: int) -> list[str]:
    """A label for each entry of an argument."""
    return [name] if size == 1 else [f"{name}[{i}]" for i in range(size)]


def _visible_points(run: _Run) -> np.ndarray:
    """The points of a path, without those that are very high because the run diverges."""
    height = run.values - np.nanmin(run.values, initial=np.inf)
    is_visible = height <= 10 * height[0]
    is_visible[:2] = True
    points: np.ndarray = run.path[is_visible & np.isfinite(run.path).all(axis=1)]
    return points


def _limits(column: np.ndarray) -> tuple[float, float]:
    """The limits of a parameter: its range on the path, and a margin."""
    low, high = column.min(), column.max()
    margin = 0.25 * (high - low) or 1.0
    return low - margin, high + margin
