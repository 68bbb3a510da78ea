"""A whole search from checked data to fitted cells: one stacked descent.

A cell is a candidate on a fold. Each fold, with each penalty and degree, is a pose: a
problem with coordinates of its own. All poses are stacked as one tensor, and learning
rates are its fastest axis.

Squared error needs only moments: those of each group of rows that are always on the same
side of all splits are computed once, a training set is the merger of its groups, and the
full data (the refit) one more fold. Another loss sees the rows, all of them in every
fold: what a fold holds out has weight zero in it. Mini-batches alone are fitted cell by
cell, each as the plain estimator would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._data.validation import Data
from sklearn_gd._solver.loop import Trace, descend
from sklearn_gd._model_selection.fold_moments import Split, fold_moments, in_basis
from sklearn_gd._moments.moments import Moments
from sklearn_gd._problem.empirical_risk import Criterion, RowsLoss, SquaredError
from sklearn_gd._solver.optimizers import Recipe
from sklearn_gd._data.polynomial import Basis
from sklearn_gd._training.build_problem import (
    Problem,
    Settings,
    held_out_squared_error,
    is_wide,
    pose,
    seen_from,
)
from sklearn_gd._moments.tensor_data import Source, to_tensor
from sklearn_gd._problem.stacked import for_runs, stacked, stacked_proximal
from sklearn_gd._base.torch_state import find_device, isolated
from sklearn_gd._training.fit import (
    Training,
    check_start,
    make_recipe,
    report,
    step_length,
    stop_rule,
    train,
)

Tell = Callable[..., bool]  # called at an epoch's end with the curve first: whether to stop

# Larger tensors torch gives to several threads, which wait for each other in every operation:
# on a busy machine for milliseconds.
_ENTRIES_A_THREAD = 2**15
_POINT_ENTRIES = _ENTRIES_A_THREAD  # of u in one descent
_ROW_ENTRIES = 2**21  # of the predictions of one descent
_CURVE_ENTRIES = 2**23  # of the curves of one descent: 64 MB, twice
_DESIGN_ENTRIES = 2**23  # of the matrices of one descent: 64 MB, twice


class Variant(NamedTuple):
    """A candidate but for its learning rate."""

    settings: Settings
    basis: Callable[[Data], Basis | None]  # of the data that it is given


class Cells(NamedTuple):
    """Some learning rates of a variant on a fold, fitted; the last fold is all data."""

    variant: int
    fold: int
    lrs: range  # which of them
    basis: Basis | None
    diverged: np.ndarray  # (lrs,)
    curves: np.ndarray  # (lrs, epochs) held-out loss where each epoch began
    losses: np.ndarray  # (lrs,) held-out loss at the end
    errors: np.ndarray | None  # (lrs, targets) held-out mean squared errors, if known
    trainings: Sequence[Callable[[], Training]]  # what a fit reports, for each lr


class Search:
    """Every variant with every lr on every split, and on all data if it ``refits``."""

    def __init__(
        self,
        data: Data,
        splits: Sequence[Split],
        variants: Sequence[Variant],
        lrs: Sequence[float | str],
        *,
        refits: bool,
        seed: int,
    ):
        self.data, self.splits, self.variants, self.lrs = data, splits, variants, lrs
        self.seed = seed
        self.epochs = variants[0].settings.epochs  # fewer, once somebody has asked to stop
        # mini-batches are fitted again in the end, cell by cell as they are
        self.refits = refits and variants[0].settings.batch_size is None
        self.groups = list(self._groups()) if variants[0].settings.batch_size is None else []

    @property
    def n_descents(self) -> int:
        """How many there will be."""
        folds = len(self.splits) + self.refits
        if not self.groups:
            return folds * len(self.variants) * len(self.lrs)
        return sum(
            -(-len(group.variants) * folds // group.together) * -(-len(self.lrs) // group.runs)
            for group in self.groups
        )

    def cells(self, after: Callable[[], bool] | None) -> Iterator[Cells]:
        """Descend. ``after`` is called at every epoch's end; if it returns true, this descent
        ends there, and those to come do not last longer.
        """

        def ended(curve: Sequence[object], *_: object) -> bool:
            assert after is not None
            ends = after()
            if ends:
                self.epochs = len(curve)
            return ends

        tell = ended if after else None
        if not self.groups:
            yield from self._one_by_one(tell)
        for group in self.groups:
            yield from self._together(group, tell)

    def _one_by_one(self, tell: Tell | None) -> Iterator[Cells]:
        """Every cell as a plain fit."""
        for fold, (rows, held_rows) in enumerate(self.splits):
            own, held = self.data.take(rows), self.data.take(held_rows)
            for (v, variant), k in product(enumerate(self.variants), range(len(self.lrs))):
                basis = variant.basis(own)
                settings = variant.settings._replace(lr=self.lrs[k], epochs=self.epochs)
                made = train(
                    own,
                    basis,
                    settings,
                    held=held,
                    seed=self.seed,
                    after=tell,
                    on_held_out=False,
                )
                if made.interrupted:
                    raise KeyboardInterrupt
                assert made.held_out_curve is not None
                assert made.held_out_loss is not None
                curve = np.full(variant.settings.epochs, made.held_out_loss)
                curve[: len(made.held_out_curve)] = made.held_out_curve
                yield Cells(
                    v,
                    fold,
                    range(k, k + 1),
                    basis,
                    np.array([made.diverged]),
                    curve[None],
                    np.array([made.held_out_loss]),
                    None,
                    [partial(made._replace, held_out_curve=None)],
                )

    def _groups(self) -> Iterator[_Group]:
        """The variants by what those of one descent have in common."""
        bases = [variant.basis(self.data) for variant in self.variants]
        kinds: dict[tuple[bool, bool], list[int]] = {}
        for v, (variant, basis) in enumerate(zip(self.variants, bases, strict=True)):
            is_mapped = basis is not None and basis.legendre
            kinds.setdefault((is_mapped, variant.settings.penalty.is_proximal), []).append(v)
        first = self.variants[0].settings
        targets = self.data.y.shape[1]
        for own in kinds.values():
            widest = max((bases[v] for v in own), key=lambda b: 1 if b is None else b.degree)
            source = Source(self.data, widest, torch.device("cpu"))
            by_moments = first.loss == "squared_error" and not is_wide(source)
            entries = [_POINT_ENTRIES // (source.terms + 1), _CURVE_ENTRIES // first.epochs]
            if not by_moments:
                entries.append(_ROW_ENTRIES // len(self.data.y))
            runs = max(1, min(entries) // targets)
            # few learning rates: several poses share a descent; very many: a pose takes several
            together = max(1, min(runs // len(self.lrs), _DESIGN_ENTRIES // source.terms**2))
            variants = {v: self.variants[v] for v in own}
            yield _Group(variants, widest, by_moments, min(runs, len(self.lrs)), together)

    def _together(self, group: _Group, tell: Tell | None) -> Iterator[Cells]:
        """The cells of a group as runs of one descent, or of a few where they are very many."""
        poses = self._poses(group)
        while own := list(islice(poses, group.together)):
            for start in range(0, len(self.lrs), group.runs):
                part = range(start, min(start + group.runs, len(self.lrs)))
                with isolated():
                    cells = _descend(own, part, self.lrs, self.epochs, tell)
                yield from cells

    def _poses(self, group: _Group) -> Iterator[_Pose]:
        """Every variant of a group on every fold, in that fold's own basis and coordinates."""
        for number, fold in enumerate(self._folds(group)):
            for v, variant in group.variants.items():
                basis = variant.basis(fold.data)
                with isolated():
                    made = make_recipe(variant.settings)
                    problem, held_out = fold.pose(basis, variant.settings, made)
                yield _Pose(v, number, variant.settings, made, basis, problem, held_out)

    def _folds(self, group: _Group) -> Iterator[_Fold]:
        """What is known of every fold, all data last."""
        settings = next(iter(group.variants.values())).settings
        with isolated():
            source = Source(self.data, group.widest, find_device(settings.device))
            rows = (
                None
                if group.by_moments
                else source._replace(data=self.data._replace(weight=None)).rows()
            )
            moments: Sequence[tuple[Moments | None, Moments | None]]
            if is_wide(source):
                moments = [(None, None)] * (len(self.splits) + self.refits)
            else:
                center = settings.fit_intercept
                moments = fold_moments(source, self.splits, center=center, with_all=self.refits)
        for k, (own, held) in enumerate(moments):
            data, held_rows = self.data, None
            if k < len(self.splits):
                used, left_out = self.splits[k]
                data = data.part(np.bincount(used, minlength=len(data.y)))
                if rows is not None:
                    with isolated():
                        held_rows = source._replace(data=self.data.take(left_out)).rows()
            yield _Fold(data, group.widest, own, held, rows, held_rows)


