"""Searches over moments: each part is a fold."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from sklearn_gd import GDLinearRegressorCV, GDPolynomialRegressorCV, Moments

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=(N, 3)) * [1.0, 10.0, 0.1] + [1.0, 0.0, -1.0]
Y = np.column_stack([X @ [1.0, -2.0, 0.5] + RNG.normal(size=N), np.sin(X[:, 0])])
WEIGHT = RNG.uniform(0.2, 2.0, N)
FOLDS = 4
GRIDS = {
    "linear": (GDLinearRegressorCV, {"lrs": (0.01, 0.1), "alphas": (0.0, 0.3)}, 1),
    "polynomial": (GDPolynomialRegressorCV, {"lrs": (0.01, 0.1), "degrees": (1, 2)}, 2),
    "a higher degree": (GDPolynomialRegressorCV, {"lrs": (0.1, "auto"), "degrees": (1, 2)}, 3),
    "linear of degree 2": (GDLinearRegressorCV, {"lrs": ("auto",)}, 2),
}
OPTIONS = {
    "defaults": {},
    "no intercept": {"fit_intercept": False},
    "lasso": {"l1_ratio": 0.7, "alphas": (0.1, 0.3)},
    "textbook": {"precondition": None, "lrs": (1e-6, 1e-5)},
    "adam, epochs": {"optimizer": "adam", "select_epochs": True},
    "errors": {"scoring": "neg_mean_squared_error"},
    "both": {"scoring": ["r2", "neg_mean_squared_error"], "refit": "r2"},
}


def parts_of(x, y, weight, degree):
    return [
        Moments.of(x[test], y[test], weight[test], degree=degree)
        for _, test in KFold(FOLDS).split(x)
    ]


def assert_same_search(ours, expected, rtol=1e-8):
    assert ours.best_params_ == expected.best_params_
    assert ours.n_splits_ == expected.n_splits_
    for name, values in expected.cv_results_.items():
        if "test_" in name:
            theirs = np.asarray(values, dtype=float)
            mine = np.asarray(ours.cv_results_[name], dtype=float)
            np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol * np.abs(theirs).max())
    size = expected.test_loss_curves_.max()
    np.testing.assert_allclose(
        ours.test_loss_curves_, expected.test_loss_curves_, rtol=rtol, atol=rtol * size
    )
    np.testing.assert_allclose(ours.predict(X), expected.predict(X), rtol=rtol, atol=rtol)
    assert ours.coef_.shape == expected.coef_.shape


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("grid", GRIDS)
def test_each_part_is_a_fold(grid, options):
    make, axes, degree = GRIDS[grid]
    options = {"epochs": 10, **axes, **OPTIONS[options]}
    expected = make(cv=FOLDS, **options).fit(X, Y, WEIGHT)
    ours = make(**options).fit(parts_of(X, Y, WEIGHT, degree))
    assert_same_search(ours, expected)
    moments = Moments.of(X, Y, WEIGHT, degree=degree)
    assert ours.score(moments) == pytest.approx(expected.score(X, Y, WEIGHT), rel=1e-8)


def test_a_tuple_with_names_and_one_target():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    halves = tuple(Moments.of(frame[a : a + 30], Y[a : a + 30, 0]) for a in (0, 30))
    search = GDLinearRegressorCV(lrs=("auto",)).fit(halves)
    assert search.feature_names_in_.tolist() == ["a", "b", "c"]
    assert search.coef_.shape == (3,)
    assert search.n_splits_ == 2
    # the arguments are only read
    assert halves[0] == Moments.of(frame[:30], Y[:30, 0])


def test_parts_with_fewer_rows_than_columns():
    x, y, weight = RNG.normal(size=(16, 9)), RNG.normal(size=16), np.ones(16)
    options = {"lrs": ("auto",), "epochs": 20, "alphas": (0.0, 0.1)}
    expected = GDLinearRegressorCV(cv=FOLDS, **options).fit(x, y)
    ours = GDLinearRegressorCV(**options).fit(parts_of(x, y, weight, 1))
    np.testing.assert_allclose(ours.coef_, expected.coef_, rtol=1e-8)
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"], rtol=1e-8
    )


PARTS = parts_of(X, Y, WEIGHT, 1)
REFUSED = {
    "one": ({}, PARTS[0], {}, ValueError, "takes a list of two or more moments.*is one Moments"),
    "a list of one": ({}, PARTS[:1], {}, ValueError, "is a list of one Moments"),
    "mixed": ({}, [PARTS[0], X], {}, TypeError, "only some elements are moments"),
    "y": ({}, PARTS, {"y": Y}, ValueError, "together with 'y'"),
    "weights": ({}, PARTS, {"sample_weight": WEIGHT}, ValueError, "together with 'sample_weight'"),
    "cv": ({"cv": 3}, PARTS, {}, ValueError, "together with 'cv', but each part is a fold"),
    "groups": ({}, PARTS, {"groups": WEIGHT}, ValueError, "together with 'groups'"),
    "scorer": (
        {"scoring": "neg_max_error"},
        PARTS,
        {},
        ValueError,
        "scoring='neg_max_error' .*needs rows",
    ),
    "callable": (
        {"scoring": lambda model, X, y: 0.0},
        PARTS,
        {},
        ValueError,
        "needs rows.*Use None or 'r2'",
    ),
    "loss": ({"loss": "huber"}, PARTS, {}, ValueError, "loss='huber' of GDLinearRegressorCV"),
    "batches": ({"batch_size": 3}, PARTS, {}, ValueError, "batch_size=3 of GDLinearRegressorCV"),
    "columns": (
        {},
        [PARTS[0], Moments.of(X[:, :2], Y)],
        {},
        ValueError,
        "number of features: 3 and 2",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_rows(name):
    params, x, arguments, error, message = REFUSED[name]
    search = GDLinearRegressorCV(**params)
    with pytest.raises(error, match=message):
        search.fit(x, **arguments)
    assert not hasattr(search, "cv_results_")


def test_degrees_above_that_of_the_moments():
    with pytest.raises(ValueError, match="degree=2 of GDPolynomialRegressorCV needs moments"):
        GDPolynomialRegressorCV(degrees=(1, 2)).fit(PARTS)


def test_rows_without_y():
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        GDLinearRegressorCV().fit(X)
