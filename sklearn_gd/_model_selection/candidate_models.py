"""The plain estimators of a search: their problems, their fits and their scores."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator

from sklearn_gd._base.types import MatrixLike
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._estimators.base import GDRegressor
from sklearn_gd._estimators.fit_inputs import FitInputs
from sklearn_gd._estimators.fit_options import fit_options
from sklearn_gd._estimators.result_attributes import fitted_attributes
from sklearn_gd._model_selection.score_warnings import ScoreWarnings
from sklearn_gd._model_selection.scoring import Scores, Scoring
from sklearn_gd._model_selection.sources import PartSource, Source
from sklearn_gd._moments.moments import Moments

if TYPE_CHECKING:
    from sklearn_gd._model_selection.batched_fit import FoldResults, OnEpoch
    from sklearn_gd._model_selection.folds import ProblemSpec
    from sklearn_gd._training.result import FitResult


class CandidateModels(NamedTuple):
    """What the plain estimators of all candidates are made of."""

    regressors: Sequence[GDRegressor]  # one for all learning rates of a problem spec
    lrs: Sequence[float | str]
    checked: BaseEstimator  # a copy of the search that knows the features
    source: Source
    owner: str  # the name of the search, for messages

    def specs(self) -> list[ProblemSpec]:
        """What the batched fit needs to know of each plain estimator."""
        from sklearn_gd._model_selection.folds import ProblemSpec

        return [
            ProblemSpec(
                fit_options(regressor, self.owner),
                getattr(regressor, "degree", 1),
                regressor._basis,
            )
            for regressor in self.regressors
        ]

    def basis_of_all_data(self, candidate: int) -> PolynomialBasis | None:
        """The basis of a candidate, for all data."""
        return self._split(candidate)[0]._basis(self.source.whole)

    def fit_on_all_data(
        self, candidate: int, epochs: int, seed: int, on_epoch: OnEpoch | None
    ) -> FitResult:
        """Fit a candidate on all data, as the plain estimator would."""
        from sklearn_gd._training.fit import fit_model

        regressor, lr = self._split(candidate)
        return fit_model(
            self.source.data,
            regressor._basis(self.source.whole),
            fit_options(regressor, self.owner)._replace(lr=lr, epochs=epochs),
            moments=self.source.moments,
            seed=seed,
            on_epoch=(lambda *_: on_epoch()) if on_epoch else None,
        )

    def fitted(
        self, candidate: int, basis: PolynomialBasis | None, result: FitResult
    ) -> GDRegressor:
        """The plain estimator of a candidate, with the fitted attributes of a result."""
        regressor, lr = self._split(candidate)
        model = copy.copy(regressor).set_params(lr=lr)
        options = fit_options(regressor, self.owner)
        inputs = FitInputs(self.checked, self.source.data, None, basis, options, 0)
        model.__dict__ |= fitted_attributes(model, inputs, result, goes_on=False)
        return model

    def score(
        self,
        found: FoldResults,
        scoring: Scoring,
        X: MatrixLike,
        y: ArrayLike | None,
        score_warnings: ScoreWarnings,
        *,
        on_training: bool = False,
    ) -> Sequence[Scores]:
        """Scores of some candidates on the test rows, or else on the training rows.

        They follow from errors, or else the fitted estimators are scored.
        """
        errors = found.training_errors if on_training else found.test_errors
        if isinstance(self.source, PartSource):
            moments = found.training if on_training else self.source.parts[found.fold]
            assert errors is not None
            assert isinstance(moments, Moments)
            return scoring.from_moments(errors, moments)
        data, rows = self.source.data, self.source.splits[found.fold][0 if on_training else 1]
        first = found.spec * len(self.lrs) + found.lr_range.start
        candidates = range(first, first + len(found.lr_range))
        # float32 coefficients are not the coefficients whose errors are known
        if errors is not None and data.dtype == np.float64:
            weight = None if data.weight is None else data.weight[rows]
            with score_warnings.collect(candidates):
                known = scoring.from_errors(errors, data.y[rows], weight)
            if known is not None:
                return known
        scores = []
        for candidate, make_result in zip(candidates, found.make_results, strict=True):
            model = self.fitted(candidate, found.basis, make_result())
            with score_warnings.collect(range(candidate, candidate + 1)):
                scores.append(scoring.from_rows(model, X, y, rows))
        return scores

    def _split(self, candidate: int) -> tuple[GDRegressor, float | str]:
        """The plain estimator of a candidate, and its learning rate."""
        spec, k = divmod(candidate, len(self.lrs))
        return self.regressors[spec], self.lrs[k]


def with_score_request(regressor: GDRegressor) -> GDRegressor:
    """The estimator, which requests weights for its scores where metadata are routed."""
    if get_config()["enable_metadata_routing"]:
        regressor.set_score_request(sample_weight=True)
    return regressor