class _Group(NamedTuple):
    """Variants that one descent may hold, and how many runs it takes."""

    variants: dict[int, Variant]  # by number
    widest: Basis | None  # of their bases; those of the others are its leading columns
    by_moments: bool  # moments say all that the descents need to know of the data
    runs: int  # learning rates of a pose at a time
    together: int  # poses at a time


class _Fold(NamedTuple):
    """A training set and the rows that it holds out."""

    data: Data  # all rows; those to train on have weight
    columns: Basis | None  # of the moments and rows
    own: Moments | None  # None where no factor is small enough
    held: Moments | None
    rows: tuple[Tensor, Tensor, Tensor] | None  # all rows, if moments do not suffice
    held_rows: tuple[Tensor, Tensor, Tensor] | None

    def pose(
        self, basis: Basis | None, settings: Settings, made: Recipe
    ) -> tuple[Problem, SquaredError | RowsLoss | None]:
        """The problem in a basis of its own, and the loss of the rows held out."""
        moments = None if self.own is None else in_basis(self.own, self.columns, basis)
        if self.rows is None:
            problem = pose(self.data, basis, settings, made, moments=moments)
            if self.held is None:
                return problem, None
            seen = in_basis(self.held, self.columns, basis)
            return problem, held_out_squared_error(seen, problem.coordinates)
        on_rows = partial(self.loss, basis, is_own=callable(settings.loss))
        problem = pose(self.data, basis, settings, made, moments=moments, on_rows=on_rows)
        assert isinstance(problem.objective, RowsLoss)
        return problem, problem.objective.on(*self.held_rows) if self.held_rows else None

    def loss(self, basis: Basis | None, criterion: Criterion, *, is_own: bool) -> RowsLoss:
        """The loss of all rows, weighted as they are in this training set."""
        assert self.rows is not None
        x, y, _ = self.rows
        weight = np.ones(len(y)) if self.data.weight is None else self.data.weight
        if self.own is not None and basis is not None and self.columns is not None:
            criterion = seen_from(criterion, basis, self.columns, self.own.x_mean)
            x = x[:, : len(criterion.coordinates.x_mean)]  # lower degrees are the leading terms
        made = RowsLoss.of(criterion, x, y, to_tensor(weight / weight.sum(), y.device))
        # a loss of the user's own may have values that are not finite, in rows held out too
        return made._replace(counting=made.weight.mT > 0) if is_own else made


