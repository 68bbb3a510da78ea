"""Losses of the user: what is allowed, and what is refused in a sentence."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, PoissonRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_gd import GDLinearRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3))
Y = X @ [1.0, -0.5, 0.0] + rng.normal(size=200)
COUNTS = rng.poisson(np.exp(0.5 * X[:, 0] + 1.0))
DIABETES, PROGRESS = load_diabetes(return_X_y=True)
DIABETES = DIABETES[:, :3]


def test_values_may_be_negative():
    def lowered(prediction, target):
        return (prediction - target) ** 2 - 1e6

    model = GDLinearRegressor(loss=lowered, lr=0.3, epochs=100).fit(X, Y)
    np.testing.assert_allclose(model.coef_, LinearRegression().fit(X, Y).coef_, rtol=1e-9)
    assert model.loss_ < model.loss_curve_[0] < -1e5


def poisson(prediction, target):
    """Half the deviance of a log-linear model, but for a constant."""
    return torch.exp(prediction) - target * prediction


def test_a_likelihood():
    model = GDLinearRegressor(loss=poisson, lr=0.1, epochs=2000).fit(X, COUNTS)
    reference = PoissonRegressor(alpha=0.0, tol=1e-12).fit(X, COUNTS)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-5, atol=1e-6)
    assert model.intercept_ == pytest.approx(reference.intercept_, rel=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_likelihood_can_diverge():
    assert GDLinearRegressor(loss=poisson, lr=100.0).fit(X, COUNTS).diverged_


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda p, t: ((p - t) ** 2).float(), r"the prediction's dtype, torch.float64.*float32"),
        (lambda p, t: (p - t).detach() ** 2, "requires_grad=False"),
        (lambda p, t: ((p - t) ** 2).mean(), r"must return the loss of each element.*\(\)"),
        (lambda p, t: p @ t, "failed on a prediction and a target of shape"),
        (lambda p, t: 1.0, "must return the loss of each element.*float"),
    ],
)
def test_what_a_loss_must_return(loss, message):
    with pytest.raises(ValueError, match=message):
        GDLinearRegressor(loss=loss).fit(X, Y)


def squared(prediction, target):
    return (prediction - target) ** 2


CUSTOM = {
    "log-cosh": lambda prediction, target: torch.log(torch.cosh((prediction - target) / 50)),
    "module": torch.nn.SmoothL1Loss(reduction="none", beta=20.0),
    "asymmetric": lambda p, t: torch.where(p > t, 3.0, 1.0) * (p - t).abs(),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", CUSTOM)
def test_custom_losses_in_pipeline_and_search(name):
    pipeline = make_pipeline(
        StandardScaler(), GDLinearRegressor(loss=CUSTOM[name], optimizer="adam", epochs=100)
    )
    search = GridSearchCV(pipeline, {"gdlinearregressor__lr": [0.001, 0.1]}, cv=2)
    search.fit(DIABETES, PROGRESS)
    fitted = search.best_estimator_[-1]
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]
    assert fitted.loss_ == pytest.approx(
        CUSTOM[name](torch.tensor(search.predict(DIABETES)), torch.tensor(PROGRESS)).mean().item()
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_custom_loss_that_python_can_pickle_is_pickled():
    for loss in (squared, torch.nn.SmoothL1Loss(reduction="none")):
        model = GDLinearRegressor(loss=loss, epochs=5)
        again = pickle.loads(pickle.dumps(model.fit(DIABETES, PROGRESS)))
        assert again.predict(DIABETES).shape == PROGRESS.shape
