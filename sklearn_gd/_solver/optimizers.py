"""From a name, a class or a callable to an optimizer and its scheduler.

An `OptimizerFactory` is checked before the data are read. It makes the optimizer later, when
there are parameters to move.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.optim import Optimizer, lr_scheduler

from sklearn_gd._base.parameters import InvalidParameterError, invalid
from sklearn_gd._base.types import OptimizerLike, Params, SchedulerLike

# The step of these optimizers is lr times something that does not depend on lr. So one
# optimizer can serve many learning rates.
_PROPORTIONAL = {
    getattr(torch.optim, name)
    for name in [
        "SGD",
        "Adam",
        "AdamW",
        "NAdam",
        "RAdam",
        "Adagrad",
        "Adamax",
        "Adadelta",
        "RMSprop",
    ]
}
# These schedulers multiply the learning rate by a factor that does not depend on it.
_MULTIPLICATIVE = {
    lr_scheduler.LambdaLR,
    lr_scheduler.MultiplicativeLR,
    lr_scheduler.StepLR,
    lr_scheduler.MultiStepLR,
    lr_scheduler.ConstantLR,
    lr_scheduler.LinearLR,
    lr_scheduler.ExponentialLR,
    lr_scheduler.PolynomialLR,
    lr_scheduler.CosineAnnealingLR,
    lr_scheduler.CosineAnnealingWarmRestarts,
}
_REFUSED = {
    "SparseAdam": "it needs sparse gradients, and these are dense; use 'adam'",
    "Muon": "it steps on matrices only, and coefficients are vectors; use 'sgd' or 'adam'",
}
_LBFGS_DEFAULTS = {
    "max_iter": 1,  # one epoch is one iteration
    "max_eval": 25,
    "line_search_fn": "strong_wolfe",
    # absolute tolerances end a run early on losses that are small
    "tolerance_grad": 0.0,
    "tolerance_change": 0.0,
}


@cache
def _names() -> dict[str, type[Optimizer]]:
    """The optimizer classes of torch.optim by lower-case name."""
    return {
        name.lower(): value
        for name, value in vars(torch.optim).items()
        if isinstance(value, type) and issubclass(value, Optimizer) and value is not Optimizer
    }


@runtime_checkable
class ScheduleFree(Protocol):
    """An optimizer that differentiates at one point and returns another (Defazio et al., 2024).

    In its train mode the parameters are the point to differentiate at. In its eval mode they
    are the average of all steps, which is the result.
    """

    def train(self) -> None:
        """Move the parameters to where the objective is differentiated."""

    def eval(self) -> None:
        """Move the parameters to the average."""


class OptimizerFactory(NamedTuple):
    """Makes the optimizer of a descent, and its scheduler."""

    make: Callable[[Tensor, float], Optimizer]  # from parameters and a learning rate
    supports_batched_lrs: bool  # one optimizer can move many runs, each with its own lr
    options: Params  # of the optimizer, as in ``param_groups``
    optimizer_class: type[Optimizer]
    make_scheduler: Callable[[Optimizer], lr_scheduler.LRScheduler] | None = None

    @property
    def is_sgd(self) -> bool:
        """Of the SGD family, whose stability is known."""
        return self.optimizer_class is torch.optim.SGD

    @property
    def finds_lr(self) -> bool:
        """Of the kind of D-Adaptation and Prodigy, which multiply lr by an estimate of it."""
        return {"d", "k"} <= self.options.keys()  # the estimate, and the count of its steps

    @property
    def is_lbfgs(self) -> bool:
        """L-BFGS, which searches its own step."""
        return self.optimizer_class is torch.optim.LBFGS


def make_optimizer_factory(
    optimizer: OptimizerLike, optimizer_params: Params | None, owner: str
) -> OptimizerFactory:
    """Check an optimizer and its options by making one optimizer of a single parameter.

    Raises
    ------
    InvalidParameterError
        If there is no such optimizer, it cannot serve here, or torch refuses its options.
    """
    options = dict(optimizer_params or {})
    for name, why in (
        ("lr", "set the 'lr' parameter instead"),
        ("maximize", "a loss is minimized; return its negative instead"),
        ("differentiable", "the descent itself is not differentiated"),
    ):
        if options.get(name, False) is not False:
            raise InvalidParameterError(
                f"The 'optimizer_params' parameter of {owner} must not hold {name!r}: {why}. "
                f"Got {options!r} instead."
            )
    build = _find(optimizer, owner)
    if build is torch.optim.LBFGS:
        options = {**_LBFGS_DEFAULTS, **options}

    def make(leaf: Tensor, lr: float) -> Optimizer:
        result = build([leaf], **options)
        if isinstance(result, Optimizer):
            for group in result.param_groups:
                group["lr"] = lr
                # there is one tensor, so that torch need not look in every step whether it
                # can move several together
                if group.get("foreach", False) is None:
                    group["foreach"] = False
        return result

    try:
        probe = make(torch.zeros(1, dtype=torch.float64, requires_grad=True), 1.0)
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise invalid(
            owner, "optimizer_params", f"what {optimizer!r} accepts ({error})", optimizer_params
        ) from error
    if not isinstance(probe, Optimizer):
        raise invalid(
            owner, "optimizer", "a callable that returns a torch.optim.Optimizer", optimizer
        )
    _check_served(type(probe), owner)
    if probe.defaults.get("maximize"):
        raise InvalidParameterError(
            f"The 'optimizer' parameter of {owner} must minimize: its maximize=True cannot "
            f"be used. Got {optimizer!r} instead."
        )
    kind = type(probe)
    return OptimizerFactory(
        make, kind in _PROPORTIONAL and build is kind, probe.param_groups[0], kind
    )


def with_scheduler(
    factory: OptimizerFactory, scheduler: SchedulerLike, owner: str
) -> OptimizerFactory:
    """The factory with a learning-rate scheduler, checked by making one.

    Raises
    ------
    InvalidParameterError
        If ``scheduler`` does not make a scheduler from an optimizer alone.
    """
    if scheduler is None:
        return factory
    words = "a torch.optim.lr_scheduler class or a callable that is given the optimizer"
    if not callable(scheduler):
        raise invalid(owner, "lr_scheduler", words, scheduler)
    probe = factory.make(torch.zeros(1, dtype=torch.float64, requires_grad=True), 1.0)
    try:
        trial = scheduler(probe)
    except Exception as error:  # torch and callables of the user raise anything
        words = (
            f"{words} and returns a scheduler ({type(error).__name__}: {error}); "
            "functools.partial sets its options"
        )
        raise invalid(owner, "lr_scheduler", words, scheduler) from error
    if not isinstance(trial, lr_scheduler.LRScheduler):
        raise invalid(owner, "lr_scheduler", f"{words} and returns a scheduler", scheduler)
    # a callable that the user wrote may look at the lr, which is 1 where runs share an optimizer
    build = scheduler.func if isinstance(scheduler, partial) else scheduler
    is_multiplicative = build is type(trial) in _MULTIPLICATIVE and not getattr(trial, "eta_min", 0)
    return factory._replace(
        supports_batched_lrs=factory.supports_batched_lrs and is_multiplicative,
        make_scheduler=scheduler,
    )


def _find(optimizer: OptimizerLike, owner: str) -> Callable[..., Optimizer]:
    """The class or callable that ``optimizer`` names or is."""
    names = _names()
    if isinstance(optimizer, str):
        if optimizer not in names:
            known = sorted(name for name, kind in names.items() if kind.__name__ not in _REFUSED)
            raise invalid(
                owner,
                "optimizer",
                f"one of {known}, a torch.optim class or a callable",
                optimizer,
            )
        optimizer = names[optimizer]
    if not callable(optimizer):
        raise invalid(owner, "optimizer", "a str, a torch.optim class or a callable", optimizer)
    _check_served(optimizer, owner)
    return optimizer


def _check_served(optimizer: Callable[..., Optimizer], owner: str) -> None:
    """Raise for optimizers that cannot serve here."""
    name = getattr(optimizer, "__name__", "")
    if name in _REFUSED:
        raise InvalidParameterError(
            f"The 'optimizer' parameter of {owner} cannot be {name}: {_REFUSED[name]}."
        )
