"""A fit on a cluster of two Dask workers: ``python -m benchmarks.dask_cluster``.

The rows are files of 8 MB, which the workers write and read, and which are never gathered. With
``--rows 6000000 --memory-limit 900MB`` they are more than the memory of both workers. The fit is
compared with one pass that adds up the entries of the blocks, with the other ways to a least
squares fit on Dask, and at last with a fit in memory. During a second fit a worker is killed.
Needs the package ``distributed``; ``dask-ml`` is compared where it is installed.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import dask
import dask.array as da
import numpy as np
from dask.delayed import delayed
from dask.utils import format_bytes, parse_bytes
from distributed import Client, LocalCluster

from benchmarks._machine import describe, machine
from benchmarks._report import Row, markdown
from sklearn_gd import GDLinearRegressor, Moments

COLUMNS, BLOCK = 50, 20_000
LIMIT = 150  # seconds, after which another way is given up
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Done(NamedTuple):
    """Seconds of a call, its result, and what went wrong."""

    seconds: float
    result: Any
    problem: str | None


def write_block(folder: str, number: int, n_rows: int) -> None:
    """Write the rows and the targets of a block, from a seed of the block."""
    rng = np.random.default_rng(number)
    X = rng.standard_normal((n_rows, COLUMNS))
    y = X @ np.linspace(-1.0, 1.0, COLUMNS) + 3.0 + rng.standard_normal(n_rows)
    np.save(f"{folder}/X-{number}.npy", X)
    np.save(f"{folder}/y-{number}.npy", y)


def read_block(folder: str, name: str, block_info: Any = None) -> np.ndarray:
    """The rows or the targets of a block."""
    block: np.ndarray = np.load(f"{folder}/{name}-{block_info[None]['chunk-location'][0]}.npy")
    return block


def lazy_rows(folder: str, n_rows: int) -> tuple[Any, Any]:
    """X and y as Dask arrays whose blocks are written now, and read when they are needed."""
    lengths = da.core.normalize_chunks(BLOCK, shape=(n_rows,))[0]
    dask.compute(*[delayed(write_block)(folder, k, n) for k, n in enumerate(lengths)])
    chunks = lengths, (COLUMNS,)
    X = da.map_blocks(read_block, folder, "X", chunks=chunks, dtype=float, meta=np.empty((0, 0)))
    y = da.map_blocks(read_block, folder, "y", chunks=chunks[:1], dtype=float, meta=np.empty(0))
    return X, y


def rows_in_memory(folder: str, n_blocks: int) -> list[np.ndarray]:
    """X and y as NumPy arrays."""
    return [
        np.concatenate([np.load(f"{folder}/{name}-{k}.npy") for k in range(n_blocks)])
        for name in ("X", "y")
    ]


def other_ways(X: Any, y: Any) -> dict[str, Callable[[], np.ndarray]]:
    """The other ways to a least squares fit on Dask. lstsq has no intercept."""

    def lstsq() -> np.ndarray:
        with_ones = da.concatenate([da.ones((len(X), 1), chunks=(X.chunks[0], 1)), X], axis=1)
        coef: np.ndarray = da.linalg.lstsq(with_ones.rechunk({1: -1}), y)[0].compute()
        return coef[1:]

    def dask_ml(**params: Any) -> np.ndarray:
        from dask_ml.linear_model import LinearRegression

        coef: np.ndarray = LinearRegression(**params).fit(X, y).coef_
        return coef

    ways: dict[str, Callable[[], np.ndarray]] = {"da.linalg.lstsq": lstsq}
    if find_spec("dask_ml"):
        ways["dask-ml LinearRegression (admm)"] = dask_ml
        ways["dask-ml LinearRegression (newton)"] = lambda: dask_ml(solver="newton")
    return ways


def timed(run: Callable[[], Any], limit: float | None = None) -> Done:
    """A call, which is given up after ``limit`` seconds."""
    found: list[Done] = []

    def call() -> None:
        start = time.perf_counter()
        try:
            result, problem = run(), None
        except Exception as error:  # a cluster out of memory fails in many ways
            result, problem = None, type(error).__name__
        found.append(Done(time.perf_counter() - start, result, problem))

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(limit)
    return found[0] if found else Done(limit or 0.0, None, f"not done after {limit:.0f} s")


def forget_peak() -> None:
    """Let the peak of the memory of this process begin again."""
    CLEAR.write_text("5")


def megabytes(field: str) -> float:
    """A memory size of this process: VmRSS now, VmHWM at the peak."""
    return int(STATUS.read_text().partition(f"{field}:")[2].split()[0]) * 1024 / 1e6


class Memory:
    """The memory of the workers and of this process."""

    def __init__(self, client: Client):
        self.client = client

    def now(self) -> str:
        """What the workers and this process use now."""
        found = [*self.client.run(megabytes, "VmRSS").values(), megabytes("VmRSS")]
        return ", ".join(f"{size:.0f}" for size in found)

    def measure(self, name: str, run: Callable[[], Any], limit: float | None = None) -> Any:
        """Run something. Returns a row of the table, and what was done."""
        self.client.run(forget_peak)
        forget_peak()
        done = timed(run, limit)
        peaks = [*self.client.run(megabytes, "VmHWM").values()] if done.problem is None else None
        row: Row = {"": name if done.problem is None else f"{name}: {done.problem}"}
        row["s"] = done.seconds if done.problem is None else None
        row["worker MB"] = max(peaks) if peaks else None
        row["client MB"] = megabytes("VmHWM")
        return row, done


@contextmanager
def cluster(memory_limit: str) -> Iterator[Client]:
    """Two new workers, which have imported everything that a fit needs."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    rng = np.random.default_rng(0)
    X, y = rng.random((9, 2)), rng.random(9)
    with LocalCluster(memory_limit=memory_limit, **options) as workers, Client(workers) as client:
        client.run(Moments.of, X, y)
        GDLinearRegressor(lr="auto").fit(da.from_array(X), da.from_array(y))
        yield client


