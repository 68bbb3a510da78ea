"""Run the benchmarks: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, SGDRegressor
from sklearn.model_selection import GridSearchCV

from benchmarks._data import full_batch_skorch, linear_data, plain_loop
from benchmarks._memory import extra_megabytes, search_of_many
from benchmarks._threads import two_threads
from benchmarks._timing import Task, compare, print_table
from benchmarks.error_bars import error_bars
from benchmarks.models import MODELS, SHAPES
from benchmarks.scan import scan, scan_growth
from benchmarks.shapes import alphas, first_fit, many_terms, sparse_epoch, wide
from benchmarks.training import callbacks, huber, lasso, mini_batch
from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, __version__

SKORCH_LRS, SKORCH_FOLDS = 1, 2  # of the search with skorch; the time is scaled to all fits
PLAIN_EPOCHS = 10  # of the plain loop on 1,000,000 rows; the time is scaled to 1,000 epochs


def tall() -> None:
    """1,000,000 x 50, default parameters, 1,000 epochs."""
    X, y = linear_data(*SHAPES["tall"])
    plain = Task(
        f"plain torch loop (from {PLAIN_EPOCHS} epochs)",
        lambda: plain_loop(X, y, torch.optim.SGD, PLAIN_EPOCHS),
        fraction=PLAIN_EPOCHS / 1000,
    )
    compare([*_fit_tasks("tall", X, y), plain], rounds=5)


def noise_free() -> None:
    """1,000,000 x 50, targets without noise: a second pass computes the residuals."""
    X, y = linear_data(*SHAPES["noise-free"], noise=0.0)
    compare(_fit_tasks("noise-free", X, y), rounds=5)


def polynomial() -> None:
    """1,000,000 x 10 at degree 3."""
    X, y = linear_data(*SHAPES["polynomial"])
    compare(_fit_tasks("polynomial", X, y), rounds=2)


def memory() -> None:
    """Peak memory beyond the data. Every fit runs in a new process."""
    rows = []
    for case in ("tall", "polynomial"):
        n, p = SHAPES[case]
        size = n * p * 8 / 1e6
        for name in MODELS[case]:
            extra = extra_megabytes(case, name)
            rows.append([f"{n:,} x {p}", name, f"{extra:.0f} MB", f"{extra / size:.1%} of X"])
    print_table(["X", "", "extra peak", ""], rows)


def small() -> None:
    """20 x 2, NAdam, 1,000 epochs."""
    X, y = linear_data(20, 2)
    model = GDLinearRegressor(optimizer="nadam")
    compare(
        [
            Task("GDLinearRegressor", lambda: model.fit(X, y)),
            Task("plain torch loop", lambda: plain_loop(X, y, torch.optim.NAdam, 1000)),
        ],
        rounds=15,
    )


def search() -> None:
    """20 learning rates x 5 folds x 1,000 epochs: all fits at once, against single fits."""
    lrs, alphas = np.geomspace(0.001, 0.9, 20), np.geomspace(1e-6, 1e-1, 20)
    X, y = load_diabetes(return_X_y=True)
    ours = Task("GDLinearRegressorCV", lambda: GDLinearRegressorCV(lrs=lrs).fit(X, y))
    huber = {"loss": "huber", "loss_params": {"delta": 50.0}}
    tall_X, tall_y = linear_data(100_000, 50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print("diabetes, 442 x 10:\n")
        compare(
            [
                ours,
                Task(
                    "GridSearchCV, GDLinearRegressor",
                    lambda: GridSearchCV(GDLinearRegressor(), {"lr": lrs}).fit(X, y),
                ),
                Task(
                    "GridSearchCV, SGDRegressor (20 alphas)",
                    lambda: GridSearchCV(SGDRegressor(), {"alpha": alphas}).fit(X, y),
                ),
            ],
            rounds=5,
        )
        if find_spec("skorch"):
            targets = y.astype(np.float32)[:, None]
            few_lrs = lrs[:SKORCH_LRS]
            skorch = Task(
                f"GridSearchCV, skorch (from {SKORCH_LRS} lrs, {SKORCH_FOLDS} folds)",
                lambda: GridSearchCV(
                    full_batch_skorch(X.shape[1]), {"lr": few_lrs}, cv=SKORCH_FOLDS, refit=False
                ).fit(X.astype(np.float32), targets),
                fraction=SKORCH_LRS * SKORCH_FOLDS / (20 * 5 + 1),
            )
            compare([ours, skorch], rounds=3)
        else:
            print("skorch is not installed\n")
        print("diabetes, Huber's loss:\n")
        compare(
            [
                Task(
                    "GDLinearRegressorCV",
                    lambda: GDLinearRegressorCV(lrs=lrs, **huber).fit(X, y),
                ),
                Task(
                    "GridSearchCV, GDLinearRegressor",
                    lambda: GridSearchCV(GDLinearRegressor(**huber), {"lr": lrs}).fit(X, y),
                ),
            ],
            rounds=1,
        )
        print("100,000 x 50, against one plain fit:\n")
        compare(
            [
                Task("GDLinearRegressor", lambda: GDLinearRegressor().fit(tall_X, tall_y)),
                Task(
                    "GDLinearRegressorCV",
                    lambda: GDLinearRegressorCV(lrs=lrs).fit(tall_X, tall_y),
                ),
            ],
            rounds=7,
        )
    seconds, extra = search_of_many(1000, 10)
    print(
        f"1,000 learning rates x 10 folds, diabetes: {seconds:.1f} s, {extra:.0f} MB extra peak\n"
    )


def predict() -> None:
    """Predictions for 1 row and for 1,000,000 rows, 50 features, time of one call."""
    X, y = linear_data(1_000_000, 50)
    models = {
        "GDLinearRegressor": GDLinearRegressor().fit(X[:1000], y[:1000]),
        "LinearRegression": LinearRegression().fit(X[:1000], y[:1000]),
    }
    for rows, calls in ((X[:1], 500), (X, 1)):
        print(f"{len(rows):,} rows:\n")

        def repeat(model: Any, rows: np.ndarray = rows, calls: int = calls) -> None:
            for _ in range(calls):
                model.predict(rows)

        compare(
            [Task(n, lambda m=m: repeat(m), fraction=calls) for n, m in models.items()],
            rounds=15,
        )


def cuda() -> None:
    """1,000,000 x 50 on a CUDA device, with the transfer: a fit, Huber's loss, and a search."""
    if not torch.cuda.is_available():
        print("there is no CUDA device\n")
        return
    print(f"{torch.cuda.get_device_name()}\n")
    X, y = linear_data(*SHAPES["tall"])
    lrs = np.geomspace(0.001, 0.9, 20)

    def device_tasks(estimator_class: Any, **params: Any) -> list[Task]:
        return [
            Task(
                f"{estimator_class.__name__} {device}",
                lambda device=device: estimator_class(device=device, **params).fit(X, y),
            )
            for device in ("cuda", "cpu")
        ]

    loop = Task("plain torch loop cuda", lambda: plain_loop(X, y, torch.optim.SGD, 1000, "cuda"))
    compare([*device_tasks(GDLinearRegressor), loop], rounds=5)
    compare(device_tasks(GDLinearRegressor, loss="huber", epochs=100), rounds=3)
    compare(device_tasks(GDLinearRegressorCV, lrs=lrs), rounds=3)


