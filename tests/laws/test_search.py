"""The CV classes give the results of GridSearchCV over the plain estimators.

The law holds for every optimizer, loss, penalty and scheduler, with batches too, since every
candidate then draws the same batches. Scores agree to 1e-8 of the largest one, predictions of
the refitted model to 1e-8 of the largest one.
"""

import numpy as np
import pytest
from hypothesis import given
from sklearn.model_selection import GridSearchCV

from sklearn_gd import GDLinearRegressorCV, GDPolynomialRegressorCV
from tests.laws.common import (
    BATCHES,
    FULL_BATCH,
    KINDS,
    assert_close,
    examples,
    over,
    tables,
    without,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RTOL = 1e-8
SEARCH = dict(zip(KINDS, [GDLinearRegressorCV, GDPolynomialRegressorCV], strict=True))


@over({**without(FULL_BATCH, "lr_auto"), "batches": BATCHES})
@given(table=tables)
@examples(max_examples=1)
def test_a_search_is_a_grid_search(kind, options, table):
    X, y, _, _ = table
    options = {name: value for name, value in options.items() if name not in ("lr", "alpha")}
    options["epochs"] = 5
    grid = {"lr": [0.001, 0.003], "alpha": [0.01, 0.1]}
    axes = {"lrs": grid["lr"], "alphas": grid["alpha"], "cv": 2}
    if kind is not KINDS[0]:
        grid["degree"], axes["degrees"] = [1, 2], (1, 2)
    search = SEARCH[kind](**options, **axes).fit(X, y)
    expected = GridSearchCV(kind(**options), grid, cv=2).fit(X, y)
    for key in ("mean_test_score", "split0_test_score", "std_test_score"):
        scores = expected.cv_results_[key]
        assert_close(search.cv_results_[key], scores, np.append(scores, 1.0), RTOL)
    assert search.best_params_ == expected.best_params_
    assert_close(search.predict(X), expected.predict(X), expected.predict(X), RTOL)
