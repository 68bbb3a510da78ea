"""Correct digits on NIST's eleven linear regression sets: ``python -m benchmarks.nist``.

https://www.itl.nist.gov/div898/strd/lls/lls.shtml certifies the coefficients. A method's
digits are those of its worst coefficient.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PolynomialFeatures

from benchmarks._timing import table
from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from tests.reference import correct_digits, nist

Method = Callable[[np.ndarray, np.ndarray, int, bool], np.ndarray | None]


def _ours(**settings: Any) -> Method:
    """The estimator for the degree."""

    def coefficients(X: np.ndarray, y: np.ndarray, degree: int, intercept: bool) -> np.ndarray:
        model: Any = GDLinearRegressor(fit_intercept=intercept, **settings)
        if degree > 1:
            model = GDPolynomialRegressor(degree=degree, fit_intercept=intercept, **settings)
        return _all(model.fit(X, y))

    return coefficients


def _pipeline(X: np.ndarray, y: np.ndarray, degree: int, intercept: bool) -> np.ndarray:
    terms = PolynomialFeatures(degree, include_bias=False).fit_transform(X)
    return _all(LinearRegression(fit_intercept=intercept).fit(terms, y))


def _numpy(X: np.ndarray, y: np.ndarray, degree: int, intercept: bool) -> np.ndarray | None:
    if X.shape[1] > 1 or not intercept:
        return None
    return Polynomial.fit(X[:, 0], y, degree).convert().coef


def _all(model: Any) -> np.ndarray:
    """The coefficients, the intercept first if there is one."""
    return np.r_[model.intercept_, model.coef_] if model.fit_intercept else model.coef_


METHODS: dict[str, Method] = {
    "defaults": _ours(),
    "lr=0.1": _ours(lr=0.1),
    'lr="auto"': _ours(lr="auto"),
    "LinearRegression": _pipeline,
    "Polynomial.fit": _numpy,
}


def main() -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)  # the digits tell
    rows = []
    for name, (X, y, facts) in nist().items():
        row = [name, str(facts["degree"])]
        for method in METHODS.values():
            found = method(X, y, facts["degree"], facts["fit_intercept"])
            digits = None if found is None else correct_digits(found, facts["coefficients"])
            row.append("-" if digits is None else f"{max(digits, 0.0):.1f}")
        rows.append(row)
    table(["", "degree", *METHODS], rows)


if __name__ == "__main__":
    main()
