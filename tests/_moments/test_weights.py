"""What weights mean, and in which precision the data are summed."""

import numpy as np
import pytest

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

rng = np.random.default_rng(0)
X = np.round(rng.normal(size=(40, 3)) * 8) / 4  # exact in float16 and float32 too
Y = np.round((X @ [1.0, -2.0, 0.5] + rng.normal(size=40)) * 4) / 4
MODELS = [GDLinearRegressor(epochs=50, lr="auto"), GDPolynomialRegressor(epochs=50, lr="auto")]


def test_float32_data_are_summed_in_float64():
    narrow = (1000 + np.random.default_rng(0).normal(size=(50_000, 2))).astype(np.float32)
    y = narrow.astype(np.float64) @ [1.0, 2.0]
    np.testing.assert_allclose(GDLinearRegressor().fit(narrow, y).coef_, [1.0, 2.0], rtol=1e-6)


@pytest.mark.parametrize("weight", [None, 2.0, np.full(40, 1e-300), np.full(40, 1e300)])
def test_weights_count_relative_to_each_other(weight):
    expected = GDLinearRegressor().fit(X, Y).coef_
    np.testing.assert_allclose(GDLinearRegressor().fit(X, Y, weight).coef_, expected, rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_rows_of_weight_zero_count_for_nothing(model):
    weight = np.ones(40)
    weight[::3] = 0
    spoiled = X.copy()
    spoiled[::3] = 1e6
    kept = weight > 0
    expected = model.fit(X[kept], Y[kept]).predict(X)
    np.testing.assert_allclose(model.fit(spoiled, Y, weight).predict(X), expected, rtol=1e-12)


def test_integer_weights_repeat_rows():
    times = np.random.default_rng(0).integers(0, 4, size=40)
    weighted = GDLinearRegressor().fit(X, Y, times)
    repeated = GDLinearRegressor().fit(np.repeat(X, times, axis=0), np.repeat(Y, times))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-10)
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-10)
