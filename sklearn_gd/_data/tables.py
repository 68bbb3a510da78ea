"""Tables that need not fit into memory, as chunks of rows. One batch is in memory at a time.

Everything is read through Arrow: files and datasets by pyarrow, and other tables by their
Arrow stream or by their own batches. A further kind of table is one more case in `_open`.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from sklearn_gd._data.progress import Report
from sklearn_gd._data.training_data import TrainingData

_CHUNK_ENTRIES = 2**21  # 16 MB of float64
_MAX_CHUNK_ENTRIES = 2**25  # where rows are very long
_BUFFER_BYTES = 2**16  # for each column of a Parquet file
_SUFFIXES = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".csv.gz": "csv"}


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


class _Source(NamedTuple):
    """A file, or another table that is read as a whole."""

    label: str
    names: Sequence[str]  # of its columns
    # from the names of some columns and a number of rows to batches, each with its label
    read: Callable[[Sequence[str], int], Iterator[tuple[str, Any]]]
    count_rows: Callable[[], int] | None = None  # the number of rows, where it need not be read


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
        self.n_sources, self.sources = _open(table)
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
            _check_columns(source.label, names, source.names)
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


def _check_columns(label: str, names: Sequence[str], available: Sequence[str]) -> None:
    """Raise if a file lacks a column."""
    missing = [name for name in names if name not in available]
    if missing:
        raise ValueError(
            f"{label} has no column {missing[0]!r}. Its columns are {_shown(available)}. All files "
            "of a table need the same columns."
        )


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
    source = _Source("The data frame", list(frame.columns), lambda *_: iter(()))
    columns = _resolve_columns(source, target, features, sample_weight)
    targets = columns.targets[0] if columns.has_single_target else list(columns.targets)
    weight = None if columns.weight is None else frame[columns.weight]
    return frame[list(columns.features)], frame[targets], weight


def _resolve_columns(
    source: _Source,
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
                f"{_shown(source.names)}."
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


def _open(table: Any) -> tuple[int, Iterator[_Source]]:
    """The number of parts of a table, and the parts. Raises a TypeError if it is no table."""
    try:
        import pyarrow.dataset as ds
    except ImportError as error:
        raise ImportError(
            "Moments.scan reads tables by pyarrow. Install it: pip install 'sklearn_gd[tables]'."
        ) from error
    if isinstance(table, str | os.PathLike):
        paths = _paths(os.fspath(table))
        return len(paths), map(_open_path, paths)
    if isinstance(table, ds.Dataset):
        return 1, iter([_open_dataset(table)])
    if hasattr(table, "collect_batches"):  # a LazyFrame of polars
        return 1, iter([_open_lazy_frame(table)])
    if hasattr(table, "project") and hasattr(table, "to_arrow_reader"):
        return 1, iter([_open_relation(table)])
    if hasattr(table, "__arrow_c_stream__"):
        return 1, iter([_open_stream(table)])
    raise TypeError(
        f"Moments.scan reads paths of Parquet or CSV files, datasets of pyarrow, LazyFrames of "
        f"polars, relations of DuckDB and everything with an Arrow stream, and got "
        f"{type(table).__name__}. Use Moments.of(X, y) for arrays, and polars 1.33 or later for "
        "LazyFrames."
    )


def _paths(pattern: str) -> list[str]:
    """The files that a path or a pattern names, in alphabetical order."""
    if "://" in pattern or Path(pattern).exists():
        return [pattern]
    paths = sorted(glob.glob(pattern, recursive=True))
    if not paths:
        raise FileNotFoundError(f"There is no file {pattern!r}. Give a path or a pattern of files.")
    return paths


def _open_path(path: str) -> _Source:
    """A Parquet or CSV file, or a folder of Parquet files."""
    import pyarrow.dataset as ds

    name = path.lower()
    kinds = [kind for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)]
    if Path(path).is_dir():
        return _open_parquet(path, ds.dataset(path, format="parquet", partitioning="hive"))
    if not kinds:
        raise ValueError(
            f"The file {path!r} ends neither in .parquet or .pq nor in .csv or .csv.gz. Read it by "
            "another package, and pass its table."
        )
    dataset = ds.dataset(path, format=kinds[0])
    return (_open_parquet if kinds[0] == "parquet" else _open_csv)(path, dataset)


def _open_parquet(path: str, dataset: Any) -> _Source:
    """Parquet files, read page by page.

    A scanner of the dataset would have whole row groups in memory, which can be as large as
    the files.
    """

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        for fragment in dataset.get_fragments():
            label = repr(fragment.path) if len(dataset.files) > 1 else repr(path)
            for batch in _parquet_batches(fragment, names, rows, label):
                yield label, batch

    return _Source(repr(path), dataset.schema.names, read, dataset.count_rows)


def _parquet_batches(fragment: Any, names: Sequence[str], rows: int, label: str) -> Iterator[Any]:
    """The batches of a Parquet file. The names of its folders can be columns."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    constants = ds.get_partition_keys(fragment.partition_expression)
    with pq.ParquetFile(
        fragment.path,
        filesystem=fragment.filesystem,
        buffer_size=_BUFFER_BYTES,
        pre_buffer=False,
    ) as file:
        _check_columns(label, names, [*file.schema_arrow.names, *constants])
        stored = [name for name in names if name not in constants]
        for batch in file.iter_batches(batch_size=rows, columns=stored):
            for name in constants.keys() & set(names):
                column = pa.repeat(constants[name], batch.num_rows)
                batch = batch.append_column(name, column)
            yield batch


