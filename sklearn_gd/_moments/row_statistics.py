"""What statistics need the rows for: leverage, residuals and robust covariances, in one pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._moments.estimate import LeastSquaresEstimate
from sklearn_gd._moments.tensor_data import TensorData

_BLOCK_ENTRIES = 2**19  # 4 MB of float64
_FULL_LEVERAGE = 1e-10  # what rounding leaves of 1 less a leverage of 1
ROBUST = ("HC0", "HC1", "HC2", "HC3")


class RowStatistics(NamedTuple):
    """Statistics of all rows, those of weight zero included."""

    leverage: np.ndarray  # (n,) w·z·zᵀ, how much a row moves its own prediction
    residuals: np.ndarray  # (n, targets) y less the prediction
    covariance: np.ndarray | None  # (targets, k, k) robust, of the orthonormal coordinates

    @property
    def loo_residuals(self) -> np.ndarray:
        """Residuals (n, targets) of predictions by the other rows; NaN where they cannot predict.

        The residual of a row without this row is r / (1 − leverage), exactly.
        """
        rest = 1.0 - self.leverage
        rest = np.where(rest > _FULL_LEVERAGE, rest, np.nan)
        return self.residuals / rest[:, None]


def row_statistics(
    data: TensorData, estimate: LeastSquaresEstimate, weight: np.ndarray | None, cov_type: str
) -> RowStatistics:
    """One pass over the rows, with weights (n,) in units of the user."""
    n, n_targets = data.data.y.shape
    leverage, residuals = np.empty(n), np.empty((n, n_targets))
    meat = np.zeros((n_targets, estimate.n_coef, estimate.n_coef))
    x_mean, y_mean, inverse, slopes = (
        torch.from_numpy(part).to(data.device)
        for part in (estimate.x_mean, estimate.y_mean, estimate.inverse, estimate.slopes)
    )
    # blocks leave rows of weight zero out, and these have residuals too
    every_row = data.with_data(data.data._replace(weight=None))
    start = 0
    for x, y, _ in every_row.blocks(max(_BLOCK_ENTRIES // estimate.n_coef, 1024)):
        rows = slice(start, start + len(y))
        z = (x.to(torch.float64) - x_mean) @ inverse
        residual = y - y_mean - z @ slopes.T
        if estimate.has_intercept:
            z = torch.nn.functional.pad(z, (1, 0), value=estimate.weight**-0.5)
        w = torch.ones_like(y[:, 0])
        if weight is not None:
            w = torch.from_numpy(weight[rows]).to(w)
        h = w * z.square().sum(1)
        leverage[rows], residuals[rows] = h.cpu().numpy(), residual.cpu().numpy()
        if cov_type in ROBUST:
            error = w[:, None] * residual / _divisor(h, cov_type, start)[:, None]
            for target in range(n_targets):
                scores = z * error[:, target, None]
                meat[target] += (scores.T @ scores).cpu().numpy()
        start += len(y)
    if cov_type == "HC1":
        meat *= estimate.n_rows / estimate.df_resid
    return RowStatistics(leverage, residuals, meat if cov_type in ROBUST else None)


def _divisor(leverage: Tensor, cov_type: str, start: int) -> Tensor:
    """What the residuals of a robust covariance are divided by (MacKinnon and White, 1985)."""
    if cov_type in ("HC0", "HC1"):
        return torch.ones_like(leverage)
    rest = 1.0 - leverage
    is_full = rest <= _FULL_LEVERAGE
    if is_full.any():
        row = start + int(is_full.int().argmax())
        raise ValueError(
            f"cov_type={cov_type!r} is undefined, because sample {row} has leverage 1: the other "
            "samples do not determine its prediction. Use cov_type='HC0' or 'HC1', or leave the "
            "sample out."
        )
    return rest.sqrt() if cov_type == "HC2" else rest
