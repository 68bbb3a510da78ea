"""The heart: gradient descent, K runs at once.

All runs are one tensor u of shape (runs, targets, coordinates). An epoch records the
objective of every run, differentiates their sum (runs do not mix, so each gets its own
gradient), and lets a torch optimizer step. Learning rates are an axis like any other:
where they differ, the optimizer steps on a copy with lr = 1 and every run moves by its
own lr times the difference, which equals separate runs for every optimizer whose step is
proportional to lr. The others step run by run.

Nothing is looked at in an epoch, so that an accelerator is never waited for. The points
of the last few epochs are kept in a ring, and when it is full `_Watch` looks at all of
them: it finds, exact to the epoch, where a run diverged or came to rest and which point
was the lowest, and stops the runs that are done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from sklearn_gd._objective import Objective
from sklearn_gd._optimizers import Recipe

_RING_ENTRIES = 2**18


class Stop(NamedTuple):
    """When a run ends before its epochs do."""

    limits: Callable[[Tensor], tuple[Tensor, Tensor]]  # first objective -> range of a sane one
    tol: float | None = None  # least fall of the best objective, relative to the first
    patience: int = 10  # epochs without such a fall
    scale: Tensor | None = None  # (targets,) an objective is judged by value / scale
    must_fall: bool = True  # a run that ends above its start has diverged


class Trace(NamedTuple):
    """What happened. A diverged run is left at the lowest point it passed."""

    values: Tensor  # (epochs, runs, targets) objective where each epoch began
    n_iter: Tensor  # (runs,) epochs done
    u: Tensor  # (runs, targets, coordinates)
    value: Tensor  # (runs, targets) objective at u
    diverged: Tensor  # (runs,)
    path: Tensor | None  # (epochs + 1, runs, targets, coordinates)


def descend(
    objective: Objective,
    start: Tensor,
    recipe: Recipe,
    lrs: Sequence[float],
    epochs: int,
    stop: Stop,
    *,
    keep_path: bool = False,
) -> Trace:
    """Descend from ``start`` (runs, targets, coordinates), each run with its own lr."""
    u = start.clone()
    units = _units(objective, u, recipe, lrs)
    values = u.new_empty(epochs, *u.shape[:2])
    every = min(epochs, max(8, min(64, _RING_ENTRIES // u.numel())))
    points = u.new_empty(epochs if keep_path else every, *u.shape)
    watch = _Watch(u, epochs, stop)
    for epoch, value in enumerate(values.unbind()):
        slot = epoch if keep_path else epoch % every
        points[slot].copy_(u)
        for unit in units:
            unit.step(value)
        watch.hold(u)
        done = epoch + 1
        if done % every == 0 or done == epochs:
            first = slot - (epoch % every)
            watch.look(values[done - (slot + 1 - first) : done], points[first : slot + 1], u)
            if watch.done.all():
                break
    path = torch.cat([points[:done], u[None]]) if keep_path else None
    return watch.finish(values[:done], objective, u, path)


def gradient(objective: Objective, u: Tensor) -> Tensor:
    """The gradient of every run's objective at ``u``."""
    leaf = u.detach().clone().requires_grad_()
    return torch.autograd.grad(objective(leaf).sum(), leaf)[0]


class _Unit:
    """The runs and targets that one optimizer moves: all of them, or one cell."""

    def __init__(
        self,
        objective: Objective,
        u: Tensor,
        recipe: Recipe,
        lrs: Sequence[float],
        part: tuple[slice, slice] = (slice(None), slice(None)),
    ):
        self.objective, self.u, self.part = objective, u[part], part
        alike = len(set(lrs)) == 1
        # alike: torch's own lr, and the optimizer's leaf shares the memory of u
        self.lrs = None if alike else u.new_tensor(lrs)[:, None, None]
        self.leaf = (self.u if alike else self.u.clone()).detach()
        if self.u.shape[:2] == (1, 1):  # one vector, as the optimizers that look at shapes expect
            self.leaf = self.leaf[0, 0]
        self.leaf.requires_grad_()
        self.optimizer = recipe.make(self.leaf, lrs[0] if alike else 1.0)
        self.scheduler = recipe.schedule(self.optimizer) if recipe.schedule else None
        self.ones = torch.ones_like(self.u[..., 0])
        self.value: Any = None

    def step(self, out: Tensor) -> None:
        """Step once; the objective before the step goes to ``out``."""
        self.value = None
        if self.lrs is None:
            self.optimizer.step(self.differentiate)
        else:
            self.leaf.detach().copy_(self.u)
            self.optimizer.step(self.differentiate)
            self.u.addcmul_(self.lrs, self.leaf.detach() - self.u)
        out[self.part].copy_(self.value)
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(self.value.mean().item())
        elif self.scheduler is not None:
            self.scheduler.step()

    def differentiate(self) -> Any:
        """The objective at the leaf, and its gradient there: the closure of a step."""
        value = self.objective(self.leaf.view(self.u.shape))
        (self.leaf.grad,) = torch.autograd.grad(value, self.leaf, self.ones)
        if self.value is None:
            self.value = value.detach()
        return value


