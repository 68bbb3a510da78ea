"""Tables that need not fit into memory: the benchmark ``scan``.

``python -m benchmarks.scan FOLDER`` prints the peak memory and the time of a scan, in a process of
its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import SGDRegressor

from benchmarks._memory import extra_megabytes_of
from benchmarks._threads import two_threads
from benchmarks._timing import Task, compare, print_table
from sklearn_gd import GDLinearRegressor, Moments

N_FILES, N_FEATURES, ROW_GROUP, BATCH = 10, 50, 100_000, 65_536
NAMES = [f"x{j}" for j in range(N_FEATURES)]


def scan(rows: int) -> None:
    """N x 50 float64 in ten Parquet files (--rows N), with the target and one pass."""
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), rows)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        print(f"{rows:,} x {N_FEATURES}, {size / 1e6:,.0f} MB\n", flush=True)
        pattern = f"{folder}/*.parquet"
        compare(
            [
                Task("reading alone (pyarrow)", lambda: sum(len(b) for b in batches(folder))),
                Task("Moments.scan", lambda: Moments.scan(pattern, "y")),
                Task("Gram by polars", lambda: polars_gram(pattern)),
                Task("SGDRegressor.partial_fit", lambda: sgd(folder)),
            ],
            rounds=3 if rows <= 1_000_000 else 1,
        )
        model = GDLinearRegressor(lr="auto").fit(Moments.scan(pattern, "y"))
        error = np.abs(model.coef_ - coefficients()).max()
        print(f"largest error of a coefficient: {error:.1e} (noise of 1 on {rows:,} rows)\n")
        print(f"peak memory beyond the imports: {_measured(folder)[0]:.0f} MB\n")


def scan_growth(rows: int) -> None:
    """A quarter of N rows (--rows N), and 2, 4 and 8 times as many, in row groups of one size."""
    table: list[list[str]] = []
    per_row = 0.0
    for factor in (1, 2, 4, 8):
        n = rows // 4 * factor
        with tempfile.TemporaryDirectory() as folder:
            write_files(Path(folder), n, row_group=rows // 4 // N_FILES)
            runs = [_measured(folder) for _ in range(3)]
        peak, seconds = max(run[0] for run in runs), min(run[1] for run in runs)
        per_row = per_row or seconds / n
        table.append([f"{n:,}", f"{seconds:.2f}", f"{seconds / n / per_row:.2f}", f"{peak:.0f} MB"])
    print_table(["rows", "min s (3 runs)", "time of a row", "max peak (3 runs)"], table)


def _measured(folder: str) -> tuple[float, float]:
    """Peak memory in MB beyond the imports, and seconds, of a scan in a new process."""
    command = [sys.executable, "-m", "benchmarks.scan", folder]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    peak, seconds = map(float, printed.split())
    return peak, seconds


def coefficients() -> np.ndarray:
    """The coefficients of the data."""
    return np.random.default_rng(1).standard_normal(N_FEATURES)


def write_files(folder: Path, rows: int, row_group: int = ROW_GROUP) -> None:
    """Write the data, a row group at a time."""
    rng, coef = np.random.default_rng(0), coefficients()
    fields = [(name, pa.float64()) for name in [*NAMES, "y"]]
    for k in range(N_FILES):
        with pq.ParquetWriter(folder / f"part-{k}.parquet", pa.schema(fields)) as writer:
            for start in range(0, rows // N_FILES, row_group):
                n = min(row_group, rows // N_FILES - start)
                X = rng.standard_normal((n, N_FEATURES))
                y = X @ coef + rng.standard_normal(n)
                writer.write_table(pa.table([*X.T, y], schema=pa.schema(fields)))


def batches(folder: str) -> Iterator[Any]:
    """All batches of all files."""
    for path in sorted(Path(folder).iterdir()):
        yield from pq.ParquetFile(path).iter_batches(batch_size=BATCH)


def polars_gram(pattern: str) -> pl.DataFrame:
    """The Gram matrix of all columns, as expressions of a lazy query."""
    names = [*NAMES, "y"]
    products = [
        pl.col(a).dot(pl.col(b)).alias(f"{a} {b}") for i, a in enumerate(names) for b in names[i:]
    ]
    return pl.scan_parquet(pattern).select(products).collect(engine="streaming")


def sgd(folder: str) -> SGDRegressor:
    """One pass of SGDRegressor over the same batches."""
    model = SGDRegressor()
    for batch in batches(folder):
        table = np.column_stack([column.to_numpy() for column in batch.columns])
        model.partial_fit(table[:, :-1], table[:, -1])
    return model


if __name__ == "__main__":
    with two_threads():
        Moments.scan(pa.table({"x": np.arange(9.0), "y": np.arange(9.0) ** 2}), "y")  # imports
        start = time.perf_counter()
        peak = extra_megabytes_of(lambda: Moments.scan(f"{sys.argv[1]}/*.parquet", "y"))
        print(peak, time.perf_counter() - start)
