"""Mean squared errors and R² of a model on the rows of moments, by NumPy."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sklearn_gd._data.polynomial import PolynomialBasis, monomial_basis
from sklearn_gd._moments.moments import Moments


def mean_squared_errors(
    moments: Moments, coef: np.ndarray, intercept: np.ndarray, basis: PolynomialBasis | None
) -> np.ndarray:
    """Errors (targets,) of coefficients (targets, terms) of ``basis`` (None: of the features)."""
    basis = basis or monomial_basis(moments.n_features, 1, interaction_only=False)
    columns = moments.basis._replace(degree=basis.degree, interaction_only=basis.interaction_only)
    if basis.min_degree > 1:
        coef = np.pad(coef, ((0, 0), (basis.n_left_out, 0)))
        basis = basis.with_low_degrees()
    coef, intercept = basis.convert(coef, intercept, columns)
    n_terms = coef.shape[1]  # lower degrees are the leading terms
    errors = moments.target - moments.factor[:, :n_terms] @ coef.T
    shift = moments.y_mean - coef @ moments.x_mean[:n_terms] - intercept
    square: np.ndarray = (errors**2).sum(axis=0) + moments.residual_norm**2
    return square / moments.weight + shift**2


def variances(moments: Moments) -> np.ndarray:
    """Weighted variances (targets,) of the targets."""
    square: np.ndarray = (moments.target**2).sum(axis=0) + moments.residual_norm**2
    return square / moments.weight


def r2(moments: Moments, errors: np.ndarray) -> float:
    """The mean R² over targets, as r2_score of scikit-learn, from mean squared errors."""
    if moments.n_samples < 2:
        message = "R^2 score is not well-defined with less than two samples."
        warnings.warn(message, UndefinedMetricWarning, stacklevel=2)
        return float("nan")
    variance = variances(moments)
    scores = np.where(errors == 0, 1.0, 0.0)  # of targets that are constant
    np.divide(errors, variance, out=scores, where=variance > 0)
    return float(np.where(variance > 0, 1.0 - scores, scores).mean())
