"""The order of rows and of columns.

The order of rows changes nothing on all rows. It does with batches and early stopping.

The order of columns changes nothing with gradient descent and with momentum, in every
coordinates: their steps turn with the coordinates. Adaptive optimizers scale each coordinate by
itself, and the coordinates of "whiten" come from a triangular factor, which depends on the
order. So for adaptive optimizers the law holds in coordinates of single columns.

The models agree to 1e-9 of the largest prediction and of the first loss.
"""

import pytest
from hypothesis import given

from tests.laws.common import (
    ADAPTIVE,
    FULL_BATCH,
    MOMENTA,
    SGD,
    assert_same_model,
    examples,
    over,
    tables,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RTOL = 1e-9
DIAGONAL = {name: {**options, "precondition": "standardize"} for name, options in ADAPTIVE.items()}


@over(FULL_BATCH)
@given(table=tables)
@examples(max_examples=2)
def test_the_order_of_rows_changes_nothing(kind, options, table):
    X, y, weight, rng = table
    order = rng.permutation(len(y))
    model = kind(**options).fit(X[order], y[order], weight[order])
    assert_same_model(model, kind(**options).fit(X, y, weight), X, RTOL)


@over({**SGD, **MOMENTA, **DIAGONAL})
@given(table=tables)
@examples(max_examples=2)
def test_the_order_of_columns_changes_nothing(kind, options, table):
    X, y, weight, rng = table
    order = rng.permutation(X.shape[1])
    model = kind(**options).fit(X[:, order], y, weight)
    other = kind(**options).fit(X, y, weight)
    assert_same_model(model, other, X[:, order], RTOL, other_X=X)
