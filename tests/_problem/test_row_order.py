"""Whitened fits of wide data depend on the columns and their order, and not on that of the rows.

An optimizer that acts on each coordinate shows this, because its path depends on the coordinates.
"""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, Moments

ALPHA, LR, EPOCHS = 0.2, 0.1, 30
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.parametrize("fit_intercept", [True, False]),
]


def wide():
    rng = np.random.default_rng(0)
    return rng.normal(size=(9, 30)) + 1.0, rng.normal(size=9)


def fitted(X, y=None, sample_weight=None, *, fit_intercept):
    model = GDLinearRegressor(
        optimizer="adam", lr=LR, epochs=EPOCHS, alpha=ALPHA, fit_intercept=fit_intercept
    )
    return model.fit(X, y, sample_weight)


def coef_by_torch(X, y, *, fit_intercept):
    """Adam in the row space, where the map of the first columns is a triangle."""
    x = X - X.mean(axis=0) * fit_intercept
    y = y - y.mean() * fit_intercept
    size = np.sqrt(np.mean(y**2))
    rank = len(x) - fit_intercept
    _, values, rows = np.linalg.svd(x / np.sqrt(len(x)), full_matrices=False)
    to_v = np.sqrt(values[:rank] ** 2 + ALPHA / 2)[:, None] * rows[:rank]
    q, r = np.linalg.qr(to_v[:, :rank])
    to_coef = torch.from_numpy(np.linalg.pinv(q.T @ to_v * np.sign(np.diag(r))[:, None]))
    x, y = torch.from_numpy(x), torch.from_numpy(y / size)
    v = torch.zeros(rank, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([v], lr=LR)
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        coef = to_coef @ v
        ((x @ coef - y).square().mean() + ALPHA / 2 * coef.square().sum()).backward()
        optimizer.step()
    return (to_coef @ v).detach().numpy() * size


def test_ridge_in_coordinates_of_the_columns(fit_intercept):
    X, y = wide()
    expected = coef_by_torch(X, y, fit_intercept=fit_intercept)
    order, half = np.random.default_rng(1).permutation(9), np.repeat([0.25, 0.75], 9)
    for data in (
        (X, y),
        (X[order], y[order]),
        (np.tile(X, (3, 1)), np.tile(y, 3)),
        (np.tile(X, (2, 1)), np.tile(y, 2), half),
        (Moments.of(X, y),),
        (Moments.of(X[:4], y[:4]) + Moments.of(X[4:], y[4:]),),
    ):
        model = fitted(*data, fit_intercept=fit_intercept)
        np.testing.assert_allclose(model.coef_, expected, rtol=0, atol=1e-10)


def test_a_search_of_ridges_is_its_plain_fits(fit_intercept):
    X, y = wide()
    search = GDLinearRegressorCV(
        optimizer="adam",
        lrs=(LR,),
        alphas=(ALPHA,),
        epochs=EPOCHS,
        cv=3,
        fit_intercept=fit_intercept,
    ).fit(X, y)
    expected = coef_by_torch(X, y, fit_intercept=fit_intercept)
    np.testing.assert_allclose(search.coef_, expected, rtol=0, atol=1e-10)
    for fold, test in enumerate(np.arange(9).reshape(3, 3)):
        train = np.setdiff1d(np.arange(9), test)
        score = fitted(X[train], y[train], fit_intercept=fit_intercept).score(X[test], y[test])
        found = search.cv_results_[f"split{fold}_test_score"][0]
        assert found == pytest.approx(score, rel=1e-8)


def test_the_first_columns_may_depend_on_each_other(fit_intercept):
    X, y = wide()
    X[:, 1], X[:, 2] = X[:, 0], 3.0
    model = fitted(X, y, fit_intercept=fit_intercept)
    assert model.coef_[0] == pytest.approx(model.coef_[1], abs=1e-12)
    for data in ((X[::-1], y[::-1]), (np.tile(X, (3, 1)), np.tile(y, 3)), (Moments.of(X, y),)):
        again = fitted(*data, fit_intercept=fit_intercept)
        np.testing.assert_allclose(again.coef_, model.coef_, rtol=0, atol=1e-10)