class _Pose(NamedTuple):
    """A variant on a fold, as a problem to descend."""

    variant: int
    fold: int
    settings: Settings
    made: Recipe
    basis: Basis | None
    problem: Problem
    held_out: SquaredError | RowsLoss | None


def _descend(
    poses: Sequence[_Pose],
    part: range,
    lrs: Sequence[float | str],
    epochs: int,
    tell: Tell | None,
) -> list[Cells]:
    """Descend poses x learning rates at once."""
    each = len(part)
    problems = [pose.problem for pose in poses]
    settings, made = poses[0].settings, poses[0].made
    rates = [step_length(lrs[k], made, own.curvature) for own in problems for k in part]
    scale = for_runs([own.scale for own in problems], each)
    at_zero = for_runs([own.at_zero[0] for own in problems], each)
    seen: list[Tensor] = []

    def record(points: Tensor) -> None:
        seen.append(_held_out_losses(poses, points).mean(-1).cpu())

    trace = descend(
        stacked([own.objective for own in problems], each),
        for_runs([own.zeros[0] for own in problems], each),
        made,
        rates,
        epochs,
        stop_rule(at_zero, scale, settings),
        proximal=stacked_proximal([own.proximal for own in problems], each),
        after=tell,
        record=record,
    )
    if trace.interrupted:
        raise KeyboardInterrupt
    check_start(trace, settings.owner)
    ends = _held_out_losses(poses, trace.u[None])[0].cpu()
    losses = ends.mean(-1)
    done = len(trace.values)
    curves = losses[:, None].repeat(1, settings.epochs)
    # a run that is done stays where it ended
    running = torch.arange(done) < trace.n_iter[:, None]
    curves[:, :done] = torch.where(running, torch.cat(seen).T, curves[:, :done])
    result = []
    for g, own in enumerate(poses):
        runs = slice(g * each, (g + 1) * each)
        trainings = [
            partial(report, own.problem, made, rates[run], _run_of(trace, run, own), own.settings)
            for run in range(runs.start, runs.stop)
        ]
        result.append(
            Cells(
                own.variant,
                own.fold,
                part,
                own.basis,
                trace.diverged[runs].numpy(),
                curves[runs].numpy(),
                losses[runs].numpy(),
                ends[runs].numpy() if settings.loss == "squared_error" else None,
                trainings,
            )
        )
    return result


@torch.no_grad()
def _held_out_losses(poses: Sequence[_Pose], points: Tensor) -> Tensor:
    """Losses (epochs, runs, targets) of the rows that each pose holds out."""
    epochs, runs, targets, _ = points.shape
    parts = []
    for own, u in zip(poses, points.split(runs // len(poses), dim=1), strict=True):
        if own.held_out is None:  # all data hold nothing out
            parts.append(torch.zeros_like(u[..., 0]))
            continue
        u = u[..., : own.problem.coordinates.n_coordinates].flatten(0, 1)
        few = max(1, _ENTRIES_A_THREAD // own.held_out.size)
        losses = torch.cat([own.held_out(some) for some in u.split(few)])
        parts.append(losses.view(epochs, -1, targets) * own.problem.unit)
    return torch.cat(parts, dim=1)


def _run_of(trace: Trace, run: int, own: _Pose) -> Trace:
    """One run of a trace, as if it had descended alone."""
    one = slice(run, run + 1)
    n_iter = int(trace.n_iter[run])
    return trace._replace(
        values=trace.values[:n_iter, one].clone(),
        n_iter=trace.n_iter[one],
        u=trace.u[one, :, : own.problem.coordinates.n_coordinates].clone(),
        value=trace.value[one].clone(),
        diverged=trace.diverged[one],
        best_epoch=trace.best_epoch[one],
    )
