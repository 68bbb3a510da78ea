"""The largest curvature of an objective, and the learning rates that it allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor


def curvature_of_design(design: Tensor | None) -> float:
    """Largest eigenvalue of the Hessian of ‖design·v − target‖². None is the identity."""
    if design is None:
        return 2.0
    return 2.0 * float(torch.linalg.matrix_norm(design, ord=2)) ** 2


def curvature_of_rows(
    x: Any, weight: np.ndarray, x_mean: np.ndarray, scale: np.ndarray, *, with_intercept: bool
) -> float:
    """The same for the mean over rows (dense or sparse), by Lanczos' method.

    For coordinates v with coefficients ``scale`` · v on centred columns.
    """
    first = int(with_intercept)

    def apply_hessian(v: np.ndarray) -> np.ndarray:
        w = v[first:].ravel() * scale
        fitted = weight * (x @ w - x_mean @ w + (v[0] if first else 0.0))
        gradient = scale * (x.T @ fitted - x_mean * fitted.sum())
        return 2.0 * np.concatenate([[fitted.sum()] * first, gradient])

    size = len(x_mean) + first
    hessian = LinearOperator((size, size), matvec=apply_hessian, dtype=np.float64)
    largest = eigsh(hessian, k=1, v0=np.ones(size), return_eigenvectors=False, tol=1e-8)
    return float(largest[0])


def max_stable_lr(curvature: float, options: Mapping[str, Any]) -> float:
    """Largest lr at which SGD with these options converges.

    At a larger lr a root of the iteration on the steepest eigenvector is outside of the unit
    circle (Polyak, Some Methods of Speeding Up the Convergence of Iteration Methods, 1964,
    for momentum).
    """
    curvature = curvature + options["weight_decay"]
    if curvature == 0.0:
        return float("inf")
    momentum = options["momentum"]
    if options["nesterov"]:
        return 2.0 * (1.0 + momentum) / ((1.0 + 2.0 * momentum) * curvature)
    dampening = options["dampening"] if momentum else 0.0
    return 2.0 * (1.0 + momentum) / ((1.0 - dampening) * curvature)
