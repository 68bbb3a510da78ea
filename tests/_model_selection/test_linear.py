"""The linear search equals GridSearchCV over the plain estimator."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import make_scorer, max_error
from sklearn.model_selection import (
    GroupKFold,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from sklearn_gd import GDLinearRegressorCV
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
    squared,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


CASES = {
    "lrs": ({"lrs": np.geomspace(0.001, 0.9, 6), "cv": 4}, {}),
    "alphas": ({"lrs": (0.01, 0.3), "alphas": (0.0, 0.001, 0.1)}, {}),
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
    "tol": ({"epochs": 40, "tol": 1e-3, "n_iter_no_change": 3}, {}),
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
    search = GDLinearRegressorCV(**{"lrs": LRS[1:], "epochs": 15, "cv": 3, **settings}).fit(
        X, Y, **fit
    )
    assert_same(search, grid_search(clone(search), fit), *tolerance)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_three_targets_and_a_frame(loss):
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(10)])
    search = GDLinearRegressorCV(lrs=LRS, epochs=10, cv=3, alphas=(0.0, 0.1), loss=loss)
    search.fit(frame, THREE)
    assert_same(search, grid_search(clone(search), X=frame, y=THREE))
    assert search.predict(frame).shape == THREE.shape
    assert list(search.feature_names_in_) == list(frame.columns)
