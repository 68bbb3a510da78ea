"""Least squares against exact fractions and extended precision.

With ``lr="auto"`` in whitened coordinates a few epochs reach the optimum to rounding. Then
fitted values, coefficients, the minimum norm and `loss_` are those of the exact solution of
the same floats.
"""

import numpy as np
import pytest

from sklearn_gd import GDLinearRegressor
from tests.laws.designs import DESIGNS, faults
from tests.laws.objective import objective_of_fit
from tests.laws.oracle import exact_least_squares, fitted_values


def assert_exact(X, y, weight=None, *, rtol, **options):
    """The fit against fractions: fitted values to ``rtol`` of the largest target."""
    model = GDLinearRegressor(lr="auto", epochs=10, **options).fit(X, y, weight)
    coef, intercept = exact_least_squares(X, y, weight, **options)
    size = np.abs(y).max()
    np.testing.assert_allclose(model.predict(X), X @ coef + intercept, rtol=0, atol=rtol * size)
    loss = float(objective_of_fit(model, X, y, weight))
    # the fitted values of the test are rounded too
    assert model.loss_ == pytest.approx(loss, rel=max(1e-9, rtol), abs=1e-26 * size**2)
    return model.coef_, coef


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_integers_of_any_rank(seed, fit_intercept):
    rng = np.random.default_rng(seed)
    n, p, rank = rng.integers(2, 9, size=3)
    X = rng.integers(-3, 4, size=(n, rank)) @ rng.integers(-2, 3, size=(rank, p)) * 1.0
    y, weight = rng.integers(-9, 10, size=n) * 1.0, rng.integers(0, 4, size=n) * 1.0
    weight[0] = 1.0
    coef, expected = assert_exact(X, y, weight, rtol=1e-12, fit_intercept=fit_intercept)
    np.testing.assert_allclose(coef, expected, rtol=0, atol=1e-11 * max(np.abs(expected).max(), 1))


@pytest.mark.parametrize("alpha", [1e-18, 1e-9, 1e-3, 1.0, 1e6])
@pytest.mark.parametrize("shape", [(5, 20), (12, 60), (8, 8), (20, 4)])
def test_ridge(shape, alpha):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=shape), rng.normal(size=shape[0])
    coef, expected = assert_exact(X, y, rtol=1e-11, alpha=alpha)
    np.testing.assert_allclose(coef, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("closeness", [1e-3, 1e-6, 1e-8])
def test_columns_that_nearly_agree(closeness):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 4))
    X[:, 3] = X[:, 0] + closeness * rng.normal(size=12)
    y = X @ [1.0, -2.0, 0.5, 1.0] + 0.1 * rng.normal(size=12)
    # the fitted values of a backward stable method err by rounding times the condition
    coef, expected = assert_exact(X, y, rtol=1e-15 / closeness)
    error = np.abs(coef - expected).max() / np.abs(expected).max()
    assert error <= 1e-14 / closeness


def test_powers_of_large_numbers():
    x = np.linspace(100.0, 110.0, 15)
    X = x[:, None] ** [1, 2, 3, 4]
    assert_exact(X, np.cos(x), rtol=1e-6)


@pytest.mark.parametrize("exponent", [0, 5, 10, 100, -100])
def test_columns_in_any_units(exponent):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 6)) * 10.0 ** np.linspace(0, exponent, 6)
    y = rng.normal(size=40)
    model = GDLinearRegressor(lr="auto", epochs=10).fit(X, y)
    np.testing.assert_allclose(model.predict(X), fitted_values(X, y).astype(float), atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", DESIGNS)
def test_designs(name, seed):
    assert faults(DESIGNS[name](seed)) == []