def _fit_tasks(case: str, X: np.ndarray, y: np.ndarray) -> list[Task]:
    """A task for every model of a case."""
    return [
        Task(name, lambda make_model=make_model: make_model().fit(X, y))
        for name, make_model in MODELS[case].items()
    ]


CASES = {
    "tall": tall,
    "noise-free": noise_free,
    "polynomial": polynomial,
    "memory": memory,
    "small": small,
    "search": search,
    "predict": predict,
    "mini-batch": mini_batch,
    "huber": huber,
    "lasso": lasso,
    "callbacks": callbacks,
    "error-bars": error_bars,
    "wide": wide,
    "many-terms": many_terms,
    "sparse-epoch": sparse_epoch,
    "alphas": alphas,
    "first-fit": first_fit,
    "cuda": cuda,
    "scan": scan,
    "scan-growth": scan_growth,
}


def main() -> None:
    """Run the benchmarks that the arguments name, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(CASES)} (default: all)"
    )
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="rows of the tables of scan (default: 1000000)"
    )
    arguments = parser.parse_args()
    names = arguments.names or list(CASES)
    unknown = [name for name in names if name not in CASES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; the benchmarks are {', '.join(CASES)}")
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    print(f"{datetime.date.today()}, {_processor()}, 2 threads, float64{load}")
    print(
        f"sklearn_gd {__version__}, Python {platform.python_version()}, torch "
        f"{torch.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}\n"
    )
    with two_threads():
        for name in names:
            print(f"## {name}\n{CASES[name].__doc__}\n", flush=True)
            case: Any = CASES[name]
            case(arguments.rows) if name.startswith("scan") else case()


def _processor() -> str:
    """The name of the processor and the number of its cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()} x {os.cpu_count()}"


if __name__ == "__main__":
    main()
