"""A model that was saved and loaded is the same model, to the last bit.

The law holds for pickle and skops, for every configuration, for fitted attributes,
predictions, further warm-started fits and further calls of partial_fit.
"""

import pickle

import numpy as np
import pytest
import skops.io
from hypothesis import given

from tests.laws.common import (
    DRAWN,
    FULL_BATCH,
    examples,
    over,
    tables,
    without,
)

STREAMS = ["defaults", "textbook", "lasso_momentum", "huber", "adam", "rprop", "batches"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def through_skops(model):
    stored = skops.io.dumps(model)
    return skops.io.loads(stored, trusted=skops.io.get_untrusted_types(data=stored))


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


def assert_identical(model, other, X):
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    assert vars(model).keys() == vars(other).keys()
    for name, value in vars(model).items():
        if name.endswith("_") and not name.startswith("_"):
            np.testing.assert_array_equal(value, getattr(other, name))


@pytest.mark.parametrize("through", [through_pickle, through_skops])
@over(without({**FULL_BATCH, **DRAWN}, "own_loss"))
@given(table=tables)
@examples(max_examples=1)
def test_a_fit_goes_on(kind, options, through, table):
    X, y, weight, _ = table
    model = kind(**options, warm_start=True).fit(X, y, weight)
    loaded = through(model)
    assert_identical(loaded, model, X)
    assert_identical(loaded.fit(X, y, weight), model.fit(X, y, weight), X)


@pytest.mark.parametrize("through", [through_pickle, through_skops])
@over({name: {**FULL_BATCH, **DRAWN}[name] for name in STREAMS})
@given(table=tables)
@examples(max_examples=1)
def test_a_stream_goes_on(kind, options, through, table):
    X, y, weight, _ = table
    model = kind(**{"random_state": 0, **options}).partial_fit(X, y, weight)
    loaded = through(model)
    assert_identical(loaded, model, X)
    assert_identical(loaded.partial_fit(X, y, weight), model.partial_fit(X, y, weight), X)
