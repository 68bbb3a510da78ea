"""Whitened data of deficient rank: the descent ends at the minimum norm."""

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.linear_model import Ridge

from sklearn_gd import GDLinearRegressor


def duplicated():
    X, y = make_regression(200, 5, noise=10.0, random_state=0)
    return np.hstack([X, X[:, [1, 3]], np.full((200, 1), 0.1)]), y


def test_deficient_rank_gives_the_minimum_norm():
    X, y = duplicated()
    X = X * [1, 1, 1, 1, 1, 3, 1, 1]
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
    coef = np.linalg.pinv(X - X.mean(axis=0), rcond=1e-10) @ (y - y.mean())
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 10.0])
@pytest.mark.parametrize("n", [1, 2, 9])
def test_wide_data(n, alpha, weighted, fit_intercept):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, 30)) + rng.normal(size=30), rng.normal(size=n)
    weight = rng.uniform(0.5, 3.0, n) if weighted else np.ones(n)
    model = GDLinearRegressor(lr="auto", epochs=20, alpha=alpha, fit_intercept=fit_intercept)
    model.fit(X, y, weight)
    if alpha:
        reference = Ridge(alpha * weight.sum() / 2, fit_intercept=fit_intercept)
        expected = reference.fit(X, y, weight).coef_
    else:
        mean = np.average(X, axis=0, weights=weight) * fit_intercept
        goal = y - np.average(y, weights=weight) * fit_intercept
        root = np.sqrt(weight)
        expected = np.linalg.lstsq((X - mean) * root[:, None], goal * root, rcond=1e-10)[0]
        assert model.loss_ < 1e-20
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-8, atol=1e-11)


def test_ridge_of_very_wide_data():
    """With a matrix of 20,000 x 20,000 it would be far beyond any limit of time and memory."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 20_000)), rng.normal(size=50)
    model = GDLinearRegressor(lr="auto", epochs=20, alpha=1.0).fit(X, y)
    expected = Ridge(25.0).fit(X, y).coef_
    np.testing.assert_allclose(model.coef_, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
    assert model.precondition_ == "whiten"
    assert model.lr_ == 0.5


def test_many_dependent_columns():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(300, 60))
    X = np.hstack([base, base @ rng.normal(size=(60, 90)), np.ones((300, 2))])
    X, y = X[:, rng.permutation(152)], base @ rng.normal(size=60) + rng.normal(size=300)
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
    coef = np.linalg.pinv(X - X.mean(axis=0), rcond=1e-10) @ (y - y.mean())
    np.testing.assert_allclose(model.coef_, coef, rtol=0, atol=1e-9 * np.abs(coef).max())


@pytest.mark.parametrize("gap", [1e-4, 1e-8, 1e-12])
@pytest.mark.parametrize("shape", [(10, 20), (30, 60)])
def test_minimum_norm_where_early_columns_nearly_agree(shape, gap):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=shape), rng.normal(size=shape[0])
        X[:, 1] = X[:, 0] + gap * rng.normal(size=shape[0])
        coef = np.linalg.pinv(X - X.mean(axis=0)) @ (y - y.mean())
        for order in (slice(None), slice(None, None, -1)):
            model = GDLinearRegressor(lr="auto", epochs=20).fit(X[:, order].copy(), y)
            bound = 1e-9 * np.abs(coef).max()
            np.testing.assert_allclose(model.coef_, coef[order], rtol=0, atol=bound)


@pytest.mark.parametrize("constant", [1e3, 1e17, 1e100, 1e300, -1e300, 1e-300])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
@pytest.mark.parametrize("n_columns", [4, 30])
def test_a_large_constant_column_changes_nothing(n_columns, alpha, constant):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, n_columns)), rng.normal(size=10)
    model = GDLinearRegressor(lr="auto", epochs=20, alpha=alpha)
    expected = model.fit(x, y).coef_
    found = model.fit(np.insert(x, 1, constant, axis=1), y).coef_
    assert found[1] == 0.0
    np.testing.assert_allclose(np.delete(found, 1), expected, rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("repeats", [1, 3])
def test_the_norm_is_that_of_the_units_of_the_user(repeats):
    """Rows that are repeated make the same data tall. Two of the columns nearly agree."""
    a, b, c, y = np.random.default_rng(0).normal(size=(4, 3))
    X = np.column_stack([a, 2 * a, 1e4 + b, 1e4 + c])
    model = GDLinearRegressor(lr="auto", epochs=5, fit_intercept=False)
    model.fit(np.tile(X, (repeats, 1)), np.tile(y, repeats))
    expected = np.linalg.pinv(X, rcond=1e-12) @ y
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("repeats", [1, 3])
def test_the_rank_of_wide_data_is_that_of_their_columns(repeats):
    """The rounding of columns near 1e5 is no direction of columns near 1e-3."""
    rng, n = np.random.default_rng(21), 32
    basis = [1e5 + rng.normal(size=n), 1e3 + rng.normal(size=n), *1e-3 * rng.normal(size=(2, n))]
    basis += [*rng.normal(size=(2, n)), np.ones(n)]
    columns = list(basis)
    while len(columns) < 45:
        i, j = rng.integers(len(columns), size=2)
        kinds = columns[i] + columns[j], -columns[i], 2 * columns[j]
        columns.append(kinds[rng.integers(3)])
    X, y = np.column_stack(columns), rng.normal(size=n)
    model = GDLinearRegressor(lr="auto", epochs=5, fit_intercept=False)
    model.fit(np.tile(X, (repeats, 1)), np.tile(y, repeats))
    unit = np.column_stack([column / np.linalg.norm(column) for column in basis])
    best = np.mean((y - unit @ np.linalg.lstsq(unit, y, rcond=None)[0]) ** 2)
    assert model.loss_ == pytest.approx(best, rel=1e-8)
    assert np.mean((model.predict(X) - y) ** 2) == pytest.approx(best, rel=1e-8)


def test_the_norm_beside_a_column_that_nearly_agrees():
    """The rounding of a dependence is amplified, here by 1e4."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a, b, y = 1e4 + rng.normal(size=5), 1e4 + 1e-2 * rng.normal(size=5), rng.normal(size=5)
        X = np.column_stack([a, 2 * a, b])
        model = GDLinearRegressor(lr="auto", epochs=5, fit_intercept=False).fit(X, y)
        one, other = np.linalg.lstsq(X[:, [0, 2]], y, rcond=None)[0]
        np.testing.assert_allclose(model.coef_, [one / 5, 2 * one / 5, other], rtol=1e-7)
