"""The moments of blocks of rows, by the fastest way that is accurate on these data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sklearn_gd._moments.gram import ReadBlocks, moments_by_gram
from sklearn_gd._moments.tensor_moments import (
    Rows,
    TensorMoments,
    largest_entries,
    mean_of_targets,
    merge,
    weighted_mean,
)
from sklearn_gd._moments.two_sum import two_sum

_BLOCK_ENTRIES = 2**19  # 4 MB of float64, which stays in the cache
_LARGEST_EXACT_INTEGER = 2.0**24  # of float32
# a value of float32 is at most ε/2 from the number that was rounded; see `rank` for the 10
_COARSER_THAN_FLOAT64 = torch.finfo(torch.float32).eps / 2 / (10 * torch.finfo(torch.float64).eps)


def compute_moments(
    read: ReadBlocks,
    n_rows: int,
    n_columns: int,
    *,
    center: bool,
    check_finite: Callable[[], object],
) -> TensorMoments:
    """The moments of all rows: through the Gram matrix if certified, else by QR."""
    rows = max(_BLOCK_ENTRIES // n_columns, 1024)
    if n_rows > max(rows, 1.5 * n_columns):
        moments = moments_by_gram(read, rows, center=center)
        if moments is not None:
            return moments
    check_finite()
    return merge(_centered(block, center) for block in read(max(2 * rows, 4 * n_columns)))


def _centered(block: Rows, center: bool) -> TensorMoments:
    """The moments of a block, with the centred rows of the block as the factor."""
    x, y, weight = block
    abs_max = _measure_of_rounding(x)
    x, y = x.to(torch.float64), y.to(torch.float64)
    x_mean, y_mean = weighted_mean(x, weight), mean_of_targets(y, weight)
    x_mean, y_mean = x_mean * int(center), y_mean * int(center)
    factor, target = x - x_mean, y - y_mean
    # the rounding of the means is the mean of what remains
    x_rest, y_rest = weighted_mean(factor, weight), weighted_mean(target, weight)
    x_rest, y_rest = x_rest * int(center), y_rest * int(center)
    factor -= x_rest  # in place, because new memory of this size costs more than the difference
    target -= y_rest
    (x_mean, x_rest), (y_mean, y_rest) = two_sum(x_mean, x_rest), two_sum(y_mean, y_rest)
    if weight is not None:
        root = weight.sqrt()[:, None]
        factor, target = factor * root, target * root
    if center and 1 < len(factor) <= factor.shape[1]:
        root = torch.ones_like(y[:, 0]) if weight is None else weight.sqrt()
        factor, target = _without_null_row(factor, root), _without_null_row(target, root)
    total = y.new_tensor(len(y)) if weight is None else weight.sum()
    return TensorMoments(
        total,
        x_mean,
        y_mean,
        factor,
        target,
        torch.zeros_like(y_mean),
        abs_max,
        x_rest,
        y_rest,
    )


def _measure_of_rounding(x: Tensor) -> Tensor:
    """Per column the largest |x|, times how much coarser than float64 its values were rounded.

    Columns of float32 that depend on each other do so up to the rounding of float32. Integers that
    float32 can tell apart were not rounded.
    """
    largest = largest_entries(x).to(torch.float64)
    if x.dtype == torch.float64:
        return largest
    is_exact = (x == x.round()).all(0) & (largest <= _LARGEST_EXACT_INTEGER)
    return torch.where(is_exact, largest, largest * _COARSER_THAN_FLOAT64)


def _without_null_row(table: Tensor, root: Tensor) -> Tensor:
    """A centred table (n, ...) as a table of n - 1 rows with the same Gram matrix.

    The rows of a centred table have a linear dependence, with the square roots of the weights
    as coefficients. A Householder reflection that takes them to the first unit vector makes
    the first row zero.
    """
    vector = root / root.norm()
    vector[0] += 1.0
    vector /= vector.norm()
    return table.addr_(vector, vector @ table, alpha=-2.0)[1:]
