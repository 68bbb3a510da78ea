"""One optimizer, and the part of u that it moves.

Learning rates are an axis. torch.optim has one learning rate for all parameters. Where runs
have several, the optimizer steps on a copy of the parameters with lr = 1, and then every run
moves by its own lr times the difference. This equals separate runs for every optimizer whose
step is proportional to lr. Where runs have one learning rate in common, the optimizer has it.
Other optimizers move one run of one target of one problem each.

Between steps u is the result of the optimizer. A schedule-free optimizer is in its train mode
only while it steps, so that all values and points are those of its average.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from sklearn_gd._base.parameters import InvalidParameterError
from sklearn_gd._solver.average import IterateAverage
from sklearn_gd._solver.objective import BatchObjective, Objective, ProximalPenalty
from sklearn_gd._solver.optimizers import OptimizerFactory, ScheduleFree

Index = Any  # of problems, runs and targets; an ellipsis is all of them


def make_steppers(
    objective: Objective,
    u: Tensor,
    optimizer_factory: OptimizerFactory,
    lrs: Tensor,
    penalty: ProximalPenalty | None,
    average: IterateAverage | None,
) -> list[Stepper]:
    """One stepper for everything where the optimizer allows it, else one for every run."""
    problems, runs, targets = u.shape[:3]
    if optimizer_factory.supports_batched_lrs or problems * runs * targets == 1:
        return [Stepper(objective, u, optimizer_factory, lrs, penalty, average, ...)]
    return [
        Stepper(
            objective.select(p, t),
            u,
            optimizer_factory,
            lrs[p : p + 1, r : r + 1],
            penalty.select(p, t) if penalty else None,
            average,
            (slice(p, p + 1), slice(r, r + 1), slice(t, t + 1)),
        )
        for p in range(problems)
        for r in range(runs)
        for t in range(targets)
    ]


class Stepper:
    """Differentiates an objective and steps, for the runs at one index of u."""

    def __init__(
        self,
        objective: Objective,
        u: Tensor,
        optimizer_factory: OptimizerFactory,
        lrs: Tensor,
        penalty: ProximalPenalty | None,
        average: IterateAverage | None,
        index: Index,
    ):
        self.objective, self.penalty = objective, penalty
        self.u, self.index = u[index], index
        self.average = None if average is None else average.part(self.u, index)
        has_one_lr = bool((lrs == lrs[0, 0]).all())
        self.lrs = None if has_one_lr else lrs.to(u)[..., None, None]
        # with one lr the leaf shares the memory of u, and the optimizer moves u itself
        self.leaf = (self.u if has_one_lr else self.u.clone()).detach()
        if not optimizer_factory.supports_batched_lrs:
            self.leaf = self.leaf[0, 0, 0]  # a vector, as optimizers that look at shapes expect
        self.leaf.requires_grad_()
        self.first_lr = float(lrs[0, 0]) if has_one_lr else 1.0
        self.optimizer = optimizer_factory.make(self.leaf, self.first_lr)
        # mypy holds that no optimizer of torch has both modes
        optimizer: object = self.optimizer
        self.schedule_free = optimizer if isinstance(optimizer, ScheduleFree) else None
        is_lbfgs = optimizer_factory.is_lbfgs
        self.line_search_tolerance = (
            self.optimizer.param_groups[0]["tolerance_grad"] if is_lbfgs else None
        )
        make_scheduler = optimizer_factory.make_scheduler
        self.scheduler = make_scheduler(self.optimizer) if make_scheduler else None
        self.is_differentiating = False
        self.ones = torch.ones_like(self.u[..., 0])
        self.batch: BatchObjective = objective
        self.momentum = None if penalty is None else _Momentum(self.optimizer, self.u)
        self.value: Any = None  # the objective before the present step
        self.previous_value: Any = None  # the objective before the step before

    def run_epoch(self, epoch: int, out: Tensor) -> None:
        """Step once for every batch, and write the mean objective of the batches to ``out``."""
        mean: Any = 0.0
        for batch, share in self.objective.batches(epoch):
            self.batch = batch
            is_full_batch = share == 1.0
            # values of different batches cannot be compared
            self.previous_value = self.value if is_full_batch else None
            self.value = None
            if self.schedule_free is None:
                self._step()
            else:
                self._step_from_average(self.schedule_free)
            if self.average is not None:
                self.average.add()
            mean = self.value if is_full_batch else mean + share * self.value
        out[self.index].copy_(mean)

    def step_scheduler(self, values: Tensor, epoch: int) -> None:
        """Tell the scheduler that an epoch has ended, of ``values`` (epochs, problems, ...)."""
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(values[epoch][self.index].mean().item())
        elif self.scheduler is not None:
            try:
                self.scheduler.step()
            except Exception as error:  # torch and callables of the user raise anything
                raise InvalidParameterError(
                    f"The 'lr_scheduler' parameter cannot be stepped after epoch {epoch + 1}: "
                    f"{type(error).__name__}: {error} Give the scheduler as many steps as there "
                    "are epochs."
                ) from error
            self._check_lr(epoch)

    def write_total(self, u: Tensor, out: Tensor) -> None:
        """Write the whole objective of ``u``, penalty included, to ``out``."""
        u = u[self.index]
        out[self.index] = self._with_penalty(self.objective(u), u)

    def _step(self) -> None:
        """One step of the optimizer on the present batch, and of the proximal operator."""
        if self.lrs is None:
            self._step_optimizer()
        else:
            self.leaf.detach().copy_(self.u)
            self._step_optimizer()
            self.u.addcmul_(self.lrs, self.leaf.detach() - self.u)
        if self.penalty is not None and self.momentum is not None:
            lr = self.optimizer.param_groups[0]["lr"]
            lr = lr if self.lrs is None else lr * self.lrs
            self.u.copy_(self.penalty.prox(self.u, lr * self.momentum.count_step()))

    def _step_optimizer(self) -> None:
        """One step of the optimizer on the leaf."""
        if self.line_search_tolerance is not None:
            group = self.optimizer.param_groups[0]
            # the line search divides by the lr; with this tolerance it does not begin
            has_lr = group["lr"] > 0.0
            group["tolerance_grad"] = self.line_search_tolerance if has_lr else math.inf
        try:
            self.optimizer.step(self._differentiate)  # type: ignore[arg-type]
        except Exception as error:
            if self.is_differentiating:  # an error of the loss or of the function
                raise
            kind = type(self.optimizer).__name__
            raise InvalidParameterError(
                f"The 'optimizer' parameter makes an optimizer {kind} whose step failed: "
                f"{type(error).__name__}: {error} Use another optimizer or other "
                "'optimizer_params'."
            ) from error

    def _check_lr(self, epoch: int) -> None:
        """Raise if the scheduler has set a learning rate that is negative or no number."""
        lr = float(self.optimizer.param_groups[0]["lr"])
        # a schedule that ends at 0 may end below it by rounding
        if not lr >= -1e-9 * max(self.first_lr, 1.0):
            raise InvalidParameterError(
                f"The 'lr_scheduler' parameter must not set a learning rate below 0. Got {lr:g} "
                f"after epoch {epoch + 1} instead."
            )

    def _step_from_average(self, optimizer: ScheduleFree) -> None:
        """One step of a schedule-free optimizer. The objective is that of its average."""
        with torch.no_grad():
            self.value = self._with_penalty(self.batch(self.u), self.u)
        optimizer.train()
        self._step()
        optimizer.eval()

    @torch.enable_grad()  # some optimizers call the closure without
    def _differentiate(self) -> Tensor:
        """The closure of a step: the objective at the leaf, and its gradient there."""
        self.is_differentiating = True
        u = self.leaf if self.leaf.ndim == 4 else self.leaf[None, None, None]
        value = self.batch(u)
        (self.leaf.grad,) = torch.autograd.grad(value, self.leaf, self.ones)
        if self.value is None:  # an optimizer may call this closure several times in a step
            self.value = self._with_penalty(value.detach(), u.detach())
            if self.momentum is not None and self.previous_value is not None:
                self.momentum.restart(self.value > self.previous_value)
        self.is_differentiating = False
        return value

    def _with_penalty(self, value: Tensor, u: Tensor) -> Tensor:
        """``value`` plus the penalty that has no gradient."""
        return value if self.penalty is None else value + self.penalty.value(u)


class _Momentum:
    """How many gradients the momentum of SGD holds, by which the proximal step is longer.

    SGD with momentum adds up the gradients of many steps. The proximal step must stand for
    as many steps, or another point would be stationary. The number m follows the recurrence
    of the momentum: m = β m + (1 − d), for momentum β and dampening d. Where the objective
    rises, the momentum has overshot a kink and starts again from zero (O'Donoghue and
    Candès, Adaptive Restart for Accelerated Gradient Schemes, 2015).
    """

    def __init__(self, optimizer: torch.optim.Optimizer, u: Tensor):
        group = optimizer.param_groups[0]
        self.optimizer, self.shape = optimizer, u.shape
        self.momentum, self.dampening = group["momentum"], group["dampening"]
        self.nesterov = group["nesterov"]
        self.count: Tensor | None = None
        self.ones = torch.ones_like(u[..., :1])

    def count_step(self) -> Tensor:
        """Count one step. Returns how many gradients the step has added up."""
        if self.count is None:
            self.count = self.ones
        else:
            self.count = self.momentum * self.count + (1.0 - self.dampening)
        return 1.0 + self.momentum * self.count if self.nesterov else self.count

    def restart(self, has_risen: Tensor) -> None:
        """Set the momentum of the runs whose objective has risen to zero."""
        for state in self.optimizer.state.values():
            buffer = state.get("momentum_buffer")
            if buffer is not None and self.count is not None:
                buffer.view(self.shape).masked_fill_(has_risen[..., None], 0.0)
                self.count = self.count.masked_fill(has_risen[..., None], 0.0)
