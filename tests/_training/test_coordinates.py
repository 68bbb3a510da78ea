"""Which coordinates are chosen."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_diabetes

from sklearn_gd import GDLinearRegressor
from sklearn_gd._training import coordinates

X, Y = load_diabetes(return_X_y=True)
X4 = X[:, :4]


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_very_wide_sparse_data_descend_on_their_rows(fit_intercept, monkeypatch):
    rows = sparse.random(400, 30, density=0.3, random_state=0, format="csr")
    rng = np.random.default_rng(0)
    y = rows @ rng.normal(size=(30, 2)) + 0.1 * rng.normal(size=(400, 2)) + 1.0
    weight = rng.uniform(size=400)
    options = {"fit_intercept": fit_intercept, "precondition": "standardize", "epochs": 100}
    expected = GDLinearRegressor(**options, lr="auto").fit(rows, y, weight)
    monkeypatch.setattr(coordinates, "_MAX_FACTOR_ENTRIES", 1)
    model = GDLinearRegressor(**options, lr="auto").fit(rows, y, weight)
    assert model.precondition_ == "standardize"
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-8)
    np.testing.assert_allclose(model.loss_curve_, expected.loss_curve_, rtol=1e-9)
    assert model.max_stable_lr_ == pytest.approx(expected.max_stable_lr_, rel=1e-6)


def test_whitening_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(coordinates, "_MAX_WHITENED", 5)
    assert GDLinearRegressor(lr="auto").fit(X4, Y).precondition_ == "whiten"
    assert GDLinearRegressor(lr="auto", epochs=9999).fit(X, Y).precondition_ == "standardize"
    with pytest.raises(ValueError, match="needs a factor of 10 x 10.*'standardize'"):
        GDLinearRegressor(precondition="whiten").fit(X, Y)
