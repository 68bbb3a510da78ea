"""The polynomial search equals GridSearchCV over the plain estimator."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import TimeSeriesSplit

from sklearn_gd import GDPolynomialRegressorCV
from tests._model_selection.reference import HUBER, LRS, X, Y, assert_same, grid_search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"cv": TimeSeriesSplit(3), "alphas": (0.0, 0.1)},
        {"fit_intercept": False},
        {"precondition": "standardize"},
        {"precondition": None, "lrs": (0.01, 0.1)},
        {"alphas": (0.0, 0.1), "l1_ratio": 0.5},
        {"optimizer": "adam"},
        {"interaction_only": True, "degrees": (1, 2)},
        {**HUBER, "alphas": (0.0, 0.1)},
        {**HUBER, "fit_intercept": False},
        {**HUBER, "precondition": "standardize", "degrees": (2, 1)},
        {**HUBER, "alphas": (0.01, 0.1), "l1_ratio": 0.5},
    ],
    ids=str,
)
def test_polynomial_search_equals_grid_search(settings):
    search = GDPolynomialRegressorCV(**{"lrs": LRS[1:], "epochs": 8, "cv": 3, **settings})
    rows = X[:, [2, 3, 8]] * 10
    search.fit(rows, Y)
    oracle = grid_search(clone(search), X=rows)
    assert_same(search, oracle)
    np.testing.assert_allclose(search.predict(rows), oracle.predict(rows), rtol=1e-8)


def test_degrees_one_to_six():
    x = np.random.default_rng(0).normal(0, 5, size=(120, 1))
    y = x[:, 0] ** 3 / 20 + x[:, 0] + np.random.default_rng(1).normal(size=120)
    search = GDPolynomialRegressorCV(degrees=range(1, 7), lrs=(0.01, 0.3), epochs=30, cv=3).fit(
        x, y
    )
    assert search.degree_ >= 3
    assert_same(search, grid_search(clone(search), X=x, y=y))
    assert len(search.to_polynomial().coef) == search.degree_ + 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("alphas", "is_told"), [((0.0, 1.0), True), ((1.0,), False)])
def test_far_more_terms_than_rows_are_told_once(alphas, is_told):
    rows = np.random.default_rng(0).normal(size=(20, 45))
    search = GDPolynomialRegressorCV(degrees=(1, 2), alphas=alphas, lrs=(0.1,), epochs=2, cv=2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(rows, rows[:, 0])
    told = [str(each.message) for each in caught if each.category is UserWarning]
    expected = (
        "GDPolynomialRegressorCV has candidates with 1080 terms of degree 2 and only 20 samples, "
        "which do not determine the coefficients. Leave out high degrees, or take alphas above 0."
    )
    assert told == [expected] * is_told
