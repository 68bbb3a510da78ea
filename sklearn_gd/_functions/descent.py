"""The descent of a user's function: check the options, descend, make the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import OptimizeResult
from torch import Tensor

from sklearn_gd._base.parameters import (
    Rule,
    check_params,
    choice,
    device,
    either,
    integer,
    mapping,
    real,
)
from sklearn_gd._base.torch_state import find_device, isolated
from sklearn_gd._base.types import OptimizerLike, Params, SchedulerLike
from sklearn_gd._functions.objective import FunctionObjective, ValueAt
from sklearn_gd._functions.result import make_result
from sklearn_gd._functions.user_function import UserFunction
from sklearn_gd._solver.loop import descend
from sklearn_gd._solver.monitor import StoppingRule
from sklearn_gd._solver.optimizers import make_optimizer_factory, with_scheduler


class FunctionOptions(NamedTuple):
    """The parameters that `minimize` and `solve` share, as the user gave them."""

    lr: float | str | Sequence[float]  # several, if `has_several_lrs`
    epochs: int
    optimizer: OptimizerLike
    optimizer_params: Params | None
    lr_scheduler: SchedulerLike
    tol: float | None
    device: str

    @property
    def has_several_lrs(self) -> bool:
        """Whether ``lr`` is a sequence."""
        is_sequence = isinstance(self.lr, Sequence | np.ndarray) and not isinstance(self.lr, str)
        return is_sequence and np.ndim(self.lr) == 1

    @property
    def lrs(self) -> list[float | str]:
        """The learning rates, one or several."""
        return list(self.lr) if self.has_several_lrs else [self.lr]  # type: ignore[arg-type, list-item]


def descend_function(
    function: UserFunction, value_at: ValueAt, options: FunctionOptions
) -> tuple[OptimizeResult, Tensor]:
    """Minimize ``value_at`` of ``function`` with every learning rate of ``options``.

    Returns the result, whose fields have a leading axis of runs, and the flat points
    (runs, size) where the runs ended.
    """
    _check_options(options, function.owner)
    lrs, epochs = [float(lr) for lr in options.lrs], int(options.epochs)
    with isolated():
        factory = make_optimizer_factory(
            options.optimizer, options.optimizer_params, function.owner
        )
        factory = with_scheduler(factory, options.lr_scheduler, function.owner)
        start = function.start.to(find_device(str(options.device)))
        objective = FunctionObjective.of(function._replace(start=start), value_at, len(lrs))
        trace = descend(
            objective,
            start.repeat(1, len(lrs), 1, 1),
            factory,
            torch.tensor([lrs], dtype=torch.float64),
            epochs,
            StoppingRule(_value_limits, options.tol, must_decrease=False),
            keep_path=True,
            # the user's function is not to see a point after the descent has ended
            is_watched=len(lrs) == 1,
        )
        return make_result(objective, trace, epochs), trace.u[0, :, 0]


def _check_options(options: FunctionOptions, owner: str) -> None:
    """Raise for the first option outside its range."""
    positive = real(0.0)
    lrs = options.lrs
    rules = {
        "lr": Rule(
            f"{positive.words} or a sequence of such",
            lambda _: bool(lrs) and all(positive.holds(lr) for lr in lrs),
        ),
        "epochs": integer(1),
        "optimizer_params": either(mapping(), choice(None)),
        "tol": either(real(0.0, closed="left"), choice(None)),
        "device": device(),
    }
    check_params(owner, options._asdict(), rules)


def _value_limits(first: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest and the highest value allowed. The function may be zero or negative."""
    width = 1e12 * (1.0 + first.abs())
    return first - width, first + width
