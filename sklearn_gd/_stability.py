"""Which learning rates a quadratic objective allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from sklearn_gd._coordinates import Table


def curvature(table: Table) -> float:
    """Largest eigenvalue of the Hessian of the mean squared error."""
    if table.design is None:
        return 2.0
    return 2.0 * float(torch.linalg.matrix_norm(table.design, ord=2)) ** 2


def curvature_of_rows(
    x: Any, weight: np.ndarray, mean: np.ndarray, to_coef: np.ndarray, *, with_ones: bool
) -> float:
    """The same from the rows (dense or sparse), for diagonal coordinates, by Lanczos."""
    lead = int(with_ones)

    def apply(u: np.ndarray) -> np.ndarray:
        w = u[lead:].ravel() * to_coef
        seen = weight * (x @ w - mean @ w + (u[0] if lead else 0.0))
        gradient = to_coef * (x.T @ seen - mean * seen.sum())
        return 2.0 * np.concatenate([[seen.sum()] * lead, gradient])

    size = len(mean) + lead
    hessian = LinearOperator((size, size), matvec=apply, dtype=np.float64)
    return float(eigsh(hessian, k=1, v0=np.ones(size), return_eigenvectors=False, tol=1e-8)[0])


def max_stable_lr(largest: float, group: Mapping[str, Any]) -> float:
    """Largest lr at which SGD with the options ``group`` converges.

    The bound where the iteration's root on the steepest eigenvector leaves the unit circle
    (Polyak, 1964, for momentum).
    """
    largest = largest + group["weight_decay"]
    if largest == 0.0:
        return float("inf")
    beta = group["momentum"]
    if group["nesterov"]:
        return 2.0 * (1.0 + beta) / ((1.0 + 2.0 * beta) * largest)
    return 2.0 * (1.0 + beta) / ((1.0 - (group["dampening"] if beta else 0.0)) * largest)