def _open_csv(path: str, dataset: Any) -> _Source:
    """A CSV file, whose columns are numbers in all rows."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow.csv import ConvertOptions

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        # the type of the first rows need not be that of all rows
        options = ConvertOptions(column_types=dict.fromkeys(names, pa.float64()))
        csv = ds.dataset(path, format=ds.CsvFileFormat(convert_options=options))
        for batch in csv.to_batches(**_scan_options(names, rows)):
            yield repr(path), batch

    return _Source(repr(path), dataset.schema.names, read)


def _open_dataset(dataset: Any) -> _Source:
    """A dataset of pyarrow, which may have a filter. Its batches are labelled with their files."""
    import pyarrow.dataset as ds

    is_parquet = isinstance(getattr(dataset, "format", None), ds.ParquetFileFormat)

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        scanner = dataset.scanner(**_scan_options(names, rows, is_parquet=is_parquet))
        for tagged in scanner.scan_batches():
            path = getattr(tagged.fragment, "path", None)
            yield repr(path) if path else "the dataset", tagged.record_batch

    count_rows = dataset.count_rows if is_parquet else None
    return _Source("the dataset", dataset.schema.names, read, count_rows)


def _scan_options(names: Sequence[str], rows: int, *, is_parquet: bool = False) -> dict[str, Any]:
    """Options of pyarrow that bound the memory of a scan."""
    import pyarrow.dataset as ds

    options: dict[str, Any] = {
        "columns": list(names),
        "batch_size": rows,
        "batch_readahead": 1,
        "fragment_readahead": 1,
    }
    if is_parquet:
        # whole row groups in memory would not be bounded
        options["fragment_scan_options"] = ds.ParquetFragmentScanOptions(
            use_buffered_stream=True, buffer_size=_BUFFER_BYTES, pre_buffer=False
        )
    return options


def _open_lazy_frame(frame: Any) -> _Source:
    """A LazyFrame of polars, collected in batches."""

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        batches = frame.select(list(names)).collect_batches(chunk_size=rows, maintain_order=False)
        for batch in batches:
            for part in batch.to_arrow().to_batches():
                yield "the LazyFrame", part

    return _Source("the LazyFrame", frame.collect_schema().names(), read)


def _open_relation(relation: Any) -> _Source:
    """A relation of DuckDB, which computes the columns in use only."""

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        quoted = ['"' + name.replace('"', '""') + '"' for name in names]
        for batch in relation.project(", ".join(quoted)).to_arrow_reader(rows):
            yield "the relation", batch

    return _Source("the relation", relation.columns, read)


def _open_stream(table: Any) -> _Source:
    """A table with an Arrow stream, which can be read once."""
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_stream(table)
    label = f"the {type(table).__name__}"

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        for batch in reader:
            yield label, batch

    return _Source(label, reader.schema.names, read)


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


def _shown(names: Sequence[str]) -> str:
    """Names for a message: of many the first ones."""
    return f"{list(names)[:20]}" + (f" and {len(names) - 20} more" if len(names) > 20 else "")
