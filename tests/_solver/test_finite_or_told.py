"""Every optimizer with every scheduler ends in finite numbers, a warning or a sentence."""

import warnings
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, minimize

EPOCHS = 8
X = np.random.default_rng(0).normal(size=(9, 2))
Y = X @ [1.0, -2.0] + 0.1 * np.random.default_rng(1).normal(size=9)

REFUSED = {"SparseAdam", "Muon"}
OPTIMIZERS = {
    name: kind
    for name, kind in vars(torch.optim).items()
    if isinstance(kind, type)
    and issubclass(kind, torch.optim.Optimizer)
    and kind is not torch.optim.Optimizer
}


class Decay(lr_scheduler.LRScheduler):
    """A scheduler that the user wrote."""

    def get_lr(self):
        return [0.9 * group["lr"] for group in self.optimizer.param_groups]


def by(function):
    """LambdaLR with a function of the epoch."""
    return partial(lr_scheduler.LambdaLR, lr_lambda=function)


def one_after_the_other(optimizer):
    parts = [lr_scheduler.ConstantLR(optimizer, 0.1, 2), lr_scheduler.ExponentialLR(optimizer, 0.9)]
    return lr_scheduler.SequentialLR(optimizer, parts, milestones=[2])


def chained(optimizer):
    parts = [lr_scheduler.ConstantLR(optimizer, 0.1, 2), lr_scheduler.ExponentialLR(optimizer, 0.9)]
    return lr_scheduler.ChainedScheduler(parts)


GOOD_SCHEDULERS = {
    "none": None,
    "step": partial(lr_scheduler.StepLR, step_size=3),
    "steps": partial(lr_scheduler.MultiStepLR, milestones=[2, 4]),
    "constant": lr_scheduler.ConstantLR,
    "linear": lr_scheduler.LinearLR,
    "linear to 0": partial(lr_scheduler.LinearLR, end_factor=0.0, total_iters=4),
    "exponential": partial(lr_scheduler.ExponentialLR, gamma=0.5),
    "exponential to 0": partial(lr_scheduler.ExponentialLR, gamma=0.0),
    "exponential to infinity": partial(lr_scheduler.ExponentialLR, gamma=1e90),
    "polynomial": partial(lr_scheduler.PolynomialLR, total_iters=4),
    "cosine to 0": partial(lr_scheduler.CosineAnnealingLR, T_max=4),
    "cosine": partial(lr_scheduler.CosineAnnealingLR, T_max=4, eta_min=1e-4),
    "restarts": partial(lr_scheduler.CosineAnnealingWarmRestarts, T_0=3),
    "cycles": partial(
        lr_scheduler.CyclicLR, base_lr=0.001, max_lr=0.1, step_size_up=3, cycle_momentum=False
    ),
    "one cycle": partial(
        lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=EPOCHS + 1, cycle_momentum=False
    ),
    "lambda": by(lambda epoch: 0.9**epoch),
    "lambda 0": by(lambda epoch: 0.0),
    "lambda infinity": by(lambda epoch: np.inf if epoch > 2 else 1.0),
    "lambda tensor": by(lambda epoch: torch.tensor(0.5)),
    "product": partial(lr_scheduler.MultiplicativeLR, lr_lambda=lambda epoch: 0.9),
    "plateau": partial(lr_scheduler.ReduceLROnPlateau, patience=1),
    "sequence": one_after_the_other,
    "chain": chained,
    "averages": partial(SWALR, swa_lr=0.05),
    "own": Decay,
}
BAD_SCHEDULERS = {
    "no scheduler": lambda optimizer: 3,
    "an error": lambda optimizer: 1 / 0,
    "the base class": lr_scheduler.LRScheduler,
    "without its options": lr_scheduler.StepLR,
    "text": by(lambda epoch: "fast"),
    "text later": by(lambda epoch: "fast" if epoch > 2 else 1.0),
    "a list that is too short": by(lambda epoch: [1.0, 0.5][epoch]),
    "too few steps": partial(
        lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=3, cycle_momentum=False
    ),
    "below 0": by(lambda epoch: 1.0 - epoch),
    "NaN": by(lambda epoch: np.nan if epoch else 1.0),
    "plateau in a sequence": lambda optimizer: lr_scheduler.SequentialLR(
        optimizer,
        [lr_scheduler.ConstantLR(optimizer, 0.1, 2), lr_scheduler.ReduceLROnPlateau(optimizer)],
        milestones=[2],
    ),
}


