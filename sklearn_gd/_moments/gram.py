"""Moments through the Gram matrix, with a certificate of their accuracy.

The Gram matrix S of [1 X y] is shifted by the means of the first block and scaled to a unit
diagonal. Its Cholesky factor is used where ε·tr(S⁻¹) <= 1e-10. This one number bounds what
bad conditioning, drifting means and a small residual cost. Where only the residual is too
small for it, a second pass over the rows computes the residual from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.tensor_moments import (
    Rows,
    TensorMoments,
    column_norms,
    mean_of_targets,
    weighted_mean,
)
from sklearn_gd._moments.triangle import add_gram_of_columns, inverse_of_triangle
from sklearn_gd._moments.two_sum import two_sum

ReadBlocks = Callable[[int], Iterator[Rows]]  # from the length of a block to all blocks

_EPS = torch.finfo(torch.float64).eps
_CERTAIN = 1e-10
_MANY_COLUMNS = 2000


def moments_by_gram(read: ReadBlocks, rows: int, *, center: bool) -> TensorMoments | None:
    """Moments through the Gram matrix, or None where the moments would not be accurate."""
    gram: _Gram | None = None
    for block in read(rows):
        gram = gram or _Gram(*block, center)
        gram.add(*block)
    certified = gram.certified() if gram else None
    if gram is None or certified is None:
        return None
    if not certified.residual_is_certain:
        certified = gram.with_exact_residual(certified, read(rows))
    return gram.moments(certified)


class _Certified(NamedTuple):
    """The Cholesky factor of the Gram matrix of [1 x], and the targets, in units of columns."""

    lower: Tensor  # (q, q)
    inverse: Tensor  # (q, q)
    target: Tensor  # (q, targets) the part of y in the column space
    residual: Tensor  # (targets,) square of the part of y outside of it
    residual_is_certain: bool


class _Gram:
    """The Gram matrix of [1 x | y], less the means of the first block, summed over blocks."""

    def __init__(self, x: Tensor, y: Tensor, weight: Tensor | None, center: bool):
        self.p = x.shape[1]
        self.shift = torch.cat([weighted_mean(x, weight), mean_of_targets(y, weight)]) * int(center)
        self.n_intercept = int(center)  # a column of ones in front
        self.q, width = self.n_intercept + self.p, self.n_intercept + len(self.shift)
        # half of the operations; with fewer columns they are not what takes time, and the threads
        # of BLAS, which wait actively after a product, slow down what torch does between products
        self.is_upper = x.is_cpu and self.q > _MANY_COLUMNS > y.shape[1]
        self.gram = self.shift.new_zeros(width if self.is_upper else self.q, width)
        self.square = self.shift.new_zeros(y.shape[1])
        self.total = self.shift.new_zeros(())
        self.buffer = self.gram[:0]

    def add(self, x: Tensor, y: Tensor, weight: Tensor | None) -> None:
        """Add a block of rows."""
        table, q = self._table(x, y, weight), self.q
        if self.is_upper:
            add_gram_of_columns(self.gram, table)
        else:
            self.gram.addmm_(table[:, :q].T, table)
        self.square += table[:, q:].square().sum(0)
        self.total += len(y) if weight is None else weight.sum()

    def certified(self) -> _Certified | None:
        """The Cholesky factor, or None where it would not be accurate to ``_CERTAIN``."""
        q, scale_y = self.q, self.square.sqrt()
        if not torch.isfinite(scale_y).all():
            return None
        gram = self.gram[:q, :q]
        factor = certified_cholesky(gram.T if self.is_upper else gram)
        if factor is None:
            return None
        y_unit = scale_y.where(scale_y > 0, 1.0)
        lower, inverse = factor
        projected = inverse @ (self.gram[:q, q:] / y_unit)
        outside = 1.0 - projected.square().sum(0)
        # tr(S⁻¹) of the Gram matrix bordered by one target, for the target where it is largest
        scale = gram.diagonal().sqrt()
        border = (inverse.T @ projected) * scale[:, None]
        bordered = (1.0 + border.square().sum(0)) / outside
        trace = (column_norms(inverse) * scale).square().sum() + bordered.max()
        is_certain = bool((outside > 0).all() and _EPS * trace <= _CERTAIN)
        residual = outside * scale_y.square()
        return _Certified(lower, inverse, projected * y_unit, residual, is_certain)

    def with_exact_residual(self, first: _Certified, blocks: Iterator[Rows]) -> _Certified:
        """Correct the target by a second pass over the rows, where the residual is small.

        The residuals of the rows are computed with the coefficients of the first pass. What the
        columns still explain of the residuals is added to the target.
        """
        coef, q = first.inverse.T @ first.target, self.q
        explained, square = torch.zeros_like(coef), torch.zeros_like(self.square)
        for block in blocks:
            table = self._table(*block)
            residual = table[:, q:] - table[:, :q] @ coef
            explained += table[:, :q].T @ residual
            square += residual.square().sum(0)
        correction = first.inverse @ explained
        return first._replace(
            target=first.target + correction,
            residual=(square - correction.square().sum(0)).clamp(min=0.0),
        )

    def moments(self, certified: _Certified) -> TensorMoments | None:
        """The moments, or None where a column is a constant and its rounding."""
        factor, target = certified.lower.T, certified.target
        x_mean, y_mean = self.shift[: self.p], self.shift[self.p :]
        x_rest, y_rest = torch.zeros_like(x_mean), torch.zeros_like(y_mean)
        if self.n_intercept:
            x_mean, x_rest = two_sum(x_mean, factor[0, 1:] / factor[0, 0])
            y_mean, y_rest = two_sum(y_mean, target[0] / factor[0, 0])
            factor, target = factor[1:, 1:], target[1:]
            # a column whose deviation is rounding looks well-conditioned, and is not
            least = _CERTAIN * x_mean.abs() * self.total.sqrt()
            if (column_norms(factor) < least).any():
                return None
        return TensorMoments(
            self.total,
            x_mean,
            y_mean,
            factor,
            target,
            certified.residual.sqrt(),
            torch.zeros_like(x_mean),
            x_rest,
            y_rest,
        )

    def _table(self, x: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        """The rows [1 x | y] less the shift, times the roots of the weights."""
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
        return table


def certified_cholesky(gram: Tensor) -> tuple[Tensor, Tensor] | None:
    """Cholesky factor L of a Gram matrix, and L⁻¹, or None where they would not be accurate.

    The upper triangle of the matrix is not read.
    """
    scale = gram.diagonal().sqrt()
    # a value that is not finite is in its diagonal too
    if not (torch.isfinite(scale) & (scale > 0)).all():
        return None
    # in place where it can be, because memory for a matrix costs more than its arithmetic
    unit = torch.outer(scale, scale)
    lower, failed = torch.linalg.cholesky_ex(torch.div(gram, unit, out=unit))
    if failed:
        return None
    inverse = inverse_of_triangle(lower, upper=False)
    if not _EPS * torch.linalg.vector_norm(inverse) ** 2 <= _CERTAIN:
        return None
    return lower.mul_(scale[:, None]), inverse.div_(scale)
