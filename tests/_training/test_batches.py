"""Fits in mini-batches."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


rng = np.random.default_rng(0)
N = 103
X = np.array([1.0, 0.0, -1.0]) + rng.normal(size=(N, 3))
Y = X @ [1.0, -2.0, 0.5] + 3.0 + rng.normal(size=N)
WEIGHT = rng.uniform(0.5, 2.0, size=N)
BOTH = [GDLinearRegressor, GDPolynomialRegressor]


def batch_loop(batch_size, epochs, lr, *, weight, momentum=0.0):
    """Mini-batches in the order of the rows, in a plain torch loop."""
    x, y, weight = (torch.tensor(part) for part in (X, Y, weight))
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    c = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w, c], lr=lr, momentum=momentum)
    curve = []
    for _ in range(epochs):
        total = 0.0
        for start in range(0, N, batch_size):
            rows = slice(start, start + batch_size)
            optimizer.zero_grad()
            loss = (weight[rows] * (x[rows] @ w + c - y[rows]) ** 2).sum() / weight[rows].sum()
            loss.backward()
            optimizer.step()
            total += loss.item() * weight[rows].sum().item()
        curve.append(total / weight.sum().item())
    return w.detach().numpy(), c.item(), curve


@pytest.mark.parametrize("batch_size", [1, 10, 50, 102])
def test_batches_in_order_are_a_plain_loop(batch_size):
    model = GDLinearRegressor(
        batch_size=batch_size,
        shuffle=False,
        precondition=None,
        epochs=5,
        lr=0.01,
        optimizer_params={"momentum": 0.5},
    ).fit(X, Y, WEIGHT)
    coef, intercept, curve = batch_loop(batch_size, 5, 0.01, weight=WEIGHT, momentum=0.5)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-11)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-11)
    np.testing.assert_allclose(model.loss_curve_, curve, rtol=1e-11)
    assert model.max_stable_lr_ is None


@pytest.mark.parametrize("batch_size", [N, N + 1, 10**9])
def test_a_batch_of_all_rows_is_full_batch(batch_size):
    expected = GDLinearRegressor(lr="auto", epochs=20).fit(X, Y)
    model = GDLinearRegressor(batch_size=batch_size, lr="auto", epochs=20).fit(X, Y)
    np.testing.assert_array_equal(model.loss_curve_, expected.loss_curve_)
    assert model.max_stable_lr_ == pytest.approx(1.0)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("batch_size", [None, 16])
def test_fit_twice_is_fit_once(kind, batch_size):
    options = {"batch_size": batch_size, "early_stopping": True, "epochs": 30, "random_state": 3}
    model = kind(**options).fit(X, Y)
    coef, curve = model.coef_.copy(), model.loss_curve_.copy()
    model.fit(X, Y)
    np.testing.assert_array_equal(model.coef_, coef)
    np.testing.assert_array_equal(model.loss_curve_, curve)
    before = torch.get_rng_state()
    kind(**options).fit(X, Y)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "huber"},
        {"alpha": 0.1},
        {"optimizer": "adam"},
        {"optimizer": "asgd"},
        {"alpha": 0.05, "l1_ratio": 1.0, "optimizer_params": {"momentum": 0.5}},
        {"precondition": "standardize"},
        {"precondition": None},
        {"fit_intercept": False},
    ],
)
def test_batches_come_near_the_full_batch(options):
    full = GDLinearRegressor(**options, epochs=400, lr=0.05).fit(X, Y)
    model = GDLinearRegressor(**options, epochs=60, lr=0.01, batch_size=8, random_state=0)
    model.fit(X, Y)
    np.testing.assert_allclose(model.predict(X), full.predict(X), atol=0.25)


@pytest.mark.filterwarnings("always::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("epochs", [1, 2, 5])
@pytest.mark.parametrize("lr", [0.5, 0.9, 1.2])
def test_batches_that_end_above_their_start_are_told(lr, epochs):
    """And the parameters are the lowest seen: never worse than those of the start."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(40, 3))
        y = x @ [1.0, -2.0, 0.5] + 3.0 * rng.normal(size=40)
        model = GDLinearRegressor(batch_size=2, lr=lr, epochs=epochs, random_state=0)
        with warnings.catch_warnings(record=True) as messages:
            warnings.simplefilter("always")
            model.fit(x, y)
        assert model.diverged_ == any("diverged" in str(m.message) for m in messages)
        assert model.loss_ <= np.var(y) * (1 + 1e-9)
        assert model.loss_ == pytest.approx(np.mean((model.predict(x) - y) ** 2), rel=1e-9)


@pytest.mark.filterwarnings("always::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("lr", [3.0, 1e3, 1e150])
def test_a_large_lr_with_single_rows_is_a_divergence_and_no_error(lr, kind):
    model = kind(batch_size=1, lr=lr, epochs=5, random_state=0)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X, Y)
    assert model.diverged_
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.loss_)
