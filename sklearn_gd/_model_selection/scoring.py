"""How a search scores its candidates: from moments, or with scorers on rows."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Collection, Mapping, Sequence
from numbers import Number
from traceback import format_exc
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import process_routing

from sklearn_gd._base.types import MatrixLike, Params, RefitLike, Scorer, ScoringLike
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._data.validation import as_numpy, follow
from sklearn_gd._moments.errors import r2
from sklearn_gd._moments.moments import Moments

# the scores that follow from mean squared errors, which moments of the test rows give
_FROM_ERRORS = (None, "r2", "neg_mean_squared_error")

Scores = dict[str, float] | float | None  # by name, if there are several; None where it failed


class Scoring(NamedTuple):
    """How to score, and what the splitter and the scorers are to be given."""

    scorer: Scorer
    # from names to scores that follow from errors, if all do; a single one has the name None
    known: dict[str | None, str | None] | None
    split_params: Params
    score_params: Params
    error_score: float | str  # where a scorer fails; "raise" ends the search
    is_written_by_user: bool  # whether the scorer is a callable of the user

    @classmethod
    def of(
        cls,
        search: BaseEstimator,
        regressor: BaseEstimator,
        sample_weight: ArrayLike | None,
        params: Params,
        data: TrainingData,
    ) -> Scoring:
        """From the parameters of a search and the metadata given to its fit."""
        scorer = find_scorer(search, regressor)
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(search, "fit", sample_weight=sample_weight, **params)
            split_params, score_params = routed.splitter.split, routed.scorer.score
        else:
            unknown = sorted(set(params) - {"groups"})
            if unknown:
                raise TypeError(
                    f"{type(search).__name__}.fit() got an unexpected keyword argument "
                    f"{unknown[0]!r}. Without metadata routing it takes 'groups' only."
                )
            split_params, score_params = {"groups": params.get("groups")}, {}
            if sample_weight is not None and _takes_weights(scorer):
                score_params = {"sample_weight": sample_weight}
        known = _known(search.scoring)
        if score_params.get("sample_weight") is not sample_weight:
            known = None  # the moments have other weights
        if score_params.get("sample_weight") is not None:
            weight = np.asarray(as_numpy(score_params["sample_weight"], "sample_weight"))
            weight = follow(np.broadcast_to(weight, len(data.y)), "sample_weight", data.namespace)
            score_params = {**score_params, "sample_weight": weight}
        split_params = {name: as_numpy(value, name) for name, value in split_params.items()}
        is_callable = callable(search.scoring)
        return cls(scorer, known, split_params, score_params, search.error_score, is_callable)

    @classmethod
    def of_moments(cls, search: BaseEstimator, regressor: BaseEstimator) -> Scoring:
        """For moments in place of rows. Raises if a scorer needs rows."""
        scorer, known = find_scorer(search, regressor), _known(search.scoring)
        if known is None:
            raise ValueError(
                f"scoring={search.scoring!r} of {type(search).__name__} needs rows, and moments "
                "hold no rows. Use None or 'r2' for R², or 'neg_mean_squared_error', or pass X "
                "and y."
            )
        return cls(scorer, known, {}, {}, search.error_score, False)

    def from_errors(
        self, errors: np.ndarray, y: np.ndarray, weight: np.ndarray | None
    ) -> Sequence[Scores] | None:
        """Scores of models with these mean squared errors (models, targets) on targets ``y``.

        None where only the rows tell.
        """
        if self.known is None:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            values = {"neg_mean_squared_error": -errors.mean(1)}
            if {None, "r2"} & set(self.known.values()):
                mean = np.average(y, axis=0, weights=weight)
                variance = np.average((y - mean) ** 2, axis=0, weights=weight)
                size = np.average(y**2, axis=0, weights=weight)
                if len(y) < 2 or not (variance > 1e-24 * size).all() or np.isinf(variance).any():
                    return None  # scikit-learn decides what R² is of such targets
                values["r2"] = (1.0 - errors / variance).mean(1)
        return self._named(values, len(errors))

    def from_moments(self, errors: np.ndarray, moments: Moments) -> Sequence[Scores]:
        """Scores of models with mean squared errors (models, targets) on the rows of moments."""
        values = {
            "neg_mean_squared_error": -errors.mean(1),
            "r2": np.array([r2(moments, each) for each in errors]),
        }
        return self._named(values, len(errors))

    def _named(self, values: Mapping[str, np.ndarray], n_models: int) -> Sequence[Scores]:
        """A score, or the scores by name, of every model. ``values`` are those that are known."""
        assert self.known is not None
        if self.known.keys() == {None}:
            return values[self.known[None] or "r2"].tolist()
        named = [(str(name), values[kind or "r2"].tolist()) for name, kind in self.known.items()]
        return [{name: scores[k] for name, scores in named} for k in range(n_models)]

    def from_rows(
        self, model: BaseEstimator, X: MatrixLike, y: ArrayLike | None, rows: np.ndarray
    ) -> Scores:
        """Scores of a fitted model on rows of the user's data. None if the only scorer fails."""
        params = {name: _safe_indexing(value, rows) for name, value in self.score_params.items()}
        try:
            scores = self.scorer(model, _safe_indexing(X, rows), _safe_indexing(y, rows), **params)
        except Exception:  # a scorer of the user raises anything
            if self.error_score == "raise":
                raise
            self._warn_of_failure(format_exc())
            return None
        if isinstance(scores, dict):
            return {name: self._score_of_several(score, name) for name, score in scores.items()}
        return _number(scores, self.scorer)

    def _score_of_several(self, score: Any, name: str) -> float:
        """One of several scores. scikit-learn gives a text in place of one that failed."""
        if isinstance(score, str) and not self.is_written_by_user:
            self._warn_of_failure(score)
            return float(self.error_score)
        return _number(score, name)

    def _warn_of_failure(self, details: str) -> None:
        """Warn as GridSearchCV warns."""
        warnings.warn(
            "Scoring failed. The score on this train-test partition for these parameters will be "
            f"set to {self.error_score}. Details: \n{details}",
            UserWarning,
            stacklevel=2,
        )


