"""A whole search from checked data to fitted cells: moments of folds, one stacked descent.

A cell is a candidate on a fold. Squared error on the full batch needs only moments: those
of each group of rows that are always on the same side of all splits are computed once, a
training set is the merger of its groups, and the full data (the refit) one more fold. Each
fold, with each penalty and degree, has coordinates of its own; padded with coordinates
that nothing moves they are one tensor, and learning rates are its fastest axis.

What moments cannot express (other losses, mini-batches, X too wide for a factor) is fitted
cell by cell, each as the plain estimator would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby, islice, product
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._data import Data
from sklearn_gd._descent import Trace, descend
from sklearn_gd._folds import Split, fold_moments, in_basis
from sklearn_gd._moments import Moments
from sklearn_gd._objective import Objective, Part, SquaredError
from sklearn_gd._optimizers import Recipe
from sklearn_gd._penalty import Proximal
from sklearn_gd._polynomial import Basis
from sklearn_gd._problem import Problem, Settings, held_out_squared_error, is_wide, pose
from sklearn_gd._source import Source
from sklearn_gd._torch import find_device, isolated
from sklearn_gd._training import Training, make_recipe, report, step_length, stop_rule, train

# Larger tensors torch gives to several threads, which wait for each other in every operation:
# on a busy machine for milliseconds.
_ENTRIES_A_THREAD = 2**15
_POINT_ENTRIES = _ENTRIES_A_THREAD  # of u in one descent
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
    coef: np.ndarray  # (lrs, targets, terms)
    intercept: np.ndarray  # (lrs, targets)
    diverged: np.ndarray  # (lrs,)
    curves: np.ndarray  # (lrs, epochs) held-out loss where each epoch began
    losses: np.ndarray  # (lrs,) held-out loss at the end
    errors: np.ndarray | None  # (lrs, targets) held-out mean squared errors, if known
    refits: Sequence[Callable[[], Training]]  # on all data: what a fit reports, for each lr


def search(
    data: Data,
    splits: Sequence[Split],
    variants: Sequence[Variant],
    lrs: Sequence[float | str],
    *,
    refits: bool,
    seed: int,
    after: Callable[[], bool] | None,
) -> Iterator[Cells]:
    """Fit every variant with every lr on every split, and on all data if it ``refits``."""
    if is_by_moments(data, variants):
        # raw powers and mapped inputs are moments of different columns
        bases = [variant.basis(data) for variant in variants]
        order = sorted(range(len(variants)), key=lambda k: _is_mapped(bases[k]))
        for _, own in groupby(order, key=lambda k: _is_mapped(bases[k])):
            chosen = list(own)
            widest = max((bases[k] for k in chosen), key=_degree)
            numbered = {k: variants[k] for k in chosen}
            yield from _by_moments(data, splits, numbered, widest, lrs, refits=refits, after=after)
    else:
        yield from _one_by_one(data, splits, variants, lrs, seed=seed, after=after)


def is_by_moments(data: Data, variants: Sequence[Variant]) -> bool:
    """Whether moments say all that the descents need to know of the data."""
    settings = variants[0].settings
    wide = is_wide(Source(data, variants[0].basis(data), torch.device("cpu")))
    return settings.loss == "squared_error" and settings.batch_size is None and not wide


def _one_by_one(
    data: Data,
    splits: Sequence[Split],
    variants: Sequence[Variant],
    lrs: Sequence[float | str],
    *,
    seed: int,
    after: Callable[[], bool] | None,
) -> Iterator[Cells]:
    """Every cell as a plain fit."""
    for fold, (rows, held_rows) in enumerate(splits):
        own, held = data.take(rows), data.take(held_rows)
        for (v, variant), k in product(enumerate(variants), range(len(lrs))):
            basis = variant.basis(own)
            settings = variant.settings._replace(lr=lrs[k])
            made = train(own, basis, settings, held=held, seed=seed, on_held_out=False)
            if made.interrupted:
                raise KeyboardInterrupt
            assert made.held_out_curve is not None
            assert made.held_out_loss is not None
            curve = np.full(settings.epochs, made.held_out_loss)
            curve[: len(made.held_out_curve)] = made.held_out_curve
            if after is not None:
                after()
            yield Cells(
                v,
                fold,
                range(k, k + 1),
                basis,
                made.coef[None],
                made.intercept[None],
                np.array([made.diverged]),
                curve[None],
                np.array([made.held_out_loss]),
                None,
                (),
            )


class _Pose(NamedTuple):
    """A variant on a fold, as a problem to descend."""

    variant: int
    fold: int
    settings: Settings
    made: Recipe
    basis: Basis | None
    problem: Problem
    held_out: SquaredError | None

    @property
    def kind(self) -> tuple[bool, bool]:
        """What poses of one descent have in common: a proximal step, a design."""
        assert isinstance(self.problem.objective, SquaredError)
        return self.problem.proximal is None, self.problem.objective.design is None


def _by_moments(
    data: Data,
    splits: Sequence[Split],
    variants: dict[int, Variant],
    widest: Basis | None,
    lrs: Sequence[float | str],
    *,
    refits: bool,
    after: Callable[[], bool] | None,
) -> Iterator[Cells]:
    """All cells as runs of one descent, or of a few where they are very many."""
    first = next(iter(variants.values())).settings
    with isolated():
        source = Source(data, widest, find_device(first.device))
        folds = fold_moments(source, splits, center=first.fit_intercept, with_all=refits)
    terms = source.terms + 1
    targets = data.y.shape[1]
    runs = max(1, min(_POINT_ENTRIES // terms, _CURVE_ENTRIES // first.epochs) // targets)
    poses = iter(_poses(data, splits, variants, widest, folds))
    epochs = first.epochs

    def tell(values: Tensor, u: Tensor) -> bool:
        nonlocal epochs
        assert after is not None
        ended = after()
        if ended:  # the other descents end there too
            epochs = len(values)
        return ended

    told = None if after is None else tell
    # few learning rates: several poses share a descent; very many: a pose takes several
    together = max(1, min(runs // len(lrs), _DESIGN_ENTRIES // terms**2))
    while chunk := list(islice(poses, together)):
        for _, alike in groupby(sorted(chunk, key=lambda pose: pose.kind), lambda p: p.kind):
            own = list(alike)
            for start in range(0, len(lrs), runs):
                part = range(start, min(start + runs, len(lrs)))
                with isolated():
                    cells = _descend(own, part, lrs, epochs, told)
                told = None
                yield from cells


def _poses(
    data: Data,
    splits: Sequence[Split],
    variants: dict[int, Variant],
    widest: Basis | None,
    folds: Sequence[tuple[Moments, Moments | None]],
) -> Iterator[_Pose]:
    """Every variant on every fold, in that fold's own basis and coordinates."""
    for fold, (own, held) in enumerate(folds):
        fold_data = data
        if fold < len(splits) and widest is not None:
            mask = np.zeros(len(data.y))
            mask[splits[fold][0]] = 1.0
            fold_data = data.part(mask)
        for number, variant in variants.items():
            with isolated():
                basis = variant.basis(fold_data)
                made = make_recipe(variant.settings)
                moments = in_basis(own, widest, basis)
                problem = pose(data, basis, variant.settings, made, moments=moments)
                watched = None
                if held is not None:
                    seen = in_basis(held, widest, basis)
                    watched = held_out_squared_error(seen, problem.coordinates)
            yield _Pose(number, fold, variant.settings, made, basis, problem, watched)


