"""Several targets, very few rows, and data without variation."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

rng = np.random.default_rng(0)
X = np.round(rng.normal(size=(40, 3)) * 8) / 4  # exact in float16 and float32 too
Y = np.round((X @ [1.0, -2.0, 0.5] + rng.normal(size=40)) * 4) / 4
MODELS = [GDLinearRegressor(epochs=50, lr="auto"), GDPolynomialRegressor(epochs=50, lr="auto")]


def test_targets_of_two_dimensions():
    two = np.column_stack([Y, 2 * Y])
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, two)
    assert model.coef_.shape == (2, 3)
    assert model.intercept_.shape == (2,)
    assert model.predict(X).shape == (40, 2)
    np.testing.assert_allclose(model.coef_[1], 2 * model.coef_[0])
    column = GDLinearRegressor(lr="auto", epochs=20).fit(X, Y[:, None])
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


def test_a_diverging_target_does_not_touch_the_others():
    """It is named, it keeps what it has, and the other equals its fit alone."""

    def slope(prediction, target):  # steep for targets beyond 100
        steep = 1.0 + 1e3 * (target.abs() > 100)
        return steep * (prediction - target) ** 2

    two = np.column_stack([Y, Y + 1000.0])
    options = {"loss": slope, "precondition": None, "lr": 0.05, "epochs": 200}
    with pytest.warns(ConvergenceWarning, match=r"diverged for targets \[1\] in epoch 200"):
        both = GDLinearRegressor(**options).fit(X, two)
    alone = GDLinearRegressor(**options).fit(X, Y)
    np.testing.assert_allclose(both.coef_[0], alone.coef_, rtol=1e-12)
    np.testing.assert_allclose(both.intercept_[0], alone.intercept_, rtol=1e-12)
    assert both.diverged_
    assert not alone.diverged_
    assert both.n_iter_ == len(both.loss_curve_) == 200
    assert np.isfinite(both.loss_curve_).all()
    # the diverged target contributes the objective that it keeps
    kept = 1001 * (both.predict(X)[:, 1] - two[:, 1]) ** 2
    expected = (alone.loss_curve_[-1] + kept.mean()) / 2
    assert both.loss_curve_[-1] == pytest.approx(expected, rel=1e-9)
    assert both.loss_ == pytest.approx((alone.loss_ + kept.mean()) / 2, rel=1e-9)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("model", MODELS)
def test_very_few_rows(model, rows):
    model.fit(X[:rows], Y[:rows])
    np.testing.assert_allclose(model.predict(X[:rows]), Y[:rows], atol=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_nothing_varies(fit_intercept):
    constant = np.full((10, 2), 0.1)
    model = GDLinearRegressor(fit_intercept=fit_intercept, lr="auto", epochs=20).fit(
        constant, np.full(10, 0.3)
    )
    np.testing.assert_allclose(model.predict(constant), 0.3, rtol=1e-7)
    assert not model.diverged_
    assert (
        not GDLinearRegressor(fit_intercept=fit_intercept, lr="auto", epochs=20)
        .fit(X * 0, Y)
        .coef_.any()
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nadam", "adagrad", "lbfgs", "rprop"])
def test_constant_target_is_no_divergence(optimizer):
    model = GDLinearRegressor(optimizer=optimizer, epochs=50).fit(X, np.full(40, 3.7))
    np.testing.assert_allclose(model.predict(X), 3.7)
    assert not model.diverged_


@pytest.mark.parametrize("value", [0.1, 1e5 + 0.1])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("path", ["moments", "two blocks", "columns", "batches"])
def test_rounding_is_no_deviation_of_a_constant_target(monkeypatch, path, is_weighted, value):
    """Adam moves by the unit of the target, whatever its size, so that rounding would be seen."""
    if path == "columns":
        monkeypatch.setattr("sklearn_gd._training.coordinates._MAX_FACTOR_ENTRIES", 1)
    options = {"batch_size": 100} if path == "batches" else {}
    for n in [2_000, 200_000] if path == "two blocks" else range(5, 300, 10):
        x, weight = rng.normal(size=(n, 3)), rng.uniform(size=n)
        weight[1] = 0.0
        y = np.full(n, value)
        y[1] += is_weighted  # a row that does not count
        model = GDLinearRegressor(optimizer="adam", lr=0.1, epochs=3, **options)
        model.fit(
            sparse.csr_array(x) if path == "columns" else x, y, weight if is_weighted else None
        )
        assert not model.loss_curve_.any()
        assert model.intercept_ == value
        assert not model.coef_.any()
