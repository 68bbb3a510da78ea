"""Correct digits on the eleven linear regressions of NIST: ``python -m benchmarks.nist``.

https://www.itl.nist.gov/div898/strd/lls/lls.shtml gives the certified coefficients. The digits
of a method are the correct digits of its least accurate coefficient.
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

from benchmarks._timing import print_table
from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from tests.reference import correct_digits, nist

Method = Callable[[np.ndarray, np.ndarray, int, bool], np.ndarray | None]


def _gradient_descent(**params: Any) -> Method:
    """A method that fits our estimator with these parameters."""

    def coefficients(X: np.ndarray, y: np.ndarray, degree: int, intercept: bool) -> np.ndarray:
        model: Any = GDLinearRegressor(fit_intercept=intercept, **params)
        if degree > 1:
            model = GDPolynomialRegressor(degree=degree, fit_intercept=intercept, **params)
        return _intercept_and_coef(model.fit(X, y))

    return coefficients


def _linear_regression(X: np.ndarray, y: np.ndarray, degree: int, intercept: bool) -> np.ndarray:
    """The coefficients of LinearRegression on PolynomialFeatures."""
    terms = PolynomialFeatures(degree, include_bias=False).fit_transform(X)
    return _intercept_and_coef(LinearRegression(fit_intercept=intercept).fit(terms, y))


def _numpy_polynomial(
    X: np.ndarray, y: np.ndarray, degree: int, intercept: bool
) -> np.ndarray | None:
    """The coefficients of `Polynomial.fit`, or None if it cannot fit the model."""
    if X.shape[1] > 1 or not intercept:
        return None
    return Polynomial.fit(X[:, 0], y, degree).convert().coef


def _intercept_and_coef(model: Any) -> np.ndarray:
    """The coefficients of a fitted model, after its intercept if it has one."""
    return np.r_[model.intercept_, model.coef_] if model.fit_intercept else model.coef_


METHODS: dict[str, Method] = {
    "defaults": _gradient_descent(),
    "lr=0.1": _gradient_descent(lr=0.1),
    'lr="auto"': _gradient_descent(lr="auto"),
    "LinearRegression": _linear_regression,
    "Polynomial.fit": _numpy_polynomial,
}


def main() -> None:
    """Print the table of correct digits."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # the table shows the error
    rows = []
    for name, (X, y, problem) in nist().items():
        row = [name, str(problem["degree"])]
        for method in METHODS.values():
            estimate = method(X, y, problem["degree"], problem["fit_intercept"])
            digits = None if estimate is None else correct_digits(estimate, problem["coefficients"])
            row.append("-" if digits is None else f"{max(digits, 0.0):.1f}")
        rows.append(row)
    print_table(["", "degree", *METHODS], rows)


if __name__ == "__main__":
    main()