def find_scorer(search: BaseEstimator, regressor: BaseEstimator) -> Scorer:
    """The scorer of a search, which returns a number, or a dict of them."""
    scoring = search.scoring
    if scoring is None or isinstance(scoring, str) or callable(scoring):
        return check_scoring(regressor, scoring)
    scorer = check_scoring(regressor, scoring, raise_exc=search.error_score == "raise")
    check_refit(search.refit, scoring)
    return scorer


def public_scorer(search: BaseEstimator, regressor: BaseEstimator) -> Scorer | dict[str, Scorer]:
    """The scorer of a search, or a dict of several by name, as `scorer_` of GridSearchCV."""
    scoring = search.scoring
    if scoring is None or isinstance(scoring, str) or callable(scoring):
        return check_scoring(regressor, scoring)
    named = scoring if isinstance(scoring, Mapping) else {name: name for name in scoring}
    return {name: check_scoring(regressor, each) for name, each in named.items()}


def check_refit(refit: RefitLike, names: Collection[str]) -> None:
    """Raise unless ``refit`` says by which of several scorers to choose."""
    if callable(refit) or not refit or (isinstance(refit, str) and refit in names):
        return
    raise ValueError(
        "For multi-metric scoring, the parameter refit must be set to a scorer key or a "
        "callable to refit an estimator with the best parameter setting on the whole data "
        "and make the best_* attributes available for that metric. If this is not needed, "
        f"refit should be set to False explicitly. {refit!r} was passed."
    )


def _known(scoring: ScoringLike) -> dict[str | None, str | None] | None:
    """From names to scores, if all of the scores follow from errors."""
    if scoring is None or isinstance(scoring, str):
        named: Mapping[Any, Any] = {None: scoring}
    elif callable(scoring):
        return None
    else:
        named = scoring if isinstance(scoring, Mapping) else {name: name for name in scoring}
    kinds = list(named.values())
    is_known = all(
        (kind is None or isinstance(kind, str)) and kind in _FROM_ERRORS for kind in kinds
    )
    return dict(named) if is_known else None


def _number(score: Any, scorer: object) -> float:
    """A score as a number. Raises the error of scikit-learn if it is none."""
    score = score.item() if getattr(score, "size", None) == 1 else score
    if not isinstance(score, Number):
        raise ValueError(
            f"scoring must return a number, got {score} ({type(score)}) instead. (scorer={scorer})"
        )
    return float(score)  # type: ignore[arg-type]


def _takes_weights(scorer: Scorer) -> bool:
    """Whether a scorer, or one of several in it, uses sample weights."""
    accepts = getattr(scorer, "_accept_sample_weight", None)
    if accepts is not None:
        return bool(accepts())
    return "sample_weight" in inspect.signature(scorer).parameters
