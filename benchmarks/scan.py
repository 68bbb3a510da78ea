"""Tables that need not fit into memory: a scan against reading alone, polars and SGDRegressor."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import SGDRegressor

from benchmarks._data import Plain
from benchmarks._memory import measure
from benchmarks._report import Report
from benchmarks._timing import Task, coefficients, compare
from sklearn_gd import GDLinearRegressor, Moments

N_FILES, N_FEATURES, ROW_GROUP, BATCH = 10, 50, 100_000, 65_536
NAMES = [f"x{j}" for j in range(N_FEATURES)]


def scan(report: Report) -> None:
    """N x 50 float64 in ten Parquet files (--rows N), with the target and one pass."""
    rows = report.pick(report.rows, 2000)
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), rows)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        pattern = f"{folder}/*.parquet"
        tasks = [
            Task("Moments.scan", lambda: Moments.scan(pattern, "y")),
            Task("limit: reading alone (pyarrow)", lambda: sum(len(b) for b in batches(folder))),
            Task("Moments.scan and GDLinearRegressor", lambda: fit_of_scan(pattern)),
            Task("Gram by polars, and its solution", lambda: polars_fit(pattern)),
            Task("SGDRegressor.partial_fit, one pass", lambda: sgd(folder), within=None),
        ]
        compare(
            report,
            f"{rows:,} x {N_FEATURES}, {size / 1e6:,.0f} MB on disk",
            tasks,
            rounds=3 if rows <= 1_000_000 else 1,
            exact="Gram by polars, and its solution",
            answer=_coefficients,
        )
        peaks = {name: measure(make, folder).megabytes for name, make in PEAKS.items()}
        report.table("peak memory", [{"": name, "extra MB": peak} for name, peak in peaks.items()])


def _coefficients(result: Any) -> np.ndarray | None:
    """The coefficients, if the task has a model."""
    return coefficients(result) if hasattr(result, "coef_") else None


def fit_of_scan(pattern: str) -> GDLinearRegressor:
    """Moments of the files and a fit of them."""
    return GDLinearRegressor(lr="auto").fit(Moments.scan(pattern, "y"))


def polars_fit(pattern: str) -> Plain:
    """Least squares from the Gram matrix of polars, by the normal equations."""
    gram = polars_gram(pattern)
    solution = np.linalg.solve(gram[:-1, :-1], gram[:-1, -1])
    return Plain(solution[1:], float(solution[0]))


def prepare_scan(folder: str) -> Callable[[], object]:
    """A scan of the files, whose modules are imported."""
    Moments.scan(pa.table({"x": np.arange(9.0), "y": np.arange(9.0) ** 2}), "y")
    return lambda: Moments.scan(f"{folder}/*.parquet", "y")


def prepare_polars(folder: str) -> Callable[[], object]:
    """The Gram matrix by polars."""
    return lambda: polars_gram(f"{folder}/*.parquet")


PEAKS = {"Moments.scan": prepare_scan, "Gram by polars": prepare_polars}


def true_coefficients() -> np.ndarray:
    """The coefficients of the data."""
    return np.random.default_rng(1).standard_normal(N_FEATURES)


def write_files(folder: Path, rows: int) -> None:
    """Write the data, a row group at a time."""
    rng, coef = np.random.default_rng(0), true_coefficients()
    fields = [(name, pa.float64()) for name in [*NAMES, "y"]]
    for k in range(N_FILES):
        with pq.ParquetWriter(folder / f"part-{k}.parquet", pa.schema(fields)) as writer:
            for start in range(0, rows // N_FILES, ROW_GROUP):
                n = min(ROW_GROUP, rows // N_FILES - start)
                X = rng.standard_normal((n, N_FEATURES))
                y = X @ coef + rng.standard_normal(n)
                writer.write_table(pa.table([*X.T, y], schema=pa.schema(fields)))


def batches(folder: str) -> Iterator[Any]:
    """All batches of all files."""
    for path in sorted(Path(folder).iterdir()):
        yield from pq.ParquetFile(path).iter_batches(batch_size=BATCH)


def polars_gram(pattern: str) -> np.ndarray:
    """The Gram matrix of a column of ones, the features and the target, by a lazy query."""
    names = [*NAMES, "y"]
    columns = {"1": pl.lit(1.0), **{name: pl.col(name) for name in names}}
    pairs = [(a, b) for i, a in enumerate(columns) for b in list(columns)[i:]]
    products = [(columns[a] * columns[b]).sum().alias(f"{a} {b}") for a, b in pairs if b != "1"]
    table = pl.scan_parquet(pattern)
    found = table.select(pl.len().cast(float).alias("1 1"), *products).collect(engine="streaming")
    values = dict(zip(found.columns, found.row(0), strict=True))
    gram = np.empty((len(columns), len(columns)))
    for i, a in enumerate(columns):
        for j, b in enumerate(list(columns)[i:], start=i):
            gram[i, j] = gram[j, i] = values[f"{a} {b}"]
    return gram


def sgd(folder: str) -> SGDRegressor:
    """One pass of SGDRegressor over the same batches."""
    model = SGDRegressor()
    for batch in batches(folder):
        table = np.column_stack([column.to_numpy() for column in batch.columns])
        model.partial_fit(table[:, :-1], table[:, -1])
    return model