def _units(objective: Objective, u: Tensor, recipe: Recipe, lrs: Sequence[float]) -> list[_Unit]:
    """One unit for everything where the optimizer allows it, else one for each cell."""
    if recipe.together or u.shape[:2] == (1, 1):
        return [_Unit(objective, u, recipe, lrs)]
    return [
        _Unit(objective.cell(r, t), u, recipe, [lrs[r]], (slice(r, r + 1), slice(t, t + 1)))
        for r in range(u.shape[0])
        for t in range(u.shape[1])
    ]


class _Watch:
    """Looks at some epochs at a time: which runs are done since when, where was the lowest."""

    def __init__(self, u: Tensor, epochs: int, stop: Stop):
        self.stop, self.epoch = stop, 0
        runs = u.shape[0]
        self.n_iter = torch.full((runs,), epochs)
        self.done = torch.zeros(runs, dtype=torch.bool)
        self.diverged = torch.zeros(runs, dtype=torch.bool)
        self.fell_at = torch.zeros(runs, dtype=torch.int64)
        self.best = torch.full((runs,), torch.inf, dtype=u.dtype)
        self.best_u = u.clone()
        self.held: tuple[Tensor, Tensor] | None = None  # which runs are done, and where

    def hold(self, u: Tensor) -> None:
        """Keep the runs that are done where they are."""
        if self.held is not None:  # not by a product: 0 · NaN is NaN
            u.copy_(torch.where(self.held[0], self.held[1], u))

    def look(self, values: Tensor, points: Tensor, u: Tensor) -> None:
        """Look at the latest epochs: their objectives and points, and ``u`` after them."""
        merit = self._merit(values)
        if self.epoch == 0:
            self.first = merit[0]
            self.low, self.high = self.stop.limits(self.first)
        index = torch.arange(len(merit))[:, None]
        bad = ~((merit >= self.low) & (merit <= self.high))  # NaN is bad too
        merit = merit.masked_fill(bad, torch.inf)
        end = bad_at = _first_true(bad)
        if self.stop.tol is not None:
            before = torch.cat([self.best[None], merit]).cummin(0).values[:-1]
            fell = (merit < before) & (before - merit >= self.stop.tol * self.first.abs())
            fell_at = torch.where(fell, self.epoch + index, 0).cummax(0).values
            fell_at = torch.maximum(fell_at, self.fell_at)
            end = torch.minimum(
                bad_at, _first_true(self.epoch + index - fell_at >= self.stop.patience)
            )
            self.fell_at = fell_at[-1]
        lowest, where = merit.masked_fill(index > end, torch.inf).min(0)
        better = (lowest < self.best) & ~self.done
        self.best = torch.where(better, lowest, self.best)
        runs = torch.arange(len(better))
        self.best_u = torch.where(_along(better, u), points[where, runs], self.best_u)

        ended = (end < len(merit)) & ~self.done
        if ended.any():
            self.diverged |= ended & (bad_at == end)
            self.n_iter = torch.where(
                ended, self.epoch + end + (~self.diverged).long(), self.n_iter
            )
            after = torch.cat([points, u[None]])[(end + 1).clamp(max=len(merit)), runs]
            after = torch.where(_along(self.diverged, u), self.best_u, after)
            self.done |= ended
            u.copy_(torch.where(_along(ended, u), after, u))
            self.held = _along(self.done, u), u.clone()
        self.epoch += len(merit)

    def finish(self, values: Tensor, objective: Objective, u: Tensor, path: Tensor | None) -> Trace:
        """The trace; a run that must fall and ended above its start has diverged too."""
        with torch.no_grad():
            merit = self._merit(objective(u)[None])[0]
            sane = (merit >= self.low) & (merit <= self.high)
            # rounding is no divergence: a run may start at its optimum
            slack = 1e-10 * self.first.abs() + 1e-22 * self.high.abs()
            if self.stop.must_fall:
                sane &= merit <= self.first + slack
            late = ~self.diverged & ~sane
            self.diverged |= late
            u = torch.where(
                _along(late & (self.best < merit.nan_to_num(torch.inf)), u), self.best_u, u
            )
            value = objective(u)
        return Trace(values, self.n_iter, u, value, self.diverged, path)

    def _merit(self, values: Tensor) -> Tensor:
        """What runs are judged by, (epochs, runs), on the host: the mean over targets."""
        scale = self.stop.scale
        return (values if scale is None else values / scale).mean(-1).cpu()


def _first_true(flags: Tensor) -> Tensor:
    """Per column the index of the first True, or the number of rows."""
    return torch.where(flags.any(0), flags.long().argmax(0), len(flags))


def _along(flags: Tensor, u: Tensor) -> Tensor:
    """Flags of runs in a shape and on a device to select from ``u``."""
    return flags.to(u.device)[:, None, None]
