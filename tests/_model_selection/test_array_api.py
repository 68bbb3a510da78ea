"""With array API dispatch, searches give what they give on NumPy, in the namespace of X."""

import pickle

import numpy as np
import pytest
import sklearn
import torch
from sklearn.metrics import make_scorer, median_absolute_error
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.utils._array_api import get_namespace_and_device, move_estimator_to

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, GDPolynomialRegressorCV
from tests.array_namespaces import ON_DEVICE, array_attributes, back, place

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = X @ [[1.0, 0.5], [-2.0, 0.0], [0.5, 3.0]] + rng.normal(size=(40, 2))
WEIGHT = rng.uniform(0.5, 2.0, size=40)

GRID = {"lrs": (0.01, 0.1), "epochs": 5, "cv": 2}
SEARCHES = {
    "linear": GDLinearRegressorCV(alphas=(0.0, 0.1), **GRID),
    "polynomial": GDPolynomialRegressorCV(degrees=(1, 2), **GRID),
    "scorer of rows": GDLinearRegressorCV(scoring="neg_mean_absolute_error", **GRID),
    "other loss": GDLinearRegressorCV(loss="huber", select_epochs=True, **GRID),
    "batches": GDLinearRegressorCV(batch_size=8, random_state=0, **GRID),
    "two scores": GDLinearRegressorCV(scoring=["r2", "neg_max_error"], refit="r2", **GRID),
}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def dispatch():
    with sklearn.config_context(array_api_dispatch=True):
        yield


@pytest.mark.parametrize("namespace", ["torch", "strict"])
@pytest.mark.parametrize("name", SEARCHES)
def test_the_search_on_numpy_in_the_namespace_of_x(name, namespace):
    search, to = SEARCHES[name], ON_DEVICE[namespace]
    y = Y[:, 0] if name == "two scores" else Y
    expected = sklearn.clone(search).fit(X, y)
    moved = to(X)
    with sklearn.config_context(array_api_dispatch=True):
        found = sklearn.clone(search).fit(moved, to(y))
        predicted, score = found.predict(moved), found.score(moved, to(y))
    assert "test_loss_curves_" in array_attributes(expected)
    for attribute, value in array_attributes(expected).items():
        array = getattr(found, attribute)
        assert place(array) == place(moved), attribute
        assert back(array).dtype == value.dtype
        np.testing.assert_allclose(back(array), value, rtol=1e-9, err_msg=attribute)
    assert place(predicted) == place(moved)
    np.testing.assert_allclose(back(predicted), expected.predict(X), rtol=1e-9)
    assert type(score) is float
    assert score == pytest.approx(expected.score(X, y), abs=1e-10)
    assert found.best_params_ == expected.best_params_
    for key, column in expected.cv_results_.items():
        if "test" in key:
            np.testing.assert_allclose(found.cv_results_[key], column, rtol=1e-8, err_msg=key)
    assert found.equation() == expected.equation()
    loaded = pickle.loads(pickle.dumps(found))
    np.testing.assert_allclose(loaded.predict(X), expected.predict(X), rtol=1e-9)
    assert type(loaded.coef_) is type(loaded.best_estimator_.coef_) is np.ndarray


def test_the_results_of_grid_search(dispatch):
    tensor, y = torch.tensor(X), torch.tensor(Y[:, 0])
    ours = GDLinearRegressorCV(scoring="neg_mean_absolute_error", **GRID).fit(tensor, y)
    theirs = GridSearchCV(
        GDLinearRegressor(epochs=5),
        {"lr": [0.01, 0.1]},
        cv=2,
        scoring="neg_mean_absolute_error",
    ).fit(tensor, y)
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-10
    )
    torch.testing.assert_close(ours.predict(tensor), theirs.predict(tensor))


@pytest.mark.parametrize("make", [ON_DEVICE["torch"], ON_DEVICE["strict"], np.array, list])
def test_targets_weights_and_groups_from_elsewhere(make, dispatch):
    groups = np.arange(40) % 4
    search = GDLinearRegressorCV(scoring="neg_mean_absolute_error", **{**GRID, "cv": GroupKFold(2)})
    expected = sklearn.clone(search).fit(X, Y[:, 0], WEIGHT, groups=groups)
    given = make(Y[:, 0]), make(WEIGHT)
    found = search.fit(torch.tensor(X), *given, groups=make(groups))
    np.testing.assert_allclose(
        found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"], rtol=1e-10
    )


def test_scorers_are_given_arrays_of_the_namespace(dispatch):
    kinds = set()

    def error(y, predicted, sample_weight=None):
        kinds.update(type(values) for values in (y, predicted, sample_weight))
        return median_absolute_error(back(y), back(predicted), sample_weight=back(sample_weight))

    search = GDLinearRegressorCV(scoring=make_scorer(error, greater_is_better=False), **GRID)
    search.fit(torch.tensor(X), Y[:, 0].tolist(), WEIGHT)
    assert kinds == {torch.Tensor}


def test_another_namespace_than_that_of_the_fit(dispatch):
    search = GDPolynomialRegressorCV(degrees=(1, 2), **GRID).fit(torch.tensor(X), Y)
    expected = search.predict(torch.tensor(X))
    message = r"passed to GDPolynomialRegressorCV\.predict\(\) must use the same namespace"
    with pytest.raises(ValueError, match=message):
        search.predict(X)
    xp, _, device = get_namespace_and_device(X)
    on_numpy = move_estimator_to(search, xp, device)
    np.testing.assert_allclose(on_numpy.predict(X), expected, rtol=1e-12)
    assert on_numpy.feature_names_out_.tolist() == search.feature_names_out_.tolist()
