"""The largest stable learning rate."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

from sklearn_gd import GDLinearRegressor
from sklearn_gd._problem import curvature
from sklearn_gd._problem.curvature import (
    curvature_of_least_squares,
    curvature_of_rows,
    max_stable_lr,
)
from sklearn_gd._problem.least_squares import LeastSquares

X, Y = load_diabetes(return_X_y=True)


def hessian(X, *, ones):
    table = np.hstack([np.ones((len(X), 1)), X]) if ones else X
    return 2 * table.T @ table / len(X)


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ({}, lambda largest: 2 / largest),
        ({"momentum": 0.8}, lambda largest: 2 * 1.8 / largest),
        ({"momentum": 0.8, "dampening": 0.5}, lambda largest: 2 * 1.8 / (0.5 * largest)),
        ({"momentum": 0.8, "nesterov": True}, lambda largest: 2 * 1.8 / (2.6 * largest)),
        ({"weight_decay": 0.3}, lambda largest: 2 / (largest + 0.3)),
    ],
)
@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
def test_largest_stable_lr(precondition, options, bound):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)) + 1.0
    y = data @ [1.0, 2.0, 3.0] + rng.normal(size=50)
    centred = data - data.mean(axis=0)
    largest = {
        "whiten": 2.0,
        "standardize": np.linalg.eigvalsh(hessian(centred / centred.std(axis=0), ones=False))[-1],
        None: np.linalg.eigvalsh(hessian(data, ones=True))[-1],
    }[precondition]
    model = GDLinearRegressor(
        precondition=precondition, optimizer_params=options, lr=1e-9, epochs=1
    )
    with pytest.warns(ConvergenceWarning, match="far from the optimum"):
        model.fit(data, y)
    limit = bound(largest)
    assert model.max_stable_lr_ == pytest.approx(limit, rel=1e-9)
    stable = model.set_params(lr=0.99 * limit, epochs=1000).fit(data, y)
    assert not stable.diverged_
    with pytest.warns(ConvergenceWarning, match="diverged"):
        assert model.set_params(lr=1.01 * limit).fit(data, y).diverged_


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "rprop"])
def test_no_largest_stable_lr_where_there_is_none(optimizer):
    model = GDLinearRegressor(optimizer=optimizer, lr="auto", epochs=2000).fit(X, Y)
    assert model.max_stable_lr_ is None
    assert model.lr_ == (1.0 if optimizer == "lbfgs" else 0.01)


def test_auto_lr_is_one_over_the_curvature():
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, Y)
    assert model.lr_ == 0.5
    raw = GDLinearRegressor(lr="auto", precondition=None, epochs=10)
    with pytest.warns(ConvergenceWarning, match="far from the optimum"):
        raw.fit(X, Y)
    assert raw.lr_ == pytest.approx(1 / np.linalg.eigvalsh(hessian(X, ones=True))[-1])


def squared_error(design, ridge=None):
    one = torch.ones(1, dtype=torch.float64)
    rows = len(ridge) if design is None else len(design)
    parts = (None if part is None else torch.from_numpy(part) for part in (design, ridge))
    design, ridge = parts
    return LeastSquares.of(design, torch.zeros(rows, 1, dtype=torch.float64), one, one, ridge)


@pytest.mark.parametrize("max_decomposed", [500, 0])  # by singular values, or by Lanczos' method
@pytest.mark.parametrize("with_ridge", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (1, 1), (2, 1), (1, 2), (30, 40)])
def test_curvature_of_least_squares_is_the_largest_eigenvalue(
    shape, with_ridge, max_decomposed, monkeypatch
):
    monkeypatch.setattr(curvature, "_MAX_DECOMPOSED", max_decomposed)
    rng = np.random.default_rng(0)
    design = rng.normal(size=shape)
    ridge = rng.uniform(0.0, 3.0, shape[1]) if with_ridge else None
    penalty = np.diag(np.zeros(shape[1]) if ridge is None else ridge)
    expected = np.linalg.eigvalsh(2 * design.T @ design + 2 * penalty)[-1]
    found = curvature_of_least_squares(squared_error(design, ridge))
    assert found == pytest.approx(expected, rel=1e-7 if with_ridge or not max_decomposed else 1e-12)


def test_curvature_of_whitened_data_and_of_nothing():
    assert curvature_of_least_squares(squared_error(None, np.ones(4))) == 2.0
    assert curvature_of_least_squares(squared_error(np.eye(4))) == pytest.approx(2.0, rel=1e-12)
    for ridge in (None, np.zeros(3)):
        assert curvature_of_least_squares(squared_error(np.zeros((5, 3)), ridge)) == 0.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("alpha", [0.0, 0.5, 50.0])
@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
def test_auto_lr_of_huber_with_an_l2_penalty(precondition, alpha):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4)) + 1.0
    y = x @ [1.0, 2.0, 3.0, 4.0] + rng.normal(size=60)
    centred = x - x.mean(axis=0)
    squared = centred.T @ centred / 60 + alpha / 2 * np.eye(4)
    scale = {
        "whiten": np.linalg.inv(np.linalg.cholesky(squared)).T,
        "standardize": np.diag(1 / np.sqrt(np.diag(squared))),
        None: np.eye(4),
    }[precondition]
    table = np.column_stack([np.ones(60), (x if precondition is None else centred) @ scale])
    matrix = table.T @ table / 60  # Huber's curvature is at most 1
    matrix[1:, 1:] += alpha * scale.T @ scale
    model = GDLinearRegressor(
        loss="huber", alpha=alpha, precondition=precondition, lr="auto", epochs=1
    )
    exact = 1 / np.linalg.eigvalsh(matrix)[-1]
    assert model.fit(x, y).lr_ == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("with_intercept", [True, False])
@pytest.mark.parametrize("centred", [True, False])
def test_curvature_of_rows_is_the_largest_eigenvalue(centred, with_intercept, container):
    rng = np.random.default_rng(0)
    x = np.where(rng.random((40, 6)) < 0.5, rng.normal(size=(40, 6)), 0.0) + 0.0
    weight, scale = rng.uniform(0.1, 1.0, 40), rng.uniform(0.1, 3.0, 6)
    weight = weight / weight.sum()
    x_mean = weight @ x if centred else np.zeros(6)
    table = (x - x_mean) * scale
    table = np.column_stack([np.ones(40), table]) if with_intercept else table
    ridge = np.diag([0.0] * with_intercept + [*scale**2])
    expected = np.linalg.eigvalsh(1.5 * table.T * weight @ table + 0.3 * ridge)[-1]
    found = curvature_of_rows(
        container(x), weight, x_mean, scale, 1.5, 0.3, with_intercept=with_intercept
    )
    assert found == pytest.approx(expected, rel=1e-7)


def spectral_radius(lr, curvature, *, momentum, dampening, nesterov, weight_decay):
    """Of the linear map that torch's SGD makes of (parameter, momentum buffer) in a step."""
    slope = curvature + weight_decay
    if not momentum:
        return abs(1.0 - lr * slope)
    buffer = np.array([(1.0 - dampening) * slope, momentum])
    step = np.array([slope, 0.0]) + momentum * buffer if nesterov else buffer
    return np.abs(np.linalg.eigvals([np.array([1.0, 0.0]) - lr * step, buffer])).max()


