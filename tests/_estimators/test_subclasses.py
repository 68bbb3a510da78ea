"""Subclasses with fewer parameters, and with others in their __init__, are like plain ones."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, GDPolynomialRegressor

X, Y = load_diabetes(return_X_y=True)
X = X[:, :4]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Brief(GDLinearRegressor):
    """Two parameters of all."""

    def __init__(self, *, lr=0.1, epochs=40):
        super().__init__(lr=lr, epochs=epochs)


class Robust(GDLinearRegressor):
    """A parameter of its own, from which another follows."""

    def __init__(self, *, threshold=50.0, lr=0.1, epochs=40):
        super().__init__(lr=lr, epochs=epochs, loss="huber")
        self.threshold = threshold

    @property
    def loss_params(self):
        return {"delta": self.threshold}

    @loss_params.setter
    def loss_params(self, value):
        """The base class sets its default, which does not count here."""


class Squares(GDPolynomialRegressor):
    """A polynomial without a choice of the degree."""

    def __init__(self, *, lr=0.1, epochs=40, warm_start=False):
        super().__init__(degree=2, lr=lr, epochs=epochs, warm_start=warm_start)


class BriefSearch(GDLinearRegressorCV):
    """A search over learning rates only."""

    def __init__(self, *, lrs=(0.01, 0.1), epochs=50, cv=3):
        super().__init__(lrs=lrs, epochs=epochs, cv=cv)


# the subclass, the plain estimator that it is, its parameters, and one of them to search
PAIRS = {
    "brief": (Brief(), GDLinearRegressor(lr=0.1, epochs=40), {"lr", "epochs"}, "lr"),
    "robust": (
        Robust(threshold=30.0),
        GDLinearRegressor(lr=0.1, epochs=40, loss="huber", loss_params={"delta": 30.0}),
        {"lr", "epochs", "threshold"},
        "threshold",
    ),
    "squares": (
        Squares(),
        GDPolynomialRegressor(degree=2, lr=0.1, epochs=40),
        {"lr", "epochs", "warm_start"},
        "lr",
    ),
}


@pytest.fixture(params=PAIRS)
def pair(request):
    sub, plain, parameters, searched = PAIRS[request.param]
    return clone(sub), clone(plain), parameters, searched


def test_it_fits_as_the_plain_one_does(pair):
    sub, plain, parameters, _ = pair
    assert set(sub.get_params()) == parameters
    sub.fit(X, Y)
    plain.fit(X, Y)
    np.testing.assert_array_equal(sub.coef_, plain.coef_)
    np.testing.assert_array_equal(sub.loss_curve_, plain.loss_curve_)
    np.testing.assert_array_equal(sub.predict(X), plain.predict(X))
    assert sub.equation() == plain.equation()
    np.testing.assert_allclose(sub.to_sklearn().predict(X), sub.predict(X), rtol=1e-8)
    assert {key for key in vars(sub) if key.endswith("_")} == {
        key for key in vars(plain) if key.endswith("_")
    }


def test_it_is_cloned_with_its_own_parameters(pair):
    sub, _, _, searched = pair
    sub.set_params(**{searched: 0.25}).fit(X, Y)
    copy = clone(sub)
    assert type(copy) is type(sub)
    assert copy.get_params() == sub.get_params()
    assert not hasattr(copy, "coef_")
    np.testing.assert_array_equal(copy.fit(X, Y).coef_, sub.coef_)


def test_it_is_searched(pair):
    sub, plain, _, searched = pair
    values = [0.02, 0.3] if searched == "lr" else [5.0, 80.0]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), sub),
        {f"{type(sub).__name__.lower()}__{searched}": values},
        cv=2,
    ).fit(X, Y)
    scaled = make_pipeline(StandardScaler(), plain)
    name = type(plain).__name__.lower()
    for score, value in zip(search.cv_results_["mean_test_score"], values, strict=True):
        chosen = {"lr": value} if searched == "lr" else {"loss_params": {"delta": value}}
        scaled.set_params(**{f"{name}__{key}": part for key, part in chosen.items()})
        assert score == pytest.approx(cross_val_score(scaled, X, Y, cv=2).mean(), rel=1e-12)


def test_a_bad_parameter_is_named_with_the_subclass(pair):
    sub, _, _, _ = pair
    with pytest.raises(ValueError, match=f"The 'lr' parameter of {type(sub).__name__} must be"):
        sub.set_params(lr=-1).fit(X, Y)
    with pytest.raises(ValueError, match=f"X has 3 features, but {type(sub).__name__} is exp"):
        sub.set_params(lr=0.1).fit(X, Y).predict(X[:, :3])


def test_a_warning_names_the_subclass(pair):
    sub, _, _, _ = pair
    with pytest.warns(ConvergenceWarning, match=f"{type(sub).__name__} was still far from"):
        sub.set_params(lr=1e-5).fit(X, Y)


def test_it_goes_on_and_is_pickled(pair):
    sub, plain, _, _ = pair
    for model in (sub, plain):
        model.partial_fit(X[:200], Y[:200])
    again = pickle.loads(pickle.dumps(sub))
    for model in (again, plain):
        model.partial_fit(X[200:], Y[200:])
    np.testing.assert_allclose(again.coef_, plain.coef_, rtol=1e-12)
    np.testing.assert_allclose(again.loss_curve_, plain.loss_curve_, rtol=1e-12)
    if "warm_start" in sub.get_params():
        whole = clone(sub).fit(X, Y)
        parts = clone(sub).set_params(warm_start=True, epochs=25).fit(X, Y)
        parts.set_params(epochs=15).fit(X, Y)
        np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-9)


def test_weights_and_targets_as_in_the_plain_one(pair):
    sub, plain, _, _ = pair
    weight, two = np.linspace(0.0, 1.0, len(Y)), np.column_stack([Y, Y**2])
    np.testing.assert_array_equal(sub.fit(X, two, weight).coef_, plain.fit(X, two, weight).coef_)
    score = sub.score(X, two, sample_weight=weight)
    assert score == plain.score(X, two, sample_weight=weight)


def test_a_search_with_fewer_parameters():
    search = BriefSearch().fit(X, Y)
    plain = GDLinearRegressorCV(lrs=(0.01, 0.1), epochs=50, cv=3).fit(X, Y)
    assert set(search.get_params()) == {"lrs", "epochs", "cv"}
    np.testing.assert_array_equal(search.coef_, plain.coef_)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    assert clone(search).get_params() == search.get_params()
    with pytest.raises(ValueError, match="The 'lrs' parameter of BriefSearch must be"):
        search.set_params(lrs=()).fit(X, Y)
    outer = cross_val_score(BriefSearch(), X, Y, cv=2)
    np.testing.assert_array_equal(outer, cross_val_score(clone(plain), X, Y, cv=2))
