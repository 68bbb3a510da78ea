"""Finite or told: whatever the data and the parameters, a model is right or says what is wrong.

`random_case` writes a small program: it makes data, builds a model and fits the model. `run`
runs the program and judges the result. The result is one of

- "finite": coefficients, `loss_` and predictions are finite, nothing was warned of, `loss_` is
  the loss of `predict`, it is not above the loss where the descent starts, and for squared error
  it is near the optimum;
- "told by warning": a ConvergenceWarning was given;
- "told by error": a ValueError or TypeError was raised, by a ``raise`` statement of `sklearn_gd`
  or of scikit-learn;
- "failed": anything else.

Since a case is a program, the program is also the reproduction of a failure. Run many cases by

    python -m tests.laws.finite_or_told --cases 5000 --seed 0
"""

from __future__ import annotations

import argparse
import dis
import re
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sklearn
import torch
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import _safe_indexing

import sklearn_gd
from tests.laws.objective import (
    elementwise_loss,
    extended,
    objective_at_start,
    objective_of_fit,
    two_dimensional,
    unit_weights,
)

HEADER = """\
from functools import partial
import numpy as np, pandas as pd, scipy.sparse as sp, torch
from sklearn.utils import _safe_indexing
from torch.optim import lr_scheduler
from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd import GDLinearRegressorCV, GDPolynomialRegressorCV
"""
OURS, SCIKIT_LEARN = (Path(module.__file__).parent for module in (sklearn_gd, sklearn))
FIT = "model.fit(X, y, sample_weight=weight)"
WARM = f"model.fit(X, y, sample_weight=weight).set_params(warm_start=True)\n{FIT}"
STREAM = """\
for rows in np.array_split(np.arange(n), min(n, 3)):
    part = None if weight is None else weight[rows]
    model.partial_fit(_safe_indexing(X, rows), y[rows], sample_weight=part)"""

LINEAR, POLYNOMIAL = "GDLinearRegressor", "GDPolynomialRegressor"
SHAPES = {  # smallest and largest number of rows, and of columns
    LINEAR: [(30, 300, 1, 8), (10, 60, 5, 30), (2, 30, 20, 300), (1, 3, 1, 4)],
    POLYNOMIAL: [(10, 200, 1, 1), (10, 200, 1, 3), (2, 20, 4, 8), (1, 3, 1, 3)],
}

