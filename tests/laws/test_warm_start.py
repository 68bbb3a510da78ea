"""`epochs` k and then m with ``warm_start=True`` are k + m epochs at once.

The law holds for gradient descent without state: no momentum, no adaptive optimizer, no
scheduler, no `tol`; and with batches that are not shuffled. The models agree to 1e-9 of the
largest prediction and of the first loss, since the coefficients pass through the units of the
data between the two calls.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.common import EPOCHS, SGD, assert_same_model, examples, over, tables

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RTOL = 1e-9
IN_ORDER = {"batch_size": 4, "shuffle": False}


@over({**SGD, "batches": IN_ORDER, "huber_batches": {**IN_ORDER, "loss": "huber"}})
@given(table=tables, first=st.integers(1, EPOCHS - 1))
@examples(max_examples=2)
def test_epochs_add_up(kind, options, table, first):
    X, y, weight, _ = table
    whole = kind(**options).fit(X, y, weight)
    parts = kind(**options, warm_start=True)
    for epochs in (first, options["epochs"] - first):
        parts.set_params(epochs=epochs).fit(X, y, weight)
    assert_same_model(parts, whole, X, RTOL)