def _descend(
    poses: Sequence[_Pose],
    part: range,
    lrs: Sequence[float | str],
    epochs: int,
    after: Callable[[Tensor, Tensor], bool] | None,
) -> list[Cells]:
    """Descend poses x learning rates at once."""
    each = len(part)
    problems = [pose.problem for pose in poses]
    settings, made = poses[0].settings, poses[0].made
    rates = [step_length(lrs[k], made, own.curvature) for own in problems for k in part]
    scale = _for_runs([own.scale for own in problems], each)
    at_zero = _for_runs([own.at_zero[0] for own in problems], each)
    start = _for_runs([own.zeros[0] for own in problems], each)
    objective = _Stacked.of([own.objective for own in problems], each)
    seen: list[Tensor] = []

    def record(points: Tensor) -> None:
        seen.append(_held_out_errors(poses, points).mean(-1).cpu())

    trace = descend(
        objective,
        start,
        made,
        rates,
        epochs,
        stop_rule(at_zero, scale, settings),
        proximal=_proximal([own.proximal for own in problems], each),
        after=after,
        record=record,
    )
    if trace.interrupted:
        raise KeyboardInterrupt
    errors = _held_out_errors(poses, trace.u[None])[0].cpu()
    losses = errors.mean(-1)
    done = len(trace.values)
    curves = losses[:, None].repeat(1, settings.epochs)
    # a run that is done stays where it ended
    running = torch.arange(done) < trace.n_iter[:, None]
    curves[:, :done] = torch.where(running, torch.cat(seen).T, curves[:, :done])
    result = []
    for g, own in enumerate(poses):
        runs = slice(g * each, (g + 1) * each)
        coordinates = own.problem.coordinates
        u = trace.u[runs, :, : coordinates.n_coordinates]
        coef, intercept = (values.cpu().numpy() for values in coordinates.coef(u))
        refits = [
            partial(report, own.problem, made, rates[run], _run_of(trace, run, own), own.settings)
            for run in (range(runs.start, runs.stop) if own.held_out is None else ())
        ]
        result.append(
            Cells(
                own.variant,
                own.fold,
                part,
                own.basis,
                coef,
                intercept,
                trace.diverged[runs].numpy(),
                curves[runs].numpy(),
                losses[runs].numpy(),
                errors[runs].numpy(),
                refits,
            )
        )
    return result