def fit_is_finite_or_told(estimator):
    """Fit, and raise unless everything is finite or a warning says that it is not."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(X, Y)
    assert {warning.category for warning in caught} <= {ConvergenceWarning}
    for part in (estimator.coef_, estimator.intercept_, estimator.predict(X)):
        assert np.isfinite(part).all()
    assert np.isfinite(getattr(estimator, "loss_", 0.0))
    if getattr(estimator, "diverged_", False):
        assert caught


@pytest.mark.parametrize("scheduler", GOOD_SCHEDULERS)
@pytest.mark.parametrize("optimizer", sorted(set(OPTIMIZERS) - REFUSED))
def test_fits(optimizer, scheduler):
    options = {
        "optimizer": OPTIMIZERS[optimizer],
        "lr_scheduler": GOOD_SCHEDULERS[scheduler],
        "epochs": EPOCHS,
    }
    fit_is_finite_or_told(GDLinearRegressor(lr=0.01, **options))
    fit_is_finite_or_told(GDLinearRegressor(lr=1e3, **options))


@pytest.mark.parametrize("scheduler", ["cosine to 0", "one cycle", "lambda 0", "sequence"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "LBFGS", "Rprop"])
@pytest.mark.parametrize(
    "more", [{"loss": "huber"}, {"batch_size": 4, "random_state": 0}, {"early_stopping": True}]
)
def test_other_kinds_of_fits(optimizer, scheduler, more):
    options = {"optimizer": OPTIMIZERS[optimizer], "lr_scheduler": GOOD_SCHEDULERS[scheduler]}
    fit_is_finite_or_told(GDLinearRegressor(epochs=EPOCHS, **options, **more))


@pytest.mark.parametrize("scheduler", ["cosine to 0", "one cycle", "lambda 0", "sequence"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "LBFGS", "Rprop"])
def test_searches_and_functions(optimizer, scheduler):
    options = {
        "optimizer": OPTIMIZERS[optimizer],
        "lr_scheduler": GOOD_SCHEDULERS[scheduler],
        "epochs": EPOCHS,
    }
    fit_is_finite_or_told(GDLinearRegressorCV(lrs=(0.01, 1e3), cv=2, **options))
    result = minimize(lambda x: x**4 - x, 2.0, lr=[0.01, 1e3], **options)
    assert np.isfinite(result.x).all()
    assert np.isfinite(result.fun).all()


@pytest.mark.parametrize("scheduler", BAD_SCHEDULERS)
@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "ASGD", "LBFGS"])
def test_schedulers_that_cannot_serve(optimizer, scheduler):
    model = GDLinearRegressor(
        optimizer=OPTIMIZERS[optimizer], lr_scheduler=BAD_SCHEDULERS[scheduler], epochs=EPOCHS
    )
    with pytest.raises(ValueError, match="The 'lr_scheduler' parameter"):
        model.fit(X, Y)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_optimizers_that_cannot_serve(name):
    for optimizer in (name.lower(), OPTIMIZERS[name]):
        with pytest.raises(ValueError, match=f"'optimizer' parameter of .* cannot be {name}: it"):
            GDLinearRegressor(optimizer=optimizer).fit(X, Y)
    with pytest.raises(ValueError, match="The 'optimizer"):
        GDLinearRegressor(optimizer=lambda params: OPTIMIZERS[name](params)).fit(X, Y)


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("adam", {"capturable": True}),
        ("lbfgs", {"line_search_fn": "golden"}),
        ("lbfgs", {"history_size": 0}),
        ("lbfgs", {"max_eval": 0}),
    ],
)
def test_options_that_fail_in_a_step(optimizer, options):
    model = GDLinearRegressor(optimizer=optimizer, optimizer_params=options)
    with pytest.raises(ValueError, match="step failed.* Use another optimizer or other"):
        model.fit(X, Y)
    assert not hasattr(model, "coef_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_velocity_that_only_dies_away_has_no_largest_stable_lr():
    options = {"momentum": 0.9, "dampening": 1.0}
    model = GDLinearRegressor(optimizer_params=options, epochs=EPOCHS).fit(X, Y)
    assert model.max_stable_lr_ == np.inf


def test_an_error_of_the_loss_is_not_one_of_the_optimizer():
    calls = []

    def tired(prediction, target):
        calls.append(1)
        if len(calls) > 6:
            raise ZeroDivisionError("mine")
        return (prediction - target).square()

    with pytest.raises(ZeroDivisionError, match="mine"):
        GDLinearRegressor(loss=tired).fit(X, Y)
