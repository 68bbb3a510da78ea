"""The moments of a Dask collection: of each block on its worker, merged as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sklearn_gd._base.torch_state import one_thread
from sklearn_gd._data.dask_blocks import RowBlock, lazy_blocks, reduce_blocks
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._data.validation import check_unfitted_data
from sklearn_gd._moments.arithmetic import moments_of
from sklearn_gd._moments.moments import Moments

Ranges = tuple[np.ndarray, np.ndarray]


def moments_of_collection(
    X: Any, y: Any, sample_weight: Any, degree: int, *, interaction_only: bool
) -> Moments:
    """The moments of all rows of a collection. No block leaves its worker."""
    blocks = lazy_blocks(X, y, sample_weight)
    return _compute(_sum_of(blocks, _ranges(blocks, degree), degree, interaction_only))


def moments_of_folds(
    X: Any, y: Any, sample_weight: Any, degree: int, n_folds: int, *, interaction_only: bool
) -> list[Moments]:
    """The moments of folds of successive rows, as those of KFold without shuffling."""
    from dask.base import compute
    from dask.delayed import delayed

    blocks = lazy_blocks(X, y, sample_weight)
    lengths = compute(*[delayed(_length)(block) for block in blocks])
    n_rows = sum(lengths)
    if n_folds > n_rows:
        raise ValueError(
            f"Cannot have number of splits n_splits={n_folds} greater than the number of samples: "
            f"n_samples={n_rows}."
        )
    ranges = _ranges(blocks, degree)
    starts = np.cumsum([0, *lengths]).tolist()
    folds, first = [], 0
    for fold in range(n_folds):
        last = first + n_rows // n_folds + (fold < n_rows % n_folds)
        parts = [
            delayed(_rows)(block, max(first - start, 0), last - start)
            for block, start, end in zip(blocks, starts[:-1], starts[1:], strict=True)
            if start < last and end > first
        ]
        folds.append(_sum_of(parts, ranges, degree, interaction_only))
        first = last
    return [_checked(moments) for moments in compute(*folds)]


def _sum_of(
    blocks: Sequence[Any], ranges: Ranges | None, degree: int, interaction_only: bool
) -> Any:
    """The delayed moments of some blocks together; None if no row has weight."""
    from dask.delayed import delayed

    of_block = partial(
        _moments_of_block, degree=degree, interaction_only=interaction_only, ranges=ranges
    )
    return reduce_blocks([delayed(of_block, pure=False)(block) for block in blocks], _add)


def _ranges(blocks: Sequence[Any], degree: int) -> Ranges | None:
    """Smallest and largest value of each feature in all blocks, where a polynomial needs them."""
    if degree == 1:
        return None
    from dask.delayed import delayed

    found = reduce_blocks([delayed(_ranges_of_block)(block) for block in blocks], _unite).compute()
    return found if found is not None else _checked(None)


def _compute(moments: Any) -> Moments:
    """Compute delayed moments."""
    return _checked(moments.compute())


def _checked(moments: Any) -> Any:
    """The moments, or the error of scikit-learn for data without rows."""
    if moments is None:
        raise ValueError(
            "Found a Dask collection with 0 sample(s) of positive weight while a minimum of 1 is "
            "required."
        )
    return moments


def _length(block: RowBlock) -> int:
    """Number of rows."""
    return len(block.y)


def _rows(block: RowBlock, first: int, last: int) -> RowBlock:
    """Some rows of a block."""

    def cut(values: Any) -> Any:
        if values is None or np.ndim(values) == 0:
            return values
        return values.iloc[first:last] if hasattr(values, "iloc") else values[first:last]

    return RowBlock(block.number, cut(block.x), cut(block.y), cut(block.weight))


def _check_block(block: RowBlock) -> tuple[TrainingData, tuple[str, ...] | None] | None:
    """The checked rows of a block, and the feature names; None if no row has weight."""
    has_weights = block.weight is not None and np.ndim(block.weight) > 0
    if not len(block.y) or (has_weights and not np.any(np.asarray(block.weight))):
        return None
    try:
        data, names = check_unfitted_data("Moments", block.x, block.y, block.weight)
        data.check_finite()
    except ValueError as error:
        raise ValueError(f"In block {block.number} of the Dask collection: {error}") from error
    return data, names


def _moments_of_block(
    block: RowBlock, degree: int, interaction_only: bool, ranges: Ranges | None
) -> Moments | None:
    """The moments of a block. Dask runs several blocks at once, so that each has one thread."""
    checked = _check_block(block)
    if checked is None:
        return None
    data, names = checked
    with one_thread:
        return moments_of(
            data, degree, feature_names=names, interaction_only=interaction_only, ranges=ranges
        )


def _ranges_of_block(block: RowBlock) -> Ranges | None:
    """Smallest and largest value of each feature in a block."""
    checked = _check_block(block)
    return None if checked is None else checked[0].ranges()


def _add(parts: Sequence[Moments | None]) -> Moments | None:
    """The moments of several blocks together."""
    known = [part for part in parts if part is not None]
    return sum(known[1:], known[0]) if known else None


def _unite(parts: Sequence[Ranges | None]) -> Ranges | None:
    """The ranges of several blocks together."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    low, high = zip(*known, strict=True)
    return np.minimum.reduce(low), np.maximum.reduce(high)
