"""Weights of rows.

A row of weight zero counts nowhere, and a row of weight 2 counts as two rows. Both laws hold
for every loss, penalty and optimizer on all rows. They do not hold with batches or early
stopping, where the number of rows decides which rows are drawn. A factor of all weights changes
nothing, with batches and early stopping too. The models agree to 1e-9 of the largest prediction
and of the first loss: the sums have other orders.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.common import (
    DRAWN,
    FULL_BATCH,
    assert_same_model,
    examples,
    over,
    tables,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RTOL = 1e-9


@over(FULL_BATCH)
@given(table=tables, outlier=st.sampled_from([1.0, 1e6, 1e150]))
@examples(max_examples=2)
def test_a_row_of_weight_zero_counts_nowhere(kind, options, table, outlier):
    X, y, weight, rng = table
    is_kept = rng.random(len(y)) < 0.7
    is_kept[:3] = True
    with_zeros, outliers = np.where(is_kept, weight, 0.0), X.copy()
    outliers[~is_kept] *= outlier
    model = kind(**options).fit(outliers, y, with_zeros)
    other = kind(**options).fit(X[is_kept], y[is_kept], weight[is_kept])
    assert_same_model(model, other, X[is_kept], RTOL)


@over(FULL_BATCH)
@given(table=tables)
@examples(max_examples=2)
def test_a_row_of_weight_two_is_two_rows(kind, options, table):
    X, y, _, rng = table
    counts = rng.integers(1, 4, size=len(y))
    model = kind(**options).fit(X, y, counts.astype(float))
    other = kind(**options).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts, axis=0))
    assert_same_model(model, other, X, RTOL)


@over({**FULL_BATCH, **DRAWN})
@given(table=tables, factor=st.sampled_from([7.0, 1e-3, 1e200, 1e-200]))
@examples(max_examples=2)
def test_a_factor_of_all_weights_changes_nothing(kind, options, table, factor):
    X, y, weight, _ = table
    model = kind(**options).fit(X, y, factor * weight)
    assert_same_model(model, kind(**options).fit(X, y, weight), X, RTOL)
