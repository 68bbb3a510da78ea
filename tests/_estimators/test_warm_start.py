"""A warm start goes on where the fit before ended."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

X, Y = load_diabetes(return_X_y=True)
X4 = X[:, :4]
BOTH = [GDLinearRegressor, GDPolynomialRegressor]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("precondition", ["auto", "standardize", None])
@pytest.mark.parametrize("targets", [1, 2])
def test_warm_start_goes_on(kind, precondition, targets):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(60, 2)) + 0.5
    y = np.squeeze(data @ rng.normal(size=(2, targets)) + rng.normal(size=(60, targets)))
    options = {"precondition": precondition, "lr": 0.1}
    whole = kind(epochs=50, **options).fit(data, y)
    parts = kind(epochs=20, warm_start=True, **options)
    parts.fit(data, y).set_params(epochs=30).fit(data, y)
    assert parts.n_iter_ == 50
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-8)
    np.testing.assert_allclose(parts.intercept_, whole.intercept_, rtol=1e-8)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-8)


def test_warm_start_at_the_optimum_is_no_divergence():
    model = GDLinearRegressor(lr="auto", epochs=20, warm_start=True).fit(X, Y)
    assert not model.fit(X, Y).diverged_


def test_warm_start_needs_the_same_shapes():
    model = GDLinearRegressor(lr="auto", epochs=20, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match=r"1 targets on 10 features.*X has 4 features.*warm_start"):
        model.fit(X4, Y)
    model = GDPolynomialRegressor(degree=2, lr="auto", epochs=20, warm_start=True).fit(X4, Y)
    with pytest.raises(ValueError, match=r"degree=2.*now they are 3.*warm_start=False"):
        model.set_params(degree=3).fit(X4, Y)
