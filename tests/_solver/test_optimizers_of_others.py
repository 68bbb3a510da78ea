"""Schedule-free optimizers, Prodigy and D-Adaptation are what they are in a bare torch loop."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, minimize
from sklearn_gd._solver.optimizers import make_optimizer_factory

schedulefree = pytest.importorskip("schedulefree")
prodigyopt = pytest.importorskip("prodigyopt")
dadaptation = pytest.importorskip("dadaptation")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3)) * [1.0, 2.0, 0.5] + [0.3, -0.2, 0.1]
Y = X @ [1.0, -2.0, 3.0] + 0.5 + RNG.normal(size=30)
SCHEDULE_FREE = {
    "sgd": (schedulefree.SGDScheduleFree, 0.05, {}),
    "warm-up": (schedulefree.SGDScheduleFree, 0.05, {"warmup_steps": 5, "weight_decay": 0.01}),
    "adamw": (schedulefree.AdamWScheduleFree, 0.05, {}),
    "radam": (schedulefree.RAdamScheduleFree, 0.05, {"foreach": False}),
}
ADAPTED = {
    "prodigy": (prodigyopt.Prodigy, 1.0, {"d0": 1e-3}),
    "dadapt-adam": (dadaptation.DAdaptAdam, 1.0, {"d0": 1e-3}),
    "dadapt-sgd": (dadaptation.DAdaptSGD, 1.0, {"d0": 1e-3}),
    "dadapt-adagrad": (dadaptation.DAdaptAdaGrad, 1.0, {"d0": 1e-3}),
    "dadapt-adan": (dadaptation.DAdaptAdan, 1.0, {"d0": 1e-3}),
}
ALL = {**SCHEDULE_FREE, **ADAPTED}


# an estimate from small batches is too large at lr=1
BATCHED = {name: (kind, 0.1 * lr, options) for name, (kind, lr, options) in ALL.items()}


def bare_loop(kind, lr, options, epochs, batch_size=None):
    """Coefficients and intercept, and the objective where every epoch began, in plain torch."""
    x, y = torch.tensor(np.column_stack([X, np.ones(len(X))])), torch.tensor(Y)
    w = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = kind([w], lr=lr, **options)
    has_modes = hasattr(optimizer, "train")
    curve = []
    for _ in range(epochs):
        if has_modes:
            optimizer.eval()
        curve.append((x @ w - y).square().mean().item())
        if has_modes:
            optimizer.train()
        for start in range(0, len(X), batch_size or len(X)):
            rows = slice(start, start + (batch_size or len(X)))
            optimizer.zero_grad()
            with torch.enable_grad():
                (x[rows] @ w - y[rows]).square().mean().backward()
            optimizer.step()
    if has_modes:
        optimizer.eval()
    return w.detach().numpy(), curve


def fitted(name, **params):
    kind, lr, options = (BATCHED if "batch_size" in params else ALL)[name]
    return GDLinearRegressor(
        optimizer=kind, optimizer_params=options, lr=lr, precondition=None, **params
    )


def both(model):
    return [*model.coef_, model.intercept_]


# squared error goes through moments; given as a callable, through the rows themselves
LOSSES = {"moments": "squared_error", "rows": lambda prediction, target: (prediction - target) ** 2}


@pytest.mark.parametrize("path", LOSSES)
@pytest.mark.parametrize("name", ALL)
def test_full_batches_are_the_bare_loop(name, path):
    model = fitted(name, epochs=40, loss=LOSSES[path]).fit(X, Y)
    expected, curve = bare_loop(*ALL[name], epochs=40)
    np.testing.assert_allclose(both(model), expected, rtol=1e-9)
    np.testing.assert_allclose(model.loss_curve_, curve, rtol=1e-9)
    residual = Y - model.predict(X)
    assert model.loss_ == pytest.approx(np.mean(residual**2), rel=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_mini_batches_are_the_bare_loop(name):
    model = fitted(name, epochs=6, batch_size=7, shuffle=False).fit(X, Y)
    expected, _ = bare_loop(*BATCHED[name], epochs=6, batch_size=7)
    assert not model.diverged_
    np.testing.assert_allclose(both(model), expected, rtol=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_a_stream_goes_on_where_the_optimizer_was(name):
    model = fitted(name, batch_size=7, shuffle=False)
    for _ in range(3):
        model = pickle.loads(pickle.dumps(model.partial_fit(X, Y)))
    expected, _ = bare_loop(*BATCHED[name], epochs=3, batch_size=7)
    np.testing.assert_allclose(both(model), expected, rtol=1e-9)


def test_batch_objectives_are_those_of_the_average():
    """With one batch in an epoch there is nothing to average, so both curves are one."""
    model = fitted("sgd", epochs=5, batch_size=30, shuffle=False).fit(X, Y)
    np.testing.assert_allclose(
        model.loss_curve_, bare_loop(*BATCHED["sgd"], epochs=5)[1], rtol=1e-9
    )


@pytest.mark.parametrize("name", ["sgd", "adamw", "prodigy", "dadapt-adam"])
def test_a_search_descends_one_by_one(name):
    kind, lr, options = ALL[name]
    assert not make_optimizer_factory(kind, options, "test").supports_batched_lrs
    params = {"optimizer": kind, "optimizer_params": options, "epochs": 30}
    two = np.column_stack([Y, X[:, 0] ** 2])
    search = GDLinearRegressorCV(lrs=(lr / 2, lr), alphas=(0.0, 0.1), cv=2, **params).fit(X, two)
    assert len(search.cv_results_["params"]) == 4
    for t in range(2):
        alone = GDLinearRegressor(lr=search.lr_, alpha=search.alpha_, **params).fit(X, two[:, t])
        np.testing.assert_allclose(search.coef_[t], alone.coef_, rtol=1e-9)


def test_early_stopping_returns_an_average():
    model = fitted("sgd", early_stopping=True, random_state=0, epochs=50).fit(X, Y)
    shorter = fitted("sgd", early_stopping=True, random_state=0, epochs=50)
    shorter = shorter.set_params(epochs=model.best_epoch_, n_iter_no_change=100).fit(X, Y)
    assert 0 < model.best_epoch_ < 50
    np.testing.assert_allclose(model.coef_, shorter.coef_, rtol=1e-12)


def test_minimize_returns_the_average():
    result = minimize(
        lambda x: (x - 3.0).square().sum(),
        np.zeros(2),
        optimizer=schedulefree.SGDScheduleFree,
        lr=0.1,
        epochs=10,
    )
    x = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = schedulefree.SGDScheduleFree([x], lr=0.1)
    optimizer.train()
    for _ in range(10):
        optimizer.zero_grad()
        (x - 3.0).square().sum().backward()
        optimizer.step()
    optimizer.eval()
    np.testing.assert_allclose(result.x, x.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", SCHEDULE_FREE)
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_whitened_fits_converge(name, loss):
    kind, _, options = ALL[name]
    options = {**options, "weight_decay": 0.0}
    options = {"optimizer": kind, "optimizer_params": options, "lr": 0.3}
    model = GDLinearRegressor(**options, loss=loss, epochs=300)
    expected = GDLinearRegressor(lr="auto", loss=loss, epochs=300).fit(X, Y)
    assert model.fit(X, Y).loss_ == pytest.approx(expected.loss_, rel=1e-4)


@pytest.mark.parametrize("name", ["prodigy", "dadapt-adam", "dadapt-sgd", "dadapt-adagrad"])
def test_no_lr_is_needed_in_any_units(name):
    kind = ALL[name][0]
    units, y_unit = np.array([1e-10, 1.0, 1e10]), 1e6
    model = GDLinearRegressor(optimizer=kind, lr="auto").fit(X * units, Y * y_unit)
    assert model.lr_ == 1.0
    expected = np.linalg.lstsq(np.column_stack([X, np.ones(30)]), Y, rcond=None)[0]
    np.testing.assert_allclose(model.coef_ * units / y_unit, expected[:3], rtol=1e-5)


def test_prodigy_with_a_scheduler_and_callables():
    make = partial(prodigyopt.Prodigy, safeguard_warmup=True)
    scheduler = partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=300)
    model = GDLinearRegressor(optimizer=make, lr=1.0, lr_scheduler=scheduler, epochs=300)
    expected = np.linalg.lstsq(np.column_stack([X, np.ones(30)]), Y, rcond=None)[0]
    np.testing.assert_allclose(model.fit(X, Y).coef_, expected[:3], rtol=1e-3)
