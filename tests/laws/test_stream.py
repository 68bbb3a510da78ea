"""A stream of parts ends where a fit to all rows ends.

The law holds for partial_fit with squared error on all rows seen so far (no `batch_size`),
once the descent has converged: ``lr="auto"`` in whitened coordinates arrives in a few epochs,
and so do many epochs. It holds for parts of any sizes, a part of
one row too, for weights, penalties, several targets and polynomials. The predictions agree to
1e-8 of the largest one. The coefficients agree only where the optimum is unique.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.common import assert_close, examples, over, tables

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RTOL = 1e-8
CONVERGED = {
    "lr_auto": {"lr": "auto"},
    "ridge": {"lr": "auto", "alpha": 0.3},
    "no_intercept": {"lr": "auto", "fit_intercept": False},
    "many_epochs": {"lr": 0.3, "epochs": 60},
}


def stream(model, table, cuts):
    """The model after partial_fit on the parts of a table."""
    for part in np.split(np.arange(len(table.y)), cuts):
        model.partial_fit(table.X[part], table.y[part], table.weight[part])
    return model


@over(CONVERGED)
@given(table=tables, cuts=st.sets(st.integers(1, 4), min_size=1))
@examples(max_examples=5)
def test_a_stream_ends_where_a_fit_ends(kind, options, table, cuts):
    X, y, weight, _ = table
    model = stream(kind(**options), table, sorted(cuts))
    whole = kind(**options).fit(X, y, weight)
    assert_close(model.predict(X), whole.predict(X), y, RTOL)
    assert_close(model.loss_, whole.loss_, whole.loss_curve_[0], RTOL)


@pytest.mark.parametrize("times", [2, 3])
@over(CONVERGED)
@given(table=tables)
@examples(max_examples=2)
def test_rows_given_twice_count_twice(kind, options, times, table):
    X, y, weight, rng = table
    half = rng.permutation(len(y))[: len(y) // 2]
    model = kind(**options).partial_fit(X, y, weight)
    for _ in range(times - 1):
        model.partial_fit(X[half], y[half], weight[half])
    weight = weight.copy()
    weight[half] *= times
    whole = kind(**options).fit(X, y, weight)
    assert_close(model.predict(X), whole.predict(X), y, RTOL)
