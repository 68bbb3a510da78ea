"""What the golden masters and golden numbers are of: a name -> something fitted.

Data come from seeds and from scikit-learn's diabetes table. Only public names are used, so
that the package may be rearranged behind them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from torch.optim import lr_scheduler

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    GDPolynomialRegressorCV,
    losses,
    lr_report,
    minimize,
    solve,
)

FOLDER = Path(__file__).parent.parent / "data" / "golden"
NUMBERS = FOLDER / "numbers.json"
PREDICTIONS = FOLDER / "predictions.json"
RTOL = 1e-9  # of the largest entry of an array
PART = 15  # rows of a stream's part

Nudge = Callable[[np.ndarray], np.ndarray]


class Configuration(NamedTuple):
    """How to make something fitted, and how closely it comes out again."""

    make: Callable[[Nudge], Any]
    table: str | None = None
    rtol: float = RTOL
    why: str = ""  # it is not RTOL
    is_saved: bool = False
    go_on: Callable[[Any], Any] | None = None  # trains a loaded model further


class Table(NamedTuple):
    """Training data."""

    X: Any
    y: np.ndarray
    weight: np.ndarray | None = None


def as_is(values: np.ndarray) -> np.ndarray:
    """No nudge."""
    return values


def nudged(seed: int) -> Nudge:
    """A change by 1e-15 of each value, up or down: about that of summing in another order."""
    signs = np.random.default_rng(seed)
    return lambda values: values * (1.0 + 1e-15 * signs.choice([-1.0, 1.0], np.shape(values)))


# Data


def table(name: str, nudge: Nudge = as_is) -> Table:
    """The table of a name, its targets nudged."""
    made = TABLES[name]()
    return made._replace(y=nudge(made.y).astype(made.y.dtype))


def _diabetes() -> Table:
    X, y = load_diabetes(return_X_y=True, scaled=False)
    return Table(X[:80, 2:6].copy(), y[:80].copy())


def _frame() -> Table:
    X, y = _diabetes()[:2]
    return Table(pd.DataFrame(X, columns=["bmi", "bp", "s1", "s2"]), y)


def _float32() -> Table:
    X, y = _diabetes()[:2]
    return Table(X.astype(np.float32), y.astype(np.float32))


def _two_targets() -> Table:
    X, y = _diabetes()[:2]
    return Table(X[:, :3], np.column_stack([y, 0.01 * X[:, 3]]))


def _weighted() -> Table:
    X, y = _diabetes()[:2]
    weight = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    weight[::7] = 0.0
    return Table(X, y, weight)


def _deficient() -> Table:
    X, y = _diabetes()[:2]
    return Table(np.column_stack([X, X[:, 0] + X[:, 1], np.full(len(X), 3.0)]), y)


def _wide() -> Table:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(12, 20))
    return Table(X, X[:, 0] - 2.0 * X[:, 1] + rng.normal(size=12))


def _sparse() -> Table:
    rng = np.random.default_rng(3)
    X = rng.normal(1.0, 2.0, size=(60, 8)) * (rng.uniform(size=(60, 8)) < 0.3)
    return Table(sparse.csr_array(X), X @ np.arange(8.0) + rng.normal(size=60))


def _outliers() -> Table:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 3)) * [1.0, 5.0, 0.2]
    return Table(X, X @ [2.0, -1.0, 4.0] + 3.0 + rng.standard_t(1.5, size=60))


def _positive() -> Table:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(50, 5))
    return Table(X, X @ [2.0, -1.0, 0.5, -3.0, 1.0] + rng.normal(size=50))


def _curve() -> Table:
    rng = np.random.default_rng(6)
    x = rng.normal(2.0, 3.0, size=(45, 1))
    return Table(x, (0.1 * x**3 - x + 2.0)[:, 0] + rng.normal(size=45))


def _surface() -> Table:
    rng = np.random.default_rng(7)
    X = rng.uniform(-1.0, 4.0, size=(60, 3))
    return Table(X, X[:, 0] * X[:, 1] - X[:, 2] ** 2 + X[:, 0] + rng.normal(size=60))


def _surfaces() -> Table:
    X, y = _surface()[:2]
    rng = np.random.default_rng(8)
    return Table(X, np.column_stack([y, 5.0 * X[:, 1] ** 2 + rng.normal(size=60)]))


TABLES: dict[str, Callable[[], Table]] = {
    "diabetes": _diabetes,
    "frame": _frame,
    "float32": _float32,
    "two targets": _two_targets,
    "weighted": _weighted,
    "deficient": _deficient,
    "wide": _wide,
    "sparse": _sparse,
    "outliers": _outliers,
    "positive": _positive,
    "curve": _curve,
    "surface": _surface,
    "surfaces": _surfaces,
}


def rows(name: str) -> Any:
    """Six rows to predict, between those of a table."""
    X = TABLES[name]().X
    return 0.75 * X[:6] + 0.25 * (X[5::-1].reset_index(drop=True) if name == "frame" else X[5::-1])


# Configurations

CONFIGURATIONS: dict[str, Configuration] = {}


def _fit(name: str, kind: Any, data: str, *, warm: bool = False, **params: Any) -> None:
    """A configuration that fits, twice if it is warm."""
    own = {key: params.pop(key) for key in ("rtol", "why", "is_saved") if key in params}
    params = {"epochs": 40, **params}

    def train(model: Any, nudge: Nudge = as_is) -> Any:
        X, y, weight = table(data, nudge)
        return model.fit(X, y, sample_weight=weight)

    def make(nudge: Nudge) -> Any:
        model = kind(**params, **({"warm_start": True} if warm else {}))
        return train(train(model, nudge), nudge) if warm else train(model, nudge)

    _add(name, Configuration(make, data, go_on=train if warm else None, **own))


def _stream(name: str, kind: Any, data: str, **params: Any) -> None:
    """A configuration that streams two thirds of a table, and can go on with the rest."""
    own = {key: params.pop(key) for key in ("rtol", "why", "is_saved") if key in params}

    def train(model: Any, nudge: Nudge, starts: range) -> Any:
        X, y, weight = table(data, nudge)
        for start in starts:
            part = slice(start, start + PART)
            model.partial_fit(X[part], y[part], None if weight is None else weight[part])
        return model

    n = len(TABLES[data]().y)
    first, later = range(0, 2 * n // 3, PART), range(2 * n // 3, n, PART)
    make = lambda nudge: train(kind(**params), nudge, first)  # noqa: E731
    go_on = lambda model: train(model, as_is, later)  # noqa: E731
    _add(name, Configuration(make, data, go_on=go_on, **own))


def _call(name: str, make: Callable[[Nudge], Any], rtol: float = RTOL, why: str = "") -> None:
    """A configuration of a function's result."""
    _add(name, Configuration(make, rtol=rtol, why=why))


