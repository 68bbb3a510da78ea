"""Mini-batches, early stopping, schedulers and streams."""

import pickle
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch.optim import lr_scheduler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, losses

rng = np.random.default_rng(0)
N = 103
X = np.array([1.0, 0.0, -1.0]) + rng.normal(size=(N, 3))
Y = X @ [1.0, -2.0, 0.5] + 3.0 + rng.normal(size=N)
WEIGHT = rng.uniform(0.5, 2.0, size=N)
BOTH = [GDLinearRegressor, GDPolynomialRegressor]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
        epochs=20,
        lr=0.01,
        optimizer_params={"momentum": 0.5},
    ).fit(X, Y, WEIGHT)
    coef, intercept, curve = batch_loop(batch_size, 20, 0.01, weight=WEIGHT, momentum=0.5)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-11)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-11)
    np.testing.assert_allclose(model.loss_curve_, curve, rtol=1e-11)
    assert model.max_stable_lr_ is None


@pytest.mark.parametrize("batch_size", [N, N + 1, 10**9])
def test_a_batch_of_all_rows_is_full_batch(batch_size):
    expected = GDLinearRegressor().fit(X, Y)
    model = GDLinearRegressor(batch_size=batch_size).fit(X, Y)
    np.testing.assert_array_equal(model.loss_curve_, expected.loss_curve_)
    assert model.max_stable_lr_ == pytest.approx(1.0)


def test_every_row_once_an_epoch():
    from sklearn_gd._problem.preconditioners import Coordinates
    from sklearn_gd._problem.empirical_risk import Criterion, MiniBatches

    size, n = 10, 53
    seen = []

    one, ones = torch.ones(1, dtype=torch.float64), torch.ones(n, dtype=torch.float64)
    zero = 0 * one
    coordinates = Coordinates(one, one, zero, zero, one)
    criterion = Criterion(losses.squared_error, coordinates, one)
    rows = torch.arange(n, dtype=torch.float64)[:, None]
    batches = MiniBatches(criterion, lambda r: rows[r], ones[:, None], ones / n, size, seed=7)
    for epoch in range(3):
        parts = list(batches.parts(epoch))
        assert [len(part.z) for part, _ in parts] == [10, 10, 10, 10, 10, 3]
        assert sum(share for _, share in parts) == pytest.approx(1.0)
        seen.append(torch.cat([part.z[:, 0] for part, _ in parts]))
        assert sorted(seen[-1].tolist()) == list(range(n))
    assert not torch.equal(seen[0], seen[1])


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
    full = GDLinearRegressor(**options, epochs=1500, lr=0.02).fit(X, Y)
    model = GDLinearRegressor(**options, epochs=150, lr=0.005, batch_size=8, random_state=0)
    model.fit(X, Y)
    np.testing.assert_allclose(model.predict(X), full.predict(X), atol=0.25)


@pytest.mark.parametrize("kind", BOTH)
def test_batches_of_sparse_rows_and_of_rows_of_weight_zero(kind):
    weight = WEIGHT.copy()
    weight[::4] = 0.0
    options = {"batch_size": 20, "epochs": 5, "shuffle": False}
    expected = kind(**options).fit(X[weight > 0], Y[weight > 0], weight[weight > 0])
    for container in (X, sparse.csr_matrix(X)):
        model = kind(**options).fit(container, Y, weight)
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-10)


