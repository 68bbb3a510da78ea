"""Gradient descent with momentum on a quadratic, as the few numbers that determine every path.

In the directions of the eigenvectors of its Hessian the descent is a recurrence for each
direction. The recurrence depends on the eigenvalue, the learning rate and the momentum only,
and its state begins at 1 and falls to 0 where the optimum is. So the points and the losses of
any learning rate follow from a few numbers for each direction (a mode), without the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from sklearn_gd._base.types import Params
from sklearn_gd._inspection.fit_trace import FitTrace
from sklearn_gd._inspection.spectrum import PLAIN_SGD, Modes
from sklearn_gd._problem.least_squares import LeastSquares
from sklearn_gd._training.result import to_numpy_model

_MAX_COORDINATES = 500  # of a descent that is decomposed for a display
_FLAT = 1e-12  # of the largest curvature: the curvature of a direction without an optimum


class QuadraticDescent(NamedTuple):
    """A descent of the SGD family on a quadratic, seen in the parameters of a display."""

    curvatures: np.ndarray  # (modes,) eigenvalues of the Hessian, without zeros
    moves: np.ndarray  # (modes, parameters) from the start to the optimum
    excess: np.ndarray  # (modes,) the loss at the start above the minimum
    start: np.ndarray  # (parameters,)
    minimum: float
    lr: float
    options: Params  # momentum, dampening, nesterov and weight_decay, as of torch.optim.SGD
    ceiling: float  # a larger loss is a divergence

    def points(self, n_steps: int) -> np.ndarray:
        """The points (n_steps + 1, parameters) of the descent."""
        momentum, is_nesterov = self.options["momentum"], self.options["nesterov"]
        dampening = self.options["dampening"] if momentum else 0.0
        curvatures = self.curvatures + self.options["weight_decay"]
        state, velocity = np.ones_like(curvatures), np.zeros_like(curvatures)
        states = [state]
        with np.errstate(all="ignore"):  # with an unstable lr the states overflow
            for step in range(n_steps):
                gradient = curvatures * state
                # torch does not dampen the first velocity
                velocity = momentum * velocity + (1.0 - dampening * (step > 0)) * gradient
                direction = gradient + momentum * velocity if is_nesterov else velocity
                state = state - self.lr * direction
                states.append(state)
            progress = (1.0 - np.array(states)) * (self.curvatures / curvatures)
            points: np.ndarray = self.start + progress @ self.moves
        return points


class Quadratic(NamedTuple):
    """value + slope·(x − center) + (x − center)·hessian·(x − center)/2."""

    center: np.ndarray  # (parameters,)
    value: float
    slope: np.ndarray  # (parameters,)
    hessian: np.ndarray  # (parameters, parameters)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """The gradient (parameters,) at a point."""
        return np.asarray(self.slope + self.hessian @ (x - self.center))


def fit_quadratic(grid: Sequence[np.ndarray], surface: np.ndarray) -> Quadratic | None:
    """The quadratic that equals a surface on its grid. None if the surface is none."""
    if not np.isfinite(surface).all():
        return None
    center = np.array([(axis[0] + axis[-1]) / 2 for axis in grid])
    scale = np.array([(axis[-1] - axis[0]) / 2 for axis in grid])
    units = [(a - c) / s for a, c, s in zip(grid, center, scale, strict=True)]
    z = np.stack(np.meshgrid(*units, indexing="ij"), axis=-1).reshape(-1, len(grid))
    first, second = np.triu_indices(len(grid))
    table = np.column_stack([np.ones(len(z)), z, z[:, first] * z[:, second]])
    solution = np.linalg.lstsq(table, surface.ravel(), rcond=None)[0]
    error = np.abs(table @ solution - surface.ravel()).max()
    if error > 1e-9 * np.ptp(surface) + 1e-13 * np.abs(surface).max():
        return None
    hessian = np.zeros((len(grid), len(grid)))
    hessian[first, second] = solution[len(grid) + 1 :]
    hessian = (hessian + hessian.T) / np.outer(scale, scale)
    return Quadratic(center, float(solution[0]), solution[1 : len(grid) + 1] / scale, hessian)


def descent_of_trace(
    trace: FitTrace, drawn: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> QuadraticDescent | None:
    """The descent of a fit. None if it is not gradient descent on a quadratic of moderate size.

    ``drawn`` takes the parameters of a display from coefficients and intercepts.
    """
    fit = trace.prepared.fit
    problem, factory = fit.problem, fit.optimizer_factory
    objective = problem.objective
    if not factory.is_sgd or factory.make_scheduler is not None or problem.penalty is not None:
        return None
    if not isinstance(objective, LeastSquares) or objective.n_coordinates > _MAX_COORDINATES:
        return None
    if objective.design is None:  # whitened: all directions are one mode
        u, singular = objective.target[0, 0], torch.ones(1)
        excess = u.square().sum(1)
    else:
        modes = Modes.of(objective)
        if modes is None:
            return None
        u = (modes.directions * (modes.target[:, 0] / modes.singular)).T
        singular, excess = modes.singular, modes.target[:, 0].square()
    u = torch.cat([torch.zeros_like(u[:1]), u])[None, :, None]  # the start is the first run
    coef, intercept = to_numpy_model(problem, u)
    at_zero = trace._replace(coef=coef[:, 0], intercept=intercept[:, 0])
    points = drawn(*at_zero.in_user_terms())
    scale = float(problem.loss_scale[0])
    return QuadraticDescent(
        2.0 * singular.square().cpu().numpy(),
        points[1:] - points[0],
        excess.cpu().numpy() * scale,
        points[0],
        float(objective.optimum()[0]) * scale,
        fit.lr,
        {name: factory.options[name] for name in PLAIN_SGD},
        1e8 * float(trace.losses[0]),
    )


def descent_of_path(
    quadratic: Quadratic, path: np.ndarray, first_value: float
) -> QuadraticDescent | None:
    """The descent that made a path on a quadratic, its lr and momentum read from the path.

    None if the quadratic has no minimum, or if no such descent has this path.
    """
    gradient = quadratic.gradient(path[0])
    if len(path) < 2 or not gradient.any():
        return None
    steps = np.diff(path[:3], axis=0)
    lr = -float(steps[0] @ gradient / (gradient @ gradient))
    momentum = 0.0
    if len(path) > 2 and steps[0].any():
        rest = steps[1] + lr * quadratic.gradient(path[1])
        momentum = float(rest @ steps[0] / (steps[0] @ steps[0]))
    curvatures, directions = np.linalg.eigh(quadratic.hessian)
    is_curved = np.abs(curvatures) > _FLAT * np.abs(curvatures).max()
    curvatures, directions = curvatures[is_curved], directions[:, is_curved]
    if not (curvatures > 0).all() or not lr > 0 or momentum < -1e-6:
        return None
    slopes = directions.T @ gradient
    excess = slopes**2 / (2 * curvatures)
    minimum = first_value - float(excess.sum())
    if abs(minimum) < 1e-12 * (abs(first_value) + excess.sum()):  # rounding errors
        minimum = 0.0
    descent = QuadraticDescent(
        curvatures,
        (-directions * (slopes / curvatures)).T,
        excess,
        path[0],
        minimum,
        float(f"{lr:.10g}"),  # without the rounding errors of the path
        {**PLAIN_SGD, "momentum": float(f"{momentum:.10g}") if momentum > 1e-6 else 0.0},
        first_value + 1e12 * (1.0 + abs(first_value)),
    )
    return descent if _has_path(descent, path) else None


def _has_path(descent: QuadraticDescent, path: np.ndarray) -> bool:
    """Whether the descent passes the points of a path."""
    points = descent.points(len(path) - 1)
    is_finite = np.isfinite(path).all(axis=1)
    error = np.abs(points - path)[is_finite]
    size = np.maximum.accumulate(np.abs(path - path[0])[is_finite], axis=0)
    return bool((error <= 1e-6 * size + 1e-12 * np.abs(path[0])).all())
