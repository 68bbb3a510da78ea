"""Several targets: each descends as it does alone.

The law holds without `tol` and early stopping, where all targets stop together. With batches
it holds too, since all targets see the same batches. Optimizers that look at all coordinates
at once (Adafactor) are not meant. The predictions agree to 1e-9 of the largest one, and the
loss is the mean of the losses.
"""

import numpy as np
import pytest
from hypothesis import given

from tests.laws.common import (
    BATCHES,
    FULL_BATCH,
    assert_close,
    examples,
    over,
    tables,
    without,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RTOL = 1e-9


@over({**without(FULL_BATCH, "tol"), "batches": BATCHES})
@given(table=tables)
@examples(max_examples=2)
def test_targets_alone_and_together(kind, options, table):
    X, y, weight, rng = table
    y = np.column_stack([y, 100.0 * rng.normal(size=len(y)) + 1.0])
    together = kind(**options).fit(X, y, weight)
    alone = [kind(**options).fit(X, target, weight) for target in y.T]
    for prediction, model in zip(together.predict(X).T, alone, strict=True):
        assert_close(prediction, model.predict(X), model.predict(X), RTOL)
    curve = np.mean([model.loss_curve_ for model in alone], axis=0)
    assert_close(together.loss_curve_, curve, curve[0], RTOL)
    assert_close(together.loss_, np.mean([model.loss_ for model in alone]), curve[0], RTOL)
