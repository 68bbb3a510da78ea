"""The loop of gradient descent, for many problems and many runs at once.

All parameters are one tensor u (see `objective`). In every epoch a `Stepper` records the
objective, differentiates it and lets a torch optimizer step. No epoch asks for a number, so
that an accelerator never waits. The points of the latest epochs are kept, and after a chunk
of epochs the `ConvergenceMonitor` looks at them: it finds, exact to the epoch, which runs
diverged or stopped, and which of their points was the lowest. On an accelerator the chunks may
be replayed (see `replay`), and chunks that would change nothing are not run (see `fixed_point`).

Somebody may watch every epoch. If a callback does, a chunk is one epoch long. If the loss or
the function is one that the user wrote, a chunk ends where the descent may end. So no epoch
follows the one that ends the descent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._solver.average import IterateAverage
from sklearn_gd._solver.fixed_point import EpochsUntilFixedPoint, steps_depend_on_point_alone
from sklearn_gd._solver.history import History
from sklearn_gd._solver.monitor import ConvergenceMonitor, StoppingRule
from sklearn_gd._solver.objective import Objective, ProximalPenalty
from sklearn_gd._solver.optimizers import OptimizerFactory
from sklearn_gd._solver.replay import ReplayedEpochs, can_be_replayed
from sklearn_gd._solver.stepper import Stepper, make_steppers

_KEPT_ENTRIES = 2**18  # of the points that are kept for the monitor: 2 MB
_LONGEST_CHUNK, _SHORTEST_CHUNK = 64, 8

OnEpoch = Callable[[Tensor, Tensor], bool]  # objectives so far, u -> whether to stop
OnPoints = Callable[[Tensor], None]  # points (epochs, problems, runs, targets, coordinates)


class Trace(NamedTuple):
    """What a descent did. A run that diverged is left at the lowest point that it passed."""

    values: Tensor  # (epochs, problems, runs, targets) the objective where each epoch began
    n_iter: Tensor  # (problems, runs) epochs done
    u: Tensor  # (problems, runs, targets, coordinates) the parameters at the end
    value: Tensor  # (problems, runs, targets) the objective of u
    diverged: Tensor  # (problems, runs, targets), or 1 in place of targets with validation
    best_epoch: Tensor  # (problems, runs) the epoch that began with the lowest watched value
    validation: Tensor | None  # like values: the loss of the validation rows
    path: Tensor | None  # (epochs + 1, problems, runs, targets, coordinates)
    interrupted: bool  # by Ctrl-C, after the last epoch of values

    def select(self, problem: int, run: int) -> Trace:
        """The trace of one run, as if this run had descended alone."""
        one = slice(problem, problem + 1), slice(run, run + 1)
        n_iter = int(self.n_iter[problem, run])

        def epochs(tensor: Tensor | None, count: int) -> Tensor | None:
            return None if tensor is None else tensor[(slice(count), *one)].clone()

        values = self.values[(slice(n_iter), *one)].clone()
        return Trace(
            values,
            self.n_iter[one],
            self.u[one].clone(),
            self.value[one].clone(),
            self.diverged[one],
            self.best_epoch[one],
            epochs(self.validation, n_iter),
            epochs(self.path, n_iter + 1),
            self.interrupted,
        )


def descend(
    objective: Objective,
    start: Tensor,
    optimizer_factory: OptimizerFactory,
    lrs: Tensor,
    epochs: int,
    rule: StoppingRule,
    *,
    penalty: ProximalPenalty | None = None,
    n_left_out: Sequence[int] | None = None,
    earlier_mean: Tensor | None = None,
    validation: Objective | None = None,
    on_epoch: OnEpoch | None = None,
    on_points: OnPoints | None = None,
    keep_path: bool = False,
    is_watched: bool = False,
    repeats: bool = False,
) -> Trace:
    """Minimize ``objective`` from ``start``, with a learning rate (problems, runs) for each run.

    With ``n_left_out``, every run ends at the mean of its points after every step but the first
    ones, of which each problem has a number; ``earlier_mean`` goes on. With ``validation``, its
    values decide when to stop instead of the objective's, and every run ends where they were
    lowest. ``on_epoch`` is called after every epoch that counts. ``on_points`` is given the
    points where the latest epochs began, or their means. ``is_watched`` says that the objective
    itself is to see no epoch beyond the last. ``repeats`` says that the objective does the same
    operations in every epoch, so that epochs may be replayed, or left out where nothing moves.
    """
    u = start.clone()
    chunk = 1 if on_epoch else _chunk_length(u, epochs)
    average = None
    if n_left_out is not None:
        average = IterateAverage(u, n_left_out, chunk, earlier_mean)
    steppers = make_steppers(objective, u, optimizer_factory, lrs, penalty, average)
    history = History(u, epochs, chunk, validation, average, keep_path=keep_path)
    monitor = ConvergenceMonitor(u, epochs, rule, watches_validation=validation is not None)
    run_epochs: Callable[[range, History], None] = partial(
        _run_epochs, u=u, steppers=steppers, monitor=monitor, watched=is_watched
    )
    if repeats and on_epoch is None and can_be_replayed(u, steppers, epochs, chunk):
        recorded = History(u, chunk, chunk, validation, None, keep_path=False)
        optimizer = steppers[0].optimizer
        run_epochs = ReplayedEpochs(run_epochs, u, optimizer, monitor, recorded, chunk)
    if repeats and steps_depend_on_point_alone(steppers):
        run_epochs = EpochsUntilFixedPoint(run_epochs, u)
    interruption = _Interruption()
    stop = False
    while not (stop or interruption.has_come or monitor.all_ended) and history.n_epochs < epochs:
        first = history.n_epochs
        with interruption:
            last = min(first - first % chunk + chunk, epochs)
            run_epochs(range(first, last), history)
        history.drop_unfinished_epoch(u)
        if history.n_epochs == 0:
            raise KeyboardInterrupt
        if history.n_epochs > first:
            if on_points is not None:
                on_points(history.results_since(first))
            monitor.inspect(*history.since(first), u)
            history.keep_ended(monitor, first)
        last_counts = not interruption.has_come and monitor.counts(history.n_epochs - 1)
        if on_epoch is not None and last_counts:
            with interruption:
                stop = on_epoch(history.values[: history.n_epochs], history.result(u))
    return _finish(u, steppers, history, monitor, interrupted=interruption.has_come)


def _run_epochs(
    epochs: range,
    history: History,
    *,
    u: Tensor,
    steppers: Sequence[Stepper],
    monitor: ConvergenceMonitor,
    watched: bool,
) -> None:
    """Do a chunk of epochs. If it is ``watched``, it ends where the descent may end."""
    last = max(epochs.start + 1, min(epochs.stop, monitor.earliest_end)) if watched else epochs.stop
    for epoch, value, point in history.places(epochs.start, last):
        history.begin_epoch(epoch, u, point)
        for stepper in steppers:
            stepper.run_epoch(epoch, value)
        for stepper in steppers:
            stepper.step_scheduler(history.scheduled_values, epoch)
        monitor.hold_ended(u)
        history.n_epochs = epoch + 1
        if watched and not monitor.allows(value):
            return


def _finish(
    u: Tensor,
    steppers: Sequence[Stepper],
    history: History,
    monitor: ConvergenceMonitor,
    *,
    interrupted: bool,
) -> Trace:
    """The trace. Runs that diverged, or that validation rows watch, go to their best point."""

    def total() -> Tensor:
        value = torch.empty_like(u[..., 0])
        for stepper in steppers:
            stepper.write_total(u, value)
        return value

    # the path goes to where the descent ended, also where a better point is kept
    path = torch.cat([history.points_since(0), u[None]]) if history.keeps_path else None
    with torch.no_grad():
        if history.average is not None:  # what diverged stays at the lowest point
            u.copy_(
                torch.where(monitor.diverged.to(u.device)[..., None], u, history.average.final())
            )
        value = total()
        watched = value if history.validation is None else history.validation(u)
        check_again = monitor.finish(value, watched, history.n_epochs, u)
        if check_again is not None:
            value = total()
            if check_again(value):
                value = total()
    values, validation_values, _ = history.since(0)
    return Trace(
        values,
        monitor.n_iter,
        u,
        value,
        monitor.diverged,
        monitor.best_epoch.amin(-1),
        validation_values,
        path,
        interrupted,
    )


class _Interruption:
    """Remembers that Ctrl-C has ended what runs in this context, instead of raising."""

    has_come = False

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        is_interruption = kind is not None and issubclass(kind, KeyboardInterrupt)
        self.has_come |= is_interruption
        return is_interruption


def _chunk_length(u: Tensor, epochs: int) -> int:
    """How many epochs the monitor looks at together: points of a few megabytes."""
    length = _KEPT_ENTRIES // max(1, u.numel())
    return min(epochs, max(_SHORTEST_CHUNK, min(_LONGEST_CHUNK, length)))
