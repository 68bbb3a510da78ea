"""The searches inside scikit-learn's tools."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_gd import GDLinearRegressorCV, GDPolynomialRegressorCV
from tests._model_selection.reference import GROUPS, LRS, PLAIN, WEIGHT, X, Y, grid_search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("kind", PLAIN)
def test_nested_in_a_pipeline(kind):
    search = kind(lrs=(0.01, 0.3), cv=2, epochs=8)
    rows = X[:, :3]
    nested = cross_val_score(make_pipeline(StandardScaler(), search), rows, Y, cv=3)
    by_hand = []
    for own, held in KFold(3).split(rows):
        scaler = StandardScaler().fit(rows[own])
        oracle = grid_search(clone(search), X=scaler.transform(rows[own]), y=Y[own])
        by_hand.append(oracle.best_estimator_.score(scaler.transform(rows[held]), Y[held]))
    np.testing.assert_allclose(nested, by_hand, rtol=1e-8)


def test_groups_and_weights_through_metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        search = GDLinearRegressorCV(lrs=LRS, cv=GroupKFold(3), epochs=10)
        search.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        fit = {"groups": GROUPS, "sample_weight": WEIGHT}
        alone = clone(search).fit(X, Y, **fit)
        nested = cross_validate(search, X, Y, cv=GroupKFold(2), params=fit)
        assert np.isfinite(nested["test_score"]).all()
    outside = clone(search).fit(X, Y, **fit)
    np.testing.assert_allclose(
        alone.cv_results_["mean_test_score"], outside.cv_results_["mean_test_score"], rtol=1e-12
    )


@pytest.mark.parametrize("kind", PLAIN)
def test_pickles_and_clones(kind):
    search = kind(lrs=LRS, epochs=5, cv=3).fit(X[:, :3], Y)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X[:, :3]), search.predict(X[:, :3]))
    assert again.equation() == search.equation()
    np.testing.assert_allclose(search.to_sklearn().predict(X[:, :3]), search.predict(X[:, :3]))
    with pytest.raises(NotFittedError):
        clone(search).predict(X)


@parametrize_with_checks(
    [
        GDLinearRegressorCV(cv=2, epochs=20, lrs=(0.03, 0.3)),
        GDPolynomialRegressorCV(cv=2, epochs=10, lrs=(0.1, 0.5), degrees=(1, 2)),
    ]
)
def test_scikit_learn_compatible(estimator, check):
    check(estimator)
