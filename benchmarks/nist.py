"""Correct digits on NIST's eleven linear regression sets: ``python -m benchmarks.nist``.

https://www.itl.nist.gov/div898/strd/lls/lls.shtml certifies the coefficients. A method's
digits are those of its worst coefficient, -log10 of the relative error, at most 15.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.polynomial import Polynomial
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PolynomialFeatures

from benchmarks._timing import table
from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

FOLDER = Path(__file__).parents[1] / "tests" / "data" / "nist"


class Problem(NamedTuple):
    """One of NIST's sets."""

    X: np.ndarray
    y: np.ndarray
    degree: int
    fit_intercept: bool
    certified: np.ndarray  # the intercept first, if there is one


def load(name: str) -> Problem:
    """A set by its name."""
    facts = json.loads((FOLDER / "certified.json").read_text())[name]
    frame = pd.read_csv(FOLDER / f"{name}.csv", dtype=np.float64)
    X, y = frame.drop(columns="y").to_numpy(), frame["y"].to_numpy()
    return Problem(X, y, facts["degree"], facts["fit_intercept"], np.array(facts["coefficients"]))


def digits(found: np.ndarray, certified: np.ndarray) -> float:
    """Correct digits of the worst coefficient."""
    with np.errstate(divide="ignore"):
        right = -np.log10(np.abs(found - certified) / np.abs(certified))
    return float(np.clip(right, 0.0, 15.0).min())


def _coefficients(model: Any, problem: Problem) -> np.ndarray:
    return np.r_[model.intercept_, model.coef_] if problem.fit_intercept else model.coef_


def _ours(problem: Problem, **settings: Any) -> np.ndarray:
    settings["fit_intercept"] = problem.fit_intercept
    if problem.degree == 1:
        model = GDLinearRegressor(**settings)
    else:
        model = GDPolynomialRegressor(degree=problem.degree, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _coefficients(model.fit(problem.X, problem.y), problem)


def _pipeline(problem: Problem) -> np.ndarray:
    terms = PolynomialFeatures(problem.degree, include_bias=False).fit_transform(problem.X)
    linear = LinearRegression(fit_intercept=problem.fit_intercept)
    return _coefficients(linear.fit(terms, problem.y), problem)


def _numpy(problem: Problem) -> np.ndarray | None:
    if problem.X.shape[1] > 1 or not problem.fit_intercept:
        return None
    return Polynomial.fit(problem.X[:, 0], problem.y, problem.degree).convert().coef


METHODS: dict[str, Callable[[Problem], np.ndarray | None]] = {
    "defaults": _ours,
    "lr=0.1": lambda problem: _ours(problem, lr=0.1),
    'lr="auto"': lambda problem: _ours(problem, lr="auto"),
    "LinearRegression": _pipeline,
    "Polynomial.fit": _numpy,
}


def main() -> None:
    rows = []
    for name in json.loads((FOLDER / "certified.json").read_text()):
        problem = load(name)
        found = [method(problem) for method in METHODS.values()]
        cells = ["-" if f is None else f"{digits(f, problem.certified):.1f}" for f in found]
        rows.append([name, str(problem.degree), *cells])
    table(["", "degree", *METHODS], rows)


if __name__ == "__main__":
    main()
