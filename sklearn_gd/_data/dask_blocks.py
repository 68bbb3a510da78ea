"""Dask collections as lists of lazy blocks of rows, and functions of such blocks.

Nothing is computed here but the lengths of blocks. Dask is imported only if the input is one of
its collections, so that this file works without Dask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

_PER_NODE = 8  # results that one task of a reduction combines


class RowBlock(NamedTuple):
    """Some rows of a collection, as NumPy or pandas objects, on the worker."""

    number: int  # which block of the collection it is, for messages
    x: Any
    y: Any
    weight: Any


def is_collection(X: object) -> bool:
    """Whether X is a Dask array or a Dask data frame. Does not import Dask."""
    return type(X).__module__.partition(".")[0] == "dask"


def lazy_blocks(X: Any, y: Any, sample_weight: Any) -> list[Any]:
    """The rows of X, y and weights as `RowBlock` objects that are delayed, or whose parts are."""
    if y is None:
        raise ValueError("The Dask collection X requires y to be passed, but the target y is None.")
    if _is_frame(X) and _is_frame(y) and (_is_number(sample_weight) or _is_frame(sample_weight)):
        return _blocks_of_frames(X, y, sample_weight)
    X = X if _is_frame(X) else X.rechunk({1: -1})
    columns = [_delayed_blocks(X, X, "X"), _delayed_blocks(y, X, "y")]
    if _is_number(sample_weight):
        columns.append([sample_weight] * len(columns[0]))
    else:
        columns.append(_delayed_blocks(sample_weight, X, "sample_weight"))
    for name, blocks in zip(("y", "sample_weight"), columns[1:], strict=True):
        if len(blocks) != len(columns[0]):
            raise ValueError(
                f"X has {len(columns[0])} blocks of rows and {name} has {len(blocks)}, whose "
                f"lengths are unknown. Make them from the same collection, or call "
                "compute_chunk_sizes() on both."
            )
    return [RowBlock(k, *block) for k, block in enumerate(zip(*columns, strict=True))]


def reduce_blocks(results: Sequence[Any], combine: Callable[[list[Any]], Any]) -> Any:
    """A delayed reduction of delayed results, as a tree."""
    from dask.delayed import delayed

    node, level = delayed(combine, pure=False), list(results)
    while True:
        level = [node(level[k : k + _PER_NODE]) for k in range(0, len(level), _PER_NODE)]
        if len(level) == 1:
            return level[0]


def map_rows(function: Callable[[Any], Any], X: Any, n_targets: int | None) -> Any:
    """A lazy collection of predictions, (samples,) or (samples, targets), of the kind of X."""
    if _is_frame(X):
        import pandas as pd

        def on_frame(frame: Any) -> Any:
            values = function(frame) if len(frame) else np.empty((0, n_targets or 1))
            if n_targets is None:
                return pd.Series(values.reshape(len(frame)), index=frame.index)
            return pd.DataFrame(values, index=frame.index)

        return X.map_partitions(on_frame, meta=on_frame(X._meta))
    X = X.rechunk({1: -1})
    if n_targets is None:
        return X.map_blocks(function, meta=np.empty(0), drop_axis=1)
    return X.map_blocks(function, meta=np.empty((0, 0)), chunks=(X.chunks[0], (n_targets,)))


def _blocks_of_frames(X: Any, y: Any, sample_weight: Any) -> list[Any]:
    """Blocks of data frames. One task for X, y and weights keeps their partitions aligned."""
    from dask.delayed import delayed

    def pack(x: Any, y: Any, *weight: Any) -> Any:
        return x, y, weight[0] if weight else sample_weight

    others = [y] if _is_number(sample_weight) else [y, sample_weight]
    packed = X.map_partitions(pack, *others, meta=X._meta, enforce_metadata=False)

    def numbered(number: int, block: Any) -> RowBlock:
        return RowBlock(number, *block)

    make = delayed(numbered, pure=False)
    return [make(k, block) for k, block in enumerate(packed.to_delayed())]


def _delayed_blocks(values: Any, X: Any, name: str) -> list[Any]:
    """The blocks of a collection, cut as those of X where the lengths are known."""
    lengths = () if _is_frame(X) else X.chunks[0]
    is_known = len(lengths) > 0 and not np.isnan(lengths).any()
    if not is_collection(values):
        if not is_known:
            raise TypeError(
                f"X is a Dask collection of unknown length, and {name} is a "
                f"{type(values).__name__}. Pass {name} as a Dask collection with the blocks of X."
            )
        from dask import array

        values = array.from_array(np.asarray(values), chunks=-1)
    if _is_frame(values):
        return list(values.to_delayed())
    if values.ndim == 2:
        values = values.rechunk({1: -1})
    if is_known and not np.isnan(values.chunks[0]).any():
        if sum(values.chunks[0]) != sum(lengths):
            raise ValueError(
                "Found input variables with inconsistent numbers of samples: "
                f"{[sum(lengths), sum(values.chunks[0])]}"
            )
        values = values.rechunk({0: lengths})
    return list(values.to_delayed().ravel())


def _is_frame(values: Any) -> bool:
    """Whether values are a Dask data frame or series."""
    return is_collection(values) and hasattr(values, "map_partitions")


def _is_number(weight: Any) -> bool:
    """Whether a weight is the same for all rows."""
    return weight is None or (np.ndim(weight) == 0 and not is_collection(weight))
