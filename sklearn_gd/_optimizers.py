"""A name, a class or a callable -> a torch optimizer, made when parameters are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer, lr_scheduler

from sklearn_gd._params import InvalidParameterError, invalid

# Their step is lr times something that does not depend on lr, so that many learning
# rates can share one optimizer.
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
# They multiply the learning rate by something that does not depend on it.
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


def _names() -> dict[str, type[Optimizer]]:
    """The optimizer classes of torch.optim by lower-case name."""
    return {
        name.lower(): value
        for name, value in vars(torch.optim).items()
        if isinstance(value, type) and issubclass(value, Optimizer) and value is not Optimizer
    }


class Recipe(NamedTuple):
    """How to make the optimizer of a descent, and what it can do."""

    make: Callable[[Tensor, float], Optimizer]
    together: bool  # steps on many runs at once, each with its own lr
    group: Mapping[str, Any]  # its options, as in ``param_groups``
    kind: type[Optimizer]
    schedule: Callable[[Optimizer], Any] | None = None  # makes its scheduler

    @property
    def is_sgd(self) -> bool:
        """Of the SGD family, whose stability is known."""
        return self.kind is torch.optim.SGD

    @property
    def is_lbfgs(self) -> bool:
        """L-BFGS, which searches its own step."""
        return self.kind is torch.optim.LBFGS


def recipe(optimizer: Any, optimizer_params: Mapping[str, Any] | None, owner: str) -> Recipe:
    """Check ``optimizer`` and its parameters by making one.

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
        made = build([leaf], **options)
        if isinstance(made, Optimizer):
            for group in made.param_groups:
                group["lr"] = lr
        return made

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
    if probe.defaults.get("maximize"):
        raise InvalidParameterError(
            f"The 'optimizer' parameter of {owner} must minimize: its maximize=True cannot "
            f"be used. Got {optimizer!r} instead."
        )
    kind = type(probe)
    return Recipe(make, kind in _PROPORTIONAL and build is kind, probe.param_groups[0], kind)


def scheduled(made: Recipe, scheduler: Any, owner: str) -> Recipe:
    """``made`` with a learning-rate scheduler, checked by making one.

    Raises
    ------
    InvalidParameterError
        If ``scheduler`` does not make a scheduler from an optimizer alone.
    """
    if scheduler is None:
        return made
    words = "a torch.optim.lr_scheduler class or a callable that is given the optimizer"
    if not callable(scheduler):
        raise invalid(owner, "lr_scheduler", words, scheduler)
    probe = made.make(torch.zeros(1, dtype=torch.float64, requires_grad=True), 1.0)
    try:
        own = scheduler(probe)
    except (TypeError, ValueError, KeyError) as error:
        words = f"{words} and returns a scheduler ({error}); functools.partial sets its options"
        raise invalid(owner, "lr_scheduler", words, scheduler) from error
    if not isinstance(own, lr_scheduler.LRScheduler):
        raise invalid(owner, "lr_scheduler", f"{words} and returns a scheduler", scheduler)
    # a callable of the user's own may have looked at the lr, which is 1 for many runs at once
    build = scheduler.func if isinstance(scheduler, partial) else scheduler
    multiplies = build is type(own) in _MULTIPLICATIVE and not getattr(own, "eta_min", 0)
    return made._replace(together=made.together and multiplies, schedule=scheduler)


def _find(optimizer: Any, owner: str) -> Callable[..., Any]:
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
    why = _REFUSED.get(getattr(optimizer, "__name__", ""))
    if why:
        raise InvalidParameterError(
            f"The 'optimizer' parameter of {owner} cannot be {optimizer.__name__}: {why}."
        )
    return optimizer