def main() -> None:
    """Run everything once."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dask_cluster", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: 1,000,000")
    parser.add_argument("--memory-limit", default="1GB", help="of a worker; default: 1GB")
    arguments = parser.parse_args()
    n_rows, limit = arguments.rows, arguments.memory_limit
    print(describe(machine(1)))
    names = ("dask", "distributed", *(["dask-ml"] if find_spec("dask_ml") else []))
    print(", ".join(f"{name} {version(name)}" for name in names))
    print(
        f"{n_rows:,} x {COLUMNS} in blocks of {BLOCK:,} rows: "
        f"{format_bytes(n_rows * (COLUMNS + 1) * 8)}; two workers of "
        f"{format_bytes(parse_bytes(limit))}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        with cluster(limit) as client:
            X, y = lazy_rows(folder, n_rows)
            coef, one_pass = fit_on_cluster(client, X, y)
        in_memory = GDLinearRegressor(lr="auto").fit(*rows_in_memory(folder, X.numblocks[0])).coef_
        print(f"difference from the fit in memory: {np.abs(coef - in_memory).max():.1e}\n")
        for name, run in other_ways(X, y).items():
            with cluster(limit) as client:
                row, done = Memory(client).measure(name, run, LIMIT)
                print_rows([row], one_pass)
                if done.problem is None:
                    difference = np.abs(done.result - in_memory).max()
                    print(f"difference from the fit in memory: {difference:.1e}\n", flush=True)


def fit_on_cluster(client: Client, X: Any, y: Any) -> tuple[np.ndarray, float]:
    """A pass and the fit, twice. Returns the coefficients, and the seconds of the pass."""
    memory, model = Memory(client), GDLinearRegressor(lr="auto")
    print(f"memory with all imports, workers and client: {memory.now()} MB\n")
    one_pass, _ = memory.measure("sums of the blocks", lambda: da.compute(X.sum(), y.sum()))
    fit, _ = memory.measure("GDLinearRegressor", lambda: model.fit(X, y))
    print_rows([one_pass, fit], one_pass["s"])
    coef, pids = model.coef_, list(client.run(os.getpid).values())
    threading.Timer(fit["s"] / 2, lambda: os.kill(pids[0], signal.SIGKILL)).start()
    model.fit(X, y)
    is_new = pids[0] not in client.run(os.getpid).values()
    difference = float(np.abs(model.coef_ - coef).max())
    print(f"a worker was killed: {is_new}; largest change of a coefficient: {difference:.1e}")
    return coef, one_pass["s"]


def print_rows(rows: Sequence[Row], one_pass: float) -> None:
    """Print a table, with the times in units of one pass."""

    def ratio(seconds: Any) -> float | None:
        return None if seconds is None else seconds / one_pass

    print(markdown([row | {"of one pass": ratio(row["s"])} for row in rows]), flush=True)


if __name__ == "__main__":
    main()