SCHEDULERS = {
    "step": partial(lr_scheduler.StepLR, step_size=20, gamma=0.5),
    "exponential": partial(lr_scheduler.ExponentialLR, gamma=0.99),
    "lambda": partial(lr_scheduler.LambdaLR, lr_lambda=lambda epoch: 1 / (1 + epoch)),
    "cosine": partial(lr_scheduler.CosineAnnealingLR, T_max=60),
    "one cycle": partial(lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=100),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers_step_once_an_epoch(name):
    make = SCHEDULERS[name]
    model = GDLinearRegressor(lr=0.05, epochs=60, precondition=None, lr_scheduler=make).fit(X, Y)
    x, y = torch.tensor(X), torch.tensor(Y)
    w = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.05)
    scheduler = make(optimizer)
    curve = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = ((x @ w[1:] + w[0] - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        scheduler.step()
        curve.append(loss.item())
    np.testing.assert_allclose(model.loss_curve_, curve, rtol=1e-10)
    np.testing.assert_allclose([model.intercept_, *model.coef_], w.detach().numpy(), rtol=1e-10)
    assert model.lr_ == 0.05


def test_plateau_is_given_the_validation_loss():
    seen = []

    class Spy(lr_scheduler.ReduceLROnPlateau):
        def step(self, metrics, epoch=None):
            seen.append(metrics)
            super().step(metrics)

    model = GDLinearRegressor(
        lr_scheduler=Spy, early_stopping=True, epochs=30, n_iter_no_change=50, random_state=0
    ).fit(X, Y)
    assert model.n_iter_ == 30
    ratio = model.validation_loss_curve_ / np.array(seen[-30:])
    np.testing.assert_allclose(ratio, ratio[0])


@pytest.mark.parametrize("bad", [3, "step", lambda optimizer: None, lr_scheduler.StepLR])
def test_bad_scheduler(bad):
    with pytest.raises(ValueError, match="'lr_scheduler' parameter of GDLinearRegressor"):
        GDLinearRegressor(lr_scheduler=bad).fit(X, Y)


@pytest.mark.parametrize(
    "options", [{}, {"loss": "huber"}, {"batch_size": 16}, {"alpha": 0.1}, {"precondition": None}]
)
@pytest.mark.parametrize("kind", BOTH)
def test_early_stopping(kind, options):
    rng = np.random.default_rng(1)
    data, y = load_diabetes(return_X_y=True)
    data, y, weight = data[:90] * 20, y[:90], rng.uniform(0.5, 2, size=90)
    model = kind(
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=15,
        epochs=800,
        lr=0.01,
        random_state=1,
        **options,
    ).fit(data, y, weight)
    # the rows held out, by scikit-learn's own split from the same seed
    rows = np.arange(90)
    _, held = train_test_split(rows, test_size=0.3, random_state=np.random.RandomState(1))
    residual = np.abs(model.predict(data[held]) - y[held])
    loss = residual**2
    if "loss" in options:
        loss = np.where(residual <= 1.35, residual**2 / 2, 1.35 * (residual - 1.35 / 2))
    held_out = np.average(loss, weights=weight[held])
    curve = np.append(model.validation_loss_curve_, held_out)
    assert held_out == pytest.approx(curve[model.best_epoch_], rel=1e-9)
    assert curve[model.best_epoch_] <= curve.min() * (1 + 1e-9)
    assert len(model.validation_loss_curve_) == model.n_iter_ == len(model.loss_curve_)
    if model.n_iter_ < 800:
        assert model.n_iter_ - 1 - model.best_epoch_ == 15


def test_early_stopping_parts_that_are_empty():
    weight = np.zeros(N)
    weight[0] = 1.0
    with pytest.raises(ValueError, match="no sample of positive weight.*validation_fraction=0.1"):
        GDLinearRegressor(early_stopping=True, random_state=0).fit(X, Y, weight)
    with pytest.raises(ValueError, match="train set will be empty|n_samples=1"):
        GDLinearRegressor(early_stopping=True).fit(X[:1], Y[:1])


@pytest.mark.parametrize(
    ("kind", "first"),
    [(GDLinearRegressor, 5), (GDLinearRegressor, 100), (GDPolynomialRegressor, 100)],
)
def test_a_stream_reaches_the_full_fit(kind, first):
    rng = np.random.default_rng(1)
    data = rng.normal(size=(10_000, 4)) * [1, 10, 0.1, 1] + [5, 0, 0, 1]
    y = data @ [1.0, 0.2, 10.0, -1.0] + rng.normal(size=10_000)
    test, y_test = data[-2000:], y[-2000:]
    model = kind(batch_size=8, lr=0.002, random_state=0)
    cuts = [0, *np.linspace(first, 8000, 100).astype(int)]
    for start, end in pairwise(cuts):
        model.partial_fit(data[start:end], y[start:end])
    assert model.n_iter_ == len(model.loss_curve_) == 100
    full = kind(lr="auto").fit(data[:8000], y[:8000]).score(test, y_test)
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


def test_the_first_part_fixes_the_shapes():
    model = GDLinearRegressor().partial_fit(X, Y)
    with pytest.raises(ValueError, match="X has 2 features, but GDLinearRegressor is expecting 3"):
        model.partial_fit(X[:, :2], Y)
    with pytest.raises(ValueError, match="1 targets on 3 features, but y has 2 targets"):
        model.partial_fit(X, np.column_stack([Y, Y]))
    fresh = model.fit(X[:, :2], Y)
    assert fresh.n_features_in_ == 2
    assert fresh.n_iter_ == 1000


def test_constant_column_in_the_first_part():
    data = X.copy()
    data[:10, 1] = 4.0
    model = GDLinearRegressor(batch_size=5, random_state=0)
    for start in range(0, 100, 10):
        model.partial_fit(data[start : start + 10], Y[start : start + 10])
    assert np.isfinite(model.coef_).all()
    assert model.coef_[1] != 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"early_stopping": True}, "does not support early_stopping=True"),
        ({"optimizer": "lbfgs"}, "does not support optimizer='lbfgs'"),
        ({"optimizer": lambda params: torch.optim.LBFGS(params)}, "does not support L-BFGS"),
    ],
)
def test_what_a_stream_cannot_do(options, words):
    with pytest.raises(ValueError, match=words):
        GDLinearRegressor(**options).partial_fit(X, Y)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"shuffle": 1}, "shuffle"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"early_stopping": "yes"}, "early_stopping"),
    ],
)
def test_bad_parameters(options, name):
    with pytest.raises(ValueError, match=f"'{name}' parameter of GDLinearRegressor must be"):
        GDLinearRegressor(**options).fit(X, Y)
