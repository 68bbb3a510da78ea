"""Least squares in exact and in extended precision.

A float is a rational number, so least squares on floats has an exact rational solution.
`exact_least_squares` computes it with fractions, for small tables. `fitted_values` uses
orthogonal columns in extended precision, for tables of any size whose independent columns are
known.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.laws.objective import extended


def exact(values):
    """Floats as an array of fractions."""
    values = np.asarray(values, dtype=float)
    return np.array([Fraction(value) for value in values.ravel()]).reshape(values.shape)


def exact_least_squares(X, y, weight=None, *, fit_intercept=True, alpha=0.0):
    """Coefficients and intercept of the exact minimum-norm solution, as floats.

    It minimizes the weighted mean of squared residuals plus ``alpha / 2`` times the squared
    norm of the coefficients. With ``alpha=0`` it has the smallest norm of all solutions.
    """
    weight = np.ones(len(y)) if weight is None else weight
    X, y, weight = (exact(values)[weight > 0] for values in (X, y, weight))
    weight = weight / weight.sum()
    x_mean, y_mean = (weight @ X, weight @ y) if fit_intercept else (0 * X[0], Fraction(0))
    X, y = X - x_mean, y - y_mean
    if alpha:
        # the dual: coefficients are combinations of rows
        kernel = X @ X.T * weight + np.diag(exact(np.full(len(y), alpha / 2)))
        coef = X.T @ (weight * solve_exactly(kernel, y))
    else:
        # coefficients are combinations of the rows of the reduced echelon form R, and X = C R
        R, pivots = echelon_form(X)
        C = X[:, pivots]
        values = solve_exactly(C.T * weight @ C, C.T @ (weight * y))
        coef = R.T @ solve_exactly(R @ R.T, values)
    return coef.astype(float), float(y_mean - x_mean @ coef)


def echelon_form(A):
    """The nonzero rows of the reduced row echelon form, and the numbers of the pivot columns."""
    A, pivots = A.copy(), []
    for column in range(A.shape[1]):
        row = len(pivots)
        candidates = np.flatnonzero(A[row:, column])
        if len(candidates) == 0:
            continue
        A[[row, row + candidates[0]]] = A[[row + candidates[0], row]]
        A[row] = A[row] / A[row, column]
        for other in range(len(A)):
            if other != row:
                A[other] = A[other] - A[other, column] * A[row]
        pivots.append(column)
        if len(pivots) == len(A):
            break
    return A[: len(pivots)], pivots


def solve_exactly(A, b):
    """The solution of a regular system."""
    if len(A) == 0:
        return b
    return echelon_form(np.column_stack([A, b]))[0][:, -1]


def fitted_values(X, y, *, fit_intercept=True):
    """Fitted values of least squares on linearly independent columns, in extended precision."""
    X, y = extended(X), extended(y)
    mean = y.mean() if fit_intercept else 0
    fitted = np.zeros_like(y)
    basis = []
    for column in (X - X.mean(axis=0) if fit_intercept else X).T:
        column = column / abs(column).max()
        for _ in range(2):  # once more, because rounding left parts of earlier columns
            for earlier in basis:
                column = column - (earlier @ column) * earlier
        column = column / np.sqrt(column @ column)
        basis.append(column)
        fitted = fitted + (column @ (y - mean - fitted)) * column
    return fitted + mean
