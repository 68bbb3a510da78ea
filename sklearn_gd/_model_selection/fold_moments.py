"""The moments of folds. Rows are read once, however many training sets they are part of.

Rows that are on the same side of all splits form a group. The moments of a training set or of
a test set are merged from those of its groups. Nothing is subtracted, because a difference
loses digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, pairwise

import numpy as np

from sklearn_gd._model_selection.sources import Split
from sklearn_gd._moments.tensor_data import TensorData
from sklearn_gd._moments.tensor_moments import TensorMoments, merge

_MAX_MERGES_PER_SET = 64  # with more, reading the rows of each set is cheaper


def fold_moments(
    data: TensorData, splits: Sequence[Split], *, center: bool, with_all: bool
) -> list[tuple[TensorMoments, TensorMoments | None]]:
    """Moments of each training set and of its test set. Those of all data come last."""

    def read(rows: np.ndarray) -> TensorMoments:
        return data.with_data(data.data.take(rows)).moments(center=center)

    n, weight = len(data.data.y), data.data.weight
    test_split = _test_split(splits, n)
    if test_split is not None:
        if weight is not None:
            test_split = np.where(weight > 0, test_split, len(splits))
        return _of_partition(read, test_split, splits, with_all=with_all)
    return _of_groups(read, splits, n, weight, with_all=with_all)


def _test_split(splits: Sequence[Split], n: int) -> np.ndarray | None:
    """For each row the split that tests on it (-1: none), if each trains on all other rows."""
    test_split = np.full(n, -1)
    for k, (_, test) in enumerate(splits):
        test_split[test] = k
    if sum(len(test) for _, test in splits) != np.count_nonzero(test_split >= 0):
        return None
    for k, (train, _) in enumerate(splits):
        is_repeated = (np.bincount(train, minlength=n) > 1).any()
        if is_repeated or len(train) != np.count_nonzero(test_split != k):
            return None
        if (test_split[train] == k).any():
            return None
    return test_split


def _of_partition(
    read: Callable[[np.ndarray], TensorMoments],
    test_split: np.ndarray,
    splits: Sequence[Split],
    *,
    with_all: bool,
) -> list[tuple[TensorMoments, TensorMoments | None]]:
    """For disjoint test sets: merge all before each of them, and all after it."""
    parts = [read(np.sort(test)) for _, test in splits]
    always = np.flatnonzero(test_split < 0)
    before = [None, *([read(always)] if len(always) else [])]
    before = before[-1:]
    for part in parts:
        before.append(part if before[-1] is None else merge([before[-1], part]))
    folds: list[tuple[TensorMoments, TensorMoments | None]] = []
    after: TensorMoments | None = None
    for earlier, part in zip(before[-2::-1], parts[::-1], strict=True):
        others = [moments for moments in (earlier, after) if moments is not None]
        folds.append((merge(others), part))
        after = part if after is None else merge([part, after])
    folds.reverse()
    if with_all:
        assert before[-1] is not None
        folds.append((before[-1], None))
    return folds


def _of_groups(
    read: Callable[[np.ndarray], TensorMoments],
    splits: Sequence[Split],
    n: int,
    weight: np.ndarray | None,
    *,
    with_all: bool,
) -> list[tuple[TensorMoments, TensorMoments | None]]:
    """For splits that overlap: merge groups of rows, if the groups are few."""
    sets = [*chain.from_iterable(splits), *[np.arange(n)] * with_all]
    counts = np.stack([np.bincount(rows, minlength=n) for rows in sets])
    groups = _rows_by_counts(counts)
    if weight is not None:
        groups = [rows for rows in groups if weight[rows].any()]
    table = counts[:, [rows[0] for rows in groups]]  # (sets, groups)
    if np.count_nonzero(table) > _MAX_MERGES_PER_SET * len(sets):
        moments = [read(rows) for rows in sets]
    else:
        parts = [read(rows) for rows in groups]
        moments = [_merge_repeated(parts, times) for times in table]
    n_sides = 2 * len(splits)
    pairs = zip(moments[:n_sides:2], moments[1:n_sides:2], strict=True)
    return [*pairs, *[(all_data, None) for all_data in moments[n_sides:]]]


def _rows_by_counts(counts: np.ndarray) -> list[np.ndarray]:
    """Groups of rows that occur equally often in every set, from counts (sets, rows)."""
    group = np.zeros(counts.shape[1], dtype=np.int64)
    for times in counts:
        group = np.unique(group * (times.max() + 1) + times, return_inverse=True)[1]
    order = np.argsort(group, kind="stable")
    edges = np.flatnonzero(np.diff(group[order], prepend=-1, append=group.max() + 1))
    return [order[start:end] for start, end in pairwise(edges)]


def _merge_repeated(parts: Sequence[TensorMoments], times: np.ndarray) -> TensorMoments:
    """The moments of parts that each occur some times, or not at all."""
    return merge(part.scaled(int(k)) for part, k in zip(parts, times, strict=True) if k)
