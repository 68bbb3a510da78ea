"""Other shapes of data: wide, many columns, sparse, many terms, many penalties, a first fit."""

from __future__ import annotations

import math
import subprocess
import sys
import time
import warnings

import numpy as np
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LassoCV, LinearRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from benchmarks._data import linear_data
from benchmarks._memory import extra_megabytes
from benchmarks._timing import Task, compare, print_table
from benchmarks.models import MODELS, SHAPES
from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, GDPolynomialRegressor

WIDE = ("10,000 x 3,000", "2,000 x 20,000", "500 x 5,000 L2", "100 x 20,000 L2")
SPARSE_EPOCHS = 20  # beyond the first, of the sparse fit; the time is that of one epoch
FOLDS = 5
FIRST_FIT = """
import time
start = time.perf_counter()
import torch
torch_import = time.perf_counter() - start
import numpy as np
import sklearn.linear_model
from sklearn_gd import GDLinearRegressor
rng = np.random.default_rng(0)
X = rng.normal(size=(100, 5))
y = X @ rng.normal(size=5) + rng.normal(size=100)
start = time.perf_counter()
GDLinearRegressor().fit(X, y)
print(torch_import, time.perf_counter() - start)
"""


def wide() -> None:
    """As many columns as rows or more, and many columns: against Ridge; time and memory."""
    rows = []
    for case in WIDE:
        print(f"{case}:\n")
        _compare_models(case)
        size = 8 * math.prod(SHAPES[case]) / 1e6
        for name in MODELS[case]:
            extra = extra_megabytes(case, name)
            rows.append([case, name, f"{extra:.0f} MB", f"{extra / size:.1f} of X"])
    print_table(["X", "", "extra peak", ""], rows)


def _compare_models(case: str) -> None:
    """Time the models of a case."""
    X, y = linear_data(*SHAPES[case])
    tasks = [
        Task(name, lambda make_model=make_model: make_model().fit(X, y))
        for name, make_model in MODELS[case].items()
    ]
    compare(tasks, rounds=3)


def many_terms() -> None:
    """Diabetes at degree 6 (8,007 terms of 442 rows), against a pipeline with LinearRegression."""
    X, y = load_diabetes(return_X_y=True)
    pipeline = make_pipeline(PolynomialFeatures(6, include_bias=False), LinearRegression())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(
            [
                Task("GDPolynomialRegressor", lambda: GDPolynomialRegressor(degree=6).fit(X, y)),
                Task("PolynomialFeatures + LinearRegression", lambda: pipeline.fit(X, y)),
            ],
            rounds=3,
        )


def sparse_epoch() -> None:
    """An epoch of 100,000 x 50,000 with 5,000,000 entries, against the two products of SciPy."""
    rng = np.random.default_rng(0)
    X = sparse.random(100_000, 50_000, density=1e-3, format="csr", rng=rng)
    y = X @ rng.normal(size=X.shape[1]) + rng.normal(size=X.shape[0])
    v, r = rng.normal(size=X.shape[1]), rng.normal(size=X.shape[0])

    def fit(epochs: int) -> float:
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            GDLinearRegressor(epochs=epochs, lr="auto").fit(X, y)
        return time.perf_counter() - start

    rows = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(SPARSE_EPOCHS):
            X @ v
            X.T @ r
        products = (time.perf_counter() - start) / SPARSE_EPOCHS
        epoch = (fit(1 + SPARSE_EPOCHS) - fit(1)) / SPARSE_EPOCHS
        rows.append([f"{epoch:.4f}", f"{products:.4f}", f"{epoch / products:.2f}"])
    print_table(["s of an epoch", "s of X·v and Xᵀ·r in SciPy", "ratio"], rows)


def alphas() -> None:
    """50 penalties x 5 folds on 20,000 x 50, lr="auto", tol=1e-9: against RidgeCV and LassoCV."""
    X, y = linear_data(20_000, 50, noise=5.0)
    n_train = len(X) * (FOLDS - 1) / FOLDS
    ridge_alphas = np.logspace(-3, 3, 50)
    # alpha is 2/n times the alpha of Ridge
    search = _search(2.0 * ridge_alphas / n_train, 0.0)
    peer = RidgeCV(ridge_alphas, cv=FOLDS)
    compare(
        [
            Task("GDLinearRegressorCV", lambda: search.fit(X, y)),
            Task("RidgeCV, leave one out", lambda: RidgeCV(ridge_alphas).fit(X, y)),
            Task("RidgeCV(cv=5)", lambda: peer.fit(X, y)),
        ],
        rounds=3,
    )
    print(f"alpha: ours {search.alpha_ * n_train / 2:.6g}, RidgeCV(cv=5) {peer.alpha_:.6g}\n")
    for correlation in (0.0, 0.9):
        print(f"L1, correlation {correlation}:\n")
        common = np.random.default_rng(1).normal(size=(len(X), 1))
        _compare_l1(np.sqrt(1 - correlation) * X + np.sqrt(correlation) * common, y)


def _search(alphas: np.ndarray, l1_ratio: float) -> GDLinearRegressorCV:
    """A search over penalties."""
    return GDLinearRegressorCV(lrs=("auto",), alphas=alphas, l1_ratio=l1_ratio, tol=1e-9, cv=FOLDS)


def _compare_l1(X: np.ndarray, y: np.ndarray) -> None:
    """The path of LassoCV, with its alphas in both searches."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = LassoCV(alphas=50, cv=FOLDS, tol=1e-10, max_iter=10_000).fit(X, y)
        search = _search(2.0 * peer.alphas_, 1.0)  # alpha is twice the alpha of Lasso
        compare(
            [
                Task("GDLinearRegressorCV", lambda: search.fit(X, y)),
                Task("LassoCV(tol=1e-10)", lambda: peer.fit(X, y)),
            ],
            rounds=3,
        )
    print(f"alpha: ours {search.alpha_ / 2:.6g}, LassoCV {peer.alpha_:.6g}\n")


def first_fit() -> None:
    """The first fit of a process, 100 x 5, after the imports, against ``import torch``."""
    rows = []
    for _ in range(3):
        command = [sys.executable, "-c", FIRST_FIT]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        imported, fitted = map(float, printed.split())
        rows.append([f"{imported:.2f}", f"{fitted:.2f}", f"{fitted / imported:.2f}"])
    print_table(["s of import torch", "s of the first fit", "ratio"], rows)
