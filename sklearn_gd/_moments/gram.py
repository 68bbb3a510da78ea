"""Moments through the Gram matrix, with a certificate of their accuracy.

The Gram matrix S of [1 X y] is shifted by the means of the first block and scaled to a unit
diagonal. Its Cholesky factor is used where ε·tr(S⁻¹) <= 1e-10. This one number bounds what
bad conditioning, drifting means and a small residual cost.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from sklearn_gd._moments.moments import Moments, Rows, column_norms, weighted_mean

_EPS = torch.finfo(torch.float64).eps
_CERTAIN = 1e-10


def moments_by_gram(blocks: Iterator[Rows], *, center: bool) -> Moments | None:
    """Moments through the Gram matrix, or None where the moments would not be accurate."""
    gram: _Gram | None = None
    for block in blocks:
        gram = gram or _Gram(*block, center)
        gram.add(*block)
    return gram.moments() if gram else None


class _Gram:
    """The Gram matrix of [1 x | y], less the means of the first block, summed over blocks."""

    def __init__(self, x: Tensor, y: Tensor, weight: Tensor | None, center: bool):
        self.center, self.p = center, x.shape[1]
        self.shift = torch.cat([weighted_mean(x, weight), weighted_mean(y, weight)]) * int(center)
        self.n_intercept = int(center)  # a column of ones in front
        width = self.n_intercept + len(self.shift)
        self.gram = self.shift.new_zeros(self.n_intercept + self.p, width)
        self.square = self.shift.new_zeros(y.shape[1])
        self.total = self.shift.new_zeros(())
        self.buffer = self.gram[:0]

    def add(self, x: Tensor, y: Tensor, weight: Tensor | None) -> None:
        """Add a block of rows."""
        first, last = self.n_intercept, self.n_intercept + self.p
        if len(self.buffer) < len(x):
            # in the memory layout of x, because a transposed copy would cost a pass
            width = self.gram.shape[1]
            shape, is_transposed = (len(x), width), x.stride(0) == 1
            buffer = self.gram.new_empty(shape[::-1] if is_transposed else shape)
            self.buffer = buffer.T if is_transposed else buffer
        table = self.buffer[: len(x)]
        table[:, :first] = 1.0
        torch.sub(x, self.shift[: self.p], out=table[:, first:last])
        torch.sub(y, self.shift[self.p :], out=table[:, last:])
        if weight is not None:
            table.mul_(weight.sqrt()[:, None])
        self.gram.addmm_(table[:, :last].T, table)
        self.square += table[:, last:].square().sum(0)
        self.total += len(y) if weight is None else weight.sum()

    def moments(self) -> Moments | None:
        """The moments, or None where they would not be accurate."""
        return _certified(self.gram, self.square, self.total, self.shift, self.center)


def certified_cholesky(gram: Tensor) -> tuple[Tensor, Tensor] | None:
    """Cholesky factor L of a Gram matrix, and L⁻¹, or None where they would not be accurate."""
    scale = gram.diagonal().sqrt()
    if not torch.isfinite(gram).all() or not (scale > 0).all():
        return None
    lower, failed = torch.linalg.cholesky_ex(gram / torch.outer(scale, scale))
    if failed:
        return None
    inverse = _inverse_of_triangle(lower)
    if _EPS * inverse.square().sum() > _CERTAIN:
        return None
    return lower * scale[:, None], inverse / scale


def _inverse_of_triangle(lower: Tensor) -> Tensor:
    """The inverse of a lower triangle."""
    identity = torch.eye(len(lower), dtype=lower.dtype, device=lower.device)
    return torch.linalg.solve_triangular(lower, identity, upper=False)


def _certified(
    gram: Tensor, square: Tensor, weight: Tensor, shift: Tensor, center: bool
) -> Moments | None:
    """Moments from the Gram matrix of [1 x | y], if accurate to ``_CERTAIN``."""
    n_intercept, q = int(center), gram.shape[0]
    scale_x, scale_y = gram.diagonal().sqrt(), square.sqrt()
    if not torch.isfinite(gram).all() or not (scale_x > 0).all():
        return None
    lower, failed = torch.linalg.cholesky_ex(gram[:, :q] / torch.outer(scale_x, scale_x))
    if failed:
        return None
    y_unit = scale_y.where(scale_y > 0, 1.0)
    inverse = _inverse_of_triangle(lower)
    projected = inverse @ (gram[:, q:] / torch.outer(scale_x, y_unit))
    outside = 1.0 - projected.square().sum(0)
    # tr(S⁻¹) of the Gram matrix bordered by one target, for the target where it is largest
    bordered = (1.0 + (inverse.T @ projected).square().sum(0)) / outside
    if not (outside > 0).all() or _EPS * (inverse.square().sum() + bordered.max()) > _CERTAIN:
        return None
    factor, target = lower.T * scale_x, projected * y_unit
    p = q - n_intercept
    x_mean, y_mean = shift[:p], shift[p:]
    if center:
        x_mean = x_mean + factor[0, n_intercept:] / factor[0, 0]
        y_mean = y_mean + target[0] / factor[0, 0]
        factor, target = factor[n_intercept:, n_intercept:], target[n_intercept:]
        # a column whose deviation is rounding looks well-conditioned, and is not
        if (column_norms(factor) < _CERTAIN * x_mean.abs() * weight.sqrt()).any():
            return None
    residual_norm = outside.sqrt() * scale_y
    return Moments(weight, x_mean, y_mean, factor, target, residual_norm, torch.zeros_like(x_mean))
