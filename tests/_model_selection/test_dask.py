"""Searches on Dask collections: the folds and the results of KFold on the rows in memory."""

import numpy as np
import pytest

from sklearn_gd import GDLinearRegressorCV, GDPolynomialRegressorCV

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")


@pytest.fixture(autouse=True)
def _two_threads():
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


def rows(n=53, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(2.0, 1.0, size=(n, 2))
    return X, X[:, 0] ** 2 - X[:, 1] + rng.normal(size=n), rng.uniform(0.5, 2.0, size=n)


def lazily(*arrays, rows=9):
    return [da.from_array(array, chunks=(rows, *array.shape[1:])) for array in arrays]


@pytest.mark.parametrize("cv", [None, 2, 7])
@pytest.mark.parametrize("chunk", [9, 60])
def test_the_folds_are_those_in_memory(cv, chunk):
    X, y, weight = rows()
    search = GDLinearRegressorCV(lrs=(0.1, "auto"), alphas=(0.0, 0.1), cv=cv, epochs=100)
    found = search.fit(*lazily(X, y, weight, rows=chunk)).cv_results_["mean_test_score"]
    best, coef = search.best_index_, search.best_estimator_.coef_
    search.fit(X, y, weight)
    np.testing.assert_allclose(found, search.cv_results_["mean_test_score"], rtol=1e-9)
    assert best == search.best_index_
    np.testing.assert_allclose(coef, search.best_estimator_.coef_, rtol=1e-9)


def test_degrees():
    X, y, _ = rows()
    search = GDPolynomialRegressorCV(lrs=("auto",), degrees=(1, 2, 3))
    found = search.fit(*lazily(X, y)).cv_results_["mean_test_score"]
    assert search.degree_ == 2
    expected = search.fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_what_needs_rows_says_so():
    X, y, _ = rows()
    lazy = lazily(X, y)
    with pytest.raises(ValueError, match="into folds of successive rows, and was given cv="):
        GDLinearRegressorCV(cv=[(np.arange(20), np.arange(20, 53))]).fit(*lazy)
    with pytest.raises(ValueError, match="was given groups"):
        GDLinearRegressorCV().fit(*lazy, groups=np.arange(53))
    with pytest.raises(ValueError, match="scoring='neg_max_error' .* needs rows"):
        GDLinearRegressorCV(scoring="neg_max_error").fit(*lazy)
    with pytest.raises(ValueError, match="n_splits=60 greater than the number of samples"):
        GDLinearRegressorCV(cv=60).fit(*lazy)