def _report(name: str, model: Any, data: str, **own: Any) -> None:
    """A configuration of what is known before any training."""
    _call(name, lambda nudge: lr_report(model, *table(data, nudge)[:2]), **own)


def _add(name: str, configuration: Configuration) -> None:
    assert name not in CONFIGURATIONS
    CONFIGURATIONS[name] = configuration


LINEAR, POLYNOMIAL = GDLinearRegressor, GDPolynomialRegressor
LINEAR_CV, POLYNOMIAL_CV = GDLinearRegressorCV, GDPolynomialRegressorCV
SAVED: dict[str, Any] = {"is_saved": True}
MOMENTUM = {"momentum": 0.9, "nesterov": True}
DECAYING = partial(lr_scheduler.ExponentialLR, gamma=0.99)
SINGLE = {"rtol": 1e-6, "why": "coefficients and predictions are rounded to float32"}

# plain fits: data, preconditions, penalties
_fit("linear-default", LINEAR, "diabetes", **SAVED)
_fit("linear-auto-rate", LINEAR, "diabetes", lr="auto")
_fit("linear-two-targets", LINEAR, "two targets", lr=0.1, **SAVED)
_fit("linear-float32", LINEAR, "float32", lr=0.1, **SINGLE, **SAVED)
_fit("linear-frame", LINEAR, "frame", precondition="whiten", lr=0.05, **SAVED)
_fit("linear-weighted", LINEAR, "weighted", lr=0.1, fit_intercept=False, **SAVED)
_fit(
    "linear-standardize",
    LINEAR,
    "weighted",
    lr=0.1,
    precondition="standardize",
    optimizer_params=MOMENTUM,
    **SAVED,
)
_fit("linear-raw", LINEAR, "outliers", precondition=None, **SAVED)
_fit("linear-deficient", LINEAR, "deficient", lr=0.2)
_fit("linear-deficient-standardized", LINEAR, "deficient", lr="auto", precondition="standardize")
_fit("linear-wide", LINEAR, "wide", lr=0.02)
_fit("linear-wide-raw", LINEAR, "wide", lr=0.02, precondition=None, fit_intercept=False)
_fit("linear-sparse", LINEAR, "sparse", lr="auto")
_fit("linear-sparse-raw", LINEAR, "sparse", precondition=None, optimizer_params={"momentum": 0.5})
_fit("linear-l2", LINEAR, "two targets", lr=0.1, alpha=0.3)
_fit("linear-l2-raw", LINEAR, "positive", lr=0.1, alpha=0.5, precondition=None)
_fit("linear-l1", LINEAR, "diabetes", lr="auto", alpha=20.0, l1_ratio=1.0, **SAVED)
_fit("linear-elastic-net", LINEAR, "positive", lr=0.2, alpha=0.4, l1_ratio=0.5)
_fit("linear-positive", LINEAR, "positive", lr="auto", positive=True, **SAVED)
_fit("linear-weight-decay", LINEAR, "outliers", optimizer_params={"weight_decay": 0.1})
_fit(
    "linear-diverging",
    LINEAR,
    "diabetes",
    lr=0.05,
    lr_scheduler=partial(lr_scheduler.ExponentialLR, gamma=1.4),
)
_fit("linear-diverging-raw", LINEAR, "diabetes", precondition=None)
_fit("linear-tol", LINEAR, "diabetes", lr=0.3, tol=1e-3, n_iter_no_change=3)
_fit("linear-warm", LINEAR, "two targets", warm=True, epochs=20, lr=0.1, **SAVED)

