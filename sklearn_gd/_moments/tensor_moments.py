"""Means and a triangular factor of the data, from one pass over their rows.

Squared error on all rows depends on the data only through their means and a triangular
factor of the centred table: F with FᵀF = Σ wᵢ(xᵢ − μ)(xᵢ − μ)ᵀ. A descent on the few rows of
F has the same loss and gradient in every epoch as a descent on all rows. Factors of blocks
merge by stacking them, so that memory is bounded by the size of a block.

There are two ways to F. The Cholesky factor of the Gram matrix (`gram`) is fast, but squares
the condition number. QR of the blocks is always accurate. The fast way is taken where one
number certifies that its result is accurate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._moments.two_sum import two_sum

_LEAST_SAFE_NORM, _LARGEST_SAFE_NORM = 1e-140, 1e150  # the squares are normal numbers
Rows = tuple[Tensor, Tensor, Tensor | None]  # x (rows, p), y (rows, targets), weight (rows,)


class TensorMoments(NamedTuple):
    """Weighted means, and the factor of the centred table. Uncentred data have zero means."""

    weight: Tensor  # () sum of the weights
    x_mean: Tensor  # (p,)
    y_mean: Tensor  # (targets,)
    factor: Tensor  # (m, p), with m <= p after the first merge
    target: Tensor  # (m, targets) the part of the centred y in the row space of the factor
    residual_norm: Tensor  # (targets,) norm of the part of the centred y outside of it
    abs_max: Tensor  # (p,) largest |x|, the measure of rounding, see `compute`; zeros if certified
    x_mean_rest: Tensor  # (p,) what rounding took from x_mean
    y_mean_rest: Tensor  # (targets,) what rounding took from y_mean

    def deviations(self) -> tuple[Tensor, Tensor]:
        """Weighted standard deviations (uncentred: root mean squares) of x and y."""
        return column_norms(self.factor) / self.weight.sqrt(), self.y_deviation()

    def y_deviation(self) -> Tensor:
        """Weighted standard deviations (uncentred: root mean squares) of y."""
        y_norm = torch.hypot(column_norms(self.target), self.residual_norm)
        return y_norm / self.weight.sqrt()

    def with_rows(self, rows: Tensor) -> TensorMoments:
        """The moments with further rows of the centred table, whose targets are 0."""
        no_target = self.target.new_zeros(len(rows), self.target.shape[1])
        factor, target, residual_norm = _triangular(
            torch.cat([self.factor, rows * self.weight.sqrt()]),
            torch.cat([self.target, no_target]),
            self.residual_norm,
        )
        return self._replace(factor=factor, target=target, residual_norm=residual_norm)

    def uncentered(self) -> TensorMoments:
        """The moments about zero: the means are one more row of the factor."""
        root = self.weight.sqrt()
        factor, target, residual_norm = _triangular(
            torch.cat([self.factor, root * self.x_mean[None]]),
            torch.cat([self.target, root * self.y_mean[None]]),
            self.residual_norm,
        )
        zeros = torch.zeros_like(self.x_mean), torch.zeros_like(self.y_mean)
        return TensorMoments(
            self.weight, *zeros, factor, target, residual_norm, self.abs_max, *zeros
        )

    def scaled(self, factor: float) -> TensorMoments:
        """The moments of the same rows, with all weights multiplied by a factor."""
        if factor == 1:
            return self
        root = factor**0.5
        return self._replace(
            weight=self.weight * factor,
            factor=self.factor * root,
            target=self.target * root,
            residual_norm=self.residual_norm * root,
        )


def merge(parts: Iterable[TensorMoments]) -> TensorMoments:
    """The moments of the union of disjoint sets of rows, by QR."""
    parts = iter(parts)
    whole = next(parts)
    factor, target, residual_norm = _triangular(whole.factor, whole.target, whole.residual_norm)
    whole = whole._replace(factor=factor, target=target, residual_norm=residual_norm)
    for part in parts:
        whole = _merge_two(whole, part)
    return whole


def column_norms(columns: Tensor) -> Tensor:
    """Euclidean norms of columns, safe from overflow and underflow."""
    norms = _norms(columns)
    if ((norms > _LEAST_SAFE_NORM) & (norms < _LARGEST_SAFE_NORM)).all():
        return norms
    scale = _power_of_two(columns)
    return _norms(columns / scale) * scale


def _norms(columns: Tensor) -> Tensor:
    """Euclidean norms of columns whose squares are normal numbers."""
    if not columns.is_cpu:
        return torch.linalg.vector_norm(columns, dim=0)
    # NumPy reads the rows in their order, which takes a quarter of the time of torch
    rows = columns.numpy()
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return torch.from_numpy(np.sqrt(np.einsum("ij,ij->j", rows, rows)))


def _merge_two(a: TensorMoments, b: TensorMoments) -> TensorMoments:
    """The moments of two disjoint sets of rows."""
    if len(b.factor) == 1 and not (b.factor.any() or b.target.any()):
        b = b._replace(factor=b.factor[:0], target=b.target[:0])  # one centred row is zero
    weight = a.weight + b.weight
    share = b.weight / weight
    # without the rests, the rounding of means far from zero would be part of the factor
    x_step = (b.x_mean - a.x_mean) + (b.x_mean_rest - a.x_mean_rest)
    y_step = (b.y_mean - a.y_mean) + (b.y_mean_rest - a.y_mean_rest)
    factors, targets = [a.factor, b.factor], [a.target, b.target]
    if x_step.any() or y_step.any():  # not so without an intercept
        # the two means, as deviations from the common mean, are one more row
        between = (a.weight * share).sqrt()
        factors.append(between * x_step[None])
        targets.append(between * y_step[None])
    factor, target, residual_norm = _triangular(
        torch.cat(factors), torch.cat(targets), torch.hypot(a.residual_norm, b.residual_norm)
    )
    x_mean, x_mean_rest = two_sum(a.x_mean, a.x_mean_rest + share * x_step)
    y_mean, y_mean_rest = two_sum(a.y_mean, a.y_mean_rest + share * y_step)
    abs_max = torch.maximum(a.abs_max, b.abs_max)
    return TensorMoments(
        weight, x_mean, y_mean, factor, target, residual_norm, abs_max, x_mean_rest, y_mean_rest
    )


def _triangular(x: Tensor, y: Tensor, residual_norm: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """QR of x: the triangle, Qᵀy in its rows, and the norm of y outside of the column space."""
    p = x.shape[1]
    if x.shape[0] <= p:
        return x, y, residual_norm
    x_scale, y_scale = _power_of_two(x), _power_of_two(y)
    packed, tau = torch.geqrf(x / x_scale)
    rotated = torch.ormqr(packed, tau, y / y_scale, left=True, transpose=True)
    sign = torch.where(packed.diagonal() < 0, -1.0, 1.0).to(x.dtype)[:, None]
    outside = torch.linalg.vector_norm(rotated[p:], dim=0) * y_scale
    factor, target = packed[:p].triu() * sign * x_scale, rotated[:p] * sign * y_scale
    return factor, target, torch.hypot(residual_norm, outside)


def _power_of_two(columns: Tensor) -> Tensor:
    """Per column the power of two just above its largest entry (1 for zeros)."""
    return torch.exp2(torch.frexp(largest_entries(columns)).exponent.to(columns.dtype))


def largest_entries(columns: Tensor) -> Tensor:
    """Per column the largest absolute value."""
    if not columns.is_cpu:
        return torch.maximum(columns.amax(0), -columns.amin(0))
    rows = columns.numpy()  # see `_norms`
    return torch.from_numpy(np.maximum(rows.max(0), -rows.min(0)))


def weighted_mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Weighted mean of the rows, in float64."""
    values = values.to(torch.float64)
    return values.mean(0) if weight is None else weight @ values / weight.sum()


def mean_of_targets(y: Tensor, weight: Tensor | None) -> Tensor:
    """Weighted mean of the rows, in float64. The mean of a constant target is not rounded.

    A target descends in the unit of its deviation, and rounding must not become this unit.
    """
    if weight is None:
        value, is_value = y[:1], y == y[:1]
    else:
        value = y.index_select(0, weight.argmax().view(1))
        is_value = (y == value) | (weight == 0.0)[:, None]
    return torch.where(is_value.all(0), value[0].to(torch.float64), weighted_mean(y, weight))
