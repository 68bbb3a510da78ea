"""`loss_` and `loss_curve_[0]` are what NumPy computes from data and predictions.

`loss_` is the objective of `predict` and `coef_`, for every loss, penalty and coordinates, in
batches too. `loss_curve_[0]` is the objective where the descent starts, unless batches are
used: then it is a mean over the first epoch. Both agree to 1e-10 relative, and 1e-14 of the
loss at the start.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.common import KINDS, MOMENTUM, examples, tables
from tests.laws.objective import LOSSES, objective_at_start, objective_of_fit

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PARAMS = {
    "huber": {"delta": 0.7},
    "quantile": {"quantile": 0.8},
    "epsilon_insensitive": {"epsilon": 0.3},
    "squared_epsilon_insensitive": {"epsilon": 0.3},
}
PENALTIES = {
    "free": {},
    "ridge": {"alpha": 0.3},
    "lasso": {"alpha": 0.1, "l1_ratio": 1.0},
    "elastic_net": {"alpha": 0.1, "l1_ratio": 0.3, **MOMENTUM},
    "positive": {"positive": True},
}
COORDINATES = {
    "preconditioned": {},
    "standardize": {"precondition": "standardize"},
    "textbook": {"precondition": None, "lr": 0.001},
    "no_intercept": {"fit_intercept": False, "lr": "auto"},
    "batches": {"batch_size": 4, "random_state": 0},
}


def pairwise():
    """Every loss with every penalty, each in two of the coordinates.

    So every two values of different axes meet, as in a Latin square.
    """
    coordinates = list(COORDINATES)
    for i, loss in enumerate(LOSSES):
        for j, penalty in enumerate(PENALTIES):
            for k in (i + j, i + 2 * j + 1):
                yield loss, penalty, coordinates[k % len(coordinates)]


@pytest.mark.parametrize(("loss", "penalty", "coordinates"), list(pairwise()))
@given(table=tables, kind=st.sampled_from(KINDS))
@examples(max_examples=2)
def test_the_loss_is_that_of_predict(kind, loss, penalty, coordinates, table):
    X, y, weight, _ = table
    options = {**PENALTIES[penalty], **COORDINATES[coordinates]}
    model = kind(epochs=10, loss=loss, loss_params=PARAMS.get(loss), **options)
    model.fit(X, y, weight)
    start = float(objective_at_start(model, y, weight))
    expected = float(objective_of_fit(model, X, y, weight))
    assert model.loss_ == pytest.approx(expected, rel=1e-10, abs=1e-14 * start)
    if "batch_size" not in options:
        assert model.loss_curve_[0] == pytest.approx(start, rel=1e-10)
