"""The searches: GridSearchCV over the plain estimator is the oracle throughout."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import make_scorer, max_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    GDPolynomialRegressorCV,
    _problem,
    _search_training,
)

X, Y = load_diabetes(return_X_y=True)
WEIGHT = np.random.default_rng(0).integers(0, 4, len(Y)).astype(float)
GROUPS = np.random.default_rng(1).integers(0, 8, len(Y))
THREE = np.column_stack([Y, X @ np.arange(10.0), Y**2 / 100 + X[:, 2]])
LRS = (0.003, 0.03, 0.3)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

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
    own = {name: params.pop(name) for name in ("cv", "scoring", "refit")}
    plain = PLAIN[type(search)](**params)
    grid = {name: list(values) for name, values in axes.items()}
    return GridSearchCV(plain, grid, **own).fit(X, y, **(fit or {}))


def assert_same(search, oracle, tolerance=1e-8):
    """Scores, ranks, the best candidate and its model."""
    ours, theirs = search.cv_results_, oracle.cv_results_
    assert set(theirs) - {key for key in theirs if key.startswith("param_")} <= set(ours)
    for key, values in theirs.items():
        if "_test_" in key and not key.startswith("rank"):
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
CASES = {
    "lrs": ({"lrs": np.geomspace(0.001, 0.9, 20), "cv": 5}, {}),
    "alphas": ({"lrs": np.geomspace(0.01, 0.9, 4), "alphas": (0.0, 0.001, 0.01, 0.1, 1.0)}, {}),
    "groups": ({"cv": GroupKFold(4)}, {"groups": GROUPS}),
    "repeated": ({"cv": RepeatedKFold(n_splits=3, n_repeats=3, random_state=0)}, {}),
    "shuffled": ({"cv": ShuffleSplit(4, test_size=0.3, random_state=0)}, {}),
    "time series": ({"cv": TimeSeriesSplit(4)}, {}),
    "predefined": ({"cv": PredefinedSplit(GROUPS % 4 - 1)}, {}),
    "weights": ({"alphas": (0.0, 0.1)}, {"sample_weight": WEIGHT}),
    "weights, overlapping": (
        {"cv": ShuffleSplit(3, random_state=0), "scoring": MSE},
        {"sample_weight": WEIGHT},
    ),
    "L1": ({"alphas": (0.0, 0.5, 5.0), "l1_ratio": 0.7}, {}),
    "L1 with momentum": (
        {"alphas": (0.5, 5.0), "l1_ratio": 0.7, "optimizer_params": {"momentum": 0.8}},
        {},
    ),
    "positive": ({"positive": True, "alphas": (0.0, 0.01)}, {}),
    "adam": ({"optimizer": "adam", "alphas": (0.0, 0.1)}, {}),
    "nadam": ({"optimizer": "nadam"}, {}, 1e-6),
    "rmsprop": ({"optimizer": "rmsprop"}, {}, 1e-5),
    "adadelta": ({"optimizer": "adadelta", "lrs": (0.1, 1.0)}, {}, 1e-5),
    "weight decay": ({"optimizer_params": {"momentum": 0.9, "weight_decay": 0.1}}, {}),
    "lbfgs": ({"optimizer": "lbfgs", "epochs": 4, "lrs": (0.5, 1.0)}, {}),
    "rprop": ({"optimizer": "rprop", "epochs": 20, "lrs": (0.01, 0.02)}, {}),
    "diverging": ({"lrs": (0.01, 0.1, 1.2, 50.0)}, {}),
    "auto": ({"lrs": ("auto", 0.01), "precondition": "standardize"}, {}),
    "standardize": ({"precondition": "standardize", "alphas": (0.0, 0.1)}, {}),
    "no intercept": ({"fit_intercept": False, "alphas": (0.0, 0.1)}, {}),
    "textbook": ({"precondition": None, "alphas": (0.0, 0.1)}, {}),
    "tol": ({"tol": 1e-3, "n_iter_no_change": 3}, {}),
    "huber": ({**HUBER, "epochs": 10, "cv": 3}, {}),
    "huber, weights": ({**HUBER, "epochs": 10, "cv": 3}, {"sample_weight": WEIGHT}),
    "huber, alphas": ({**HUBER, "alphas": (0.0, 0.1, 1.0), "cv": 3}, {}),
    "huber, L1": ({**HUBER, "alphas": (0.0, 0.01, 0.1), "l1_ratio": 0.7}, {}),
    "huber, positive": ({**HUBER, "positive": True, "cv": 3}, {}),
    "huber, textbook": ({**HUBER, "precondition": None, "alphas": (0.0, 0.1)}, {}),
    "huber, standardize": ({**HUBER, "precondition": "standardize"}, {}),
    "huber, no intercept": ({**HUBER, "fit_intercept": False}, {}),
    "huber, adam": ({**HUBER, "optimizer": "adam", "cv": 3}, {}),
    "huber, lbfgs": ({**HUBER, "optimizer": "lbfgs", "epochs": 3, "cv": 3}, {}),
    "huber, tol": ({**HUBER, "tol": 1e-2, "n_iter_no_change": 2, "lrs": (0.1, 1.0)}, {}),
    "huber, auto": ({**HUBER, "lrs": ("auto", 0.1)}, {}),
    "huber, groups": ({**HUBER, "cv": GroupKFold(4)}, {"groups": GROUPS}),
    "huber, time series": ({**HUBER, "cv": TimeSeriesSplit(4)}, {}),
    "huber, overlapping": (
        {**HUBER, "cv": ShuffleSplit(3, random_state=0)},
        {"sample_weight": WEIGHT},
    ),
    "quantile": ({"loss": "quantile", "loss_params": {"quantile": 0.8}, "cv": 3}, {}),
    "log-cosh, diverging": ({"loss": "log_cosh", "lrs": (0.1, 1e4)}, {}),
    "own loss": ({"loss": squared, "lrs": (0.01, 0.1, 50.0)}, {"sample_weight": WEIGHT}),
    "mini-batches": ({"batch_size": 100, "random_state": 0, "epochs": 3, "cv": 3}, {}),
    "another scorer": ({"scoring": "neg_mean_absolute_error"}, {"sample_weight": WEIGHT}),
    "several scorers": ({"scoring": ["r2", MSE], "refit": MSE}, {}),
    "named scorers": (
        {
            "scoring": {"a": "r2", "b": make_scorer(max_error, greater_is_better=False)},
            "refit": "b",
        },
        {},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_linear_search_equals_grid_search(case):
    settings, fit, *tolerance = CASES[case]
    search = GDLinearRegressorCV(**{"lrs": LRS, "epochs": 40, **settings}).fit(X, Y, **fit)
    assert_same(search, grid_search(clone(search), fit), *tolerance)


@pytest.mark.parametrize(
    "settings",
    [
        {"cv": 3},
        {"cv": TimeSeriesSplit(3), "alphas": (0.0, 0.1)},
        {"fit_intercept": False},
        {"precondition": "standardize"},
        {"precondition": None, "lrs": (0.01, 0.1)},
        {"alphas": (0.0, 0.1), "l1_ratio": 0.5},
        {"optimizer": "adam"},
        {"interaction_only": True, "degrees": (1, 2)},
        {**HUBER, "cv": 3, "alphas": (0.0, 0.1)},
        {**HUBER, "cv": 3, "fit_intercept": False},
        {**HUBER, "cv": 3, "precondition": "standardize", "degrees": (2, 1)},
        {**HUBER, "cv": 3, "alphas": (0.01, 0.1), "l1_ratio": 0.5},
    ],
    ids=str,
)
def test_polynomial_search_equals_grid_search(settings):
    search = GDPolynomialRegressorCV(**{"lrs": LRS, "epochs": 20, **settings})
    rows = X[:, [2, 3, 8]] * 10
    search.fit(rows, Y)
    assert_same(search, grid_search(clone(search), X=rows))
    np.testing.assert_allclose(
        search.predict(rows), grid_search(clone(search), X=rows).predict(rows), rtol=1e-8
    )


def test_degrees_one_to_six():
    x = np.random.default_rng(0).normal(0, 5, size=(120, 1))
    y = x[:, 0] ** 3 / 20 + x[:, 0] + np.random.default_rng(1).normal(size=120)
    search = GDPolynomialRegressorCV(degrees=range(1, 7), lrs=(0.01, 0.3), epochs=60).fit(x, y)
    assert search.degree_ >= 3
    assert_same(search, grid_search(clone(search), X=x, y=y))
    assert len(search.to_polynomial().coef) == search.degree_ + 1


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_three_targets_and_a_frame(loss):
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(10)])
    search = GDLinearRegressorCV(lrs=LRS, epochs=40, alphas=(0.0, 0.1), loss=loss)
    search.fit(frame, THREE)
    assert_same(search, grid_search(clone(search), X=frame, y=THREE))
    assert search.predict(frame).shape == THREE.shape
    assert list(search.feature_names_in_) == list(frame.columns)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_sparse_rows(loss):
    search = GDLinearRegressorCV(lrs=LRS, epochs=20, loss=loss).fit(sparse.csr_matrix(X), Y)
    assert_same(search, grid_search(clone(search)))


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_sparse_rows_too_wide_for_a_factor(loss, monkeypatch):
    monkeypatch.setattr(_problem, "_FACTOR_AT_MOST", 10)
    rows = sparse.csr_matrix(np.where(X > 0.03, X, 0.0))
    search = GDLinearRegressorCV(lrs=LRS, epochs=20, loss=loss, alphas=(0.0, 0.1), cv=3)
    search.fit(rows, Y, sample_weight=WEIGHT)
    assert search.precondition_ == "standardize"
    assert_same(search, grid_search(clone(search), {"sample_weight": WEIGHT}, X=rows))


def test_a_loss_that_is_not_finite_on_rows_held_out():
    """The rows of a fold that it does not train on must not be looked at."""

    def barrier(prediction, target):
        return (prediction - target) ** 2 - 1e-3 * torch.log(prediction)

    rows, cv = X[:60].copy(), [(np.arange(50), np.arange(50, 60))]
    rows[50:] *= -1000.0  # predictions are far below zero there, once training has begun
    search = GDLinearRegressorCV(lrs=(0.01, 0.02), epochs=20, loss=barrier, cv=cv, refit=False)
    search.fit(rows, Y[:60])
    plain = GDLinearRegressor(lr=0.02, epochs=20, loss=barrier).fit(rows[:50], Y[:50])
    assert plain.predict(rows[50:]).min() < 0
    assert not plain.diverged_
    assert search.cv_results_["diverged"].tolist() == [0, 0]
    assert search.cv_results_["split0_test_score"][1] == pytest.approx(
        plain.score(rows[50:], Y[50:60]), rel=1e-8
    )


@pytest.mark.parametrize(("loss", "rows"), [("squared_error", 442), ("huber", 40)])
def test_leave_one_out(loss, rows):
    search = GDLinearRegressorCV(lrs=(0.1,), epochs=20, cv=LeaveOneOut(), scoring=MSE, loss=loss)
    search.fit(X[:rows], Y[:rows])
    assert_same(search, grid_search(clone(search), X=X[:rows], y=Y[:rows]))


def test_deficient_rank_in_some_folds_only():
    rows = X[:60].copy()
    rows[:20, 3] = 2 * rows[:20, 2]
    rows[20:, 3] = rows[20:, 2] * 3
    rows[:40, 5] = 1.0
    search = GDLinearRegressorCV(lrs=LRS, epochs=40, cv=KFold(3)).fit(rows, Y[:60])
    assert_same(search, grid_search(clone(search), X=rows, y=Y[:60]))


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_splits_that_repeat_rows(loss):
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(Y), len(Y)) for _ in range(4)]
    cv = [(rows, np.setdiff1d(np.arange(len(Y)), rows)) for rows in draws]
    search = GDLinearRegressorCV(lrs=LRS, epochs=40, cv=cv, loss=loss).fit(X, Y)
    assert_same(search, grid_search(clone(search)))


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_many_runs_are_done_in_groups(monkeypatch, loss):
    whole = GDLinearRegressorCV(lrs=LRS, alphas=(0.0, 0.1), epochs=30, loss=loss).fit(X, Y)
    for runs in (2, 7):
        monkeypatch.setattr(_search_training, "_CURVE_ENTRIES", runs * 30)
        parts = clone(whole).fit(X, Y)
        np.testing.assert_allclose(
            parts.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"], rtol=1e-12
        )
        np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"tol": 0.05}, {"loss": "huber"}, {"lrs": (0.1, 9.0)}])
def test_held_out_curves_are_those_of_plain_fits(settings):
    search = GDLinearRegressorCV(**{"lrs": (0.05, 0.5), "epochs": 12, "cv": 3, **settings})
    search.fit(X, Y)
    assert search.test_loss_curves_.shape == (2, 3, 12)
    for k, lr in enumerate(search.lrs):
        for fold, (rows, held) in enumerate(KFold(3).split(X)):
            for epochs in (1, 5, 11):
                plain = GDLinearRegressor(lr=lr, epochs=epochs, loss=search.loss, tol=search.tol)
                r = Y[held] - plain.fit(X[rows], Y[rows]).predict(X[held])
                loss = r**2
                if search.loss == "huber":
                    loss = np.where(abs(r) < 1.35, loss / 2, 1.35 * (abs(r) - 0.675))
                ours = search.test_loss_curves_[k, fold, epochs]
                if not plain.diverged_:
                    np.testing.assert_allclose(ours, loss.mean(), rtol=1e-8)


def test_epochs_are_chosen_by_the_mean_held_out_curve():
    few, labels = X[:40], Y[:40]  # so few rows that long descents overfit
    search = GDLinearRegressorCV(lrs=(0.02,), epochs=300, select_epochs=True, cv=4)
    search.fit(few, labels)
    means = []
    for epochs in range(1, 60):
        plain = GDLinearRegressor(lr=0.02, epochs=epochs)
        means.append(cross_val_score(plain, few, labels, cv=4, scoring=MSE).mean())
    assert search.epochs_ == np.argmax(means) + 1 < 60
    assert search.n_iter_ == search.epochs_
    plain = GDLinearRegressor(lr=0.02, epochs=search.epochs_).fit(few, labels)
    np.testing.assert_allclose(search.coef_, plain.coef_, rtol=1e-10)


def test_divergence_is_counted_and_warned_of_once():
    search = GDLinearRegressorCV(lrs=(0.1, 1.5, 50.0), epochs=100, cv=4)
    with pytest.warns(ConvergenceWarning) as caught:
        search.fit(X, Y)
    assert [str(w.message) for w in caught if "diverged" in str(w.message)] == [
        "8 of 12 descents of GDLinearRegressorCV diverged, those of (lr=1.5), (lr=50.0); they "
        "are scored at their lowest loss. cv_results_['diverged'] counts them. Leave out large "
        "values of lrs, or set precondition='auto'."
    ]
    assert caught[0].filename == __file__
    assert search.cv_results_["diverged"].tolist() == [0, 4, 4]
    assert not search.diverged_
    alone = GDLinearRegressorCV(lrs=(0.1,), epochs=100, cv=4).fit(X, Y)
    np.testing.assert_allclose(alone.test_loss_curves_[0], search.test_loss_curves_[0], rtol=1e-12)


def test_no_warning_of_fits_in_folds():
    search = GDLinearRegressorCV(lrs=(1e-6, 0.5), epochs=30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="GDLinearRegressorCV was still far"):
        search.set_params(lrs=(1e-6,)).fit(X, Y)


def test_a_slow_descent_may_be_the_best():
    """Few steps are a penalty: the larger rates were tried, and no warning asks for them."""
    search = GDLinearRegressorCV(lrs=(0.0015, 0.5), cv=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.fit(X, Y)
    assert search.lr_ == 0.0015
    with pytest.warns(ConvergenceWarning, match="GDLinearRegressor was still far"):
        GDLinearRegressor(lr=search.lr_).fit(X, Y)


def test_axes_of_one_value_are_left_out_of_params():
    search = GDLinearRegressorCV(lrs=(0.1,), alphas=(0.0, 1.0), epochs=2).fit(X, Y)
    assert search.cv_results_["params"] == [{"alpha": 0.0}, {"alpha": 1.0}]
    assert search.best_params_ == {"alpha": search.alpha_}
    search = GDLinearRegressorCV(lrs=(0.1,), epochs=2).fit(X, Y)
    assert search.cv_results_["params"] == [{"lr": 0.1}]
    search = GDPolynomialRegressorCV(degrees=(1, 2), alphas=(0.0, 1.0), epochs=2, cv=2)
    params = search.fit(X[:, :2], Y).cv_results_["params"]
    assert params[3] == {"alpha": 0.0, "degree": 2, "lr": 0.001}
    assert list(params[0]) == ["alpha", "degree", "lr"]
    assert len(search.to_frame()) == len(params) == 12


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


def test_a_loss_with_a_torch_parameter():
    weight = torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
    search = GDLinearRegressorCV(lrs=LRS, epochs=5, loss=lambda p, t: weight * (p - t) ** 2)
    search.fit(X, Y)
    assert_same(search, grid_search(clone(search)))
    assert weight.grad is None


def test_a_scheduler_that_looks_at_the_lr():
    def slower(optimizer):
        base = optimizer.param_groups[0]["lr"]
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: base / (base + 0.01 * t))

    search = GDLinearRegressorCV(lrs=LRS, epochs=15, lr_scheduler=slower).fit(X, Y)
    assert_same(search, grid_search(clone(search)))


def test_targets_too_large_to_square():
    with pytest.warns() as caught:
        search = GDLinearRegressorCV(epochs=3, refit=False).fit(X, Y * 1e200)
    assert not np.isfinite(search.cv_results_["mean_test_score"]).any()
    overflows = [w.filename for w in caught if w.category is RuntimeWarning]
    assert not [name for name in overflows if "sklearn_gd" in name]  # they are scikit-learn's


def test_splits_of_any_sequence():
    halves = tuple(range(200)), tuple(range(200, len(Y)))
    search = GDLinearRegressorCV(epochs=5, cv=[halves, halves[::-1]]).fit(X, Y)
    arrays = [tuple(map(np.asarray, halves)), tuple(map(np.asarray, halves[::-1]))]
    oracle = clone(search).set_params(cv=arrays).fit(X, Y)
    np.testing.assert_array_equal(search.coef_, oracle.coef_)
    for wrong in ([0.5, 1.5], [900]):
        with pytest.raises(ValueError, match="Split 0 of GDLinearRegressorCV does not name rows"):
            clone(search).set_params(cv=[(np.arange(5), wrong)]).fit(X, Y)


def test_bad_parameters_with_metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        for lrs in ((), 0.1):
            with pytest.raises(ValueError, match="The 'lrs' parameter"):
                cross_validate(GDLinearRegressorCV(lrs=lrs), X, Y, error_score="raise")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lrs": 0.1}, "The 'lrs' parameter of GDLinearRegressorCV must be a non-empty sequence"),
        ({"lrs": ()}, "The 'lrs' parameter"),
        ({"lrs": (0.1, -1.0)}, "The 'lrs' parameter"),
        ({"lrs": "auto"}, "The 'lrs' parameter"),
        ({"alphas": (-1.0,)}, "The 'alphas' parameter"),
        ({"alphas": (True,)}, "The 'alphas' parameter"),
        ({"epochs": 0}, r"The 'epochs' parameter of GDLinearRegressorCV must be an int"),
        ({"select_epochs": 1}, "The 'select_epochs' parameter"),
        ({"loss": "hinge"}, "The 'loss' parameter of GDLinearRegressorCV"),
        ({"optimizer": "nobody"}, "The 'optimizer' parameter of GDLinearRegressorCV"),
        ({"cv": []}, "No fits were performed"),
        ({"cv": [(np.arange(5), [])]}, "Split 0 of GDLinearRegressorCV has no sample"),
    ],
    ids=str,
)
def test_errors_say_what_is_wrong_and_change_nothing(settings, message):
    search = GDLinearRegressorCV(epochs=2).fit(X, Y)
    before = dict(vars(search))
    search.set_params(**settings)
    with pytest.raises(ValueError, match=message):
        search.fit(X, Y)
    fitted = {name: value for name, value in before.items() if name.endswith("_")}
    assert all(vars(search)[name] is value for name, value in fitted.items())


def test_unknown_metadata_is_refused():
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        GDLinearRegressorCV(epochs=2).fit(X, Y, colour=1)


@pytest.mark.parametrize("kind", PLAIN)
def test_nested_in_a_pipeline(kind):
    search = kind(lrs=(0.01, 0.3), cv=3, epochs=20)
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


def test_bagging_by_weights():
    """Bootstrap fits as the folds of one search equal as many separate fits."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(Y), len(Y)) for _ in range(200)]
    everyone = np.arange(len(Y))
    models = []

    def keep(model, rows, target):
        models.append(model)
        return 0.0

    search = GDLinearRegressorCV(
        lrs=(0.1,), epochs=20, cv=[(rows, everyone) for rows in draws], scoring=keep, refit=False
    ).fit(X, Y)
    assert search.n_splits_ == len(models) == 200
    for rows, model in zip(draws, models, strict=True):
        alone = GDLinearRegressor(lr=0.1, epochs=20).fit(X[rows], Y[rows])
        np.testing.assert_allclose(model.coef_, alone.coef_, rtol=1e-9)
        np.testing.assert_allclose(model.intercept_, alone.intercept_, rtol=1e-12)


