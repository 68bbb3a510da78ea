"""A fit on a cluster of two Dask workers: ``python -m benchmarks.dask_cluster``.

The rows are made on the workers, block by block, and never gathered. The times are those of one
pass that adds up the entries of the blocks, of the fit, and of ``dask.array.linalg.lstsq``. Then
a worker is killed during a second fit, whose coefficients are compared with those of the first.
Needs the package ``distributed``.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

from benchmarks._report import markdown
from sklearn_gd import GDLinearRegressor, Moments

COLUMNS, BLOCK = 50, 50_000


def make_block(block_info: Any = None, *, with_target: bool = False) -> np.ndarray:
    """Rows [X] or targets of a block, from a seed of the block."""
    rng = np.random.default_rng(block_info[None]["chunk-location"][0])
    X = rng.standard_normal((block_info[None]["chunk-shape"][0], COLUMNS))
    noise = rng.standard_normal(len(X))
    coef = np.linspace(-1.0, 1.0, COLUMNS)
    return X @ coef + noise if with_target else X


def lazy_rows(n_rows: int) -> tuple[Any, Any]:
    """X and y as Dask arrays whose blocks are made when they are needed."""
    chunks = da.core.normalize_chunks(BLOCK, shape=(n_rows,))[0]
    X = da.map_blocks(make_block, chunks=(chunks, (COLUMNS,)), dtype=float, meta=np.empty((0, 0)))
    y = da.map_blocks(make_block, chunks=(chunks,), dtype=float, meta=np.empty(0), with_target=True)
    return X, y


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of a call, and its result."""
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def peak_megabytes() -> float:
    """The largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Run everything once."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dask_cluster", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: 1,000,000")
    parser.add_argument("--memory-limit", default="1GB", help="of a worker; default: 1GB")
    arguments = parser.parse_args()
    n_rows = arguments.rows
    X, y = lazy_rows(n_rows)
    model = GDLinearRegressor(lr="auto")
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            memory_limit=arguments.memory_limit,
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        few = lazy_rows(10_000)
        model.fit(*few)  # the workers import everything
        before = client.run(peak_megabytes), peak_megabytes()
        one_pass, _ = timed(lambda: da.compute(X.sum(), y.sum()))
        fit, _ = timed(lambda: model.fit(X, y))
        after = client.run(peak_megabytes), peak_megabytes()
        lstsq, _ = timed(lambda: da.compute(*da.linalg.lstsq(X, y)[:1]))
        print(f"{n_rows:,} x {COLUMNS}, {n_rows * COLUMNS * 8 / 1e6:,.0f} MB\n")
        times = {"sums of the blocks": one_pass, "fit": fit, "da.linalg.lstsq": lstsq}
        print(markdown([{"": k, "s": t, "of one pass": t / one_pass} for k, t in times.items()]))
        grown = [peak - before[0][name] for name, peak in after[0].items()]
        print(
            f"peak memory beyond the imports: workers {max(grown):.0f} MB, client "
            f"{after[1] - before[1]:.0f} MB\n"
        )
        coef, pids = model.coef_, list(client.run(os.getpid).values())
        threading.Timer(fit / 2, lambda: os.kill(pids[0], signal.SIGKILL)).start()
        model.fit(X, y)
        is_new = pids[0] not in client.run(os.getpid).values()
        difference = float(np.abs(model.coef_ - coef).max())
        print(f"a worker was killed: {is_new}; largest change of a coefficient: {difference:.1e}")
    in_memory = sum(
        Moments.of(X.blocks[k].compute(), y.blocks[k].compute()) for k in range(X.numblocks[0])
    )
    difference = float(np.abs(model.fit(in_memory).coef_ - coef).max())
    print(f"largest difference from the moments of the blocks in memory: {difference:.1e}")


if __name__ == "__main__":
    main()
