"""What squared error needs to know of the data, from one pass over it.

Full-batch squared error depends on the data only through their means and a triangular
factor of the centred table, F with FᵀF = Σ wᵢ(xᵢ − μ)(xᵢ − μ)ᵀ. Run the same descent on
the few rows of F and every epoch has the loss and gradient that all rows would give.
Factors merge by stacking (a training set is the sum of its blocks), so memory stays that
of a block.

Two ways lead to F. The Cholesky factor of the Gram matrix is fast but squares the
condition number; QR is accurate always. The Gram matrix S of [1 X y], shifted by the
first block's means and scaled to a unit diagonal, is used when ε·tr(S⁻¹) <= 1e-10: one
number that bounds what conditioning, drifting means and a small residual cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

Rows = tuple[Tensor, Tensor, Tensor | None]  # x (rows, p), y (rows, targets), weight (rows,)
Reader = Callable[[int], Iterator[Rows]]  # a block length -> the data in such blocks

_EPS = torch.finfo(torch.float64).eps
_CERTAIN = 1e-10
_BLOCK_ENTRIES = 2**19  # 4 MB of float64: stays in cache


class Moments(NamedTuple):
    """Weighted means and the factor of the centred table (uncentred: zero means)."""

    weight: Tensor  # () sum of the weights
    x_mean: Tensor  # (p,)
    y_mean: Tensor  # (targets,)
    factor: Tensor  # (m, p), m <= p once p rows were seen
    target: Tensor  # (m, targets): the part of y that the factor's rows see
    rest: Tensor  # (targets,) norm of the part of y outside of them
    peak: Tensor  # (p,) largest |x|, the measure of rounding; zeros if certified

    def deviations(self) -> tuple[Tensor, Tensor]:
        """Weighted standard deviations (uncentred: root mean squares) of x and y."""
        root = self.weight.sqrt()
        return norms(self.factor) / root, torch.hypot(norms(self.target), self.rest) / root

    def with_rows(self, rows: Tensor) -> Moments:
        """The moments with further rows of the centred table, whose targets are 0."""
        factor, target, rest = _triangular(
            torch.cat([self.factor, rows * self.weight.sqrt()]),
            torch.cat([self.target, self.target.new_zeros(len(rows), self.target.shape[1])]),
            self.rest,
        )
        return self._replace(factor=factor, target=target, rest=rest)


def moments_of(
    read: Reader, n_rows: int, n_columns: int, *, center: bool, check_finite: Callable[[], object]
) -> Moments:
    """The moments of all rows, by the faster way that is accurate on these data."""
    rows = max(_BLOCK_ENTRIES // n_columns, 1024)
    if n_rows > max(rows, 4 * n_columns):
        moments = _by_gram(read(rows), center)
        if moments is not None:
            return moments
    check_finite()
    return merge(_centered(block, center) for block in read(max(2 * rows, 4 * n_columns)))


def merge(parts: Iterable[Moments]) -> Moments:
    """The moments of the union of disjoint sets of rows, by QR."""
    parts = iter(parts)
    whole = next(parts)
    factor, target, rest = _triangular(whole.factor, whole.target, whole.rest)
    whole = whole._replace(factor=factor, target=target, rest=rest)
    for part in parts:
        whole = _merge_two(whole, part)
    return whole


def norms(columns: Tensor) -> Tensor:
    """Euclidean norms of columns, safe from overflow and underflow."""
    scale = _scale(columns)
    return torch.linalg.vector_norm(columns / scale, dim=0) * scale


def _by_gram(blocks: Iterator[Rows], center: bool) -> Moments | None:
    """Moments through the Gram matrix, or None where that would not be accurate."""
    gram: _Gram | None = None
    for block in blocks:
        gram = gram or _Gram(*block, center)
        gram.add(*block)
    return gram.moments() if gram else None


class _Gram:
    """The Gram matrix of [1 x | y] less the first block's means, summed over blocks."""

    def __init__(self, x: Tensor, y: Tensor, weight: Tensor | None, center: bool):
        self.center, self.p = center, x.shape[1]
        self.shift = torch.cat([_mean(x, weight), _mean(y, weight)]) * int(center)
        self.lead = int(center)  # a column of ones in front
        width = self.lead + len(self.shift)
        self.gram = self.shift.new_zeros(self.lead + self.p, width)
        self.square = self.shift.new_zeros(y.shape[1])
        self.total = self.shift.new_zeros(())
        self.buffer = self.gram[:0]

    def add(self, x: Tensor, y: Tensor, weight: Tensor | None) -> None:
        """Add a block of rows."""
        first, last = self.lead, self.lead + self.p
        if len(self.buffer) < len(x):
            # in the layout of x: a transposed copy would cost a pass
            width = self.gram.shape[1]
            shape, turned = (len(x), width), x.stride(0) == 1
            buffer = self.gram.new_empty(shape[::-1] if turned else shape)
            self.buffer = buffer.T if turned else buffer
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