# losses
_fit("linear-huber", LINEAR, "outliers", loss="huber", lr="auto", **SAVED)
_fit("linear-huber-delta", LINEAR, "outliers", loss="huber", loss_params={"delta": 0.5}, lr=0.5)
_fit(
    "linear-quantile",
    LINEAR,
    "outliers",
    loss="quantile",
    loss_params={"quantile": 0.8},
    optimizer="adam",
    lr=0.1,
    **SAVED,
)
_fit(
    "linear-absolute-error",
    LINEAR,
    "outliers",
    loss="absolute_error",
    optimizer="adam",
    lr=0.1,
    rtol=1e-7,
    why="the first gradient cancels but for rounding, and Adam divides that by 1e-8",
)
_fit("linear-log-cosh", LINEAR, "outliers", loss=losses.log_cosh, lr=0.5, **SAVED)
_fit("linear-epsilon", LINEAR, "outliers", loss="epsilon_insensitive", loss_params={"epsilon": 0.5})
_fit("linear-squared-epsilon", LINEAR, "outliers", loss="squared_epsilon_insensitive", alpha=0.1)
_fit(
    "linear-own-loss",
    LINEAR,
    "outliers",
    loss=lambda prediction, target: (prediction - target).abs() ** 1.5,
    precondition="standardize",
)
_fit("polynomial-huber", POLYNOMIAL, "surfaces", loss="huber", lr=0.3)

# batches and early stopping
_fit("linear-batches", LINEAR, "diabetes", batch_size=16, random_state=0, lr=0.05, **SAVED)
_fit(
    "linear-batches-in-order",
    LINEAR,
    "two targets",
    batch_size=30,
    shuffle=False,
    epochs=15,
    optimizer_params={"momentum": 0.5},
)
_fit(
    "linear-early-stopping",
    LINEAR,
    "diabetes",
    early_stopping=True,
    validation_fraction=0.25,
    n_iter_no_change=5,
    random_state=1,
    lr=0.2,
    **SAVED,
)
_fit(
    "polynomial-batches",
    POLYNOMIAL,
    "surface",
    batch_size=20,
    epochs=15,
    optimizer="adam",
    loss="huber",
    random_state=3,
    lr=0.05,
)

