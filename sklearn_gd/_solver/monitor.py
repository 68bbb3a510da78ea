"""Which runs have ended, and where each was lowest.

The monitor looks at a chunk of epochs at a time. It finds the epoch in which a run diverged
or stopped, also where later epochs of the chunk have been run in vain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class StoppingRule(NamedTuple):
    """When a run ends before its epochs do."""

    limits: Callable[[Tensor], tuple[Tensor, Tensor]]  # first value -> lowest and highest allowed
    tol: float | None = None  # smallest decrease that counts, relative to the first value
    n_iter_no_change: int = 10  # epochs without such a decrease that end a run
    scale: Tensor | None = None  # (problems, 1, targets) values are judged in units of it
    must_decrease: bool = True  # whether a run that ends above its start has diverged


class ConvergenceMonitor:
    """Judges runs by the mean over their targets. Its tensors are on the host."""

    def __init__(self, u: Tensor, epochs: int, rule: StoppingRule, *, watches_validation: bool):
        shape = u.shape[:2]
        self.rule, self.watches_validation = rule, watches_validation
        self.epoch = 0  # the first epoch of the next chunk
        self.n_iter = torch.full(shape, epochs)
        self.ended = torch.zeros(shape, dtype=torch.bool)
        self.diverged = torch.zeros(shape, dtype=torch.bool)
        self.decreased_at = torch.zeros(shape, dtype=torch.int64)
        self.best = torch.full(shape, torch.inf, dtype=u.dtype)
        self.best_epoch = torch.zeros(shape, dtype=torch.int64)
        self.best_u = u.clone()
        self.held: tuple[Tensor, Tensor] | None = None  # which runs have ended, and where

    @property
    def all_ended(self) -> bool:
        """Whether no run goes on."""
        return bool(self.ended.all())

    def counts(self, epoch: int) -> bool:
        """Whether an epoch counts in ``n_iter`` of any run."""
        return epoch < int(self.n_iter.max())

    def hold_ended_runs(self, u: Tensor) -> None:
        """Put the runs that have ended back to where they ended."""
        if self.held is not None:  # not by a product: 0 times NaN is NaN
            u.copy_(torch.where(self.held[0], self.held[1], u))

    def inspect(self, values: Tensor, validation: Tensor | None, points: Tensor, u: Tensor) -> None:
        """Look at a chunk: its values and points (epochs, ...), and ``u`` after it."""
        objective = self._judged(values)
        watched = objective if validation is None else self._judged(validation)
        if self.epoch == 0:
            self.first, self.first_watched = objective[0], watched[0]
            self.low, self.high = self.rule.limits(self.first)
        is_bad = ~((objective >= self.low) & (objective <= self.high))  # NaN is bad too
        watched = watched.masked_fill(is_bad | watched.isnan(), torch.inf)
        diverged_at = _first_true(is_bad)
        end = torch.minimum(diverged_at, self._stopped_at(watched))
        self._keep_lowest(watched, end, points)
        self._end_runs(end, diverged_at, points, u)
        self.epoch += len(objective)

    def finish(self, value: Tensor, watched: Tensor, n_epochs: int, u: Tensor) -> bool:
        """Judge the end of all runs. Returns whether ``u`` was taken to better points."""
        objective, last = self._judged(value[None])[0], self._judged(watched[None])[0]
        is_good = (objective >= self.low) & (objective <= self.high)
        if self.rule.must_decrease:
            # a run may start at its optimum, and end above it by rounding
            slack = 1e-10 * self.first.abs() + 1e-22 * self.high.abs()
            is_good &= objective <= self.first + slack
        self.diverged |= ~is_good
        self.n_iter = self.n_iter.clamp(max=n_epochs)
        last_is_best = last < self.best
        self.best_epoch = torch.where(last_is_best, self.n_iter, self.best_epoch)
        goes_back = (self.diverged | self.watches_validation) & ~last_is_best
        if goes_back.any():
            u.copy_(torch.where(_like(goes_back, u), self.best_u, u))
        return bool(goes_back.any())

    def _judged(self, values: Tensor) -> Tensor:
        """The numbers (epochs, problems, runs) by which runs are judged."""
        scale = self.rule.scale
        return (values if scale is None else values / scale).mean(-1).cpu()

    def _stopped_at(self, watched: Tensor) -> Tensor:
        """The index in the chunk at which a run has decreased too little for too long."""
        if self.rule.tol is None:
            return torch.full(watched.shape[1:], len(watched))
        index = torch.arange(len(watched))[:, None, None]
        before = torch.cat([self.best[None], watched]).cummin(0).values[:-1]
        least = self.rule.tol * self.first_watched.abs()
        has_decreased = (watched < before) & (before - watched >= least)
        decreased_at = torch.where(has_decreased, self.epoch + index, 0).cummax(0).values
        decreased_at = torch.maximum(decreased_at, self.decreased_at)
        self.decreased_at = decreased_at[-1]
        return _first_true(self.epoch + index - decreased_at >= self.rule.n_iter_no_change)

    def _keep_lowest(self, watched: Tensor, end: Tensor, points: Tensor) -> None:
        """Keep the lowest point of every run up to its end."""
        index = torch.arange(len(watched))[:, None, None]
        lowest, where = watched.masked_fill(index > end, torch.inf).min(0)
        is_better = (lowest < self.best) & ~self.ended
        self.best = torch.where(is_better, lowest, self.best)
        self.best_epoch = torch.where(is_better, self.epoch + where, self.best_epoch)
        self.best_u = torch.where(_like(is_better, points), _at(points, where), self.best_u)

    def _end_runs(self, end: Tensor, diverged_at: Tensor, points: Tensor, u: Tensor) -> None:
        """End the runs whose end lies in this chunk, and put them where they ended."""
        length = len(points)
        ends_here = (end < length) & ~self.ended
        if not ends_here.any():
            return
        self.diverged |= ends_here & (diverged_at == end)
        # an epoch that began with a bad value does not count
        n_iter = self.epoch + end + (~self.diverged).long()
        self.n_iter = torch.where(ends_here, n_iter, self.n_iter)
        after = _at(torch.cat([points, u[None]]), (end + 1).clamp(max=length))
        after = torch.where(_like(self.diverged, u), self.best_u, after)
        self.ended |= ends_here
        u.copy_(torch.where(_like(ends_here, u), after, u))
        self.held = _like(self.ended, u), u.clone()


def _first_true(flags: Tensor) -> Tensor:
    """Along the first axis the index of the first True, or the length of the axis."""
    return torch.where(flags.any(0), flags.long().argmax(0), len(flags))


def _at(points: Tensor, index: Tensor) -> Tensor:
    """The points (problems, runs, ...) of each run at its own index of the first axis."""
    problems, runs = index.shape
    return points[index, torch.arange(problems)[:, None], torch.arange(runs)]


def _like(flags: Tensor, u: Tensor) -> Tensor:
    """Flags of runs, shaped and placed to select from u."""
    return flags.to(u.device)[..., None, None]