def _certified(
    gram: Tensor, square: Tensor, weight: Tensor, shift: Tensor, center: bool
) -> Moments | None:
    """Moments from the Gram matrix of [1 x | y], if accurate to ``_CERTAIN``."""
    lead, q = int(center), gram.shape[0]
    scale_x, scale_y = gram.diagonal().sqrt(), square.sqrt()
    if not torch.isfinite(gram).all() or not (scale_x > 0).all():
        return None
    lower, failed = torch.linalg.cholesky_ex(gram[:, :q] / torch.outer(scale_x, scale_x))
    if failed:
        return None
    inside = scale_y.where(scale_y > 0, 1.0)
    eye = torch.eye(q, dtype=gram.dtype, device=gram.device)
    inverse = torch.linalg.solve_triangular(lower, eye, upper=False)
    seen = inverse @ (gram[:, q:] / torch.outer(scale_x, inside))
    unseen = 1.0 - seen.square().sum(0)
    # tr(S⁻¹) of the matrix bordered by one target, the worst target
    bordered = (1.0 + (inverse.T @ seen).square().sum(0)) / unseen
    if not (unseen > 0).all() or _EPS * (inverse.square().sum() + bordered.max()) > _CERTAIN:
        return None
    factor, target = lower.T * scale_x, seen * inside
    p = q - lead
    x_mean, y_mean = shift[:p], shift[p:]
    if center:
        x_mean = x_mean + factor[0, lead:] / factor[0, 0]
        y_mean = y_mean + target[0] / factor[0, 0]
        factor, target = factor[lead:, lead:], target[lead:]
        # a column whose deviation is rounding only looks well-conditioned
        if (norms(factor) < _CERTAIN * x_mean.abs() * weight.sqrt()).any():
            return None
    return Moments(
        weight, x_mean, y_mean, factor, target, unseen.sqrt() * scale_y, torch.zeros_like(x_mean)
    )


def _centered(block: Rows, center: bool) -> Moments:
    """The moments of a block, with its centred rows themselves as the factor."""
    x, y, weight = block
    x, y = x.to(torch.float64), y.to(torch.float64)
    x_mean, y_mean = _mean(x, weight) * int(center), _mean(y, weight) * int(center)
    x_own, y_own = x - x_mean, y - y_mean
    if weight is not None:
        root = weight.sqrt()[:, None]
        x_own, y_own = x_own * root, y_own * root
    total = y.new_tensor(len(y)) if weight is None else weight.sum()
    return Moments(total, x_mean, y_mean, x_own, y_own, torch.zeros_like(y_mean), _largest(x))


def _merge_two(a: Moments, b: Moments) -> Moments:
    """The moments of two disjoint sets of rows."""
    weight = a.weight + b.weight
    share = b.weight / weight
    x_step, y_step = b.x_mean - a.x_mean, b.y_mean - a.y_mean
    between = (a.weight * share).sqrt()  # the two means about the common one, as one row
    factor, target, rest = _triangular(
        torch.cat([a.factor, b.factor, between * x_step[None]]),
        torch.cat([a.target, b.target, between * y_step[None]]),
        torch.hypot(a.rest, b.rest),
    )
    return Moments(
        weight,
        a.x_mean + share * x_step,
        a.y_mean + share * y_step,
        factor,
        target,
        rest,
        torch.maximum(a.peak, b.peak),
    )


def _triangular(x: Tensor, y: Tensor, rest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """QR of x applied to y: the triangle, Qᵀy, and the norm of what it leaves over."""
    p = x.shape[1]
    if x.shape[0] <= p:
        return x, y, rest
    x_scale, y_scale = _scale(x), _scale(y)
    packed, tau = torch.geqrf(x / x_scale)
    turned = torch.ormqr(packed, tau, y / y_scale, left=True, transpose=True)
    sign = torch.where(packed.diagonal() < 0, -1.0, 1.0).to(x.dtype)[:, None]
    left_over = torch.linalg.vector_norm(turned[p:], dim=0) * y_scale
    factor, target = packed[:p].triu() * sign * x_scale, turned[:p] * sign * y_scale
    return factor, target, torch.hypot(rest, left_over)


def _scale(columns: Tensor) -> Tensor:
    """Per column the power of two just above its largest entry (1 for zeros)."""
    return torch.exp2(torch.frexp(_largest(columns)).exponent.to(columns.dtype))


def _largest(columns: Tensor) -> Tensor:
    """Per column the largest absolute value."""
    return torch.linalg.vector_norm(columns, ord=torch.inf, dim=0)


def _mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Weighted mean of the rows, in float64."""
    values = values.to(torch.float64)
    return values.mean(0) if weight is None else weight @ values / weight.sum()
