"""A whole search, from checked data to the results of all folds: one batched descent.

A candidate without its learning rate, on a fold, is a problem of the solver. All problems of
a batch are stacked, and their learning rates are the runs.

Squared error needs moments only, and the full data (for the final fit) are one more fold.
Other losses see all rows in every fold, with weight zero where a fold holds rows out.
Mini-batches are fitted one by one, each as the plain estimator fits it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._base.torch_state import isolated
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._model_selection.folds import Degree, FoldFit, ProblemSpec, cpu_data, make_folds
from sklearn_gd._model_selection.sources import RowSource, Source
from sklearn_gd._moments.moments import Moments
from sklearn_gd._training.coordinates import needs_column_statistics
from sklearn_gd._training.fit import fit_model
from sklearn_gd._training.prepare import descend_problems
from sklearn_gd._training.result import FitResult, make_result

OnEpoch = Callable[[], bool]  # whether to stop

# torch gives larger tensors to several threads, which wait for each other in every operation
_ENTRIES_PER_THREAD = 2**15
_POINT_ENTRIES = _ENTRIES_PER_THREAD  # of the parameters of a batch
_PREDICTION_ENTRIES = 2**21  # of the predictions of a batch
_CURVE_ENTRIES = 2**23  # of the curves of a batch: 64 MB, twice
_RECORDED_ENTRIES = 2**21  # of points whose test losses are computed at once: 16 MB
_DESIGN_ENTRIES = 2**23  # of the matrices of a batch: 64 MB, twice


class FoldResults(NamedTuple):
    """Some learning rates of a problem spec, fitted on a fold."""

    spec: int
    fold: int
    lr_range: range  # positions of the learning rates
    basis: PolynomialBasis | None
    diverged: np.ndarray  # (lrs,)
    test_curves: np.ndarray  # (lrs, epochs) test loss where each epoch began
    test_losses: np.ndarray  # (lrs,) test loss at the end
    test_errors: np.ndarray | None  # (lrs, targets) mean squared errors, where they are known
    training_errors: np.ndarray | None  # the same of the training rows, where they are needed
    training: TrainingData | Moments
    make_results: Sequence[Callable[[], FitResult]]  # the result of a plain fit, for each lr


class BatchedSearch:
    """Every problem spec with every learning rate on every split, and on all data."""

    def __init__(
        self,
        source: Source,
        specs: Sequence[ProblemSpec],
        lrs: Sequence[float | str],
        *,
        refits: bool,
        scores_training: bool,
        seed: int,
    ):
        self.source, self.specs, self.lrs = source, specs, lrs
        self.scores_training, self.seed = scores_training, seed
        self.epochs = specs[0].options.epochs  # fewer, after somebody has asked to stop
        is_batched = specs[0].options.batch_size is None
        # mini-batches are fitted on all data afterwards, for the best candidate only
        self.refits = refits and is_batched
        self.batches = list(self._plan_batches()) if is_batched else []

    @property
    def n_descents(self) -> int:
        """How many descents there will be."""
        n_folds = self.source.n_splits + self.refits
        if not self.batches:
            return n_folds * len(self.specs) * len(self.lrs)
        return sum(
            -(-len(batch.specs) * n_folds // batch.n_problems) * -(-len(self.lrs) // batch.n_runs)
            for batch in self.batches
        )

    def run(self, on_epoch: OnEpoch | None) -> Iterator[FoldResults]:
        """Descend. ``on_epoch`` is called after every epoch of every descent.

        If it returns true, its descent ends there, and later ones take no more epochs.
        """

        def ends(curve: Sequence[object], *_: object) -> bool:
            assert on_epoch is not None
            stop = on_epoch()
            if stop:
                self.epochs = len(curve)
            return stop

        tell = ends if on_epoch else None
        if not self.batches:
            yield from self._run_one_by_one(tell)
        for batch in self.batches:
            yield from self._run_batch(batch, tell)

    def _run_one_by_one(self, on_epoch: Callable[..., bool] | None) -> Iterator[FoldResults]:
        """Every candidate on every fold as a plain fit."""
        assert isinstance(self.source, RowSource)  # moments have no batches
        data, splits = self.source
        for fold, (train, test) in enumerate(splits):
            train_data, test_data = data.take(train), data.take(test)
            for (number, spec), k in product(enumerate(self.specs), range(len(self.lrs))):
                basis = spec.make_basis(train_data)
                result = fit_model(
                    train_data,
                    basis,
                    spec.options._replace(lr=self.lrs[k], epochs=self.epochs),
                    validation=test_data,
                    seed=self.seed,
                    on_epoch=on_epoch,
                    stops_on_validation=False,
                )
                if result.interrupted:
                    raise KeyboardInterrupt
                assert result.validation_curve is not None
                assert result.validation_loss is not None
                curve = np.full(spec.options.epochs, result.validation_loss)
                curve[: len(result.validation_curve)] = result.validation_curve
                yield FoldResults(
                    number,
                    fold,
                    range(k, k + 1),
                    basis,
                    np.array([result.diverged]),
                    curve[None],
                    np.array([result.validation_loss]),
                    None,
                    None,
                    train_data,
                    [partial(result._replace, validation_curve=None)],
                )

    def _plan_batches(self) -> Iterator[_Batch]:
        """The specs that one descent can hold together, and how many of them."""
        source = self.source
        bases = [spec.make_basis(source.whole) for spec in self.specs]
        kinds: dict[tuple[bool, bool], list[int]] = {}
        for number, (spec, basis) in enumerate(zip(self.specs, bases, strict=True)):
            is_legendre = basis is not None and basis.is_legendre
            kinds.setdefault((is_legendre, spec.options.penalty.is_proximal), []).append(number)
        options, n_targets = self.specs[0].options, source.data.y.shape[1]
        for numbers in kinds.values():
            columns = max((bases[number] for number in numbers), key=lambda b: b.degree if b else 1)
            columns = columns and columns.with_low_degrees()
            tensor_data = cpu_data(source.data, columns)
            by_moments = options.is_squared and not needs_column_statistics(tensor_data)
            n_terms = tensor_data.n_terms
            entries = [_POINT_ENTRIES // (n_terms + 1), _CURVE_ENTRIES // options.epochs]
            if not by_moments:
                entries.append(_PREDICTION_ENTRIES // source.n_rows)
            n_runs = max(1, min(entries) // n_targets)
            n_design = n_terms * min(n_terms, source.n_rows)
            # with few learning rates several problems share a descent; with very many a
            # problem takes several descents
            n_problems = max(1, min(n_runs // len(self.lrs), _DESIGN_ENTRIES // n_design))
            specs = {number: self.specs[number] for number in numbers}
            yield _Batch(specs, columns, by_moments, min(n_runs, len(self.lrs)), n_problems)

    def _run_batch(
        self, batch: _Batch, on_epoch: Callable[..., bool] | None
    ) -> Iterator[FoldResults]:
        """The specs of a batch on all folds, as one descent, or a few where there are very many."""
        prepared = self._prepare(batch)
        while chunk := list(islice(prepared, batch.n_problems)):
            for first in range(0, len(self.lrs), batch.n_runs):
                lr_range = range(first, min(first + batch.n_runs, len(self.lrs)))
                with isolated():
                    results = self._descend(chunk, lr_range, on_epoch)
                yield from results

    def _prepare(self, batch: _Batch) -> Iterator[tuple[int, FoldFit]]:
        """Every spec of a batch on every fold."""
        options = next(iter(batch.specs.values())).options
        folds = make_folds(
            self.source,
            options,
            batch.columns,
            by_moments=batch.by_moments,
            with_all=self.refits,
        )
        for fold in folds:
            known: dict[tuple[float, Degree], FoldFit] = {}
            for number, spec in batch.specs.items():
                key = spec.options.penalty.l2, spec.degree
                if key in known:  # only the L1 part differs
                    yield number, known[key].with_options(spec.options)
                else:
                    known[key] = fold.prepare(spec)
                    yield number, known[key]

    def _descend(
        self,
        chunk: Sequence[tuple[int, FoldFit]],
        lr_range: range,
        on_epoch: Callable[..., bool] | None,
    ) -> list[FoldResults]:
        """Descend some problems with some learning rates at once."""
        fits = [fold_fit for _, fold_fit in chunk]
        lrs = [[fold_fit.fit.resolve_lr(self.lrs[k]) for k in lr_range] for fold_fit in fits]
        recorder = _TestLossRecorder(fits)
        trace = descend_problems(
            [fold_fit.fit for fold_fit in fits],
            lrs,
            epochs=self.epochs,
            on_epoch=on_epoch,
            on_points=recorder.add,
        )
        if trace.interrupted:
            raise KeyboardInterrupt
        end_losses = test_losses(fits, trace.u[None])[0].cpu()
        end_means = end_losses.mean(-1)
        training_errors = self._training_errors(fits, trace.u)
        options, done = fits[0].fit.options, len(trace.values)
        curves = end_means[..., None].repeat(1, 1, options.epochs)
        # a run that has ended stays where it is
        is_running = torch.arange(done) < trace.n_iter[..., None]
        curves[..., :done] = torch.where(is_running, recorder.curves(), curves[..., :done])
        results = []
        for p, (number, fold_fit) in enumerate(chunk):
            n_coordinates = fold_fit.fit.problem.parametrization.n_coordinates
            unpadded = trace._replace(u=trace.u[..., :n_coordinates])
            results.append(
                FoldResults(
                    number,
                    fold_fit.fold,
                    lr_range,
                    fold_fit.basis,
                    trace.diverged[p].any(-1).numpy(),
                    curves[p].numpy(),
                    end_means[p].numpy(),
                    end_losses[p].numpy() if options.is_squared else None,
                    training_errors[p],
                    fold_fit.training,
                    [
                        partial(make_result, fold_fit.fit, unpadded.select(p, r), lr)
                        for r, lr in enumerate(lrs[p])
                    ],
                )
            )
        return results

    def _training_errors(self, fits: Sequence[FoldFit], u: Tensor) -> Sequence[np.ndarray | None]:
        """Mean squared errors (runs, targets) of the training rows, where moments give them."""
        if not self.scores_training:
            return [None] * len(fits)
        on_training = [fold_fit.on_training_rows() for fold_fit in fits]
        errors = test_losses(on_training, u[None])[0].cpu().numpy()
        return [
            None if fold_fit.test_loss is None else error
            for fold_fit, error in zip(on_training, errors, strict=True)
        ]


class _Batch(NamedTuple):
    """Problem specs that one descent can hold, and how much of them."""

    specs: dict[int, ProblemSpec]  # by number
    columns: PolynomialBasis | None  # the widest basis; the others are leading terms of it
    by_moments: bool  # whether moments are all that the specs need of the data
    n_runs: int  # learning rates in a descent
    n_problems: int  # problems in a descent


class _TestLossRecorder:
    """Test losses where each epoch began, computed for many epochs at once."""

    def __init__(self, fits: Sequence[FoldFit]):
        self.fits = fits
        self.points: list[Tensor] = []
        self.n_epochs: list[int] = []  # that have each of the points
        self.losses: list[Tensor] = []

    def add(self, points: Tensor) -> None:
        """Take the points (epochs, problems, runs, targets, coordinates) of some epochs."""
        is_fixed = len(points) > 1 and bool((points == points[:1]).all())
        self.points.append(points[:1].clone() if is_fixed else points.clone())
        self.n_epochs += [len(points)] if is_fixed else [1] * len(points)
        if len(self.n_epochs) * points[0].numel() >= _RECORDED_ENTRIES:
            self._compute()

    def curves(self) -> Tensor:
        """The mean over targets, (problems, runs, epochs)."""
        self._compute()
        return torch.cat(self.losses).permute(1, 2, 0)

    def _compute(self) -> None:
        """Compute the losses of the points so far."""
        if self.points:
            losses = test_losses(self.fits, torch.cat(self.points)).mean(-1).cpu()
            self.losses.append(losses.repeat_interleave(torch.tensor(self.n_epochs), dim=0))
            self.points, self.n_epochs = [], []


@torch.no_grad()
def test_losses(fits: Sequence[FoldFit], points: Tensor) -> Tensor:
    """Losses (epochs, problems, runs, targets) of the test rows of each problem."""
    epochs, _, runs, targets, _ = points.shape
    losses = torch.zeros_like(points[..., 0])
    for p, fold_fit in enumerate(fits):
        if fold_fit.test_loss is None:  # all data are trained on
            continue
        problem = fold_fit.fit.problem
        u = points[:, p, ..., : problem.parametrization.n_coordinates]
        # every epoch of every run is a run of the test loss
        few = max(1, _ENTRIES_PER_THREAD // fold_fit.test_loss.entries_per_run)
        parts = [fold_fit.test_loss(some[None])[0] for some in u.flatten(0, 1).split(few)]
        losses[:, p] = torch.cat(parts).view(epochs, runs, targets) * problem.loss_scale
    return losses