class Counter:
    """A callback that counts tasks, and asks to stop at one of them."""

    def __init__(self, stop_at=None):
        self.stop_at, self.ended, self.expected = stop_at, 0, None

    def setup(self, estimator, context):
        self.expected = context.max_subtasks

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.ended += 1
        return self.ended == self.stop_at


@pytest.mark.parametrize("options", [{}, {"loss": "huber"}, {"alphas": (0.0, 1.0)}])
def test_callbacks_follow_the_descent_and_may_end_it(options):
    counter = Counter(stop_at=7)
    search = GDLinearRegressorCV(epochs=30, **options).set_callbacks(counter).fit(X, Y)
    assert (counter.expected, counter.ended) == (30, 8)  # the fit itself is a task
    assert search.n_iter_ == 7
    options.pop("alphas", None)
    plain = GDLinearRegressor(epochs=7, lr=search.lr_, alpha=search.alpha_, **options).fit(X, Y)
    np.testing.assert_allclose(search.coef_, plain.coef_, rtol=1e-10)


def test_callbacks_follow_every_descent(monkeypatch):
    """Groups of runs, and cells one by one: fits of all, those on all data included."""
    monkeypatch.setattr(_search_training, "_CURVE_ENTRIES", 2 * 5)
    counter = Counter()
    GDLinearRegressorCV(lrs=LRS, epochs=5, cv=3).set_callbacks(counter).fit(X, Y)
    assert counter.ended == counter.expected + 1 == (3 + 1) * 2 * 5 + 1
    counter = Counter()
    search = GDLinearRegressorCV(lrs=LRS, epochs=5, cv=3, batch_size=200, random_state=0)
    search.set_callbacks(counter).fit(X, Y)
    assert counter.ended == counter.expected + 1 == (3 * 3 + 1) * 5 + 1
    counter = Counter(stop_at=2)
    search.set_callbacks(counter).fit(X, Y)
    assert counter.ended == (3 * 3 + 1) * 2 + 1
    assert search.n_iter_ == 2


def test_scoring_monitor_sees_the_fitted_search():
    """Candidates still race in an epoch, so that there is no model to score before the end."""
    monitor = ScoringMonitor(scoring="r2")
    search = GDLinearRegressorCV(epochs=5).set_callbacks(monitor).fit(X, Y)
    log = monitor.get_logs().data_as_pandas
    assert log["task_name"].tolist() == ["fit"]
    assert log["r2"].item() == pytest.approx(search.score(X, Y))


def test_progress_bar(capsys):
    GDLinearRegressorCV(epochs=5, verbose=1).fit(X, Y)
    printed = capsys.readouterr().out
    assert "GDLinearRegressorCV - fit" in printed
    assert "100%" in printed


@parametrize_with_checks(
    [
        GDLinearRegressorCV(cv=3, epochs=100),
        GDPolynomialRegressorCV(cv=3, epochs=30, lrs=(0.1, 0.3), degrees=(1, 2)),
    ]
)
def test_scikit_learn_compatible(estimator, check):
    check(estimator)
