"""Several targets, very few rows, and data without variation."""

import numpy as np
import pytest

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

rng = np.random.default_rng(0)
X = np.round(rng.normal(size=(40, 3)) * 8) / 4  # exact in float16 and float32 too
Y = np.round((X @ [1.0, -2.0, 0.5] + rng.normal(size=40)) * 4) / 4
MODELS = [GDLinearRegressor(epochs=50, lr="auto"), GDPolynomialRegressor(epochs=50, lr="auto")]


def test_targets_of_two_dimensions():
    two = np.column_stack([Y, 2 * Y])
    model = GDLinearRegressor().fit(X, two)
    assert model.coef_.shape == (2, 3)
    assert model.intercept_.shape == (2,)
    assert model.predict(X).shape == (40, 2)
    np.testing.assert_allclose(model.coef_[1], 2 * model.coef_[0])
    column = GDLinearRegressor().fit(X, Y[:, None])
    assert column.coef_.shape == (1, 3)
    assert column.predict(X).shape == (40, 1)


def test_each_target_descends_on_its_own():
    two = np.column_stack([Y, np.sin(X[:, 0])])
    options = {"optimizer": "adam", "epochs": 20}
    with pytest.warns(Warning, match="far from"):
        both = GDLinearRegressor(**options).fit(X, two)
    for target in range(2):
        with pytest.warns(Warning, match="far from"):
            alone = GDLinearRegressor(**options).fit(X, two[:, target])
        np.testing.assert_allclose(both.coef_[target], alone.coef_, rtol=1e-10)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("model", MODELS)
def test_very_few_rows(model, rows):
    model.fit(X[:rows], Y[:rows])
    np.testing.assert_allclose(model.predict(X[:rows]), Y[:rows], atol=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_nothing_varies(fit_intercept):
    constant = np.full((10, 2), 0.1)
    model = GDLinearRegressor(fit_intercept=fit_intercept).fit(constant, np.full(10, 0.3))
    np.testing.assert_allclose(model.predict(constant), 0.3, rtol=1e-7)
    assert not model.diverged_
    assert not GDLinearRegressor(fit_intercept=fit_intercept).fit(X * 0, Y).coef_.any()


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nadam", "adagrad", "lbfgs", "rprop"])
def test_constant_target_is_no_divergence(optimizer):
    model = GDLinearRegressor(optimizer=optimizer, epochs=50).fit(X, np.full(40, 3.7))
    np.testing.assert_allclose(model.predict(X), 3.7)
    assert not model.diverged_
