"""The units of features and of targets.

A factor and a shift of each feature change no prediction, where the coordinates of the descent
are those of the data ("whiten" and "standardize"), and nothing refers to the units of the
features: no penalty and no bounds other than zero. Without an intercept a shift changes the model,
and `positive` needs positive factors; for polynomials with `positive` the law does not hold, since
their terms are plain powers.

A factor and a shift of the target move the predictions with them, and multiply the loss by a
power of the factor, where nothing refers to the units of the target: squared and absolute
errors, with penalties of the same power. Huber's delta and epsilon are scaled with the target.
The shift needs an intercept.

The models agree to 1e-8 of the largest prediction: factors of 1e-3 to 1e3 and shifts of 100
deviations cost two digits.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_gd import GDLinearRegressor
from tests.laws.common import (
    DRAWN,
    EPOCHS,
    FULL_BATCH,
    KINDS,
    TEXTBOOK,
    assert_close,
    examples,
    over,
    tables,
    without,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RTOL = 1e-8
PENALIZED = ["ridge", "lasso", "elastic_net", "log_cosh_ridge", "lasso_momentum", "rprop"]
TEXTBOOKS = ["textbook", "textbook_momentum"]
FREE = without({**FULL_BATCH, **DRAWN}, *PENALIZED, *TEXTBOOKS, "bounds")
SCALED = {  # how the options change when the target is multiplied by a factor, and its power
    "defaults": ({}, lambda factor: {}, 2),
    "textbook": ({**TEXTBOOK, "fit_intercept": False}, lambda factor: {}, 2),
    "ridge": ({"alpha": 0.3}, lambda factor: {}, 2),
    "lasso": (
        {"alpha": 0.1, "l1_ratio": 1.0},
        lambda factor: {"alpha": 0.1 * factor},
        2,
    ),
    "positive": ({"positive": True}, lambda factor: {}, 2),
    "bounds": (
        {"bounds": (-0.3, 0.5)},
        lambda factor: {"bounds": (-0.3 * factor, 0.5 * factor)},
        2,
    ),
    "adam": ({"optimizer": "adam"}, lambda factor: {}, 2),
    "tol": ({"tol": 1e-4, "lr": 0.3}, lambda factor: {}, 2),
    "absolute_error": ({"loss": "absolute_error"}, lambda factor: {}, 1),
    "quantile": ({"loss": "quantile", "loss_params": {"quantile": 0.8}}, lambda factor: {}, 1),
    "huber": (
        {"loss": "huber", "lr": 0.1},
        lambda factor: {"loss_params": {"delta": 1.35 * factor}},
        2,
    ),
    "epsilon_insensitive": (
        {"loss": "epsilon_insensitive"},
        lambda factor: {"loss_params": {"epsilon": 0.1 * factor}},
        1,
    ),
    "batches": ({"batch_size": 4, "random_state": 0}, lambda factor: {}, 2),
}


@over({**FREE, "no_intercept": {"fit_intercept": False}})
@given(table=tables)
@examples(max_examples=2)
def test_units_of_features(kind, options, table):
    X, y, weight, rng = table
    if options.get("positive") and kind is not GDLinearRegressor:
        return
    factor = 10.0 ** rng.uniform(-3, 3, size=X.shape[1])
    if not options.get("positive"):
        factor *= rng.choice([-1.0, 1.0], size=X.shape[1])
    shift = factor * rng.uniform(-100, 100, size=X.shape[1]) * options.get("fit_intercept", True)
    changed = X * factor + shift
    model = kind(**options).fit(changed, y, weight)
    other = kind(**options).fit(X, y, weight)
    assert_close(model.predict(changed), other.predict(X), y, RTOL)
    assert_close(model.loss_curve_, other.loss_curve_, other.loss_curve_[0], RTOL)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCALED)
@given(table=tables, factor=st.sampled_from([1e-3, 7.0, 1e6]), shift=st.floats(-100, 100))
@examples(max_examples=2)
def test_units_of_targets(kind, name, table, factor, shift):
    X, y, weight, _ = table
    options, change, power = SCALED[name]
    options = {"epochs": EPOCHS, **options}
    shift = factor * shift * options.get("fit_intercept", True)
    model = kind(**{**options, **change(factor)}).fit(X, factor * y + shift, weight)
    other = kind(**options).fit(X, y, weight)
    expected = factor * other.predict(X) + shift
    assert_close(model.predict(X), expected, np.append(expected, factor), RTOL)
    expected = factor**power * other.loss_curve_
    assert_close(model.loss_curve_, expected, expected[0], RTOL)
