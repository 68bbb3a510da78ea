"""Scorers and refit, as in GridSearchCV."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV
from tests._model_selection.reference import LRS, MSE, X, Y, assert_same, grid_search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_refit_as_in_grid_search():
    search = GDLinearRegressorCV(epochs=3, refit=False).fit(X, Y)
    assert search.best_params_
    assert not hasattr(search, "coef_")
    for name in ("predict", "equation", "to_sklearn"):
        assert not hasattr(search, name)
    with pytest.raises(AttributeError) as caught:
        search.score(X, Y)
    assert "initialized with `refit=False`" in str(caught.value.__cause__)
    assert not hasattr(search.set_params(refit=np.bool_(False)).fit(X, Y), "coef_")
    search = GDLinearRegressorCV(epochs=3, refit=lambda results: 1).fit(X, Y)
    assert search.lr_ == 0.01
    assert not hasattr(search, "best_score_")
    with pytest.raises(IndexError, match="out of range"):
        search.set_params(refit=lambda results: 7).fit(X, Y)
    with pytest.raises(TypeError, match="not an integer"):
        search.set_params(refit=lambda results: 1.0).fit(X, Y)
    with pytest.raises(ValueError, match="the parameter refit must be set to a scorer key"):
        GDLinearRegressorCV(scoring=["r2", MSE], epochs=2).fit(X, Y)
    several = GDLinearRegressorCV(scoring=["r2", MSE], refit=False, epochs=2).fit(X, Y)
    assert several.multimetric_
    assert not hasattr(several, "best_index_")


def test_callable_scoring_sees_what_the_user_passed():
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(10)])
    seen = []

    def score(model, rows, target):
        seen.append(type(rows))
        return {"a": model.score(rows, target), "b": 1.0}

    search = GDLinearRegressorCV(lrs=LRS, scoring=score, refit="a", epochs=5, cv=3).fit(frame, Y)
    assert set(seen) == {pd.DataFrame}
    assert search.cv_results_["mean_test_b"].tolist() == [1.0] * 3


def test_scorers_see_the_fitted_model():
    names = ("lr", "lr_", "n_iter_", "loss_", "max_stable_lr_", "diverged_")
    seen = []

    def score(model, rows, target):
        seen.append([getattr(model, name) for name in names])
        return model.lr

    def fit(kind):
        seen.clear()
        return kind.fit(X, Y).best_params_, sorted(seen)

    search = GDLinearRegressorCV(lrs=LRS, scoring=score, epochs=5, cv=3)
    oracle = GridSearchCV(GDLinearRegressor(epochs=5), {"lr": LRS}, scoring=score, cv=3)
    (ours, models), (theirs, reference) = fit(search), fit(oracle)
    assert ours == theirs == {"lr": 0.3}
    for own, other in zip(models, reference, strict=True):
        assert own == pytest.approx(other, rel=1e-9)


@pytest.mark.parametrize(
    "scoring",
    [
        {"score": "r2", "size": lambda model, rows, target: -np.abs(model.coef_).sum()},
        {"score": "r2", "size": MSE},
        lambda model, rows, target: {"score": 1.0, "size": -np.abs(model.coef_).sum()},
    ],
)
def test_a_score_named_score_among_several(scoring):
    search = GDLinearRegressorCV(lrs=LRS, scoring=scoring, refit="size", epochs=5)
    oracle = grid_search(clone(search).fit(X, Y))
    assert search.fit(X, Y).multimetric_
    assert_same(search, oracle)
    single = GDLinearRegressorCV(scoring={"score": "r2"}, refit="score", epochs=2).fit(X, Y)
    assert single.multimetric_


def test_a_scorer_must_return_a_number():
    search = GDLinearRegressorCV(scoring=lambda model, rows, target: "good", epochs=2)
    with pytest.raises(ValueError, match=r"scoring must return a number, got good"):
        search.fit(X, Y)


def test_float32_scores_are_those_of_the_float32_model():
    rows = (X + 100.0).astype(np.float32)
    search = GDLinearRegressorCV(lrs=LRS, epochs=40).fit(rows, Y)
    assert_same(search, grid_search(clone(search), X=rows), tolerance=1e-6)


def test_targets_too_large_to_square():
    with pytest.warns() as caught:
        search = GDLinearRegressorCV(epochs=3, refit=False).fit(X, Y * 1e200)
    assert not np.isfinite(search.cv_results_["mean_test_score"]).any()
    overflows = [w.filename for w in caught if w.category is RuntimeWarning]
    assert not [name for name in overflows if "sklearn_gd" in name]  # they are scikit-learn's


def test_equal_warnings_of_scorers_are_one_that_names_the_candidates():
    search = GDLinearRegressorCV(lrs=(0.1, 0.2), epochs=5, cv=10)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X[:10], Y[:10])
    found = [str(each.message) for each in caught if each.category is UndefinedMetricWarning]
    assert found == [
        "R^2 score is not well-defined with less than two samples. This concerns the scores of "
        "(lr=0.1), (lr=0.2)."
    ]
    assert {each.filename for each in caught if each.category is UndefinedMetricWarning} == {
        __file__
    }


def test_a_warning_of_one_candidate_names_that_one():
    def score(model, rows, target):
        if model.lr == 0.2:
            warnings.warn("mine", RuntimeWarning, stacklevel=2)
        return 0.0

    search = GDLinearRegressorCV(lrs=(0.1, 0.2), alphas=(0.0, 0.1), scoring=score, epochs=5, cv=2)
    words = r"^mine This concerns the scores of \(alpha=0.0, lr=0.2\), \(alpha=0.1, lr=0.2\)\.$"
    with pytest.warns(RuntimeWarning, match=words) as caught:
        search.fit(X, Y)
    assert len([each for each in caught if each.category is RuntimeWarning]) == 1


def test_a_warning_that_is_an_error_leaves_the_search_unfitted():
    search = GDLinearRegressorCV(lrs=(0.1,), epochs=5, cv=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UndefinedMetricWarning, match="not well-defined"):
            search.fit(X[:10], Y[:10])
    assert not hasattr(search, "cv_results_")
