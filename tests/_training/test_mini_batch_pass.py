"""A stream in mini-batches, or with another loss: one pass over each part."""

import pickle
import warnings
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


rng = np.random.default_rng(0)
N = 103
X = np.array([1.0, 0.0, -1.0]) + rng.normal(size=(N, 3))
Y = X @ [1.0, -2.0, 0.5] + 3.0 + rng.normal(size=N)
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


@pytest.mark.parametrize(
    ("kind", "first"),
    [(GDLinearRegressor, 5), (GDLinearRegressor, 100), (GDPolynomialRegressor, 100)],
)
def test_a_stream_reaches_the_full_fit(kind, first):
    rng = np.random.default_rng(1)
    data = rng.normal(size=(4000, 4)) * [1, 10, 0.1, 1] + [5, 0, 0, 1]
    y = data @ [1.0, 0.2, 10.0, -1.0] + rng.normal(size=4000)
    test, y_test = data[-800:], y[-800:]
    model = kind(batch_size=8, lr=0.005, random_state=0)
    cuts = [0, *np.linspace(first, 3200, 100).astype(int)]
    for start, end in pairwise(cuts):
        model.partial_fit(data[start:end], y[start:end])
    assert model.n_iter_ == len(model.loss_curve_) == 100
    full = kind(lr="auto", epochs=20).fit(data[:3200], y[:3200]).score(test, y_test)
    assert model.score(test, y_test) > full - 0.01


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rprop"])
@pytest.mark.parametrize("kind", BOTH)
def test_a_stream_goes_on_after_loading(kind, optimizer):
    options = {
        "optimizer": optimizer,
        "batch_size": 16,
        "random_state": 0,
        "lr_scheduler": partial(lr_scheduler.StepLR, step_size=2),
    }
    if optimizer == "sgd":
        options["optimizer_params"] = {"momentum": 0.9}
    whole, broken = kind(**options), kind(**options)
    two = np.column_stack([Y, Y**2])
    for start in range(0, 100, 20):
        rows = slice(start, start + 20)
        whole.partial_fit(X[rows], two[rows])
        broken = pickle.loads(pickle.dumps(broken.partial_fit(X[rows], two[rows])))
    np.testing.assert_array_equal(broken.coef_, whole.coef_)
    np.testing.assert_array_equal(broken.loss_curve_, whole.loss_curve_)


def test_passes_are_the_textbook_without_preconditioning():
    model = GDLinearRegressor(precondition=None, batch_size=10, shuffle=False, lr=0.01)
    for _ in range(5):
        model.partial_fit(X, Y)
    coef, intercept, curve = batch_loop(10, 5, 0.01, weight=np.ones(N))
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-11)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-11)
    np.testing.assert_allclose(model.loss_curve_, curve, rtol=1e-11)


@pytest.mark.parametrize("batch_size", [None, 10])
def test_the_first_part_fixes_the_shapes(batch_size):
    model = GDLinearRegressor(batch_size=batch_size, lr="auto", epochs=20).partial_fit(X, Y)
    with pytest.raises(ValueError, match="X has 2 features, but GDLinearRegressor is expecting 3"):
        model.partial_fit(X[:, :2], Y)
    with pytest.raises(ValueError, match="1 targets on 3 features, but y has 2 targets"):
        model.partial_fit(X, np.column_stack([Y, Y]))
    fresh = model.fit(X[:, :2], Y)
    assert fresh.n_features_in_ == 2
    assert fresh.n_iter_ == 20


@pytest.mark.parametrize("options", [{"batch_size": 10}, {"loss": "huber"}])
def test_passes_append_and_weights_count(options):
    model = GDLinearRegressor(precondition=None, shuffle=False, lr=0.01, **options)
    weight = rng.uniform(0.5, 2.0, size=N)
    for n in range(1, 4):
        model.partial_fit(X, Y, weight)
        assert model.n_iter_ == len(model.loss_curve_) == n
    if "batch_size" in options:
        coef, _, curve = batch_loop(10, 3, 0.01, weight=weight)
        np.testing.assert_allclose(model.coef_, coef, rtol=1e-11)
        np.testing.assert_allclose(model.loss_curve_, curve, rtol=1e-11)


@pytest.mark.filterwarnings("always::sklearn.exceptions.ConvergenceWarning")
def test_a_stream_that_creeps_away_is_told():
    """Every pass ends only a little above its start, and then above that of the stream."""
    model = GDLinearRegressor(batch_size=N, lr=1.02, precondition="standardize")
    data = (X - X.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(X.T, bias=True))).T
    values = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(100):
            model.partial_fit(data, Y)
            values.append(model.loss_)
    assert any("diverged" in str(message.message) for message in told)
    assert np.isfinite(model.coef_).all()
    assert max(values) < 1e3 * np.var(Y)  # long before it is beyond all bounds


def test_constant_column_in_the_first_part():
    data = X.copy()
    data[:10, 1] = 4.0
    model = GDLinearRegressor(batch_size=5, random_state=0)
    for start in range(0, 100, 10):
        model.partial_fit(data[start : start + 10], Y[start : start + 10])
    assert np.isfinite(model.coef_).all()
    assert model.coef_[1] != 0


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_constant_target_in_the_first_part(loss):
    """Its unit is 1, as that of zeros is, and no rounding."""
    for n in range(5, 100, 5):
        first, weight = rng.normal(size=(n, 3)), rng.uniform(size=n)
        streams = []
        for shift in (0.0, 0.1):
            model = GDLinearRegressor(optimizer="adam", lr=0.1, loss=loss)
            model.set_params(batch_size=50, shuffle=False)
            model.partial_fit(first, np.full(n, shift), sample_weight=weight)
            for _ in range(5):
                model.partial_fit(X, Y + shift)
            streams.append(model)
        assert np.abs(streams[0].coef_).min() > 0.1
        np.testing.assert_allclose(streams[1].coef_, streams[0].coef_, rtol=1e-9)
        assert streams[1].intercept_ == pytest.approx(streams[0].intercept_ + 0.1, rel=1e-9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"early_stopping": True}, "does not support early_stopping=True"),
        ({"optimizer": "lbfgs"}, "does not support optimizer='lbfgs'"),
        (
            {"optimizer": lambda params: torch.optim.LBFGS(params), "batch_size": 10},
            "does not support L-BFGS",
        ),
    ],
)
def test_what_a_stream_cannot_do(options, words):
    with pytest.raises(ValueError, match=words):
        GDLinearRegressor(**options).partial_fit(X, Y)
