"""Where the rows of a table come from: files, datasets, lazy frames, relations and streams.

Everything is read through Arrow: files and datasets by pyarrow, and other tables by their
Arrow stream or by their own batches. A further kind of table is one more case in `open_table`.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_BUFFER_BYTES = 2**16  # for each column of a Parquet file
_SUFFIXES = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".csv.gz": "csv"}


class Source(NamedTuple):
    """A file, or another table that is read as a whole."""

    label: str
    names: Sequence[str]  # of its columns
    # from the names of some columns and a number of rows to batches, each with its label
    read: Callable[[Sequence[str], int], Iterator[tuple[str, Any]]]
    count_rows: Callable[[], int] | None = None  # the number of rows, where it need not be read


def check_columns(label: str, names: Sequence[str], available: Sequence[str]) -> None:
    """Raise if a file lacks a column."""
    missing = [name for name in names if name not in available]
    if missing:
        raise ValueError(
            f"{label} has no column {missing[0]!r}. Its columns are {shown(available)}. All files "
            "of a table need the same columns."
        )


def open_table(table: Any) -> tuple[int, Iterator[Source]]:
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


def _open_path(path: str) -> Source:
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


def _open_parquet(path: str, dataset: Any) -> Source:
    """Parquet files, read page by page.

    A scanner of the dataset would have whole row groups in memory, which can be as large as
    the files.
    """

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        for fragment in dataset.get_fragments():
            label = repr(fragment.path) if len(dataset.files) > 1 else repr(path)
            for batch in _parquet_batches(fragment, names, rows, label):
                yield label, batch

    return Source(repr(path), dataset.schema.names, read, dataset.count_rows)


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
        check_columns(label, names, [*file.schema_arrow.names, *constants])
        stored = [name for name in names if name not in constants]
        for batch in file.iter_batches(batch_size=rows, columns=stored):
            for name in constants.keys() & set(names):
                column = pa.repeat(constants[name], batch.num_rows)
                batch = batch.append_column(name, column)
            yield batch


def _open_csv(path: str, dataset: Any) -> Source:
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

    return Source(repr(path), dataset.schema.names, read)


def _open_dataset(dataset: Any) -> Source:
    """A dataset of pyarrow, which may have a filter. Its batches are labelled with their files."""
    import pyarrow.dataset as ds

    is_parquet = isinstance(getattr(dataset, "format", None), ds.ParquetFileFormat)

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        scanner = dataset.scanner(**_scan_options(names, rows, is_parquet=is_parquet))
        for tagged in scanner.scan_batches():
            path = getattr(tagged.fragment, "path", None)
            yield repr(path) if path else "the dataset", tagged.record_batch

    count_rows = dataset.count_rows if is_parquet else None
    return Source("the dataset", dataset.schema.names, read, count_rows)


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


def _open_lazy_frame(frame: Any) -> Source:
    """A LazyFrame of polars, collected in batches."""

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        batches = frame.select(list(names)).collect_batches(chunk_size=rows, maintain_order=False)
        for batch in batches:
            for part in batch.to_arrow().to_batches():
                yield "the LazyFrame", part

    return Source("the LazyFrame", frame.collect_schema().names(), read)


def _open_relation(relation: Any) -> Source:
    """A relation of DuckDB, which computes the columns in use only."""

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        quoted = ['"' + name.replace('"', '""') + '"' for name in names]
        for batch in relation.project(", ".join(quoted)).to_arrow_reader(rows):
            yield "the relation", batch

    return Source("the relation", relation.columns, read)


def _open_stream(table: Any) -> Source:
    """A table with an Arrow stream, which can be read once."""
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_stream(table)
    label = f"the {type(table).__name__}"

    def read(names: Sequence[str], rows: int) -> Iterator[tuple[str, Any]]:
        for batch in reader:
            yield label, batch

    return Source(label, reader.schema.names, read)


def shown(names: Sequence[str]) -> str:
    """Names for a message: of many the first ones."""
    return f"{list(names)[:20]}" + (f" and {len(names) - 20} more" if len(names) > 20 else "")