# What is written into a program. What stands twice is twice as likely.
BASES = [
    *["X = rng.normal(size=(n, p))"] * 4,
    "X = rng.integers(-3, 4, size=(n, p)) * 1.0",
    "X = rng.normal(size=(n, p)) + 1e6",
    "X = rng.normal(size=(n, p)) * (rng.random((n, p)) < 0.2)",
    "X = 1.7e18 + 1e9 * rng.integers(0, 10**6, size=(n, p))",
]
DEPENDENCES = [
    "X[:, -1] = X[:, 0]",
    "X[:, -1] = X[:, 0] + X[:, p // 2]",
    "X[:, -1] = X[:, 0] * (1 + 1e-9 * rng.normal(size=n))",
    "X[:, p // 2 :] = X[:, :1]",
    "X[:, 0] = 3.0",
    "X[:, 0] = 0.0",
    "X[1:, 0] = 0.0",
    "X = X[rng.integers(n, size=n)]",
]
SCALES = [
    *["X *= 10.0 ** rng.uniform(-10, 10, size=p)"] * 4,
    "X *= 10.0 ** rng.uniform(-5, 5, size=p)",
    "X *= 10.0 ** rng.uniform(-15, 15, size=p)",
    "X *= 1e160",
    "X *= 1e-160",
    "X *= 1e-310",
    "X[:, 0] *= 1e160",
    "X[:, 0] *= 1e-170",
    "X[:, 0] *= 1e-312",
    "X[:, 0] = 1e300",
]
TARGETS = [
    *["y = rng.normal(size=n)"] * 2,
    *["y = X @ rng.normal(size=p)"] * 2,
    *["y = X @ rng.normal(size=p) + rng.normal(size=n)"] * 3,
    "y = np.zeros(n)",
    "y = np.full(n, 7.0)",
    "y = rng.normal(size=(n, 2))",
]
TARGET_SCALES = [
    "y = np.column_stack([y, 1e6 * rng.normal(size=n)])",
    "y = 1e10 * y",
    "y = y + 1e8",
    "y = y * 1e160",
    "y = y * 1e-160",
    "y = y * 1e-310",
]
WEIGHTS = [
    "weight = rng.uniform(size=n)",
    *["weight = rng.integers(0, 2, size=n) * 1.0"] * 2,
    "weight = rng.integers(0, 3, size=n) * 1e200",
    "weight = 10.0 ** rng.uniform(-10, 10, size=n)",
    "weight = np.eye(n)[0]",
    "weight = np.zeros(n)",
]
CONTAINERS = [
    *["X = X.astype(np.float32)"] * 2,
    *["X = sp.csr_array(X)"] * 2,
    "X = sp.csc_matrix(X)",
    "X = pd.DataFrame(X).rename(columns=str)",
    "X = np.asfortranarray(X)",
]
LRS = ["'auto'"] * 15 + ["0.1", "0.5", "0.9", "1.5", "5.0", "100.0", "1e-8"]
LRS += ["1e10", "1e300", "1e-300"]
OPTIMIZERS = [
    repr(name.lower())
    for name, value in vars(torch.optim).items()
    if isinstance(value, type) and issubclass(value, torch.optim.Optimizer) and name != "Optimizer"
]
SGD_OPTIONS = [
    "{'momentum': 0.9}",
    "{'momentum': 0.9, 'nesterov': True}",
    "{'momentum': 0.5, 'dampening': 0.5}",
    "{'weight_decay': 0.1}",
]
LOSSES = [
    "'huber'",
    "'huber', loss_params={'delta': 1e-3}",
    "'absolute_error'",
    "'quantile', loss_params={'quantile': 0.9}",
    "'epsilon_insensitive'",
    "'squared_epsilon_insensitive'",
    "'log_cosh'",
    "torch.nn.SmoothL1Loss(reduction='none')",
]
SCHEDULERS = [
    "lr_scheduler.ReduceLROnPlateau",
    "partial(lr_scheduler.CosineAnnealingLR, T_max=5)",
    "partial(lr_scheduler.CosineAnnealingWarmRestarts, T_0=4)",
    "partial(lr_scheduler.ExponentialLR, gamma=0.9)",
    "partial(lr_scheduler.StepLR, step_size=3)",
    "partial(lr_scheduler.LambdaLR, lr_lambda=lambda epoch: 10.0**epoch)",
    "partial(lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.5)",
    "partial(lr_scheduler.OneCycleLR, max_lr=0.5, total_steps=5)",
]


class Case(NamedTuple):
    """A program that makes data, builds a model and trains it."""

    shape: dict[str, int]  # n and p
    data: tuple[str, ...]  # lines that make X, y and weight
    estimator: str
    params: dict[str, str]  # the source of each constructor parameter
    training: str

    def preparation(self) -> str:
        """The part that makes data and the model."""
        params = ", ".join(f"{name}={value}" for name, value in self.params.items())
        shape = f"n, p = {self.shape['n']}, {self.shape['p']}"
        lines = [shape, *self.data, f"model = {self.estimator}({params})"]
        return HEADER + "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.preparation()}\n{self.training}\nprint(model.loss_, model.predict(X)[:3])"


class Outcome(NamedTuple):
    """What became of a case."""

    result: str  # "finite", "told by warning", "told by error" or "failed"
    kind: str  # the kind of failure, or the sentence that told
    seconds: float


