"""Searches between bounds: the results of GridSearchCV, and names of terms of several degrees."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    GDPolynomialRegressorCV,
    Moments,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(36, 3)) + 0.5
Y = X @ [1.0, -2.0, 0.5] + 0.5 * X[:, 0] ** 2 + 0.3 * RNG.normal(size=36)
COMMON = {"epochs": 12, "cv": 3}
OPTIONS = {
    "pair": {"bounds": (-0.7, 0.7)},
    "pairs": {"bounds": [(0.1, 0.4), (None, None), (1.0, None)]},
    "names": {"bounds": {"x1": (-1.0, 0.0)}, "positive": {"x0": True}},
    "lasso": {"bounds": (-0.7, 0.7), "l1_ratio": 0.5, "alphas": (0.0, 0.1)},
    "huber": {"bounds": (-0.7, 0.7), "loss": "huber", "lrs": (0.1, "auto")},
    "batches": {"bounds": (-0.7, 0.7), "batch_size": 8, "random_state": 0, "lrs": (0.1,)},
    "absolute error of rows": {"bounds": (0.2, None), "scoring": "neg_mean_absolute_error"},
}


def search_and_grid(kind, plain, options, axes, X=X, y=Y):
    """The search, and GridSearchCV over the plain estimator."""
    search = kind(**{**COMMON, "lrs": (0.05, 0.2), **options}).fit(X, y)
    axes = {**axes, "lr": search.lrs, "alpha": search.alphas}
    known = search.get_params()
    model = plain(**{name: known[name] for name in plain().get_params() if name in known})
    return search, GridSearchCV(model, axes, cv=3, scoring=search.scoring).fit(X, y)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_linear_search_is_grid_search(name):
    search, grid = search_and_grid(GDLinearRegressorCV, GDLinearRegressor, OPTIONS[name], {})
    ours, theirs = search.cv_results_, grid.cv_results_
    np.testing.assert_allclose(ours["mean_test_score"], theirs["mean_test_score"], rtol=1e-8)
    np.testing.assert_allclose(search.coef_, grid.best_estimator_.coef_, rtol=1e-9)
    if name == "pair":
        assert np.isin(search.coef_, [-0.7, 0.7]).any()


def test_a_search_over_degrees_is_grid_search():
    options = {"bounds": {"x0": (0.1, 0.4), "x2": (None, 0.2)}, "degrees": (1, 2)}
    search, grid = search_and_grid(
        GDPolynomialRegressorCV, GDPolynomialRegressor, options, {"degree": (1, 2)}
    )
    np.testing.assert_allclose(
        np.sort(search.cv_results_["mean_test_score"]),
        np.sort(grid.cv_results_["mean_test_score"]),
        rtol=1e-7,
    )
    np.testing.assert_allclose(search.coef_, grid.best_estimator_.coef_, rtol=1e-7)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_a_name_may_be_that_of_a_higher_degree_only(loss):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    bounds, positive = {"a^2": (None, 0.3), "b": (-1.5, None)}, {"b^3": True}
    search = GDPolynomialRegressorCV(bounds=bounds, positive=positive, degrees=(1, 2, 3), **COMMON)
    search.set_params(loss=loss, lrs=("auto",)).fit(frame, Y)
    known = {1: {"b": (-1.5, None)}, 2: bounds, 3: bounds}
    for degree, score in zip((1, 2, 3), search.cv_results_["split0_test_score"], strict=True):
        model = GDPolynomialRegressor(degree=degree, loss=loss, lr="auto", epochs=12)
        model.set_params(bounds=known[degree], positive=positive if degree == 3 else False)
        assert model.fit(frame[12:], Y[12:]).score(frame[:12], Y[:12]) == pytest.approx(
            score, rel=1e-8
        )
    best = search.best_estimator_
    assert best.bounds == known[search.degree_]
    np.testing.assert_allclose(clone(best).fit(frame, Y).coef_, search.coef_, rtol=1e-9)
    assert search.bounds is bounds


def test_degrees_without_a_bound_are_whitened():
    search = GDPolynomialRegressorCV(bounds={"x0^2": (0, 0.2)}, degrees=(1, 2), **COMMON)
    search.set_params(lrs=("auto",), alphas=(0.0, 0.1)).fit(X, Y)
    by_degree = {}
    for candidate, score in zip(
        search.cv_results_["params"], search.cv_results_["split0_test_score"], strict=True
    ):
        by_degree[candidate["degree"], candidate["alpha"]] = score
    for (degree, alpha), score in by_degree.items():
        model = GDPolynomialRegressor(degree=degree, alpha=alpha, lr="auto", epochs=12)
        model.set_params(bounds={"x0^2": (0, 0.2)} if degree == 2 else None)
        model.fit(X[12:], Y[12:])
        assert model.precondition_ == ("standardize" if degree == 2 else "whiten")
        assert model.score(X[:12], Y[:12]) == pytest.approx(score, rel=1e-8)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bounds": {"x0^3": (0, 1)}}, r"bounds of GDPolynomialRegressorCV contains unexpected names of coefficients: \['x0\^3'\]. The names of the coefficients are 'x0',"),  # noqa: E501
        ({"positive": {"y": True}}, r"positive of GDPolynomialRegressorCV contains .*\['y'\]"),
        ({"bounds": [(0, 1)] * 9}, "bounds of GDPolynomialRegressorCV has 9 elements, and there are 3"),  # noqa: E501
        ({"bounds": (1, 0)}, "The 'bounds' parameter of GDPolynomialRegressorCV must be"),
        ({"bounds": (-2, -1), "positive": True}, "leave no value for the coefficient 'x0'"),
        ({"bounds": (0, 1), "optimizer": "adam"}, "must be 'sgd'.*when bounds are given"),
    ],
)  # fmt: skip
def test_refusals_leave_the_search_as_it_was(options, words):
    search = GDPolynomialRegressorCV(degrees=(1, 2), **options)
    with pytest.raises(ValueError, match=words):
        search.fit(X, Y)
    assert not [name for name in vars(search) if name.endswith("_")]


def test_moments_of_folds():
    folds = [np.arange(36) % 3 == k for k in range(3)]
    cv = [(np.flatnonzero(~fold), np.flatnonzero(fold)) for fold in folds]
    options = {"bounds": {"x1": (-0.5, 0.5)}, "degrees": (1, 2), "epochs": 30, "lrs": ("auto",)}
    expected = GDPolynomialRegressorCV(cv=cv, **options).fit(X, Y)
    parts = [Moments.of(X[fold], Y[fold], degree=2) for fold in folds]
    search = GDPolynomialRegressorCV(**options).fit(parts)
    np.testing.assert_allclose(search.coef_, expected.coef_, rtol=1e-9)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_a_column_that_is_constant_in_a_fold(loss):
    """Its coefficient cannot be 0 there, and matters for the rows that the fold holds out."""
    x = X.copy()
    x[12:, 2] = 1.0
    options = {"bounds": {"x2": (0.3, 0.9)}, "alphas": (0.0, 0.1), "loss": loss}
    search, grid = search_and_grid(GDLinearRegressorCV, GDLinearRegressor, options, {}, X=x)
    np.testing.assert_allclose(
        search.cv_results_["split0_test_score"], grid.cv_results_["split0_test_score"], rtol=1e-9
    )
    plain = GDLinearRegressor(bounds={"x2": (0.3, 0.9)}, loss=loss, lr="auto", epochs=100).fit(
        x[12:], Y[12:]
    )
    assert plain.coef_[2] == 0.3
