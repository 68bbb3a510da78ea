"""The CV classes give the results of GridSearchCV over the plain estimators.

The law holds for every optimizer, loss, penalty and scheduler, with batches too, since every
candidate then draws the same batches. Scores agree to 1e-8 of the largest one, predictions of
the refitted model to 1e-8 of the largest one.
"""

import numpy as np
import pytest
from hypothesis import given
from sklearn.model_selection import GridSearchCV

from sklearn_gd import GDLinearRegressorCV, GDPolynomialRegressor, GDPolynomialRegressorCV
from tests.laws.common import (
    BATCHES,
    FULL_BATCH,
    KINDS,
    assert_close,
    examples,
    over,
    tables,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RTOL = 1e-8
SEARCH = dict(zip(KINDS, [GDLinearRegressorCV, GDPolynomialRegressorCV], strict=True))


@over({**FULL_BATCH, "batches": BATCHES})
@given(table=tables)
@examples(max_examples=1)
def test_a_search_is_a_grid_search(kind, options, table):
    X, y, _, _ = table
    options = {**options, "epochs": 5}
    # the first step of L-BFGS is a matter of rounding where lr is small
    lrs = ["auto", 0.5] if options.pop("lr", None) == "auto" else [0.001, 0.003]
    alphas = [options.pop("alpha", 0.01)]
    grid, axes = {"lr": lrs, "alpha": alphas}, {"lrs": lrs, "alphas": alphas, "cv": 2}
    if kind is GDPolynomialRegressor:
        grid["degree"] = axes["degrees"] = [1, 2]
    else:
        alphas.append(0.2)
    search = SEARCH[kind](**options, **axes).fit(X, y)
    expected = GridSearchCV(kind(**options), grid, cv=2).fit(X, y)
    for key in ("mean_test_score", "split0_test_score", "std_test_score"):
        scores = expected.cv_results_[key]
        assert_close(search.cv_results_[key], scores, np.append(scores, 1.0), RTOL)
    assert search.best_params_.items() <= expected.best_params_.items()  # one alpha is no axis
    assert_close(search.predict(X), expected.predict(X), expected.predict(X), RTOL)
