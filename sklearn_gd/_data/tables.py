"""Tables that need not fit into memory, as chunks of rows. One batch is in memory at a time.

Where the rows come from is in `table_sources`. Here their columns become arrays of numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple, NoReturn

import numpy as np

from sklearn_gd._data.progress import Report
from sklearn_gd._data.table_sources import Source, check_columns, open_table, shown
from sklearn_gd._data.training_data import TrainingData

_CHUNK_ENTRIES = 2**21  # 16 MB of float64
_MAX_CHUNK_ENTRIES = 2**25  # where rows are very long


class Columns(NamedTuple):
    """The names of the columns that are read."""

    features: tuple[str, ...]
    targets: tuple[str, ...]
    weight: str | None
    has_single_target: bool

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in the order of a chunk."""
        return (*self.features, *self.targets, *([] if self.weight is None else [self.weight]))


class _Piece(NamedTuple):
    """Where rows of a chunk come from."""

    start: int  # the first row in the chunk
    label: str
    batch: int
    row: int  # the first row in the batch


class TableReader:
    """A table as chunks of rows, with its columns checked."""

    def __init__(
        self,
        table: Any,
        target: str | Sequence[str],
        features: Sequence[str] | None,
        sample_weight: str | None,
    ):
        self.n_sources, self.sources = open_table(table)
        first = next(self.sources)
        self.columns = _resolve_columns(first, target, features, sample_weight)
        self.first = first

    def chunks(self, n_terms: int, report: Report | None = None) -> Iterator[TrainingData]:
        """All rows, as training data that are valid until the next chunk is read.

        ``report`` is told of every batch.
        """
        p = len(self.columns.names)
        rows = min(max(_CHUNK_ENTRIES // p, 4 * n_terms), max(_MAX_CHUNK_ENTRIES // p, 1024))
        chunk = _Chunk(self.columns, rows)
        for label, number, batch in self._batches(rows, report):
            start = 0
            while start < batch.num_rows:
                start += chunk.add(batch, start, label, number)
                if chunk.n_rows == rows:
                    yield from chunk.training_data()
                    chunk.clear()
        yield from chunk.training_data()

    def _batches(self, rows: int, report: Report | None) -> Iterator[tuple[str, int, Any]]:
        """All batches, each with the label of its file, and with its number in the file."""
        names, n_read = self.columns.names, 0
        for k, source in enumerate(chain([self.first], self.sources)):
            check_columns(source.label, names, source.names)
            start, n_rows = n_read, source.count_rows() if report and source.count_rows else None
            label, number = source.label, 0
            batches = source.read(names, rows)
            while True:
                with _naming(f"{label}, batch {number}", source.names):
                    tagged = next(batches, None)
                if tagged is None:
                    break
                if tagged[0] != label:
                    label, number = tagged[0], 0
                yield label, number, tagged[1]
                number, n_read = number + 1, n_read + tagged[1].num_rows
                if report and n_rows:
                    report((k + (n_read - start) / n_rows) / self.n_sources, n_read)
            if report:
                report((k + 1) / self.n_sources, n_read)


class _Chunk:
    """Rows of several batches side by side, one column after the other in memory."""

    def __init__(self, columns: Columns, rows: int):
        self.columns = columns
        self.buffer = np.empty((len(columns.names), rows))
        self.n_rows = 0
        self.pieces: list[_Piece] = []

    def clear(self) -> None:
        """Forget the rows."""
        self.n_rows, self.pieces = 0, []

    def add(self, batch: Any, start: int, label: str, number: int) -> int:
        """Add the rows of a batch from ``start`` on, as many as there is room for."""
        n_rows = min(batch.num_rows - start, self.buffer.shape[1] - self.n_rows)
        self.pieces.append(_Piece(self.n_rows, label, number, start))
        where = f"{label}, batch {number}"
        out = self.buffer[:, self.n_rows : self.n_rows + n_rows]
        for name, values in zip(self.columns.names, out, strict=True):
            column = batch.column(batch.schema.get_field_index(name))
            values[:] = _as_numbers(column.slice(start, n_rows), name, where)
        self.n_rows += n_rows
        return n_rows

    def training_data(self) -> Iterator[TrainingData]:
        """The rows, if some of them have weight."""
        p, table = len(self.columns.features), self.buffer[:, : self.n_rows]
        n_targets = len(self.columns.targets)
        weight, unit = None, 1.0
        if self.columns.weight is not None and self.n_rows:
            weight = table[-1]
            if not weight.min() >= 0 or np.isinf(weight).any():
                self._check_weight(weight)
            unit = float(weight.max())
            if unit == 0:
                return
            weight = weight / unit
        if self.n_rows:
            yield TrainingData(
                table[:p].T,
                table[p : p + n_targets].T,
                weight,
                unit,
                self.columns.has_single_target,
                self._check_finite,
            )

    def _check_finite(self) -> None:
        """Raise for the first value that is not finite."""
        for name, values in zip(self.columns.names, self.buffer[:, : self.n_rows], strict=True):
            is_bad = ~np.isfinite(values)
            if is_bad.any():
                row = int(is_bad.argmax())
                kind = "NaN" if np.isnan(values[row]) else "infinity"
                self._raise(name, row, f"contains {kind}", "Drop or replace such rows first.")

    def _check_weight(self, weight: np.ndarray) -> None:
        """Raise for the first weight that is negative or not finite."""
        self._check_finite()
        row, name = int((weight < 0).argmax()), str(self.columns.weight)
        self._raise(name, row, "contains a negative weight", "Weights are at or above 0.")

    def _raise(self, name: str, row: int, words: str, remedy: str) -> NoReturn:
        """Raise the error for a value of a column."""
        piece = next(piece for piece in self.pieces[::-1] if piece.start <= row)
        raise ValueError(
            f"Column {name!r} of {piece.label}, batch {piece.batch} {words}, in row "
            f"{piece.row + row - piece.start} of the batch. {remedy}"
        )


def _as_numbers(column: Any, name: str, where: str) -> np.ndarray:
    """A slice of an Arrow column as numbers. Raises if it holds anything else."""
    import pyarrow as pa

    kinds = pa.types
    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kinds.is_decimal(column.type):
        column = column.cast(pa.float64())
    is_number = kinds.is_integer(column.type) or kinds.is_floating(column.type)
    if not (is_number or kinds.is_boolean(column.type) or kinds.is_null(column.type)):
        raise ValueError(
            f"Column {name!r} of {where} holds {column.type}, and numbers are needed. Encode it as "
            "numbers, or name the columns to use in 'features'."
        )
    if column.null_count:
        raise ValueError(
            f"Column {name!r} of {where} contains null: {column.null_count} values are missing. "
            "Drop or fill such rows first."
        )
    numbers: np.ndarray = column.to_numpy(zero_copy_only=False)
    return numbers


def columns_of_frame(
    frame: Any,
    target: str | Sequence[str],
    features: Sequence[str] | None,
    sample_weight: str | None,
) -> tuple[Any, Any, Any]:
    """X, y and weights (or None) as columns of a lazy data frame."""
    if not hasattr(frame, "columns"):
        raise TypeError(
            f"Moments.scan needs columns with names, and {type(frame).__name__} has none. Use "
            "Moments.of(X, y) for arrays."
        )
    source = Source("The data frame", list(frame.columns), lambda *_: iter(()))
    columns = _resolve_columns(source, target, features, sample_weight)
    targets = columns.targets[0] if columns.has_single_target else list(columns.targets)
    weight = None if columns.weight is None else frame[columns.weight]
    return frame[list(columns.features)], frame[targets], weight


def _resolve_columns(
    source: Source,
    target: str | Sequence[str],
    features: Sequence[str] | None,
    sample_weight: str | None,
) -> Columns:
    """The columns to read, checked against those of the first file."""
    has_single_target = isinstance(target, str)
    targets = _as_names("target", [target] if isinstance(target, str) else target)
    if not (sample_weight is None or isinstance(sample_weight, str)):
        raise ValueError(
            f"'sample_weight' must be the name of a column or None. Got {sample_weight!r} instead."
        )
    others = {*targets, sample_weight}
    if features is None:
        features = [name for name in source.names if name not in others]
    features = _as_names("features", features)
    columns = Columns(features, targets, sample_weight, has_single_target)
    for name in columns.names:
        if columns.names.count(name) > 1:
            raise ValueError(
                f"Column {name!r} is named twice among target, features and sample_weight. Name "
                "each column once."
            )
        if list(source.names).count(name) != 1:
            n_times = "no" if name not in source.names else "more than one"
            raise ValueError(
                f"{source.label} has {n_times} column {name!r}. Its columns are "
                f"{shown(source.names)}."
            )
    return columns


def _as_names(parameter: str, names: Any) -> tuple[str, ...]:
    """Names of columns as a tuple."""
    are_names = isinstance(names, Iterable) and not isinstance(names, str)
    names = tuple(names) if are_names else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"'{parameter}' must be one or more names of columns. Got {names or None!r} instead."
        )
    return tuple(map(str, names))


@contextmanager
def _naming(where: str, names: Sequence[str]) -> Iterator[None]:
    """Errors of pyarrow with the file, the batch and the column in their words."""
    import pyarrow as pa

    try:
        yield
    except pa.ArrowInvalid as error:
        number = re.search(r"CSV column #(\d+)", str(error))
        column = f"Column {names[int(number[1])]!r} of " if number else ""
        raise ValueError(f"{column}{where} cannot be read as numbers: {error}") from error
