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
from sklearn_gd._penalty import Proximal

_RING_ENTRIES = 2**18


class Stop(NamedTuple):
    """When a run ends before its epochs do."""

    limits: Callable[[Tensor], tuple[Tensor, Tensor]]  # first objective -> range of a sane one
    tol: float | None = None  # least fall of the best value, relative to the first
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
    held_out: Tensor | None  # (epochs, runs, targets) loss of the rows held out, if any
    best_epoch: Tensor  # (runs,) the epoch that began with the lowest of what is watched
    interrupted: bool  # by Ctrl-C, after the last of ``values``


def descend(
    objective: Objective,
    start: Tensor,
    recipe: Recipe,
    lrs: Sequence[float],
    epochs: int,
    stop: Stop,
    *,
    proximal: Proximal | None = None,
    held_out: Objective | None = None,
    after: Callable[[Tensor, Tensor], bool] | None = None,
    record: Callable[[Tensor], None] | None = None,
    keep_path: bool = False,
) -> Trace:
    """Descend from ``start`` (runs, targets, coordinates), each run with its own lr.

    With ``held_out``, its values and not the objective's say when to stop, and the runs end
    where it was lowest. ``after`` is called at the end of every epoch, with the objectives
    up to there and with u, and may end the descent. ``record`` is given the points of the
    latest epochs, (epochs, runs, targets, coordinates), every so many epochs.
    """
    u = start.clone()
    units = _units(objective, u, recipe, lrs, proximal)
    values = u.new_empty(epochs, *u.shape[:2])
    held = torch.empty_like(values) if held_out else None
    every = min(epochs, max(8, min(64, _RING_ENTRIES // max(1, u.numel()))))
    points = u.new_empty(epochs if keep_path else every, *u.shape)
    watch = _Watch(u, epochs, stop, watches_held_out=held_out is not None)
    seen = done = 0
    ended = interrupted = False
    while not (ended or interrupted or watch.done.all()) and done < epochs:
        slot = done if keep_path else done - seen
        epoch = done
        points[slot].copy_(u)
        try:
            if held is not None and held_out is not None:
                with torch.no_grad():
                    held[epoch] = held_out(u)
            for unit in units:
                unit.epoch(epoch, values[epoch])
            for unit in units:
                unit.schedule(values[epoch] if held is None else held[epoch])
            watch.hold(u)
            done += 1
            ended = after is not None and after(values[:done], u)
        except KeyboardInterrupt:
            if done == 0:
                raise
            interrupted = True
            if done == epoch:
                u.copy_(points[slot])
        if done > seen and (done - seen == every or done == epochs or ended or interrupted):
            looked = points[seen:done] if keep_path else points[: done - seen]
            if record is not None:
                record(looked)
            watch.look(values[seen:done], None if held is None else held[seen:done], looked, u)
            seen = done
    path = torch.cat([points[:done], u[None]]) if keep_path else None
    trace = watch.finish(values[:done], None if held is None else held[:done], u, units, held_out)
    return trace._replace(path=path, interrupted=interrupted)


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
        proximal: Proximal | None,
        part: tuple[slice, slice] = (slice(None), slice(None)),
    ):
        self.objective, self.proximal = objective, proximal
        self.u, self.part = u[part], part
        alike = len(set(lrs)) == 1
        # alike: torch's own lr, and the optimizer's leaf shares the memory of u
        self.lrs = None if alike else u.new_tensor(lrs)[:, None, None]
        self.leaf = (self.u if alike else self.u.clone()).detach()
        if not recipe.together:  # one vector, as the optimizers that look at shapes expect
            self.leaf = self.leaf[0, 0]
        self.leaf.requires_grad_()
        self.optimizer = recipe.make(self.leaf, lrs[0] if alike else 1.0)
        self.scheduler = recipe.schedule(self.optimizer) if recipe.schedule else None
        self.ones = torch.ones_like(self.u[..., 0])
        self.batch: Callable[[Tensor], Tensor] = objective
        self.before: Any = None  # objective before the latest step
        self.value: Any = None
        self.steps: Tensor | None = None  # how many gradients the momentum holds

    def epoch(self, epoch: int, out: Tensor) -> None:
        """Step once for every batch; their mean objective goes to ``out``."""
        mean: Any = 0.0
        for batch, share in self.objective.parts(epoch):
            self.batch = batch
            self.step(restarts=share == 1.0)
            mean = self.value if share == 1.0 else mean + share * self.value
        out[self.part].copy_(mean)

    def step(self, *, restarts: bool) -> None:
        """Step once on the present batch."""
        self.before, self.value = self.value if restarts else None, None
        if self.lrs is None:
            self.optimizer.step(self.differentiate)
        else:
            self.leaf.detach().copy_(self.u)
            self.optimizer.step(self.differentiate)
            self.u.addcmul_(self.lrs, self.leaf.detach() - self.u)
        if self.proximal is not None:
            lr = self.optimizer.param_groups[0]["lr"]
            lr = lr if self.lrs is None else lr * self.lrs
            self.steps = self.proximal.steps(self.steps)
            self.u.copy_(self.proximal.step(self.u, lr, self.steps))

    def schedule(self, value: Tensor) -> None:
        """Let the scheduler know that an epoch has ended."""
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(value[self.part].mean().item())
        elif self.scheduler is not None:
            self.scheduler.step()

    def differentiate(self) -> Any:
        """The objective at the leaf, and its gradient there: the closure of a step."""
        u = self.leaf if self.leaf.ndim == 3 else self.leaf[None, None]
        value = self.batch(u)
        (self.leaf.grad,) = torch.autograd.grad(value, self.leaf, self.ones)
        if self.value is None:
            self.value = self.total(value.detach(), u.detach())
            if self.proximal is not None and self.before is not None:
                self.restart(self.value > self.before)
        return value

    def total(self, value: Tensor, u: Tensor) -> Tensor:
        """``value`` with the part of the objective that has no gradient."""
        return value if self.proximal is None else value + self.proximal.value(u)

    def restart(self, rose: Tensor) -> None:
        """Forget the momentum of the runs whose objective rose: it overshot a kink."""
        for state in self.optimizer.state.values():
            momentum = state.get("momentum_buffer")
            if momentum is not None and self.steps is not None:
                momentum.view(self.u.shape).masked_fill_(rose[..., None], 0.0)
                self.steps = self.steps.masked_fill(rose[..., None], 0.0)


def _units(
    objective: Objective,
    u: Tensor,
    recipe: Recipe,
    lrs: Sequence[float],
    proximal: Proximal | None,
) -> list[_Unit]:
    """One unit for everything where the optimizer allows it, else one for each cell."""
    if recipe.together or u.shape[:2] == (1, 1):
        return [_Unit(objective, u, recipe, lrs, proximal)]
    return [
        _Unit(
            objective.cell(r, len(u), t),
            u,
            recipe,
            [lrs[r]],
            proximal.cell(r, t) if proximal else None,
            (slice(r, r + 1), slice(t, t + 1)),
        )
        for r in range(u.shape[0])
        for t in range(u.shape[1])
    ]


class _Watch:
    """Looks at some epochs at a time: which runs are done since when, where was the lowest."""

    def __init__(self, u: Tensor, epochs: int, stop: Stop, *, watches_held_out: bool):
        self.stop, self.epoch, self.watches_held_out = stop, 0, watches_held_out
        runs = u.shape[0]
        self.n_iter = torch.full((runs,), epochs)
        self.done = torch.zeros(runs, dtype=torch.bool)
        self.diverged = torch.zeros(runs, dtype=torch.bool)
        self.fell_at = torch.zeros(runs, dtype=torch.int64)
        self.best = torch.full((runs,), torch.inf, dtype=u.dtype)
        self.best_epoch = torch.zeros(runs, dtype=torch.int64)
        self.best_u = u.clone()
        self.held: tuple[Tensor, Tensor] | None = None  # which runs are done, and where

    def hold(self, u: Tensor) -> None:
        """Keep the runs that are done where they are."""
        if self.held is not None:  # not by a product: 0 · NaN is NaN
            u.copy_(torch.where(self.held[0], self.held[1], u))

    def look(self, values: Tensor, held: Tensor | None, points: Tensor, u: Tensor) -> None:
        """Look at the latest epochs: their values and points, and ``u`` after them."""
        merit = self._merit(values)
        watched = merit if held is None else self._merit(held)
        if self.epoch == 0:
            self.first, self.watched_first = merit[0], watched[0]
            self.low, self.high = self.stop.limits(self.first)
        index = torch.arange(len(merit))[:, None]
        bad = ~((merit >= self.low) & (merit <= self.high))  # NaN is bad too
        watched = watched.masked_fill(bad | watched.isnan(), torch.inf)
        end = bad_at = _first_true(bad)
        if self.stop.tol is not None:
            before = torch.cat([self.best[None], watched]).cummin(0).values[:-1]
            least = self.stop.tol * self.watched_first.abs()
            fell = (watched < before) & (before - watched >= least)
            fell_at = torch.where(fell, self.epoch + index, 0).cummax(0).values
            fell_at = torch.maximum(fell_at, self.fell_at)
            rest_at = _first_true(self.epoch + index - fell_at >= self.stop.patience)
            end = torch.minimum(bad_at, rest_at)
            self.fell_at = fell_at[-1]
        lowest, where = watched.masked_fill(index > end, torch.inf).min(0)
        better = (lowest < self.best) & ~self.done
        runs = torch.arange(len(better))
        self.best = torch.where(better, lowest, self.best)
        self.best_epoch = torch.where(better, self.epoch + where, self.best_epoch)
        self.best_u = torch.where(_along(better, u), points[where, runs], self.best_u)

        ended = (end < len(merit)) & ~self.done
        if ended.any():
            self.diverged |= ended & (bad_at == end)
            n_iter = self.epoch + end + (~self.diverged).long()
            self.n_iter = torch.where(ended, n_iter, self.n_iter)
            after = torch.cat([points, u[None]])[(end + 1).clamp(max=len(merit)), runs]
            after = torch.where(_along(self.diverged, u), self.best_u, after)
            self.done |= ended
            u.copy_(torch.where(_along(ended, u), after, u))
            self.held = _along(self.done, u), u.clone()
        self.epoch += len(merit)

    def finish(
        self,
        values: Tensor,
        held: Tensor | None,
        u: Tensor,
        units: Sequence[_Unit],
        held_out: Objective | None,
    ) -> Trace:
        """The trace; a run that must fall and ended above its start has diverged too."""
        with torch.no_grad():
            value = _total(units, u)
            merit = self._merit(value[None])[0]
            watched = merit if held_out is None else self._merit(held_out(u)[None])[0]
            sane = (merit >= self.low) & (merit <= self.high)
            if self.stop.must_fall:
                # rounding is no divergence: a run may start at its optimum
                slack = 1e-10 * self.first.abs() + 1e-22 * self.high.abs()
                sane &= merit <= self.first + slack
            self.diverged |= ~self.diverged & ~sane
            self.n_iter = self.n_iter.clamp(max=len(values))
            last_is_best = watched < self.best
            self.best_epoch = torch.where(last_is_best, self.n_iter, self.best_epoch)
            back = (self.diverged | self.watches_held_out) & ~last_is_best
            if back.any():
                u.copy_(torch.where(_along(back, u), self.best_u, u))
                value = _total(units, u)
        return Trace(
            values, self.n_iter, u, value, self.diverged, None, held, self.best_epoch, False
        )

    def _merit(self, values: Tensor) -> Tensor:
        """What runs are judged by, (epochs, runs), on the host: the mean over targets."""
        scale = self.stop.scale
        return (values if scale is None else values / scale).mean(-1).cpu()


def _total(units: Sequence[_Unit], u: Tensor) -> Tensor:
    """The whole objective at ``u``."""
    value = torch.empty_like(u[..., 0])
    for unit in units:
        part = u[unit.part]
        value[unit.part] = unit.total(unit.objective(part), part)
    return value


def _first_true(flags: Tensor) -> Tensor:
    """Per column the index of the first True, or the number of rows."""
    return torch.where(flags.any(0), flags.long().argmax(0), len(flags))


def _along(flags: Tensor, u: Tensor) -> Tensor:
    """Flags of runs in a shape and on a device to select from ``u``."""
    return flags.to(u.device)[:, None, None]
