"""Correct digits on the eleven linear regressions of NIST.

https://www.itl.nist.gov/div898/strd/lls/lls.shtml gives the certified coefficients and their
standard deviations. The digits of a method are the correct digits of its least accurate number.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PolynomialFeatures

from benchmarks._peers import if_installed
from benchmarks._report import Report, Row
from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, inference
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


def _standard_errors(X: np.ndarray, y: np.ndarray, degree: int, intercept: bool) -> np.ndarray:
    """The standard errors of `inference`."""
    model: Any = GDLinearRegressor(lr="auto", fit_intercept=intercept)
    if degree > 1:
        model = GDPolynomialRegressor(degree=degree, lr="auto", fit_intercept=intercept)
    return inference(model.fit(X, y), X, y).bse


def _statsmodels(method: str) -> Method:
    """A method that fits the OLS of statsmodels on PolynomialFeatures."""

    def standard_errors(X: np.ndarray, y: np.ndarray, degree: int, intercept: bool) -> np.ndarray:
        from statsmodels.api import OLS

        terms = PolynomialFeatures(degree, include_bias=intercept).fit_transform(X)
        return OLS(y, terms).fit(method=method).bse

    return standard_errors


METHODS: dict[str, Method] = {
    "defaults": _gradient_descent(),
    "lr=0.1": _gradient_descent(lr=0.1),
    'lr="auto"': _gradient_descent(lr="auto"),
    "LinearRegression": _linear_regression,
    "Polynomial.fit": _numpy_polynomial,
}

STANDARD_ERRORS: dict[str, Method] = {
    "inference": _standard_errors,
    **if_installed("statsmodels", "statsmodels pinv", _statsmodels("pinv")),
    **if_installed("statsmodels", "statsmodels qr", _statsmodels("qr")),
}


def accuracy(report: Report) -> None:
    """Correct digits of the least accurate coefficient and standard deviation on NIST's data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence and of rank; the table shows the error
        report.table("coefficients", _digits(METHODS, "coefficients"))
        # the standard deviations of wampler1 and wampler2 are zero
        report.table("standard deviations", _digits(STANDARD_ERRORS, "standard_deviations"))


def _digits(methods: dict[str, Method], certified: str) -> list[Row]:
    """The correct digits of some methods on all sets whose certified values are not zero."""
    rows: list[Row] = []
    for name, (X, y, problem) in nist().items():
        if not any(problem[certified]):
            continue
        row: Row = {"": name, "degree": problem["degree"]}
        for method, estimate_of in methods.items():
            estimate = estimate_of(X, y, problem["degree"], problem["fit_intercept"])
            digits = None if estimate is None else correct_digits(estimate, problem[certified])
            row[method] = None if digits is None else round(max(digits, 0.0), 1)
        rows.append(row)
    return rows
