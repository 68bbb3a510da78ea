"""Scorers that fail, scores on training rows and `scorer_`, beside GridSearchCV."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import make_scorer, mean_absolute_error

from sklearn_gd import GDLinearRegressorCV, GDPolynomialRegressorCV, Moments
from tests._model_selection.reference import (
    GROUPS,
    HUBER,
    LRS,
    MSE,
    THREE,
    WEIGHT,
    X,
    Y,
    assert_same,
    grid_search,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

BOOTSTRAP = [
    (rows, np.setdiff1d(np.arange(len(Y)), rows))
    for rows in np.random.default_rng(0).integers(0, len(Y), (3, len(Y)))
]


def search_of(**options):
    """A short search."""
    return GDLinearRegressorCV(**{"lrs": LRS, "epochs": 5, "cv": 2, **options})


@pytest.mark.parametrize("y", [Y, THREE], ids=["one target", "three targets"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"alphas": (0.0, 0.1)},
        {"alphas": (0.1,), "l1_ratio": 0.5},
        {"fit_intercept": False},
        {"precondition": None},
        {"scoring": MSE},
        {"scoring": "neg_median_absolute_error"},
        {"scoring": ["r2", MSE], "refit": "r2"},
        pytest.param({"cv": BOOTSTRAP}, id="bootstrap"),
        HUBER,
        {"batch_size": 200, "random_state": 0, "epochs": 3},
    ],
    ids=str,
)
def test_train_scores(options, y):
    if y.ndim == 2 and options.get("scoring") == "neg_median_absolute_error":
        y = y[:, :1]
    search = search_of(return_train_score=True, **options).fit(X, y)
    oracle = grid_search(search, y=y)
    keys = [key for key in oracle.cv_results_ if "train" in key]
    assert keys
    assert [key for key in search.cv_results_ if "train" in key] == keys
    assert_same(search, oracle)
    assert not [key for key in search_of(**options).fit(X, y).cv_results_ if "train" in key]


def test_train_scores_of_polynomials_weights_and_float32():
    search = GDPolynomialRegressorCV(lrs=LRS, degrees=(1, 2), epochs=10, cv=3)
    search.set_params(return_train_score=True)
    rows = X[:, :3]
    with sklearn.config_context(enable_metadata_routing=True):
        search.fit(rows, Y)
        assert_same(search, grid_search(search, X=rows))
    all_rows = np.arange(len(Y))
    weighted = clone(search).set_params(cv=[(all_rows, all_rows)])
    weighted.fit(rows, Y, sample_weight=WEIGHT)
    expected = weighted.best_estimator_.score(rows, Y, WEIGHT)
    assert weighted.cv_results_["mean_train_score"].max() == pytest.approx(expected)
    np.testing.assert_allclose(
        weighted.cv_results_["mean_train_score"], weighted.cv_results_["mean_test_score"]
    )
    rows = rows.astype(np.float32)
    assert_same(clone(search).fit(rows, Y), grid_search(search, X=rows), tolerance=1e-5)


def test_train_scores_of_moments():
    parts = np.array_split(np.arange(len(Y)), 3)
    search = search_of(return_train_score=True, cv=None)
    search.fit([Moments.of(X[rows], Y[rows]) for rows in parts])
    folds = np.repeat(np.arange(3), [len(rows) for rows in parts])
    splits = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(3)]
    by_rows = search_of(return_train_score=True, cv=splits).fit(X, Y)
    for key in ("split0_train_score", "mean_train_score", "std_train_score"):
        np.testing.assert_allclose(
            search.cv_results_[key], by_rows.cv_results_[key], rtol=1e-9, atol=1e-12
        )


def fails_for_large(model, rows, target):
    """A scorer that fails for one learning rate."""
    if model.lr == LRS[2]:
        raise RuntimeError("no score for this one")
    return model.score(rows, target)


def fails_on_one_split(model, rows, target):
    """A scorer of two scores that fails on one split."""
    if rows[0, 0] == X[0, 0]:
        raise RuntimeError("no score on this split")
    return {"r2": model.score(rows, target), "lr": model.lr}


@pytest.mark.parametrize("error_score", [np.nan, -7.5, 0])
@pytest.mark.parametrize("return_train_score", [False, True])
@pytest.mark.parametrize(
    "scoring",
    [fails_for_large, {"a": "r2", "b": fails_for_large}, {"a": fails_for_large, "b": "r2"}],
    ids=["one", "second", "first"],
)
def test_scorers_that_fail(scoring, return_train_score, error_score):
    refit = True if callable(scoring) else "a"
    search = search_of(scoring=scoring, refit=refit, error_score=error_score)
    search.set_params(return_train_score=return_train_score)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, Y)
    messages = [str(w.message) for w in caught if "Scoring failed" in str(w.message)]
    assert len(messages) == 1  # and not one for each split
    assert f"will be set to {error_score}. Details: \nTraceback" in messages[0]
    assert "RuntimeError: no score for this one" in messages[0]
    assert messages[0].endswith("This concerns the scores of (lr=0.3).")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = grid_search(search)
    assert_same(search, oracle)
    for key in oracle.cv_results_:
        if key.startswith("rank"):
            np.testing.assert_array_equal(search.cv_results_[key], oracle.cv_results_[key])


def test_a_scorer_that_always_fails():
    def fails(model, rows, target):
        raise RuntimeError("never")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search = search_of(scoring=fails, error_score=np.nan, refit=False).fit(X, Y)
    messages = [str(w.message) for w in caught]
    assert any("Scoring failed" in message for message in messages)
    assert any("One or more of the test scores are non-finite" in each for each in messages)
    assert search.cv_results_["rank_test_score"].tolist() == [1, 1, 1]
    assert np.isnan(search.cv_results_["mean_test_score"]).all()
    with pytest.raises(RuntimeError, match="never"):
        search.set_params(error_score="raise").fit(X, Y)
    with pytest.raises(RuntimeError, match="never"):
        search_of(scoring={"a": "r2", "b": fails}, refit="a").fit(X, Y)


def test_several_scores_of_a_callable_that_fails_on_a_split():
    search = search_of(scoring=fails_on_one_split, refit="r2", error_score=-3.0)
    with pytest.warns(UserWarning, match="no score on this split"):
        search.fit(X, Y)
    assert search.cv_results_["split0_test_r2"].tolist() == [-3.0] * 3
    assert search.cv_results_["split0_test_lr"].tolist() == [-3.0] * 3
    assert search.cv_results_["split1_test_lr"].tolist() == list(LRS)
    assert search.multimetric_


@pytest.mark.parametrize("error_score", ["nan", None, True, "Raise"])
def test_what_is_no_error_score(error_score):
    with pytest.raises(ValueError, match="'error_score' parameter of GDLinearRegressorCV"):
        search_of(error_score=error_score).fit(X, Y)


@pytest.mark.parametrize(
    ("scoring", "refit"),
    [
        (None, True),
        (MSE, True),
        (make_scorer(mean_absolute_error, greater_is_better=False), True),
        (["r2", MSE], "r2"),
        ({"a": "r2", "b": MSE}, "b"),
    ],
    ids=str,
)
def test_scorer_is_that_of_grid_search(scoring, refit):
    search = search_of(scoring=scoring, refit=refit)
    with pytest.raises(AttributeError, match="not fitted"):
        _ = search.scorer_
    ours, theirs = search.fit(X, Y).scorer_, grid_search(search).scorer_
    model = search.best_estimator_
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        assert all(ours[k](model, X, Y) == theirs[k](model, X, Y) for k in theirs)
    else:
        assert type(ours) is type(theirs)
        assert ours(model, X, Y) == theirs(model, X, Y)
    loaded = pickle.loads(pickle.dumps(search))
    assert type(loaded.scorer_) is type(ours)


def test_groups_change_nothing_in_train_scores():
    search = search_of(return_train_score=True, cv=sklearn.model_selection.GroupKFold(3))
    search.fit(X, Y, groups=GROUPS)
    assert_same(search, grid_search(search, fit={"groups": GROUPS}))