@pytest.mark.parametrize("weight_decay", [0.0, 0.4])
@pytest.mark.parametrize(
    ("momentum", "dampening", "nesterov"),
    [
        (0.0, 0.0, False),
        (0.0, 0.9, False),  # without momentum torch does not dampen
        (0.3, 0.0, False),
        (0.9, 0.0, False),
        (0.9, 0.5, False),
        (0.9, 0.9, False),
        (0.5, 0.0, True),
        (0.99, 0.0, True),
    ],
)
@pytest.mark.parametrize("curvature", [1e-3, 2.0, 1e5])
def test_the_bound_is_where_the_spectral_radius_passes_one(
    curvature, momentum, dampening, nesterov, weight_decay
):
    options = {
        "momentum": momentum,
        "dampening": dampening,
        "nesterov": nesterov,
        "weight_decay": weight_decay,
    }
    bound = max_stable_lr(curvature, options)
    assert spectral_radius(0.9999 * bound, curvature, **options) < 1.0
    assert spectral_radius(1.0001 * bound, curvature, **options) > 1.0
    # flatter directions are stable as well
    for share in np.linspace(0.01, 1.0, 25):
        assert spectral_radius(0.9999 * bound, share * curvature, **options) < 1.0


def test_nothing_is_unstable_without_curvature():
    options = {"momentum": 0.0, "dampening": 0.0, "nesterov": False, "weight_decay": 0.0}
    assert max_stable_lr(0.0, options) == np.inf
    assert max_stable_lr(0.0, {**options, "weight_decay": 0.5}) == 4.0


@pytest.mark.parametrize("lr", [0.01, "auto"])
def test_a_hessian_that_overflows_is_told(lr):
    rng = np.random.default_rng(209)
    data = rng.normal(size=(4, 3)) + 1e6
    y = data @ rng.normal(size=3)
    model = GDLinearRegressor(loss="huber", loss_params={"delta": 1e-3}, lr=lr)
    with pytest.raises(ValueError, match="overflows in the coordinates .* to a moderate scale"):
        model.fit(data * 1e-310, y)
