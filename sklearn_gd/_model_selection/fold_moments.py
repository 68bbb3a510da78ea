"""The moments of folds: rows are read once, however many training sets they are part of.

Rows that are always on the same side of all splits form a group. A held-out part or a
training set is the merger of its groups; nothing is ever subtracted, which would cost
digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch

from sklearn_gd._moments.moments import Moments, merge
from sklearn_gd._data.polynomial import Basis
from sklearn_gd._moments.tensor_data import Source

Split = tuple[np.ndarray, np.ndarray]  # row numbers to train on, and held out

_MERGERS_A_SET = 64  # beyond, reading the rows of each set is cheaper


def fold_moments(
    source: Source, splits: Sequence[Split], *, center: bool, with_all: bool
) -> list[tuple[Moments, Moments | None]]:
    """Moments of each training set and of its held-out part; those of all data last."""

    def read(rows: np.ndarray) -> Moments:
        return source._replace(data=source.data.take(rows)).moments(center=center)

    n = len(source.data.y)
    owner = _owner(splits, n)
    if owner is not None:
        if source.data.weight is not None:
            owner = np.where(source.data.weight > 0, owner, len(splits))
        return _of_partition(read, owner, splits, with_all=with_all)
    return _of_groups(read, splits, n, source.data.weight, with_all=with_all)


def in_basis(moments: Moments, source: Basis | None, basis: Basis | None) -> Moments:
    """Moments of the terms of ``basis``, from those of a basis of no lower degree."""
    if source is None or basis is None:
        return moments
    terms = len(basis.powers())
    if terms < moments.factor.shape[1]:  # lower degrees are the leading terms
        moments = moments._replace(
            x_mean=moments.x_mean[:terms],
            factor=moments.factor[:, :terms],
            peak=moments.peak[:terms],
        )
    change, constant = basis.to_basis(
        np.eye(terms), np.zeros(terms), source._replace(degree=basis.degree)
    )
    own, shift = (torch.from_numpy(part).to(moments.factor) for part in (change, constant))
    return merge(
        [
            moments._replace(
                x_mean=own @ moments.x_mean + shift,
                factor=moments.factor @ own.T,
                peak=own.abs() @ moments.peak,
            )
        ]
    )


def _owner(splits: Sequence[Split], n: int) -> np.ndarray | None:
    """For each row the split that holds it out (-1: none), if each trains on all others."""
    owner = np.full(n, -1)
    held = 0
    for k, (_, test) in enumerate(splits):
        owner[test] = k
        held += len(test)
    if held != np.count_nonzero(owner >= 0):
        return None
    for k, (rows, _) in enumerate(splits):
        if len(rows) != np.count_nonzero(owner != k) or (np.bincount(rows, minlength=n) > 1).any():
            return None
        if (owner[rows] == k).any():
            return None
    return owner


def _of_partition(
    read: Callable[[np.ndarray], Moments],
    owner: np.ndarray,
    splits: Sequence[Split],
    *,
    with_all: bool,
) -> list[tuple[Moments, Moments | None]]:
    """Of disjoint parts: the mergers of those before and of those after each."""
    parts = [read(np.sort(test)) for _, test in splits]
    always = np.flatnonzero(owner < 0)
    before = [None, *([read(always)] if len(always) else [])]
    before = before[-1:]
    for part in parts:
        before.append(part if before[-1] is None else merge([before[-1], part]))
    folds: list[tuple[Moments, Moments | None]] = []
    after: Moments | None = None
    for earlier, part in zip(before[-2::-1], parts[::-1], strict=True):
        others = [own for own in (earlier, after) if own is not None]
        folds.append((merge(others), part))
        after = part if after is None else merge([part, after])
    folds.reverse()
    if with_all:
        assert before[-1] is not None
        folds.append((before[-1], None))
    return folds


def _of_groups(
    read: Callable[[np.ndarray], Moments],
    splits: Sequence[Split],
    n: int,
    weight: np.ndarray | None,
    *,
    with_all: bool,
) -> list[tuple[Moments, Moments | None]]:
    """Of splits that overlap: the mergers of groups, if they are few."""
    sets = [rows for split in splits for rows in split] + [np.arange(n)] * with_all
    counts = np.stack([np.bincount(rows, minlength=n) for rows in sets])
    group = np.zeros(n, dtype=np.int64)
    for own in counts:
        group = np.unique(group * (own.max() + 1) + own, return_inverse=True)[1]
    order = np.argsort(group, kind="stable")
    edges = np.flatnonzero(np.diff(group[order], prepend=-1, append=group.max() + 1))
    groups = [order[start:end] for start, end in pairwise(edges)]
    if weight is not None:
        groups = [rows for rows in groups if weight[rows].any()]
    table = counts[:, [rows[0] for rows in groups]]  # (sets, groups)
    if np.count_nonzero(table) > _MERGERS_A_SET * len(sets):
        sides = [read(rows) for rows in sets]
    else:
        parts = [read(rows) for rows in groups]
        sides = [
            merge(_times(part, int(times)) for part, times in zip(parts, own, strict=True) if times)
            for own in table
        ]
    folds: list[tuple[Moments, Moments | None]] = [
        (sides[2 * k], sides[2 * k + 1]) for k in range(len(splits))
    ]
    return folds + [(own, None) for own in sides[2 * len(splits) :]]


def _times(moments: Moments, times: int) -> Moments:
    """The moments of rows that each count several times."""
    if times == 1:
        return moments
    root = times**0.5
    return moments._replace(
        weight=moments.weight * times,
        factor=moments.factor * root,
        target=moments.target * root,
        rest=moments.rest * root,
    )