class _Dice:
    """Random choices that depend on two numbers only."""

    def __init__(self, seed: int, index: int):
        self.rng = np.random.default_rng([seed, index])

    def happens(self, chance: float) -> bool:
        return self.rng.random() < chance

    def pick(self, options: Sequence) -> Any:
        return options[self.rng.integers(len(options))]

    def between(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def some(self, chance: float, options: Sequence[str]) -> list[str]:
        return [self.pick(options)] if self.happens(chance) else []


def random_case(seed: int, index: int) -> Case:
    """A case that depends on the two numbers only."""
    dice = _Dice(seed, index)
    estimator = dice.pick([LINEAR] * 2 + [POLYNOMIAL])
    low_n, high_n, low_p, high_p = dice.pick(SHAPES[estimator])
    shape = {"n": dice.between(low_n, high_n), "p": dice.between(low_p, high_p)}

    changes = dice.some(0.35, DEPENDENCES) + dice.some(0.5, SCALES) + dice.some(0.1, DEPENDENCES)
    changes = [changes[i] for i in dice.rng.permutation(len(changes))]
    changes.insert(dice.between(0, len(changes)), dice.pick(TARGETS))
    data = (
        f"rng = np.random.default_rng({index})",
        dice.pick(BASES),
        *changes,
        *dice.some(0.2, TARGET_SCALES),
        *(dice.some(0.3, WEIGHTS) or ["weight = None"]),
        *dice.some(0.3, CONTAINERS),
    )
    params = _random_params(dice)
    if estimator == POLYNOMIAL:
        params["degree"] = str(dice.between(1, 12 if shape["p"] == 1 else 3))
    training = dice.pick([FIT] * 5 + [STREAM, WARM])
    case = Case(shape, data, estimator, params, training)
    return _as_search(case) if dice.happens(0.08) else case


def _random_params(dice: _Dice) -> dict[str, str]:
    """Constructor parameters that both estimators have."""
    params = {"epochs": dice.pick(["1", "3", "10", "30", "30"]), "lr": dice.pick(LRS)}

    def add(chance: float, name: str, options: Sequence[str]) -> bool:
        happens = dice.happens(chance)
        if happens:
            params[name] = dice.pick(options)
        return happens

    needs_sgd = add(0.1, "positive", ["True"])
    if add(0.3, "alpha", ["1e-18", "1e-6", "0.1", "1.0", "1e6", "1e200"]):
        needs_sgd |= add(0.4, "l1_ratio", ["0.5", "1.0"])
    if not add(0.05 if needs_sgd else 0.35, "optimizer", OPTIMIZERS):
        add(0.3, "optimizer_params", SGD_OPTIONS)
    add(0.35, "loss", LOSSES)
    add(0.2, "fit_intercept", ["False"])
    add(0.45, "precondition", ["'standardize'", "None"] + ["'whiten'"] * (not needs_sgd))
    if add(0.2, "batch_size", ["1", "7", "1000"]):
        params["random_state"] = "0"
        add(0.3, "shuffle", ["False"])
    add(0.12, "lr_scheduler", SCHEDULERS)
    if add(0.15, "tol", ["0.0", "1e-3", "1e-9"]):
        params["n_iter_no_change"] = "2"
    if add(0.06, "early_stopping", ["True"]):
        params["random_state"] = "0"
    return params


def _as_search(case: Case) -> Case:
    """The same case, with a search over two learning rates, penalties and degrees."""
    params = dict(case.params)
    params.pop("early_stopping", None)
    lr, alpha = params.pop("lr"), params.pop("alpha", "0.0")
    params |= {"lrs": f"({lr}, 0.1)", "alphas": f"({alpha}, 1e-3)", "cv": "2"}
    if "degree" in params:
        params["degrees"] = f"(1, {min(int(params.pop('degree')), 4)})"
    return case._replace(estimator=f"{case.estimator}CV", params=params, training=FIT)


def run(case: Case) -> Outcome:
    """Run the program of a case, and judge the model that it trains."""
    names: dict[str, Any] = {}
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        exec(case.preparation(), names)
        warnings.simplefilter("always")
        try:
            exec(case.training, names)
            predictions = names["model"].predict(names["X"])
        except Exception as error:  # the judge wants all of them
            fault = _fault_of_error(error, names)
            return Outcome(
                "failed" if fault else "told by error",
                fault or _masked(error),
                time.perf_counter() - start,
            )
    seconds = time.perf_counter() - start
    told = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    others = [w for w in caught if not _is_allowed(w)]
    if others:
        kind, where = others[0].category.__name__, Path(others[0].filename).name
        return Outcome("failed", f"{kind} in {where}: {_masked(others[0].message)}", seconds)
    with np.errstate(all="ignore"):
        if told:
            return Outcome("told by warning", _masked(told[0]), seconds)
        fault = next(_faults_of_model(case, names, predictions), None)
    if fault:
        method = "partial_fit" if case.training == STREAM else "fit"
        return Outcome("failed", f"{case.estimator}.{method}: {fault}", seconds)
    return Outcome("finite", "", seconds)


def _is_allowed(warning: warnings.WarningMessage) -> bool:
    """Whether a warning tells the user, in words of ours or of scikit-learn."""
    text = str(warning.message)
    is_of_scores = "test scores are non-finite" in text or "concerns the scores of" in text
    is_of_terms = "which do not determine the coefficients" in text
    is_scikit_learns = Path(warning.filename).is_relative_to(SCIKIT_LEARN)
    is_convergence = issubclass(warning.category, ConvergenceWarning)
    return is_convergence or is_of_scores or is_of_terms or is_scikit_learns


def _fault_of_error(error: Exception, names: dict[str, Any]) -> str:
    """What is wrong with an error, or nothing: it tells the user in words of ours."""
    frame = error.__traceback__
    while frame.tb_next:
        frame = frame.tb_next
    code = frame.tb_frame.f_code
    is_raised = dis.opname[code.co_code[frame.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")
    path = Path(code.co_filename)
    is_ours = is_raised and any(path.is_relative_to(home) for home in (OURS, SCIKIT_LEARN))
    if not (isinstance(error, ValueError | TypeError) and is_ours):
        where = f"{path.name}, {code.co_name}"
        return f"{type(error).__name__} in {where}: {_masked(error)}"
    sizes = [abs(_dense(names[name])).astype(float) for name in ("X", "y")]
    is_moderate = all(
        ((values == 0) | (values > 1e-150)).all() and (values < 1e150).all() for values in sizes
    )
    if is_moderate and "Bring X and y to a moderate scale" in str(error):
        return f"{type(error).__name__} that is not true: {_masked(error)}"
    return ""


def _faults_of_model(case: Case, names: dict[str, Any], predictions: np.ndarray) -> Iterator[str]:
    """What is wrong with a fitted model that warned of nothing."""
    model, X, y, weight = (names[name] for name in ("model", "X", "y", "weight"))
    model = getattr(model, "best_estimator_", model)
    for name in ("coef_", "intercept_", "loss_"):
        if not np.isfinite(getattr(model, name)).all():
            yield f"{name} is not finite"
    if not np.isfinite(predictions).all():
        yield "predictions are not finite"
    if model.early_stopping:  # `loss_` is that of the rows that were not held out
        return
    start = objective_at_start(model, y, weight)
    if case.training == STREAM:
        if model.batch_size is None and model.loss == "squared_error":
            start = extended(model.loss_curve_[0])  # the last call sees all rows
        else:  # the last call sees its rows only, on which the stream did not start
            start *= 1e8
            rows, weight = names["rows"], names["part"]
            X, y = _safe_indexing(X, rows), y[rows]
    unit = objective_at_start(model, y, weight) + np.finfo(float).tiny
    slack = 1e-6 * unit + rounding_of_loss(model, X, y, weight)
    error = abs(objective_of_fit(model, X, y, weight) - extended(model.loss_))
    if not error <= slack:
        more = next((size for size in (1e9, 1.0, 1e-3, 1e-6) if error > size * unit), "an overflow")
        yield f"loss_ is off the loss of predict by more than {more} of the loss at the start"
    if not model.loss_ <= start * (1 + 1e-9) + slack:
        yield "the descent ended above its start"
    if is_unfinished(case, model, X, y, weight, start, slack):
        yield "far from the optimum"


def rounding_of_loss(model: Any, X: Any, y: np.ndarray, weight: Any) -> Any:
    """How much the loss may change by the rounding of coefficients and of predictions."""
    prediction = two_dimensional(model.predict(X))
    size = abs(prediction).max(axis=0, keepdims=True)
    if not hasattr(model, "powers_"):
        coef = np.atleast_2d(extended(model.coef_))
        size = abs(_dense(X)) @ abs(coef).T + abs(extended(model.intercept_))
    error = 4 * np.finfo(model.coef_.dtype).eps * size
    residual = prediction - two_dimensional(y)
    values = [elementwise_loss(model, residual + shift) for shift in (-error, error)]
    more = np.maximum(*values) - elementwise_loss(model, residual)
    if model.loss == "log_cosh":  # a difference of numbers of size 1 at least
        more = more + 4 * np.finfo(float).eps
    return (unit_weights(y, weight) @ more).mean()


def is_unfinished(case, model, X, y, weight, start, slack) -> bool:
    """Whether a descent that should say so ended far from the optimum of squared error."""
    says_so = (
        case.training == FIT
        and not case.estimator.endswith("CV")  # it may have chosen a small lr for good
        and model.loss == "squared_error"
        and not (model.positive or model.tol is not None or "early_stopping" in case.params)
        and model.batch_size is None
        and model.alpha * model.l1_ratio == 0
        and not hasattr(model, "powers_")
        and "weight_decay" not in str(model.optimizer_params)
        and model.optimizer != "adamw"  # it decays by default
    )
    if not says_so:
        return False
    reachable = least_objective(model, X, y, weight)
    return not model.loss_ <= reachable + 2e-3 * (start - reachable) + 1e-9 * start + slack


def least_objective(model: Any, X: Any, y: np.ndarray, weight: Any) -> Any:
    """An objective that least squares on columns of unit deviation reaches at least.

    Directions with a singular value below 1e-10 of the largest one are left out, so that
    rounding does not decide.
    """
    X, y, weight = _dense(X), two_dimensional(y), unit_weights(y, weight)[:, None]
    largest = abs(X).max(axis=0)
    if model.fit_intercept:
        X, y = X - (weight * X).sum(axis=0), y - (weight * y).sum(axis=0)
    ridge = np.sqrt(extended(model.alpha) / 2)
    scale = np.sqrt((weight * X**2).sum(axis=0) + ridge**2)
    scale[scale <= 1e-14 * largest] = np.inf
    scale[scale < np.finfo(float).tiny] = np.inf  # a coefficient of such a column overflows
    y_scale = np.sqrt((weight * y**2).sum(axis=0))
    y_scale[y_scale == 0] = 1
    design = np.vstack([np.sqrt(weight) * X / scale, np.diag(ridge / scale)]).astype(np.float64)
    target = np.vstack([np.sqrt(weight) * y / y_scale, np.zeros((X.shape[1], y.shape[1]))])
    target = target.astype(np.float64)
    residual = target - design @ np.linalg.lstsq(design, target, rcond=1e-10)[0]
    return ((residual**2).sum(axis=0) * y_scale**2).mean()


def _dense(X: Any) -> np.ndarray:
    """Rows in extended precision."""
    return extended(X.toarray() if sparse.issparse(X) else X)


def _masked(message: object) -> str:
    """A message without its numbers, so that equal messages are counted together."""
    words = str(message).split("\n")[0]
    words = re.sub(r"GD(Linear|Polynomial)Regressor", "GDRegressor", words)
    return re.sub(r"-?\d[\d.]*(e[-+]?\d+)?|\b(nan|-?inf)\b", "#", words)[:200]


def simplify(case: Case, kind: str) -> Case:
    """A smaller case that fails in the same way."""
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for simpler in _simpler_cases(case):
            try:
                outcome = run(simpler)
            except Exception:  # a line was left out that is needed
                continue
            if (outcome.result, outcome.kind) == ("failed", kind):
                case, is_smaller = simpler, True
                break
    return case


def _simpler_cases(case: Case) -> Iterator[Case]:
    """Cases with one thing less."""
    if case.training != FIT:
        yield case._replace(training=FIT)
    for name in sorted(case.params.keys() - {"epochs"}):  # the default takes long
        yield case._replace(params={k: v for k, v in case.params.items() if k != name})
    for i, line in enumerate(case.data):
        yield case._replace(data=case.data[:i] + case.data[i + 1 :])
        if line.startswith("weight") and line != "weight = None":
            yield case._replace(data=(*case.data[:i], "weight = None", *case.data[i + 1 :]))
    for name, size in case.shape.items():
        for smaller in {1, size // 2, size - 1} - {0, size}:
            yield case._replace(shape={**case.shape, name: smaller})
    if POLYNOMIAL in case.estimator:
        params = {k: v for k, v in case.params.items() if not k.startswith("degree")}
        linear = case.estimator.replace(POLYNOMIAL, LINEAR)
        yield case._replace(estimator=linear, params=params)


def report(cases: int, seed: int, first: int = 0) -> int:
    """Run some cases and print what became of them. Returns the number of failures."""
    results: Counter[str] = Counter()
    told: Counter[str] = Counter()
    failures: dict[str, list[int]] = {}
    slow: list[tuple[float, int]] = []
    for index in range(first, first + cases):
        outcome = run(random_case(seed, index))
        results[outcome.result] += 1
        if outcome.result == "failed":
            failures.setdefault(outcome.kind, []).append(index)
        elif outcome.kind:
            told[outcome.kind] += 1
        slow = sorted([*slow, (outcome.seconds, index)])[-3:]
    print(f"{cases} cases from {first} of seed {seed} on {sklearn_gd.__file__}")
    print(", ".join(f"{name} {count}" for name, count in results.most_common()))
    print("slowest:", ", ".join(f"{seconds:.1f} s ({index})" for seconds, index in slow))
    print("\nWhat was told:")
    for sentence, count in told.most_common():
        print(f"{count:5} {sentence}")
    for kind, indices in sorted(failures.items(), key=lambda item: -len(item[1])):
        print(f"\n=== {len(indices)} x {kind}\ncases {indices[:10]}, for example:")
        print(simplify(random_case(seed, indices[0]), kind), flush=True)
    return results["failed"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=500, help="number of cases")
    parser.add_argument("--seed", type=int, default=0, help="seed of all cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    options = parser.parse_args()
    raise SystemExit(report(options.cases, options.seed, options.first) > 0)
