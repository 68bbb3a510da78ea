"""What the estimators promise beside their numbers."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd._solver.monitor import ConvergenceMonitor

X, Y = load_diabetes(return_X_y=True)
X4 = X[:, :4]
BOTH = [GDLinearRegressor, GDPolynomialRegressor]


@pytest.mark.parametrize("kind", BOTH)
def test_fitted_attributes(kind):
    model = kind(epochs=70, lr=0.2).fit(X4, Y)
    assert model.loss_curve_.shape == (70,)
    assert model.n_iter_ == 70
    assert model.lr_ == 0.2
    assert model.max_stable_lr_ == pytest.approx(1.0)
    assert model.precondition_ == "whiten"
    assert model.diverged_ is False
    assert model.n_features_in_ == 4
    # the intercept starts at the mean, so that the first loss is the variance
    assert model.loss_curve_[0] == pytest.approx(Y.var())
    assert model.loss_ == pytest.approx(np.mean((model.predict(X4) - Y) ** 2))
    assert np.all(np.diff(model.loss_curve_) <= 1e-9)
    for value in vars(model).values():
        assert not isinstance(value, torch.Tensor)


def test_without_an_intercept():
    model = GDLinearRegressor(fit_intercept=False, lr="auto", epochs=20).fit(X, Y)
    assert model.intercept_ == 0.0
    assert model.loss_curve_[0] == pytest.approx(np.mean(Y**2))


@pytest.mark.parametrize("kind", BOTH)
def test_a_failed_fit_leaves_the_earlier_one_whole(kind, monkeypatch):
    frame = pd.DataFrame(X4, columns=list("abcd"))
    model = kind(lr="auto", epochs=20).fit(frame, Y)
    before = copy.copy(vars(model))
    for bad, error in [
        (lambda: model.fit(X[:, :3], Y[:-1]), ValueError),
        (lambda: model.fit(np.full((9, 2), np.nan), np.ones(9)), ValueError),
        (lambda: copy.copy(model).set_params(lr=-1).fit(X, Y), ValueError),
    ]:
        with pytest.raises(error):
            bad()
        assert vars(model) == before

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(ConvergenceMonitor, "inspect", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert vars(model) == before


def test_a_refit_leaves_nothing_of_the_earlier_one():
    model = GDLinearRegressor(lr="auto", epochs=20).fit(pd.DataFrame(X4, columns=list("abcd")), Y)
    assert not hasattr(model.fit(X4, Y), "feature_names_in_")


@pytest.mark.parametrize("kind", BOTH)
def test_not_fitted(kind):
    for call in (lambda m: m.predict(X), lambda m: m.equation(), lambda m: m.to_sklearn()):
        with pytest.raises(NotFittedError):
            call(kind())


def test_equation():
    frame = pd.DataFrame({"age": [0.0, 1, 2, 3], "bmi": [1.0, 0, 1, 0]})
    y = 3 + 2 * frame["age"] - 0.5 * frame["bmi"]
    model = GDLinearRegressor(lr="auto", epochs=20).fit(frame, y)
    assert model.equation() == "y = 3 + 2 age - 0.5 bmi"
    both = GDLinearRegressor(lr="auto", epochs=20).fit(
        frame, np.column_stack([y, -1.23456 * frame["age"]])
    )
    assert both.equation(digits=3).splitlines()[0] == "y0 = 3 + 2 age - 0.5 bmi"
    still = GDLinearRegressor(fit_intercept=False, epochs=5).fit(frame, y * 0)
    assert still.equation() == "y = 0"
    squares = GDPolynomialRegressor(lr="auto", epochs=20, fit_intercept=False).fit(
        [[1.0], [2], [3]], [-1, -4, -9]
    )
    assert squares.equation(digits=6).endswith("1 x0^2")


@pytest.mark.parametrize("kind", BOTH)
def test_pickle(kind):
    model = kind(lr="auto", epochs=20).fit(X4, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X4), model.predict(X4))
    assert b"sklearn_gd._" not in pickle.dumps(model)