def _held_out_errors(poses: Sequence[_Pose], points: Tensor) -> Tensor:
    """Losses (epochs, runs, targets) of the rows that each pose holds out."""
    each = points.shape[1] // len(poses)
    parts = []
    for own, u in zip(poses, points.split(each, dim=1), strict=True):
        if own.held_out is None:  # all data hold nothing out
            parts.append(torch.zeros_like(u[..., 0]))
            continue
        u = u[..., : own.problem.coordinates.n_coordinates]
        few = max(1, _ENTRIES_A_THREAD // (each * own.held_out.goal.numel()))
        losses = torch.cat([own.held_out(some) for some in u.split(few)])
        parts.append(losses * own.problem.unit)
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


class _Stacked(NamedTuple):
    """Squared errors of several poses, each with the same number of runs."""

    design: Tensor | None  # (poses, coordinates, m); None is the identity
    goal: Tensor  # (runs, targets, m)
    rest: Tensor  # (runs, targets)

    @classmethod
    def of(cls, objectives: Sequence[Any], each: int) -> _Stacked:
        """From one for each pose."""
        designs = [own.design for own in objectives if own.design is not None]
        return cls(
            _padded(designs) if designs else None,
            _for_runs([own.goal for own in objectives], each),
            _for_runs([own.rest for own in objectives], each),
        )

    def __call__(self, u: Tensor) -> Tensor:
        seen = u
        if self.design is not None:
            # the runs of a pose see the same matrix: it is read once for all of them
            poses, size, m = self.design.shape
            seen = (u.reshape(poses, -1, size) @ self.design).view(*u.shape[:2], m)
        return (seen - self.goal).square().sum(-1) + self.rest

    def parts(self, epoch: int) -> list[Part]:
        return [(self, 1.0)]

    def cell(self, run: int, target: int) -> Objective:
        one, own = slice(target, target + 1), slice(run, run + 1)
        design = self.design
        if design is not None:
            pose = run * len(design) // len(self.goal)
            design = design[pose : pose + 1]
        return _Stacked(design, self.goal[own, one], self.rest[own, one])


def _proximal(parts: Sequence[Proximal | None], each: int) -> Proximal | None:
    """The proximal steps of several poses, or of none."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    bounds = [part.bound for part in known if part.bound is not None]
    return known[0]._replace(
        weight=_for_runs([part.weight for part in known], each),
        bound=_for_runs(bounds, each)[:, None] if bounds else None,
    )


def _for_runs(tensors: Sequence[Tensor], each: int) -> Tensor:
    """Padded tensors of poses, repeated for their runs."""
    return _padded(tensors).repeat_interleave(each, dim=0)


def _padded(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors stacked, with zeros up to the largest shape."""
    shape = torch.tensor([tensor.shape for tensor in tensors]).amax(0).tolist()
    stack = tensors[0].new_zeros(len(tensors), *shape)
    for own, tensor in zip(stack, tensors, strict=True):
        own[tuple(slice(size) for size in tensor.shape)] = tensor
    return stack


def _is_mapped(basis: Basis | None) -> bool:
    """Whether the columns are polynomials of mapped inputs."""
    return basis is not None and basis.legendre


def _degree(basis: Basis | None) -> int:
    """The degree of a basis, 1 for the features themselves."""
    return 1 if basis is None else basis.degree
