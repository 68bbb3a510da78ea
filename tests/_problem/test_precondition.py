"""From moments to coordinates: whitening whitens, wide data are whitened in their row space."""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor
from sklearn_gd._moments import gram
from sklearn_gd._moments.moments import merge
from sklearn_gd._problem import precondition as module
from sklearn_gd._problem.least_squares import least_squares
from sklearn_gd._problem.precondition import precondition_moments
from sklearn_gd._problem.preconditioners import (
    DeficientPreconditioner,
    DensePreconditioner,
    RowSpacePreconditioner,
)
from tests._moments.reference import moments_of
from tests._problem.reference import matrix_of, random

RNG = np.random.default_rng(0)


def rows(shape=(80, 4), *, weighted=True):
    n, p = shape
    X = RNG.normal(size=(n, p)) @ RNG.normal(size=(p, p)) * 10.0 ** np.resize([0, 2, -2], p)
    y = X @ RNG.normal(size=(p, 2)) + RNG.normal(size=(n, 2))
    return X + RNG.normal(size=p), y, RNG.uniform(0.1, 1.0, n) if weighted else np.ones(n)


def covariance(X, weight, *, center=True):
    X = X - np.average(X, axis=0, weights=weight) * int(center)
    return X.T * weight @ X / weight.sum()


@pytest.mark.parametrize("center", [True, False])
def test_whitened_features_are_uncorrelated_with_unit_variance(center):
    X, y, weight = rows()
    preconditioned = precondition_moments(
        merge([moments_of(X, y, weight, center=center)]), "whiten", 0.0, None
    )
    matrix = matrix_of(preconditioned.preconditioner)
    whitened = matrix.T @ covariance(X, weight, center=center) @ matrix
    np.testing.assert_allclose(whitened, np.eye(4), rtol=0, atol=1e-11)
    assert not np.tril(matrix, -1).any()
    assert (np.diag(matrix) > 0).all()
    assert preconditioned.design is None


@pytest.mark.parametrize("center", [True, False])
def test_standardized_features_have_unit_variance(center):
    X, y, weight = rows()
    X[:, 2] = 5.0 if center else 0.0  # a column without deviation has no coordinate that moves
    moments = merge([moments_of(X, y, weight, center=center)])
    preconditioner = precondition_moments(moments, "standardize", 0.0, None).preconditioner
    deviation = np.sqrt(np.diag(covariance(X, weight, center=center)))
    deviation[2] = np.inf
    np.testing.assert_allclose(preconditioner.scale[0], 1 / deviation, rtol=1e-12)
    inverse = preconditioner.inverse[0].numpy()
    np.testing.assert_allclose(inverse[[0, 1, 3]], deviation[[0, 1, 3]], rtol=1e-12)
    assert inverse[2] == 0.0


DESIGNS = {
    "tall": rows(),
    "square": rows((6, 6)),
    "wide": rows((5, 9)),
    "duplicate": (lambda X, y, w: (X[:, [0, 1, 1, 2]], y, w))(*rows()),
    "constant": (lambda X, y, w: (X * [1, 0, 1, 1], y, w))(*rows()),
    "all constant": (lambda X, y, w: (0.0 * X + 3.0, y, w))(*rows()),
}


@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("name", DESIGNS)
def test_the_mean_squared_error_in_coordinates_is_that_of_the_rows(name, center, precondition):
    X, y, weight = DESIGNS[name]
    moments = merge([moments_of(X, y, weight, center=center)])
    preconditioner, design, target, residual_norm, ridge = precondition_moments(
        moments, precondition, 0.0, None
    )
    assert ridge is None
    v = random(1, 3, 2, preconditioner.n_coordinates, seed=7) * float(y.std())
    if name == "all constant" and center:
        v = 0.0 * v  # no gradient ever moves the coordinates
    coef = preconditioner.to_coef(v)[0].numpy()  # (runs, targets, p)
    fitted = v[0] if design is None else v[0] @ design.T
    value = (fitted - target.T).square().sum(-1) + residual_norm**2
    shift = int(center)
    X, y = (part - np.average(part, axis=0, weights=weight) * shift for part in (X, y))
    error = (np.einsum("np,rtp->rtn", X, coef) - y.T) ** 2
    expected = np.average(error, axis=-1, weights=weight)
    np.testing.assert_allclose(value, expected, rtol=1e-9)


def test_whitening_of_deficient_rank_lands_on_the_minimum_norm():
    for name in ("wide", "duplicate", "constant"):
        X, y, weight = DESIGNS[name]
        moments = merge([moments_of(X, y, weight)])
        preconditioned = precondition_moments(moments, "whiten", 0.0, None)
        coef = preconditioned.preconditioner.to_coef(preconditioned.target.T[None, None])[0, 0]
        root = np.sqrt(weight)[:, None]
        X, y = ((part - np.average(part, axis=0, weights=weight)) * root for part in (X, y))
        expected = (np.linalg.pinv(X, rcond=1e-10) @ y).T
        np.testing.assert_allclose(coef, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())
        back = preconditioned.preconditioner.from_coef(coef[None, None])[0, 0]
        np.testing.assert_allclose(back, preconditioned.target.T, rtol=1e-6, atol=1e-8)
