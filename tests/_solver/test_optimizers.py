"""From a name, a class or a callable to an optimizer and its scheduler."""

from functools import partial

import pytest
import torch
from torch.optim import lr_scheduler

from sklearn_gd._base.parameters import InvalidParameterError
from sklearn_gd._solver.optimizers import make_optimizer_factory, with_scheduler

NAMES = sorted(
    name
    for name, kind in vars(torch.optim).items()
    if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)
)
USABLE = [name for name in NAMES if name not in ("Optimizer", "SparseAdam", "Muon")]


def leaf():
    return torch.zeros(3, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("name", USABLE)
def test_every_optimizer_of_torch_is_made_with_its_lr(name):
    kind = getattr(torch.optim, name)
    for given in (name.lower(), kind, lambda params: kind(params, lr=7.0)):
        factory = make_optimizer_factory(given, None, "test")
        assert factory.optimizer_class is kind
        parameters = leaf()
        optimizer = factory.make(parameters, 0.125)
        assert type(optimizer) is kind
        assert [group["lr"] for group in optimizer.param_groups] == [0.125]
        assert optimizer.param_groups[0]["params"] == [parameters]
        assert (factory.is_sgd, factory.is_lbfgs) == (name == "SGD", name == "LBFGS")
    assert not factory.supports_batched_lrs  # a callable may do anything


def moves(kind, lr, points, gradients):
    """The steps of an optimizer from given points, along given gradients."""
    parameters = leaf()
    optimizer = kind([parameters], lr=lr)
    found = []
    for point, gradient in zip(points, gradients, strict=True):
        parameters.detach().copy_(point)
        parameters.grad = gradient.clone()
        optimizer.step()
        found.append(parameters.detach() - point)
    return torch.stack(found)


SUPPORTED = ["SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adagrad", "Adamax", "Adadelta", "RMSprop"]


@pytest.mark.parametrize("name", [name for name in USABLE if name != "LBFGS"])
def test_one_optimizer_serves_many_lrs_only_if_its_step_is_proportional(name):
    kind = getattr(torch.optim, name)
    generator = torch.Generator().manual_seed(0)
    points, gradients = torch.randn(2, 12, 3, generator=generator, dtype=torch.float64)
    small, large = (moves(kind, lr, points, gradients) for lr in (0.1, 0.7))
    factory = make_optimizer_factory(name.lower(), None, "test")
    assert factory.supports_batched_lrs == (name in SUPPORTED)
    if name in SUPPORTED:
        torch.testing.assert_close(large, 7.0 * small, rtol=1e-9, atol=1e-12)


def test_lbfgs_makes_an_iteration_an_epoch_unless_told_otherwise():
    group = make_optimizer_factory("lbfgs", None, "test").options
    assert (group["max_iter"], group["line_search_fn"]) == (1, "strong_wolfe")
    group = make_optimizer_factory("lbfgs", {"max_iter": 5}, "test").options
    assert (group["max_iter"], group["tolerance_grad"]) == (5, 0.0)


@pytest.mark.parametrize(
    ("optimizer", "options", "words"),
    [
        ("sgd", {"lr": 0.1}, "The 'optimizer_params' parameter of test must not hold 'lr'"),
        ("adam", {"differentiable": True}, "must not hold 'differentiable'"),
        ("sparseadam", None, "The 'optimizer' parameter of test cannot be SparseAdam"),
        ("muon", None, "cannot be Muon"),
        ("sdg", None, "The 'optimizer' parameter of test must be one of"),
        (3, None, "must be a str, a torch.optim class or a callable. Got 3 instead"),
        (lambda params: None, None, "a callable that returns a torch.optim.Optimizer"),
        ("sgd", {"nesterov": True}, "Nesterov momentum requires a momentum"),
        (lambda params: torch.optim.SGD(params, maximize=True), None, "must minimize"),
    ],
)
def test_refusals(optimizer, options, words):
    with pytest.raises(InvalidParameterError, match=words):
        make_optimizer_factory(optimizer, options, "test")


MULTIPLICATIVE = [
    partial(lr_scheduler.LambdaLR, lr_lambda=lambda epoch: 0.9**epoch),
    partial(lr_scheduler.MultiplicativeLR, lr_lambda=lambda epoch: 0.9),
    partial(lr_scheduler.StepLR, step_size=3),
    partial(lr_scheduler.MultiStepLR, milestones=[2, 5]),
    lr_scheduler.ConstantLR,
    lr_scheduler.LinearLR,
    partial(lr_scheduler.ExponentialLR, gamma=0.9),
    partial(lr_scheduler.PolynomialLR, total_iters=8),
    partial(lr_scheduler.CosineAnnealingLR, T_max=7),
    partial(lr_scheduler.CosineAnnealingWarmRestarts, T_0=4),
]
OTHER = [
    partial(lr_scheduler.CosineAnnealingLR, T_max=7, eta_min=0.001),
    partial(lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=10),
    partial(lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.1, cycle_momentum=False),
    lr_scheduler.ReduceLROnPlateau,
    lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.9),
]


def rates(make, lr):
    """The learning rates of ten epochs."""
    optimizer = torch.optim.SGD([leaf()], lr=lr)
    scheduler = make(optimizer)
    found = []
    for _ in range(10):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(1.0) if "Plateau" in type(scheduler).__name__ else scheduler.step()
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.parametrize("scheduler", MULTIPLICATIVE + OTHER)
def test_runs_share_a_scheduler_only_if_it_multiplies(scheduler):
    factory = with_scheduler(make_optimizer_factory("sgd", None, "test"), scheduler, "test")
    assert factory.make_scheduler is scheduler
    assert factory.supports_batched_lrs == (scheduler in MULTIPLICATIVE)
    if factory.supports_batched_lrs:
        torch.testing.assert_close(rates(scheduler, 0.5), 5 * rates(scheduler, 0.1))


def test_no_scheduler_changes_nothing():
    factory = make_optimizer_factory("adam", None, "test")
    assert with_scheduler(factory, None, "test") is factory