# schedulers
_fit("linear-exponential", LINEAR, "diabetes", lr=0.1, lr_scheduler=DECAYING, **SAVED)
_fit(
    "linear-plateau",
    LINEAR,
    "outliers",
    lr=0.9,
    optimizer_params={"momentum": 0.9},
    lr_scheduler=partial(lr_scheduler.ReduceLROnPlateau, patience=2),
)
_fit(
    "polynomial-step",
    POLYNOMIAL,
    "curve",
    lr=0.2,
    optimizer="adam",
    lr_scheduler=partial(lr_scheduler.StepLR, step_size=10),
)

# polynomials
_fit("polynomial-nadam", POLYNOMIAL, "curve", optimizer="nadam", lr=0.1, **SAVED)
_fit("polynomial-adam-two-targets", POLYNOMIAL, "surfaces", optimizer="adam", lr=0.1, **SAVED)
_fit("polynomial-interactions", POLYNOMIAL, "frame", lr=0.2, interaction_only=True, **SAVED)
_fit("polynomial-degree-4", POLYNOMIAL, "curve", degree=4, lr="auto", **SAVED)
_fit("polynomial-raw", POLYNOMIAL, "surface", precondition=None, lr=1e-3, **SAVED)
_fit("polynomial-no-intercept", POLYNOMIAL, "weighted", fit_intercept=False, lr=0.1)
_fit("polynomial-l1", POLYNOMIAL, "surface", degree=3, lr="auto", alpha=1.0, l1_ratio=0.9)
_fit("polynomial-standardize", POLYNOMIAL, "curve", degree=3, lr="auto", precondition="standardize")
_fit("polynomial-warm", POLYNOMIAL, "surface", warm=True, epochs=20, lr=0.1, **SAVED)

# optimizers
_fit("adamw", LINEAR, "outliers", optimizer="adamw", lr=0.1)
_fit("amsgrad", LINEAR, "outliers", optimizer=torch.optim.Adam, optimizer_params={"amsgrad": True})
_fit("radam", LINEAR, "outliers", optimizer="radam", lr=0.1)
_fit("adagrad", LINEAR, "outliers", optimizer="adagrad", lr=0.5)
_fit("adamax", LINEAR, "outliers", optimizer="adamax", lr=0.1)
_fit("adadelta", LINEAR, "outliers", optimizer="adadelta", lr=1.0)
_fit("rmsprop", LINEAR, "outliers", optimizer="rmsprop", lr=0.05)
_fit("rprop", LINEAR, "outliers", optimizer="rprop", lr=0.05)
_fit("asgd", LINEAR, "outliers", optimizer="asgd", lr=0.1)
_fit("adafactor", LINEAR, "two targets", optimizer="adafactor", lr=0.1)
_fit("lbfgs", LINEAR, "outliers", optimizer="lbfgs", lr="auto", loss="log_cosh", epochs=8)
_fit(
    "lbfgs-polynomial",
    POLYNOMIAL,
    "curve",
    degree=3,
    optimizer="lbfgs",
    lr="auto",
    precondition="standardize",
    epochs=4,
)
_fit(
    "own-optimizer",
    LINEAR,
    "outliers",
    optimizer=lambda leaves: torch.optim.SGD(leaves, momentum=0.3, dampening=0.1),
    lr=0.1,
)

# streams
_stream(
    "stream-momentum",
    LINEAR,
    "two targets",
    optimizer_params=MOMENTUM,
    batch_size=4,
    random_state=2,
    **SAVED,
)
_stream(
    "stream-polynomial-adam",
    POLYNOMIAL,
    "surface",
    optimizer="adam",
    batch_size=5,
    lr=0.1,
    random_state=4,
    **SAVED,
)
_stream(
    "stream-scheduled",
    LINEAR,
    "weighted",
    lr_scheduler=DECAYING,
    batch_size=5,
    random_state=5,
    **SAVED,
)
_stream(
    "stream-raw-huber",
    LINEAR,
    "outliers",
    loss="huber",
    precondition=None,
    batch_size=3,
    shuffle=False,
)

