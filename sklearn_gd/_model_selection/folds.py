"""The training sets of a cross-validation, each prepared as a plain fit prepares it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from sklearn_gd._base.torch_state import find_device, isolated, threads_for
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._model_selection.fold_moments import fold_moments
from sklearn_gd._model_selection.sources import PartSource, RowSource, Source
from sklearn_gd._moments.convert import convert_moments
from sklearn_gd._moments.moments import Moments
from sklearn_gd._moments.tensor_data import TensorData, WeightedRows, to_tensor
from sklearn_gd._moments.tensor_moments import TensorMoments
from sklearn_gd._problem.empirical_risk import EmpiricalRisk, RegularizedLoss, leading_terms
from sklearn_gd._problem.least_squares import LeastSquares, validation_least_squares
from sklearn_gd._training.build_problem import express_in
from sklearn_gd._training.coordinates import needs_column_statistics
from sklearn_gd._training.options import FitOptions
from sklearn_gd._training.prepare import PreparedFit, in_basis, prepare

TestLoss = LeastSquares | EmpiricalRisk
Degree = int | tuple[int, int]


class ProblemSpec(NamedTuple):
    """A candidate without its learning rate."""

    options: FitOptions
    degree: Degree  # 1 if nothing is expanded
    make_basis: Callable[[TrainingData | Moments], PolynomialBasis | None]


class Fold(NamedTuple):
    """A training set and the rows that it holds out for testing."""

    number: int
    data: TrainingData  # all rows; the rows to train on have weight
    n_rows: int  # to train on, of positive weight; a row that is drawn twice counts twice
    training: TrainingData | Moments  # what the basis is made of
    columns: PolynomialBasis | None  # of the moments and the rows
    moments: TensorMoments | None  # of the training set; None where no factor is small enough
    test_moments: TensorMoments | None
    rows: WeightedRows | None  # all rows, where moments do not suffice
    test_rows: WeightedRows | None

    def prepare(self, spec: ProblemSpec) -> FoldFit:
        """The problem of a candidate on this training set, in its own basis and coordinates."""
        entries = self.data.x.size if self.moments is None else self.moments.factor.numel()
        with isolated(), threads_for(entries):
            return self._prepare(spec.options, spec.make_basis(self.training))

    def _prepare(self, options: FitOptions, basis: PolynomialBasis | None) -> FoldFit:
        """The problem, with the moments or the rows that all folds share."""
        moments = convert_moments(self.moments, self.columns, basis)
        test_loss: TestLoss | None = None
        if self.rows is None:
            fit = prepare(self.data, basis, options, moments=moments, n_rows=self.n_rows)
            test_moments = convert_moments(self.test_moments, self.columns, basis)
            if test_moments is not None:
                test_loss = validation_least_squares(test_moments, fit.problem.parametrization)
            return FoldFit(self.number, fit, basis, test_loss, self.training, moments)

        def make_risk(loss: RegularizedLoss) -> EmpiricalRisk:
            return self._risk(loss, basis, is_user_loss=callable(options.loss))

        fit = prepare(
            self.data, basis, options, moments=moments, make_risk=make_risk, n_rows=self.n_rows
        )
        assert isinstance(fit.problem.objective, EmpiricalRisk)
        if self.test_rows is not None:
            test_loss = fit.problem.objective.on_rows(self.test_rows)
        return FoldFit(self.number, fit, basis, test_loss, self.training)

    def _risk(
        self, loss: RegularizedLoss, basis: PolynomialBasis | None, *, is_user_loss: bool
    ) -> EmpiricalRisk:
        """The loss of all rows, weighted as in this training set."""
        assert self.rows is not None
        x, y, _ = self.rows
        weight = np.ones(len(y)) if self.data.weight is None else self.data.weight
        if self.moments is not None and basis is not None and self.columns is not None:
            # lower degrees are leading terms, and degrees that are left out come first
            terms = slice(basis.n_left_out, basis.n_expanded)
            loss = express_in(loss, basis, self.columns, self.moments.x_mean[terms])
            x = leading_terms(x, basis.n_expanded)
        risk = EmpiricalRisk.of(loss, (x, y, to_tensor(weight / weight.sum(), y.device)))
        # a loss that the user wrote may be not finite, also in rows of weight zero
        return risk._replace(uses_row=risk.weight > 0) if is_user_loss else risk


class FoldFit(NamedTuple):
    """A candidate without its learning rate on a fold, ready to descend."""

    fold: int
    fit: PreparedFit
    basis: PolynomialBasis | None
    test_loss: TestLoss | None  # None where all data are trained on
    training: TrainingData | Moments  # what the basis is made of
    training_moments: TensorMoments | None = None  # in this basis, where they suffice

    def on_training_rows(self) -> FoldFit:
        """The same with the rows to train on as its test rows; no test loss without moments."""
        loss = None
        if self.training_moments is not None:
            parametrization = self.fit.problem.parametrization
            loss = validation_least_squares(self.training_moments, parametrization)
        return self._replace(test_loss=loss)

    def with_options(self, options: FitOptions) -> FoldFit:
        """The same with options that differ in the proximal part of the penalty only."""
        return self._replace(fit=self.fit.with_options(options))


def make_folds(
    source: Source,
    options: FitOptions,
    columns: PolynomialBasis | None,
    *,
    by_moments: bool,
    with_all: bool,
) -> Iterator[Fold]:
    """All folds, and after them all data if ``with_all``.

    ``columns`` is the widest basis of all candidates, whose leading terms are those of the
    others. ``by_moments`` says that moments are all that the candidates need of the data.
    """
    if isinstance(source, PartSource):
        return _folds_of_parts(source, options, columns, with_all=with_all)
    return _folds_of_rows(source, options, columns, by_moments=by_moments, with_all=with_all)


def _folds_of_parts(
    source: PartSource, options: FitOptions, columns: PolynomialBasis | None, *, with_all: bool
) -> Iterator[Fold]:
    """A fold for every part, which is tested on while the others are trained on."""
    pairs: list[tuple[Moments, Moments | None]]
    pairs = list(zip(source.training_moments(), source.parts, strict=True))
    if with_all:
        pairs.append((source.moments, None))
    for number, (training, test) in enumerate(pairs):
        with isolated():
            moments = in_basis(training, columns, options)
            test_moments = in_basis(test, columns, options)
        yield Fold(
            number,
            source.data,
            training.n_samples,
            training,
            columns,
            moments,
            test_moments,
            None,
            None,
        )


def _folds_of_rows(
    source: RowSource,
    options: FitOptions,
    columns: PolynomialBasis | None,
    *,
    by_moments: bool,
    with_all: bool,
) -> Iterator[Fold]:
    """A fold for every split."""
    data, splits = source
    with isolated():
        tensor_data = TensorData(data, columns, find_device(options.device))
        rows = None if by_moments else tensor_data.with_data(data._replace(weight=None)).rows()
        moments: Sequence[tuple[TensorMoments | None, TensorMoments | None]]
        if needs_column_statistics(tensor_data):
            moments = [(None, None)] * (len(splits) + with_all)
        else:
            center = options.fit_intercept
            moments = fold_moments(tensor_data, splits, center=center, with_all=with_all)
    for number, (train_moments, test_moments) in enumerate(moments):
        fold_data, test_rows = data, None
        n_rows = data.n_weighted
        if number < len(splits):
            train, test = splits[number]
            fold_data = data.reweighted(np.bincount(train, minlength=len(data.y)))
            weight = data.weight
            n_rows = len(train) if weight is None else int(np.count_nonzero(weight[train]))
            if rows is not None:
                with isolated():
                    test_rows = tensor_data.with_data(data.take(test)).rows()
        yield Fold(
            number,
            fold_data,
            n_rows,
            fold_data,
            columns,
            train_moments,
            test_moments,
            rows,
            test_rows,
        )


def cpu_data(data: TrainingData, basis: PolynomialBasis | None) -> TensorData:
    """The data on the host, to ask for their sizes."""
    return TensorData(data, basis, torch.device("cpu"))
