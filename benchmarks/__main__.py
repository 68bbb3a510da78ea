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

from benchmarks import _threads
from benchmarks._data import made, plain_loop, skorch_line
from benchmarks._memory import extra_megabytes, search_of_many
from benchmarks._timing import Contestant, race, table
from benchmarks.models import MODELS, SHAPES
from benchmarks.training import callbacks, huber, lasso, mini_batch
from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, __version__

SKORCH_LRS, SKORCH_FOLDS = 1, 2  # of the search with skorch; its time is scaled to all fits
PLAIN_EPOCHS = 10  # of the plain loop on a million rows; its time is scaled to 1,000


def tall() -> None:
    """1,000,000 x 50: the defaults, 1,000 epochs."""
    X, y = made(*SHAPES["tall"])
    plain = Contestant(
        f"plain torch loop (from {PLAIN_EPOCHS} epochs)",
        lambda: plain_loop(X, y, torch.optim.SGD, PLAIN_EPOCHS),
        share=PLAIN_EPOCHS / 1000,
    )
    race([*_fits("tall", X, y), plain], rounds=5)


def noise_free() -> None:
    """1,000,000 x 50 without noise, which goes through QR."""
    X, y = made(*SHAPES["noise-free"], noise=0.0)
    race(_fits("noise-free", X, y), rounds=5)


def polynomial() -> None:
    """1,000,000 x 10 at degree 3."""
    X, y = made(*SHAPES["polynomial"])
    race(_fits("polynomial", X, y), rounds=2)


def memory() -> None:
    """Peak memory beyond the data, each fit in a process of its own."""
    rows = []
    for case in ("tall", "polynomial"):
        n, p = SHAPES[case]
        size = n * p * 8 / 1e6
        for name in MODELS[case]:
            extra = extra_megabytes(case, name)
            rows.append([f"{n:,} x {p}", name, f"{extra:.0f} MB", f"{extra / size:.1%} of X"])
    table(["X", "", "extra peak", ""], rows)


def small() -> None:
    """20 x 2, NAdam, 1,000 epochs."""
    X, y = made(20, 2)
    model = GDLinearRegressor(optimizer="nadam")
    race(
        [
            Contestant("GDLinearRegressor", lambda: model.fit(X, y)),
            Contestant("plain torch loop", lambda: plain_loop(X, y, torch.optim.NAdam, 1000)),
        ],
        rounds=15,
    )


def search() -> None:
    """20 learning rates x 5 folds x 1,000 epochs: a descent against many fits."""
    lrs, alphas = np.geomspace(0.001, 0.9, 20), np.geomspace(1e-6, 1e-1, 20)
    X, y = load_diabetes(return_X_y=True)
    ours = Contestant("GDLinearRegressorCV", lambda: GDLinearRegressorCV(lrs=lrs).fit(X, y))
    huber = {"loss": "huber", "loss_params": {"delta": 50.0}}
    tall_X, tall_y = made(100_000, 50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print("diabetes, 442 x 10:\n")
        race(
            [
                ours,
                Contestant(
                    "GridSearchCV, GDLinearRegressor",
                    lambda: GridSearchCV(GDLinearRegressor(), {"lr": lrs}).fit(X, y),
                ),
                Contestant(
                    "GridSearchCV, SGDRegressor (20 alphas)",
                    lambda: GridSearchCV(SGDRegressor(), {"alpha": alphas}).fit(X, y),
                ),
            ],
            rounds=5,
        )
        if find_spec("skorch"):
            targets = y.astype(np.float32)[:, None]
            few = lrs[:SKORCH_LRS]
            skorch = Contestant(
                f"GridSearchCV, skorch (from {SKORCH_LRS} lrs, {SKORCH_FOLDS} folds)",
                lambda: GridSearchCV(
                    skorch_line(X.shape[1]), {"lr": few}, cv=SKORCH_FOLDS, refit=False
                ).fit(X.astype(np.float32), targets),
                share=SKORCH_LRS * SKORCH_FOLDS / (20 * 5 + 1),
            )
            race([ours, skorch], rounds=3)
        else:
            print("skorch is not installed\n")
        print("diabetes, Huber's loss:\n")
        race(
            [
                Contestant(
                    "GDLinearRegressorCV",
                    lambda: GDLinearRegressorCV(lrs=lrs, **huber).fit(X, y),
                ),
                Contestant(
                    "GridSearchCV, GDLinearRegressor",
                    lambda: GridSearchCV(GDLinearRegressor(**huber), {"lr": lrs}).fit(X, y),
                ),
            ],
            rounds=1,
        )
        print("100,000 x 50, to one plain fit:\n")
        race(
            [
                Contestant("GDLinearRegressor", lambda: GDLinearRegressor().fit(tall_X, tall_y)),
                Contestant(
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
    """Predict 1 row (time of a call), and 1,000,000 rows of 50 features."""
    X, y = made(1_000_000, 50)
    models = {
        "GDLinearRegressor": GDLinearRegressor().fit(X[:1000], y[:1000]),
        "LinearRegression": LinearRegression().fit(X[:1000], y[:1000]),
    }
    for rows, calls in ((X[:1], 500), (X, 1)):
        print(f"{len(rows):,} rows:\n")

        def repeat(model: Any, rows: np.ndarray = rows, calls: int = calls) -> None:
            for _ in range(calls):
                model.predict(rows)

        race(
            [Contestant(n, lambda m=m: repeat(m), share=calls) for n, m in models.items()],
            rounds=15,
        )


def cuda() -> None:
    """1,000,000 x 50 on a CUDA device, the transfer included: a fit, and a search."""
    if not torch.cuda.is_available():
        print("no CUDA device here\n")
        return
    print(f"{torch.cuda.get_device_name()}\n")
    X, y = made(*SHAPES["tall"])
    lrs = np.geomspace(0.001, 0.9, 20)

    def fits(kind: Any, **options: Any) -> list[Contestant]:
        return [
            Contestant(
                f"{kind.__name__} {device}",
                lambda device=device: kind(device=device, **options).fit(X, y),
            )
            for device in ("cuda", "cpu")
        ]

    loop = Contestant(
        "plain torch loop cuda", lambda: plain_loop(X, y, torch.optim.SGD, 1000, "cuda")
    )
    race([*fits(GDLinearRegressor), loop], rounds=5)
    race(fits(GDLinearRegressor, loss="huber", epochs=100), rounds=3)
    race(fits(GDLinearRegressorCV, lrs=lrs), rounds=3)


def _fits(case: str, X: np.ndarray, y: np.ndarray) -> list[Contestant]:
    """A contestant for each model of a case."""
    return [
        Contestant(name, lambda make=make: make().fit(X, y)) for name, make in MODELS[case].items()
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
    "cuda": cuda,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}")
    names = parser.parse_args().names or list(CASES)
    unknown = [name for name in names if name not in CASES]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(CASES)}")
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    print(f"{datetime.date.today()}, {_processor()}, 2 threads, float64{load}")
    print(
        f"sklearn_gd {__version__}, Python {platform.python_version()}, torch "
        f"{torch.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}\n"
    )
    with _threads.two():
        for name in names:
            print(f"## {name}\n{CASES[name].__doc__}\n", flush=True)
            CASES[name]()


def _processor() -> str:
    """What the processor calls itself."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{named[0] if named else platform.processor()} x {os.cpu_count()}"


if __name__ == "__main__":
    main()
