"""The defaults against least squares, and against NIST's certified values."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_linnerud,
    load_wine,
    make_regression,
)
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from tests.reference import correct_digits, least_squares, nist


def diabetes():
    return load_diabetes(return_X_y=True)


def wine():
    X, _ = load_wine(return_X_y=True)
    return X[:, 1:], X[:, 0]


def breast_cancer():
    X, _ = load_breast_cancer(return_X_y=True)
    return X[:, 1:], X[:, 0]


def linnerud():
    return load_linnerud(return_X_y=True)


def tall():
    return make_regression(500, 20, noise=10.0, random_state=0)


def wide():
    return make_regression(30, 100, noise=1.0, random_state=0)


def duplicated():
    X, y = make_regression(200, 5, noise=10.0, random_state=0)
    return np.hstack([X, X[:, [1, 3]], np.full((200, 1), 0.1)]), y


def shifted_target():
    X, y = diabetes()
    return X, y + 1e8


def shifted_features():
    X, y = make_regression(300, 4, noise=1.0, random_state=0)
    return X + 1e6, y


def extreme_scales():
    X, y = make_regression(300, 6, noise=1.0, random_state=0)
    return X * [1e-8, 1e8, 1.0, 1e-8, 1e8, 1e3], y


DATA = [
    diabetes,
    wine,
    breast_cancer,
    linnerud,
    tall,
    wide,
    duplicated,
    shifted_target,
    shifted_features,
    extreme_scales,
]


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("data", DATA)
def test_defaults_are_least_squares(data, fit_intercept):
    X, y = data()
    # the thousand epochs of the defaults once for each table
    options = {} if fit_intercept else {"lr": "auto", "epochs": 20}
    model = GDLinearRegressor(fit_intercept=fit_intercept, **options).fit(X, y)
    reference = least_squares(X, y, fit_intercept=fit_intercept)
    new = X[: len(X) // 2] + 0.3 * (X[-(len(X) // 2) :] - X.mean(axis=0))
    if data is wide:  # off the rows' span only the minimum norm is right
        reference = minimum_norm(X, y, fit_intercept=fit_intercept)
    for rows in (X, new):
        error = np.abs(model.predict(rows) - reference(rows)) / y.std(axis=0)
        assert error.max() < 1e-6


def minimum_norm(X, y, *, fit_intercept):
    """Minimum-norm least squares in original units."""
    mean, offset = (X.mean(axis=0), y.mean()) if fit_intercept else (0.0, 0.0)
    coef = np.linalg.pinv(X - mean) @ (y - offset)
    return lambda rows: (rows - mean) @ coef + offset


def test_lagged_series():
    rng = np.random.default_rng(0)
    series = np.convolve(np.cumsum(rng.normal(size=600)), np.ones(10) / 10, "valid")
    X = np.lib.stride_tricks.sliding_window_view(series, 50)[:500].copy()
    y = X[:, 0] - 2 * X[:, 1] + X[:, 2]
    y = y + 0.1 * y.std() * rng.normal(size=500)
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
    expected = LinearRegression().fit(X, y).score(X, y)
    assert model.score(X, y) == pytest.approx(expected, abs=1e-6)
    assert model.loss_ == pytest.approx(((model.predict(X) - y) ** 2).mean(), rel=1e-9)


def test_quadratic_terms_of_real_data():
    X, y = load_breast_cancer(return_X_y=True)
    model = GDPolynomialRegressor(degree=2, lr="auto", epochs=5).fit(X, y)
    scaled = StandardScaler().fit_transform(X)
    terms = PolynomialFeatures(2, include_bias=False).fit_transform(scaled)
    terms = StandardScaler().fit_transform(terms)
    expected = LinearRegression().fit(terms, y).score(terms, y)
    assert model.score(X, y) == pytest.approx(expected, abs=1e-5)


def test_extreme_scales_with_duplicates_predict_as_least_squares():
    X, y = make_regression(300, 4, noise=1.0, random_state=0)
    X = np.hstack([X, X]) * [1e-8, 1e8, 1.0, 1e4, 1e-8, 1e8, 1e8, 1e-8]
    error = GDLinearRegressor(lr="auto", epochs=20).fit(X, y).predict(X) - least_squares(X, y)(X)
    assert np.abs(error).max() / y.std() < 1e-6


@pytest.mark.parametrize("exponent", [-250, -150, 150, 250])
def test_no_overflow_of_squares(exponent):
    X, y = make_regression(100, 3, noise=5.0, random_state=0)
    plain = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X * 10.0**exponent, y)
    np.testing.assert_allclose(model.predict(X * 10.0**exponent), plain.predict(X), rtol=1e-9)


@pytest.mark.parametrize("weighted", [True, False])
def test_sparse_and_dense_agree(weighted):
    X = sparse.random(300, 8, density=0.3, random_state=0, format="csr")
    rng = np.random.default_rng(0)
    y = X @ rng.normal(size=8) + 0.1 * rng.normal(size=300)
    weight = rng.uniform(size=300) if weighted else None
    dense = GDLinearRegressor(lr="auto", epochs=20).fit(X.toarray(), y, weight)
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y, weight)
    np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-10)


@pytest.mark.parametrize("lr", [0.01, 0.1, "auto"])
@pytest.mark.parametrize("name", nist())
def test_certified_digits(name, lr):
    X, y, certified = nist()[name]
    epochs = {0.01: 1000, 0.1: 200, "auto": 20}[lr]
    options = {"lr": lr, "epochs": epochs, "fit_intercept": certified["fit_intercept"]}
    if certified["degree"] == 1:
        model = GDLinearRegressor(**options).fit(X, y)
    else:
        model = GDPolynomialRegressor(degree=certified["degree"], **options).fit(X, y)
    estimate = [model.intercept_, *model.coef_] if certified["fit_intercept"] else model.coef_
    assert correct_digits(estimate, certified["coefficients"]) >= (2.9 if lr == 0.01 else 7.0)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("degree", [1, 2, 3, 9])
def test_polynomial_is_least_squares_on_its_powers(degree, fit_intercept):
    rng = np.random.default_rng(0)
    X = rng.uniform(-3, 2, size=(400, 1 if degree == 9 else 3))
    y = np.sin(X[:, 0]) + X[:, -1] ** 2 + rng.normal(size=400)
    model = GDPolynomialRegressor(
        degree=degree, fit_intercept=fit_intercept, lr="auto", epochs=20
    ).fit(X, y)
    powers = np.prod(X[:, None, :] ** model.powers_, axis=2)
    expected = least_squares(powers, y, fit_intercept=fit_intercept)(powers)
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-6 * y.std())
    np.testing.assert_allclose(powers @ model.coef_ + model.intercept_, expected, atol=1e-6)


def test_high_degree_predicts_where_raw_coefficients_cannot():
    x = np.linspace(1000.0, 1010.0, 300)[:, None]
    y = np.sin(x[:, 0])
    model = GDPolynomialRegressor(degree=20, lr="auto", epochs=20).fit(x, y)
    assert np.abs(model.predict(x) - y).max() < 1e-7