# searches
_fit(
    "search-alphas",
    LINEAR_CV,
    "diabetes",
    lrs=(0.01, 0.3),
    alphas=(0.0, 0.1, 1.0),
    cv=3,
    **SAVED,
)
_fit(
    "search-degrees",
    POLYNOMIAL_CV,
    "curve",
    degrees=(1, 2, 3),
    lrs=(0.1, 0.3),
    alphas=(0.0, 0.01),
    cv=3,
    **SAVED,
)
_fit("search-huber", LINEAR_CV, "outliers", loss="huber", lrs=("auto", 0.1), cv=3, **SAVED)
_fit(
    "search-batches",
    POLYNOMIAL_CV,
    "surfaces",
    degrees=(1, 2),
    lrs=(0.05,),
    cv=2,
    batch_size=15,
    epochs=15,
    random_state=0,
    **SAVED,
)
_fit(
    "search-epochs",
    LINEAR_CV,
    "frame",
    lrs=(0.1, 0.5),
    cv=KFold(4, shuffle=True, random_state=0),
    select_epochs=True,
    scoring="neg_mean_absolute_error",
    **SAVED,
)
_fit(
    "search-lasso",
    LINEAR_CV,
    "weighted",
    lrs=("auto",),
    alphas=(0.1, 5.0, 50.0),
    l1_ratio=1.0,
    cv=3,
    tol=1e-3,
)
_fit("search-adam", LINEAR_CV, "two targets", optimizer="adam", lrs=(0.1, 1.0), cv=3)
_fit(
    "search-two-scores",
    POLYNOMIAL_CV,
    "surface",
    degrees=(1, 2),
    lrs=(0.1,),
    cv=3,
    scoring=["r2", "neg_mean_squared_error"],
    refit="r2",
    interaction_only=True,
    lr_scheduler=DECAYING,
)
_fit("search-diverging", LINEAR_CV, "diabetes", lrs=(0.2, 1.5), cv=3)
_fit("search-only", POLYNOMIAL_CV, "weighted", degrees=(1, 2), lrs=(0.2, 0.5), cv=3, refit=False)


# functions, systems, reports
def _valley(x: torch.Tensor) -> torch.Tensor:
    return (1.0 - x[0]) ** 2 + 5.0 * (x[1] - x[0] ** 2) ** 2


def _puzzle(**x: torch.Tensor) -> list[torch.Tensor]:
    return [x["a"] + x["b"] - 9, x["c"] - x["d"] - 1, x["a"] + x["c"] - 8, x["b"] - x["d"] - 2]


def _circles(x: torch.Tensor) -> torch.Tensor:
    return torch.stack([x[0] ** 2 + x[1] ** 2 - 4.0, x[0] * x[1] - 1.0])


CORNER = np.array([-0.5, 1.5])
_call("minimize-valley", lambda nudge: minimize(_valley, nudge(CORNER), epochs=40))
_call(
    "minimize-adam-scheduled",
    lambda nudge: minimize(
        _valley, nudge(CORNER), optimizer="adam", lr=0.1, lr_scheduler=DECAYING, epochs=40
    ),
)
_call(
    "minimize-rates",
    lambda nudge: minimize(
        lambda x: x**2 - 4 * x + 5, nudge(np.array(7.0)), lr=[0.01, 0.1, 3.0], epochs=20
    ),
)
_call(
    "minimize-tol",
    lambda nudge: minimize(_valley, nudge(CORNER), tol=1e-2, lr=0.02, epochs=100),
)
_call(
    "solve-puzzle",
    lambda nudge: solve(
        _puzzle, {name: nudge(np.array(0.5)) for name in "abcd"}, lr=0.05, epochs=20
    ),
)
_call(
    "solve-circles",
    lambda nudge: solve(_circles, nudge(CORNER), lr=0.01, epochs=20, optimizer_params=MOMENTUM),
)
_report("report-raw", LINEAR(precondition=None), "frame")
_report("report-standardize", LINEAR(precondition="standardize", lr=0.3), "two targets")
_report("report-momentum", POLYNOMIAL(optimizer_params=MOMENTUM, precondition=None), "surface")
_report("report-adam", LINEAR(optimizer="adam"), "diabetes")


