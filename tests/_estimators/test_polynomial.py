"""The polynomial estimator."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial import Polynomial
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, Moments

X, Y = load_diabetes(return_X_y=True)
X4 = X[:, :4]
BOTH = [GDLinearRegressor, GDPolynomialRegressor]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize("names", [None, list("abcd")])
def test_polynomial_attributes(interaction_only, names):
    data = X4 if names is None else pd.DataFrame(X4, columns=names)
    model = GDPolynomialRegressor(
        degree=3, interaction_only=interaction_only, lr="auto", epochs=20
    ).fit(data, Y)
    reference = PolynomialFeatures(3, interaction_only=interaction_only, include_bias=False)
    reference.fit(data)
    np.testing.assert_array_equal(model.powers_, reference.powers_)
    np.testing.assert_array_equal(model.feature_names_out_, reference.get_feature_names_out())
    assert model.n_output_features_ == len(model.powers_) == model.coef_.shape[-1]
    np.testing.assert_allclose(
        reference.transform(data) @ model.coef_ + model.intercept_, model.predict(data)
    )


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("targets", [1, 2])
def test_to_sklearn(kind, targets):
    frame = pd.DataFrame(X4, columns=list("abcd"))
    y = Y if targets == 1 else np.column_stack([Y, X[:, 5]])
    model = kind(lr="auto", epochs=20).fit(frame, y)
    twin = model.to_sklearn()
    np.testing.assert_allclose(twin.predict(frame), model.predict(frame), rtol=1e-9, atol=1e-9)
    assert list(twin.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        twin.predict(frame[["b", "a", "c", "d"]])


def test_to_polynomial():
    x = np.linspace(-2, 3, 30)
    model = GDPolynomialRegressor(degree=3, lr="auto", epochs=20).fit(x[:, None], x**3 - 2 * x + 1)
    polynomial = model.to_polynomial()
    assert isinstance(polynomial, Polynomial)
    np.testing.assert_allclose(polynomial.coef, [1, -2, 0, 1], atol=1e-12)
    np.testing.assert_allclose(polynomial(x), model.predict(x[:, None]))
    with pytest.raises(ValueError, match="one feature and one target.*to_sklearn"):
        GDPolynomialRegressor(lr="auto", epochs=20).fit(X4, Y).to_polynomial()


def test_degree_of_the_fit_counts_when_predicting():
    model = GDPolynomialRegressor(degree=2, lr="auto", epochs=20).fit(X4, Y)
    before = model.predict(X4)
    np.testing.assert_array_equal(model.set_params(degree=5).predict(X4), before)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestManyTerms:
    rows = np.random.default_rng(0).normal(size=(20, 45))

    def test_far_more_terms_than_rows_are_told(self):
        words = (
            "^GDPolynomialRegressor has 1080 terms of degree 2 and only 20 samples, which do not "
            "determine the coefficients. Lower degree, or set alpha above 0.$"
        )
        with pytest.warns(UserWarning, match=words) as caught:
            GDPolynomialRegressor(degree=2, epochs=2).fit(self.rows, self.rows[:, 0])
        assert [each.filename for each in caught if each.category is UserWarning] == [__file__]

    @pytest.mark.parametrize(
        ("n_features", "n_rows", "options"),
        [
            (45, 20, {"degree": 1}),
            (45, 20, {"alpha": 0.1}),
            (45, 120, {}),  # nine terms a row
            (40, 20, {}),  # 860 terms
        ],
    )
    def test_what_is_not_told(self, n_features, n_rows, options):
        rows = np.resize(self.rows, (n_rows, n_features))
        GDPolynomialRegressor(epochs=2, **options).fit(rows, rows[:, 0])

    @pytest.mark.parametrize("n_rows", [110, 20])
    def test_moments_know_their_number_of_rows(self, n_rows):
        rows = np.resize(self.rows, (n_rows, 45))
        moments = Moments.of(rows, rows[:, 0], degree=2)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            GDPolynomialRegressor(degree=2, epochs=2).fit(moments)
        told = [each for each in caught if "do not determine" in str(each.message)]
        assert len(told) == (n_rows == 20)


def exact_ridge(Z, y, alpha):
    """The optimum of mean squared error and the L2 penalty, and its predictions, in fractions."""
    n = len(Z)
    means = [sum(column) / n for column in zip(*Z, strict=True)]
    rows = [[value - mean for value, mean in zip(row, means, strict=True)] for row in Z]
    y_mean = sum(y) / n
    # the coefficients are rowsᵀ a, and (rows rowsᵀ + n alpha/2) a = y - y_mean
    system = [
        [
            sum(p * q for p, q in zip(a, b, strict=True)) + n * alpha / 2 * (i == j)
            for j, b in enumerate(rows)
        ]
        + [y[i] - y_mean]
        for i, a in enumerate(rows)
    ]
    for k in range(n):  # Gauss and Jordan; a positive definite matrix needs no pivots
        system[k] = [value / system[k][k] for value in system[k]]
        for i in range(n):
            if i != k:
                factor = system[i][k]
                system[i] = [p - factor * q for p, q in zip(system[i], system[k], strict=True)]
    dual = [row[-1] for row in system]
    coef = [sum(a * row[j] for a, row in zip(dual, rows, strict=True)) for j in range(len(Z[0]))]
    fitted = [sum(p * q for p, q in zip(row, coef, strict=True)) + y_mean for row in rows]
    loss = sum((p - q) ** 2 for p, q in zip(fitted, y, strict=True)) / n
    loss += alpha / 2 * sum(c * c for c in coef)
    return coef, fitted, loss


def test_ridge_of_fewer_rows_than_terms_far_from_zero():
    """Powers of numbers near a million lose digits, and the fit does not."""
    X = RNG.normal(size=(7, 4)) + 1e6  # 14 terms
    y = RNG.normal(size=7)
    model = GDPolynomialRegressor(lr="auto", epochs=30, alpha=1.0).fit(X, y)
    Z = [
        [
            math.prod(Fraction(value) ** int(k) for value, k in zip(row, powers, strict=True))
            for powers in model.powers_
        ]
        for row in X
    ]
    coef, fitted, loss = exact_ridge(Z, [Fraction(value) for value in y], Fraction(1))
    np.testing.assert_allclose(model.predict(X), np.array(fitted, dtype=float), atol=1e-8)
    np.testing.assert_allclose(model.coef_, np.array(coef, dtype=float), atol=1e-8)
    assert model.loss_ == pytest.approx(float(loss), rel=1e-8)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_predictions_that_overflow_are_told(dtype):
    X = np.array([[0.0], [1.0], [2.0]], dtype=dtype)
    model = GDPolynomialRegressor(lr="auto", epochs=5).fit(X, [0.0, 1.0, 4.0])
    with pytest.raises(ValueError, match=rf"overflow {np.dtype(dtype)}.* Bring X to a moderate"):
        model.predict(X * np.finfo(dtype).max ** 0.6)


@pytest.mark.parametrize("degree", [2, 3])
@pytest.mark.parametrize("distance", [0.0, 10.0, 1e3, 1e5])
def test_the_rounding_of_a_copy_far_from_zero_is_no_feature(distance, degree):
    """A copy in another unit adds nothing. Its rounding, in the range of the data, is not small."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(60, 2)), rng.normal(size=60)
    x = distance + 0.01 * z
    model = GDPolynomialRegressor(degree=degree, lr="auto", epochs=50)
    model.fit(np.column_stack([x, 0.1 * x[:, 0]]), y)
    table = PolynomialFeatures(degree).fit_transform((x - distance) / 0.01)
    residual = y - table @ np.linalg.lstsq(table, y, rcond=None)[0]
    assert model.loss_ == pytest.approx((residual**2).mean(), rel=1e-9)
    predicted = model.predict(np.column_stack([x, 0.1 * x[:, 0]]))
    np.testing.assert_allclose(predicted, y - residual, atol=1e-6)
