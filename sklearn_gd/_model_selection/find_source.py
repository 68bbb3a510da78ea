"""Which source a search has: rows with splits, moments of parts, or a Dask collection."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from sklearn_gd._base.types import MatrixLike, Params
from sklearn_gd._data.dask_blocks import is_collection
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._data.validation import as_numpy, check_training_data
from sklearn_gd._estimators.moments_input import (
    check_takes_collection,
    check_takes_moments,
    check_terms,
    is_list_of_moments,
    take_features,
    without_rows,
)
from sklearn_gd._model_selection.scoring import Scoring
from sklearn_gd._model_selection.sources import PartSource, RowSource, Source
from sklearn_gd._moments.moments import Moments

if TYPE_CHECKING:
    from sklearn_gd._estimators.base import GDRegressor
    from sklearn_gd._model_selection.base import GDRegressorCV


def find_source(
    search: GDRegressorCV,
    checked: BaseEstimator,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    params: Params,
    regressors: Sequence[GDRegressor],
) -> tuple[Source, Scoring, Any, Any]:
    """What the search trains and tests on, how it scores, and X and y for its scorers."""
    if is_collection(X):
        scoring = Scoring.of_moments(search, regressors[0])
        X = _folds_of_collection(search, X, y, sample_weight, params, regressors)
        return _source_of_parts(search, checked, X, regressors), scoring, X, None
    if isinstance(X, Moments) or is_list_of_moments(X):
        parts = _source_of_moments(search, checked, X, y, sample_weight, params, regressors)
        return parts, Scoring.of_moments(search, regressors[0]), X, y
    data = check_training_data(checked, X, y, sample_weight)
    scoring = Scoring.of(search, regressors[0], sample_weight, params, data)
    if not data.namespace.is_numpy:
        splits = _splits(search, data.x, data.targets, data, scoring)
        return RowSource(data, splits), scoring, X, data.namespace.take(data.targets)
    X, y = indexable(as_numpy(X, "X"), as_numpy(y, "y"))
    return RowSource(data, _splits(search, X, y, data, scoring)), scoring, X, y


def _source_of_moments(
    search: GDRegressorCV,
    checked: BaseEstimator,
    X: Any,
    y: object,
    sample_weight: object,
    params: Params,
    regressors: Sequence[GDRegressor],
) -> PartSource:
    """Moments of parts in place of rows. Raises if something needs rows."""
    owner = type(search).__name__
    if isinstance(X, Moments) or len(X) < 2:
        n_parts = "one Moments" if isinstance(X, Moments) else "a list of one Moments"
        raise ValueError(
            f"{owner} takes a list of two or more moments, in which each part is a fold, and X "
            f"is {n_parts}. Make moments of parts of the rows."
        )
    check_takes_moments(search, y, sample_weight)
    for name, value in (("cv", search.cv), *params.items()):
        if value is not None:
            raise ValueError(
                f"{owner} was given moments together with {name!r}, but each part is a fold. "
                f"Leave {name} out, and add the parts that shall be in one fold."
            )
    return _source_of_parts(search, checked, X, regressors)


def _folds_of_collection(
    search: GDRegressorCV,
    X: Any,
    y: Any,
    sample_weight: Any,
    params: Params,
    regressors: Sequence[GDRegressor],
) -> list[Moments]:
    """The moments of the folds of a Dask collection, which are successive rows."""
    owner = type(search).__name__
    check_takes_collection(search)
    given = [name for name, value in params.items() if value is not None]
    if search.cv is not None and (not isinstance(search.cv, Integral) or search.cv < 2):
        given.append(f"cv={search.cv!r}")
    if given:
        raise ValueError(
            f"{owner} divides a Dask collection into folds of successive rows, and was given "
            f"{', '.join(given)}. Set cv to the number of folds, or make the folds yourself "
            "and pass a list of their moments."
        )
    from sklearn_gd._moments.collection import moments_of_folds

    n_folds: Any = search.cv or 5
    degree = max(regressor._terms()[0] for regressor in regressors)
    return moments_of_folds(
        X, y, sample_weight, degree, n_folds, interaction_only=regressors[0]._terms()[1]
    )


def _source_of_parts(
    search: GDRegressorCV,
    checked: BaseEstimator,
    X: Sequence[Moments],
    regressors: Sequence[GDRegressor],
) -> PartSource:
    """Moments of parts, with the terms that all candidates need."""
    owner = type(search).__name__
    for regressor in regressors:
        degree, interaction_only = regressor._terms()
        for part in X:
            check_terms(owner, part, degree, interaction_only=interaction_only)
    whole = sum(X[1:], start=X[0])
    take_features(checked, whole)
    return PartSource(without_rows(whole), X, whole)


def _splits(
    search: GDRegressorCV, X: MatrixLike, y: ArrayLike, data: TrainingData, scoring: Scoring
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The splits as row numbers. Raises if a side of a split is empty."""
    cv = check_cv(search.cv, y, classifier=False)
    all_rows = np.arange(len(data.y))
    splits = []
    for k, sides in enumerate(cv.split(X, y, **scoring.split_params)):
        try:
            train, test = (
                all_rows[np.asarray(side)] if len(side) else all_rows[:0] for side in sides
            )
        except IndexError as error:
            raise ValueError(
                f"Split {k} of {type(search).__name__} does not name rows of the {len(all_rows)} "
                f"samples ({error}). Change cv."
            ) from error
        for use, rows in (("train on", train), ("test on", test)):
            weight = len(rows) if data.weight is None else data.weight[rows].sum()
            if not weight > 0:
                raise ValueError(
                    f"Split {k} of {type(search).__name__} has no sample of positive weight to "
                    f"{use}, of {len(all_rows)} samples. Change cv."
                )
        splits.append((train, test))
    if not splits:
        raise ValueError("No fits were performed. Was the CV iterator empty?")
    return splits
