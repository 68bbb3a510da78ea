"""A learning rate for objectives whose curvature is not known, and for mini-batches.

After T steps of a subgradient method the best objective is within D²/(2 lr T) + lr G²/2 of the
optimum, with D the distance from the start to the optimum and G² the mean square of a gradient
(Nesterov, Introductory Lectures on Convex Optimization, 2004, section 3.2.3). The bound is
lowest at lr = D / (G √T).

Both are estimated at zero coefficients. Predictions move by at most √λ times a move of u, where
λ is the largest eigenvalue of the mean of z zᵀ over the rows z. So D is the root mean square of
the residuals, divided by √λ. G is at most √λ times the root mean square of the slope of the
loss. The gradient of a batch of b rows varies by chance, by which G² grows by a factor of at
most 1 + d/b in d coordinates.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._base.types import Params
from sklearn_gd._problem.curvature import curvature_of_least_squares, largest_eigenvalue
from sklearn_gd._problem.empirical_risk import EmpiricalRisk, RegularizedLoss
from sklearn_gd._problem.least_squares import LeastSquares
from sklearn_gd._problem.mini_batches import MiniBatches
from sklearn_gd._solver.derivatives import gradient


def step_length(
    objective: EmpiricalRisk | MiniBatches,
    squared_error: LeastSquares,
    epochs: int,
    options: Params,
) -> float | None:
    """The learning rate of SGD with these options, or None if the start is an optimum.

    ``squared_error`` is that of the same rows in the same coordinates.
    """
    parametrization = objective.loss.parametrization
    largest = curvature_of_least_squares(squared_error) / 2.0
    largest = max(largest, float(parametrization.has_intercept))
    ratio = _residual_per_slope(objective)
    if largest == 0.0 or ratio is None:
        return None
    steps: float = epochs
    if isinstance(objective, MiniBatches):
        n_rows, size = len(objective.y), objective.batch_size
        noise = min(n_rows, parametrization.n_coordinates) / size
        steps = epochs * math.ceil(n_rows / size) * (1.0 + noise)
    lr = ratio / (largest * math.sqrt(steps))
    # the penalty, whose curvature is known, is to be stable too
    penalty_curvature = _curvature_of_ridge(objective.loss) + options["weight_decay"]
    if lr * penalty_curvature > 1.0:
        lr = 1.0 / penalty_curvature
    # momentum adds up the steps
    dampening = options["dampening"] if options["momentum"] else 0.0
    return lr * (1.0 - options["momentum"]) / (1.0 - dampening)


def _residual_per_slope(objective: EmpiricalRisk | MiniBatches) -> float | None:
    """Root mean squares of residuals, over those of slopes, at zero coefficients and λ = 1.

    It is the smallest over the targets, and None if all slopes are zero.
    """
    scaling = objective.loss.parametrization.scaling
    weight = objective.weight.reshape(-1)
    kept = torch.nonzero(weight).ravel()
    y, weight = objective.y[kept], weight[kept] / weight.sum()
    start = scaling.y_mean[0].expand_as(y)
    slope = gradient(lambda prediction: objective.loss.loss(prediction, y[None]), start[None])[0]
    slope_rms = _root_mean_square(slope, weight) * (scaling.y_scale / scaling.loss_scale)[0, 0]
    residual_rms = _root_mean_square(y - start, weight) / scaling.y_scale[0, 0]
    ratio = residual_rms / slope_rms
    ratio = ratio[torch.isfinite(ratio) & (ratio > 0)]
    return float(ratio.min()) if len(ratio) else None


def _root_mean_square(values: Tensor, weight: Tensor) -> Tensor:
    """Of every column of ``values`` (samples, targets), with weights of sum 1."""
    return (weight @ values.square()).sqrt()


def _curvature_of_ridge(loss: RegularizedLoss) -> float:
    """The largest curvature of the L2 penalty in the coordinates of a problem."""
    ridge, parametrization = loss.ridge, loss.parametrization
    if ridge is None:
        return 0.0
    zeros, scaling = parametrization.zeros, parametrization.scaling
    # all targets have the same coordinates, in other units
    unit = float((scaling.y_scale.square() / scaling.loss_scale).max())

    def apply_hessian(v: np.ndarray) -> np.ndarray:
        u = (zeros + torch.from_numpy(v.ravel()).to(zeros)) / scaling.y_scale[..., None]
        slope = gradient(lambda u: ridge(parametrization.to_model(u)[0]), u)
        return (slope / scaling.y_scale[..., None])[0, 0, 0].cpu().numpy()

    return unit * largest_eigenvalue(apply_hessian, parametrization.n_coordinates)
