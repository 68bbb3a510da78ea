"""The oracle of the searches: GridSearchCV over the plain estimator."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    GDPolynomialRegressorCV,
)

X, Y = load_diabetes(return_X_y=True)
WEIGHT = np.random.default_rng(0).integers(0, 4, len(Y)).astype(float)
GROUPS = np.random.default_rng(1).integers(0, 8, len(Y))
THREE = np.column_stack([Y, X @ np.arange(10.0), Y**2 / 100 + X[:, 2]])
LRS = (0.003, 0.03, 0.3)

PLAIN = {
    GDLinearRegressorCV: GDLinearRegressor,
    GDPolynomialRegressorCV: GDPolynomialRegressor,
}


def grid_search(search, fit=None, X=X, y=Y):
    """GridSearchCV over the plain estimator, for the same search."""
    params = search.get_params(deep=False)
    axes = {"lr": params.pop("lrs"), "alpha": params.pop("alphas")}
    if "degrees" in params:
        axes["degree"] = params.pop("degrees")
    params.pop("select_epochs")
    of_grid_search = ("cv", "scoring", "refit", "error_score", "return_train_score")
    own = {name: params.pop(name) for name in of_grid_search}
    plain = PLAIN[type(search)](**params)
    grid = {name: list(values) for name, values in axes.items()}
    return GridSearchCV(plain, grid, **own).fit(X, y, **(fit or {}))


def assert_same(search, oracle, tolerance=1e-8):
    """Scores, ranks, the best candidate and its model."""
    ours, theirs = search.cv_results_, oracle.cv_results_
    assert set(theirs) - {key for key in theirs if key.startswith("param_")} <= set(ours)
    for key, values in theirs.items():
        if ("_test_" in key or "_train_" in key) and not key.startswith("rank"):
            scale = max(1.0, np.abs(values).max())
            np.testing.assert_allclose(ours[key], values, atol=tolerance * scale, rtol=0)
    assert search.best_index_ == oracle.best_index_
    best = oracle.best_estimator_
    for name, value in oracle.best_params_.items():
        value = best.lr_ if value == "auto" else value
        assert getattr(search, f"{name}_") == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(
        search.coef_, best.coef_, rtol=0, atol=tolerance * np.abs(best.coef_).max()
    )
    np.testing.assert_allclose(search.intercept_, best.intercept_, rtol=100 * tolerance, atol=1e-12)
    np.testing.assert_allclose(search.loss_curve_, best.loss_curve_, rtol=100 * tolerance)
    assert search.n_iter_ == best.n_iter_


def squared(prediction, target):
    return (prediction - target) ** 2


MSE = "neg_mean_squared_error"
HUBER = {"loss": "huber", "loss_params": {"delta": 50.0}}
