"""The units of a descent: the map between parameters and models."""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor
from sklearn_gd._problem.parametrization import Parametrization
from tests._problem.reference import dense, diagonal, model_of, parametrization, random

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


rng = np.random.default_rng(0)
N = 120
X = rng.normal(size=(N, 6)) @ (np.eye(6) + 0.4 * rng.normal(size=(6, 6))) + [3, 0, 0, -1, 0, 0]
X = X * [1.0, 10.0, 0.1, 1.0, 1.0, 1.0]
Y = X @ [1.0, 0.3, 0.0, -2.0, 0.0, 0.5] + 2.0 + rng.standard_t(3, size=N)


@pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "quantile"])
def test_lr_means_the_same_in_all_units(loss, units):
    options = {"loss": loss, "lr": 0.05, "epochs": 30}
    expected = GDLinearRegressor(**options).fit(X, Y)
    model = GDLinearRegressor(**options).fit(X / units, Y * units)
    np.testing.assert_allclose(model.coef_, expected.coef_ * units**2, rtol=1e-9)
    power = 2 if loss == "squared_error" else 1
    np.testing.assert_allclose(model.loss_curve_, expected.loss_curve_ * units**power)


def parameters(seed=5, coordinates=3):
    return random(1, 4, 2, coordinates, seed=seed)


@pytest.mark.parametrize("kind", [dense, diagonal])
@pytest.mark.parametrize("has_intercept", [True, False])
def test_models_of_parameters_and_parameters_of_models(has_intercept, kind):
    map_ = parametrization(kind=kind, has_intercept=has_intercept)
    u = parameters(coordinates=map_.n_coordinates)
    assert map_.n_coordinates == 3 + has_intercept
    assert map_.zeros.shape == (1, 1, 2, map_.n_coordinates)
    coef, intercept = map_.to_model(u)
    for run in range(4):
        for k in range(2):
            w, c = model_of((map_, k), u[0, run, k].numpy())
            np.testing.assert_allclose(coef[0, run, k], w, rtol=1e-12)
            assert intercept[0, run, k].item() == pytest.approx(c, rel=1e-12)
    torch.testing.assert_close(map_.from_model(coef, intercept), u, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", [dense, diagonal])
def test_a_model_of_any_intercept_is_reached_where_it_is_a_coordinate(kind):
    map_ = parametrization(kind=kind)
    coef, intercept = random(1, 4, 2, 3, seed=8), random(1, 4, 2, seed=9)
    again = map_.to_model(map_.from_model(coef, intercept))
    torch.testing.assert_close(again[0], coef, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(again[1], intercept, rtol=1e-11, atol=1e-11)
    # where the intercept is eliminated, the coefficients are reached, and the mean decides
    eliminated = parametrization(kind=kind, has_intercept=False)
    again = eliminated.to_model(eliminated.from_model(coef, intercept))
    torch.testing.assert_close(again[0], coef, rtol=1e-11, atol=1e-11)
    at_mean = again[1] + again[0] @ eliminated.x_mean[0]
    expected = eliminated.scaling.y_mean.expand_as(at_mean)
    torch.testing.assert_close(at_mean, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", [dense, diagonal])
@pytest.mark.parametrize("has_intercept", [True, False])
def test_rows_in_coordinates_give_the_predictions_of_the_model(has_intercept, kind):
    map_ = parametrization(kind=kind, has_intercept=has_intercept)
    u, x = parameters(coordinates=map_.n_coordinates), random(6, 3, seed=6)
    coef, intercept = map_.to_model(u)
    scaling = map_.scaling
    predicted = map_.transform(x) @ (u[0] * scaling.y_scale[0, ..., None]).mT
    predicted = predicted + scaling.y_mean[0, 0]
    torch.testing.assert_close(
        predicted, x @ coef[0].mT + intercept[0][:, None], rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("kinds", [(dense, dense), (diagonal, diagonal), (dense, diagonal)])
@pytest.mark.parametrize("sizes", [(3, 3), (2, 4)])
@pytest.mark.parametrize("has_intercept", [True, False])
def test_stacked_problems_are_the_problems(has_intercept, sizes, kinds):
    parts = [
        parametrization(p, kind=kind, has_intercept=has_intercept, seed=20 * k)
        for k, (p, kind) in enumerate(zip(sizes, kinds, strict=True))
    ]
    stack = Parametrization.stack(parts)
    first, largest = int(has_intercept), max(sizes)
    assert stack.n_coordinates == largest + first
    assert stack.zeros.shape == (2, 1, 2, largest + first)
    u = torch.zeros(2, 3, 2, largest + first, dtype=torch.float64)
    for k, p in enumerate(sizes):
        u[k, ..., : p + first] = random(3, 2, p + first, seed=30 + k)
    coef, intercept = stack.to_model(u)
    torch.testing.assert_close(stack.from_model(coef, intercept), u, rtol=1e-10, atol=1e-10)
    for k, (part, p) in enumerate(zip(parts, sizes, strict=True)):
        own_coef, own_intercept = part.to_model(u[k : k + 1, ..., : p + first])
        torch.testing.assert_close(coef[k : k + 1, ..., :p], own_coef)
        torch.testing.assert_close(intercept[k : k + 1], own_intercept)
        assert not coef[k, ..., p:].any()
        for t in range(2):
            alone = stack.select(k, t).to_model(u[k : k + 1, :, t : t + 1])
            torch.testing.assert_close(alone[0], coef[k : k + 1, :, t : t + 1])
            torch.testing.assert_close(alone[1], intercept[k : k + 1, :, t : t + 1])


def test_stack_of_selected_problems_is_the_stack():
    stack = Parametrization.stack([parametrization(seed=20 * k) for k in range(3)])
    again = Parametrization.stack([stack.select(k, 1) for k in range(3)])
    torch.testing.assert_close(again.preconditioner, stack.preconditioner, rtol=0, atol=0)
    torch.testing.assert_close(again.x_mean, stack.x_mean, rtol=0, atol=0)
    for ours, expected in zip(again.scaling, stack.scaling, strict=True):
        torch.testing.assert_close(ours, expected[..., [1]], rtol=0, atol=0)
