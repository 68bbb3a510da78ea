"""Which runs have ended, and where each was lowest.

The monitor looks at a chunk of epochs at a time. It finds the epoch in which a run diverged
or stopped, also where later epochs of the chunk have been run in vain.

Each target is judged by itself. A target that diverges is put to its lowest point and stays
there. A target whose objective is low enough stays where it first was. A run ends when all of
its targets have diverged, stopped or arrived. Where validation rows are
watched, all targets stop together, and the mean over targets is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class StoppingRule(NamedTuple):
    """When a run ends before its epochs do."""

    # from the first values (problems, runs, targets) to the lowest and highest that are allowed
    limits: Callable[[Tensor], tuple[Tensor, Tensor]]
    tol: float | None = None  # smallest decrease that counts, relative to the first value
    n_iter_no_change: int = 10  # epochs without such a decrease that end a run
    scale: Tensor | None = None  # (problems, 1, targets) values are judged in units of it
    must_decrease: bool = True  # whether a run that ends above its start has diverged
    # (problems, runs, targets) the objective of the start, where the first epoch does not tell
    # it: with mini-batches, and in a stream that began earlier
    start_value: Tensor | None = None
    # (problems, 1, targets) a target ends where its objective is at most this
    enough: Tensor | None = None


class ConvergenceMonitor:
    """Judges the targets of all runs. Its tensors are on the host."""

    def __init__(self, u: Tensor, epochs: int, rule: StoppingRule, *, watches_validation: bool):
        problems, runs, targets = u.shape[:3]
        shape = problems, runs, 1 if watches_validation else targets
        self.rule, self.watches_validation = rule, watches_validation
        self.epoch = 0  # the first epoch of the next chunk
        self.n_iter = torch.full((problems, runs), epochs)
        self.ended = torch.zeros(problems, runs, dtype=torch.bool)
        self.diverged = torch.zeros(shape, dtype=torch.bool)
        self.stopped = torch.zeros(shape, dtype=torch.bool)
        self.arrived = torch.zeros(shape, dtype=torch.bool)  # where the objective is low enough
        self.target_n_iter = torch.full(shape, epochs)
        self.decreased_at = torch.zeros(shape, dtype=torch.int64)
        self.best = torch.full(shape, torch.inf, dtype=u.dtype)
        self.best_epoch = torch.zeros(shape, dtype=torch.int64)
        self.start_u, self.best_u = u.clone(), u.clone()
        self.held: tuple[Tensor, Tensor] | None = None  # which targets stay where they are

    @property
    def all_ended(self) -> bool:
        """Whether no run goes on."""
        return bool(self.ended.all())

    @property
    def stays(self) -> Tensor:
        """Which targets stay at their best point, whatever the others do."""
        return self.diverged | self.arrived

    @property
    def earliest_end(self) -> int:
        """The number of epochs before which no target can stop by ``tol``."""
        if self.epoch == 0:
            return 1
        if self.rule.tol is None:
            return int(self.n_iter.max())
        goes_on = ~(self.stays | self.stopped)
        return int(self.decreased_at[goes_on].min()) + self.rule.n_iter_no_change + 1

    def allows(self, value: Tensor) -> bool:
        """Whether no target diverges with these values (problems, runs, targets)."""
        if self.epoch == 0:
            return True
        judged = self._judged(value[None])[0]
        return bool((((judged >= self.low) & (judged <= self.high)) | self.diverged).all())

    def counts(self, epoch: int) -> bool:
        """Whether an epoch counts in ``n_iter`` of any run."""
        return epoch < int(self.n_iter.max())

    def hold_ended(self, u: Tensor) -> None:
        """Put the targets that have ended back to where they ended."""
        if self.held is not None:  # not by a product: 0 times NaN is NaN
            u.copy_(torch.where(self.held[0], self.held[1], u))

    def inspect(self, values: Tensor, validation: Tensor | None, points: Tensor, u: Tensor) -> None:
        """Look at a chunk: its values and points (epochs, ...), and ``u`` after it."""
        objective = self._judged(values)
        watched = objective if validation is None else self._judged(validation)
        if self.epoch == 0:
            self._begin(values, objective, watched)
        is_bad = ~((objective >= self.low) & (objective <= self.high))  # NaN is bad too
        watched = watched.masked_fill(is_bad | watched.isnan(), torch.inf)
        diverged_at, arrived_at = _first_true(is_bad), self._arrived_at(objective)
        stays_at = torch.minimum(diverged_at, arrived_at)
        target_end = torch.minimum(stays_at, self._stopped_at(watched))
        target_end = target_end.masked_fill(self.stays | self.stopped, -1)
        run_end = target_end.amax(-1)
        self._keep_lowest(watched, torch.minimum(stays_at, run_end[..., None]), points)
        self._end_targets(target_end, diverged_at, arrived_at, values)
        self._end_runs(run_end, points, u)
        self.epoch += len(objective)

    def finish(
        self, value: Tensor, watched: Tensor, n_epochs: int, u: Tensor
    ) -> Callable[[Tensor], bool] | None:
        """Judge the end of all runs. Takes ``u`` to better points, where there are better ones.

        Returns what to do next with the values there, if ``u`` was changed.
        """
        objective, last = self._judged(value[None])[0], self._judged(watched[None])[0]
        self.diverged |= ~self._is_good(objective)
        self.n_iter = self.n_iter.clamp(max=n_epochs)
        last_is_best = last < self.best
        end = self.n_iter[..., None].expand_as(self.best_epoch)
        self.best_epoch = torch.where(last_is_best, end, self.best_epoch)
        goes_back = (self.diverged | self.watches_validation) & ~last_is_best
        # with mini-batches the lowest mean of an epoch may lie above the start
        starts_again = self.diverged & last_is_best & (self.rule.start_value is not None)
        if not (goes_back | starts_again).any():
            return None
        u.copy_(torch.where(_like(goes_back, u), self.best_u, u))
        u.copy_(torch.where(_like(starts_again, u), self.start_u, u))
        return lambda value: self._return_to_start(value, u)

    def _begin(self, values: Tensor, objective: Tensor, watched: Tensor) -> None:
        """Take the objective of the start, against which everything is judged."""
        self.first, self.first_watched = objective[0], watched[0]
        if self.rule.start_value is not None:
            self.first = self._judged(self.rule.start_value[None])[0]
        self.low, self.high = self.rule.limits(self.first)

    def _is_good(self, objective: Tensor) -> Tensor:
        """Whether the objective at an end is no divergence."""
        is_good = (objective >= self.low) & (objective <= self.high)
        if self.rule.must_decrease:
            # a run may start at its optimum, and end above it by rounding
            slack = 1e-10 * self.first.abs() + 1e-22 * self.high.abs()
            is_good &= objective <= self.first + slack
        return is_good

    def _return_to_start(self, value: Tensor, u: Tensor) -> bool:
        """Put targets whose lowest point is above their start to the start.

        This happens with mini-batches, whose values are means during an epoch.
        """
        is_above = ~self._is_good(self._judged(value[None])[0]) & self.diverged
        if self.rule.start_value is None or not is_above.any():
            return False
        u.copy_(torch.where(_like(is_above, u), self.start_u, u))
        return True

    def _judged(self, values: Tensor) -> Tensor:
        """The numbers (epochs, problems, runs, targets or 1) that are judged."""
        scale = self.rule.scale
        scaled = values if scale is None else values / scale
        return (scaled.mean(-1, keepdim=True) if self.watches_validation else scaled).cpu()

    def _stopped_at(self, watched: Tensor) -> Tensor:
        """The index in the chunk at which a target has decreased too little for too long."""
        if self.rule.tol is None:
            return torch.full(watched.shape[1:], len(watched))
        index = torch.arange(len(watched))[:, None, None, None]
        before = torch.cat([self.best[None], watched]).cummin(0).values[:-1]
        first = self.first_watched.abs()
        least = self.rule.tol * first.where(torch.isfinite(first), 0.0)
        has_decreased = (watched < before) & (before - watched >= least)
        decreased_at = torch.where(has_decreased, self.epoch + index, 0).cummax(0).values
        decreased_at = torch.maximum(decreased_at, self.decreased_at)
        self.decreased_at = decreased_at[-1]
        return _first_true(self.epoch + index - decreased_at >= self.rule.n_iter_no_change)

    def _arrived_at(self, objective: Tensor) -> Tensor:
        """The index in the chunk at which the objective of a target is low enough."""
        if self.rule.enough is None:
            return torch.full(objective.shape[1:], len(objective))
        return _first_true(objective <= self._judged(self.rule.enough[None])[0])

    def _keep_lowest(self, watched: Tensor, last: Tensor, points: Tensor) -> None:
        """Keep the lowest point of every target up to the index ``last``."""
        index = torch.arange(len(watched))[:, None, None, None]
        lowest, where = watched.masked_fill(index > last, torch.inf).min(0)
        is_better = (lowest < self.best) & ~self.stays
        self.best = torch.where(is_better, lowest, self.best)
        self.best_epoch = torch.where(is_better, self.epoch + where, self.best_epoch)
        self.best_u = torch.where(_like(is_better, points), _at(points, where), self.best_u)

    def _end_targets(
        self, target_end: Tensor, diverged_at: Tensor, arrived_at: Tensor, values: Tensor
    ) -> None:
        """Note which targets ended in this chunk, how, and in which epoch."""
        ends_here = (target_end >= 0) & (target_end < len(values))
        if not ends_here.any():
            return
        diverges = ends_here & (diverged_at == target_end)
        arrives = ends_here & (arrived_at == target_end) & ~diverges
        stays = diverges | arrives
        self.diverged |= diverges
        self.arrived |= arrives
        self.stopped |= ends_here & ~stays
        # an epoch that began with a bad value, or where a target stays, does not count
        n_iter = self.epoch + target_end + (~stays).long()
        if self.rule.start_value is not None and self.epoch == 0:
            n_iter = n_iter.clamp(min=1)  # with batches an epoch has been done all the same
        n_iter = torch.where(arrives, n_iter.clamp(min=1), n_iter)  # every curve has a value
        self.target_n_iter = torch.where(ends_here, n_iter, self.target_n_iter)
        if stays.any():
            self._write_kept_values(stays, target_end, values)

    def _write_kept_values(self, stays: Tensor, end: Tensor, values: Tensor) -> None:
        """Replace the values of targets by the objective that they keep from then on."""
        kept = self.best.where(torch.isfinite(self.best), self.first)
        scale = 1.0 if self.rule.scale is None else self.rule.scale.cpu()
        index = torch.arange(len(values))[:, None, None, None]
        is_replaced = (stays & (index >= end)).expand(values.shape).to(values.device)
        values.copy_(torch.where(is_replaced, (kept * scale).to(values), values))

    def _end_runs(self, run_end: Tensor, points: Tensor, u: Tensor) -> None:
        """End the runs whose end lies in this chunk; targets stay where they ended."""
        length = len(points)
        ends_here = (run_end < length) & ~self.ended
        if ends_here.any():
            self.n_iter = torch.where(ends_here, self.target_n_iter.amax(-1), self.n_iter)
            after = (run_end + 1).clamp(min=0, max=length)[..., None].expand_as(self.best_epoch)
            after_u = _at(torch.cat([points, u[None]]), after)
            self.ended |= ends_here
            u.copy_(torch.where(_like(ends_here[..., None], u), after_u, u))
        if self.stays.any() or self.ended.any():
            u.copy_(torch.where(_like(self.stays, u), self.best_u, u))
            where = _like(self.stays | self.ended[..., None], u)
            if self.held is None:
                self.held = where, u.clone()
            else:  # in place, because recorded epochs go on reading these tensors
                self.held[0].copy_(where)
                self.held[1].copy_(u)


def _first_true(flags: Tensor) -> Tensor:
    """Along the first axis the index of the first True, or the length of the axis."""
    return torch.where(flags.any(0), flags.long().argmax(0), len(flags))


def _at(points: Tensor, index: Tensor) -> Tensor:
    """The points (problems, runs, targets, ...) at an index of the first axis for each target."""
    index = index.expand(points.shape[1:4])
    problems, runs, targets = (torch.arange(size) for size in index.shape)
    return points[index, problems[:, None, None], runs[:, None], targets]


def _like(flags: Tensor, u: Tensor) -> Tensor:
    """Flags of targets, shaped and placed to select from u."""
    return flags.to(u.device)[..., None]