# Results

FITTED = [
    "coef_",
    "intercept_",
    "loss_",
    "n_iter_",
    "lr_",
    "max_stable_lr_",
    "precondition_",
    "diverged_",
    "best_epoch_",
    "n_features_in_",
    "feature_names_in_",
    "powers_",
    "feature_names_out_",
    "alpha_",
    "degree_",
    "epochs_",
    "best_index_",
    "best_score_",
    "best_params_",
    "n_splits_",
    "multimetric_",
]
CURVES = ["loss_curve_", "validation_loss_curve_", "test_loss_curves_"]


def train(name: str, nudge: Nudge = as_is) -> tuple[Any, list[str]]:
    """The fitted thing of a name, and the texts of its warnings of convergence."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", ConvergenceWarning)
        made = CONFIGURATIONS[name].make(nudge)
    return made, [str(one.message) for one in caught]


def numbers(name: str, nudge: Nudge = as_is) -> Any:
    """What is stored of a configuration, as JSON would give it back."""
    made, warned = train(name, nudge)
    return json.loads(json.dumps({**_results(made, name, nudge), "warned": warned}))


def _results(made: Any, name: str, nudge: Nudge) -> dict[str, Any]:
    """The numbers and words of an estimator, a result or a report."""
    if hasattr(made, "_asdict"):
        return _plain(made._asdict())
    if isinstance(made, dict):
        found = {key: value for key, value in made.items() if key not in ("path", "loss_curve")}
        return _plain({**found, "loss_curve": thinned(made["loss_curve"])})
    found = {key: getattr(made, key) for key in FITTED if hasattr(made, key)}
    found |= {key: thinned(getattr(made, key)) for key in CURVES if hasattr(made, key)}
    if hasattr(made, "coef_"):
        data = CONFIGURATIONS[name].table
        assert data is not None
        found["dtype"] = str(made.coef_.dtype)
        found["score"] = made.score(*table(data, nudge))
    if hasattr(made, "cv_results_"):
        found["cv_results_"] = {
            key: value
            for key, value in made.cv_results_.items()
            if "time" not in key and not key.startswith("param_")
        }
    return _plain(found)


def thinned(curve: np.ndarray, points: int = 8) -> np.ndarray:
    """Some points of a curve, its first and last among them."""
    n = curve.shape[-1]
    return curve[..., np.unique(np.linspace(0, n - 1, points).round().astype(int))]


def _plain(value: Any) -> Any:
    """A value without NumPy."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def deviations(stored: Any, now: Any, where: str = "") -> Iterator[tuple[float, str]]:
    """How far floats are apart, relative to their array's largest; inf if other things differ."""
    if isinstance(stored, dict) and isinstance(now, dict) and stored.keys() == now.keys():
        for key, value in stored.items():
            yield from deviations(value, now[key], f"{where}.{key}")
        return
    before, after = np.array(stored), np.array(now)
    if before.dtype.kind == after.dtype.kind == "f" and before.shape == after.shape:
        with np.errstate(invalid="ignore"):
            distance = np.where(before == after, 0.0, np.abs(before - after))
        distance = np.where(np.isnan(before) & np.isnan(after), 0.0, distance)
        largest = np.abs(before[np.isfinite(before)]).max(initial=0.0)
        most = distance.max(initial=0.0)
        far = 0.0 if most == 0 else most / largest if largest > 0 else np.inf
        yield float(np.nan_to_num(far, nan=np.inf)), where
    else:
        yield 0.0 if type(stored) is type(now) and stored == now else np.inf, where


def furthest(stored: Any, now: Any) -> tuple[float, str]:
    """The largest deviation, and where it is."""
    return max(deviations(stored, now))
