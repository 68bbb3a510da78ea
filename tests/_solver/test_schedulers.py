"""Schedulers step once an epoch."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from sklearn_gd import GDLinearRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


rng = np.random.default_rng(0)
N = 103
X = np.array([1.0, 0.0, -1.0]) + rng.normal(size=(N, 3))
Y = X @ [1.0, -2.0, 0.5] + 3.0 + rng.normal(size=N)

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
