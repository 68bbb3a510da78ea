"""Moments in place of X: what an estimator takes of them, and what it refuses."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_gd._data.array_api import to_numpy
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.moments import Moments

HELD = "moments hold the targets and the weights of their rows"


def is_list_of_moments(X: object) -> bool:
    """Whether X is a list or a tuple of moments. Raises if only some elements are moments."""
    if not isinstance(X, list | tuple):
        return False
    are_moments = [isinstance(part, Moments) for part in X]
    if any(are_moments) and not all(are_moments):
        kinds = sorted({type(part).__name__ for part in X})
        raise TypeError(
            f"X is a {type(X).__name__} of which only some elements are moments: it holds "
            f"{', '.join(kinds)}. Pass a list in which every element is a Moments."
        )
    return any(are_moments)


def check_takes_moments(
    estimator: BaseEstimator,
    y: object,
    sample_weight: object,
    *,
    early_stopping: bool = False,
    needs_squared_error: bool = True,
    reason: str = "moments hold no rows",
    remedy: str = "pass X and y",
) -> None:
    """Raise if an estimator or its arguments need rows. ``reason`` says why there are none."""
    owner = type(estimator).__name__
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{owner} was given moments together with {name!r}, but {HELD}. Leave {name} out."
            )
    if not needs_squared_error:
        return
    if early_stopping:
        raise ValueError(
            f"early_stopping=True of {owner} needs rows to hold out, and {reason}. Set "
            f"early_stopping=False, or {remedy}."
        )
    if estimator.batch_size is not None:
        raise ValueError(
            f"batch_size={estimator.batch_size} of {owner} needs rows for its batches, and "
            f"{reason}. Set batch_size=None, or {remedy}."
        )
    if not (isinstance(estimator.loss, str) and estimator.loss == "squared_error"):
        raise ValueError(
            f"loss={estimator.loss!r} of {owner} needs rows, and {reason}: moments are "
            "all that the squared error needs to know of the data, and no other loss. Set "
            f"loss='squared_error', or {remedy}."
        )


def check_takes_collection(
    estimator: BaseEstimator, *, early_stopping: bool = False, needs_squared_error: bool = True
) -> None:
    """Raise if an estimator needs the rows of a Dask collection."""
    check_takes_moments(
        estimator,
        None,
        None,
        early_stopping=early_stopping,
        needs_squared_error=needs_squared_error,
        reason="a Dask collection is fitted through its moments, which hold no rows",
        remedy="pass X.compute() and y.compute()",
    )


def check_one_moments(estimator: BaseEstimator, X: object) -> None:
    """Raise if a plain estimator is given a list of moments."""
    if is_list_of_moments(X):
        owner = type(estimator).__name__
        raise TypeError(
            f"{owner} takes one Moments, and X is a list of them. Pass sum(parts), the moments of "
            f"all rows. {owner}CV takes a list, in which each part is a fold."
        )


def check_terms(owner: str, moments: Moments, degree: int, *, interaction_only: bool) -> None:
    """Raise unless moments have all terms of a polynomial."""
    if moments.degree < degree:
        raise ValueError(
            f"degree={degree} of {owner} needs moments of this degree or a higher one, and these "
            f"have degree {moments.degree}. Make them with Moments.of(X, y, degree={degree})."
        )
    if degree > 1 and moments.interaction_only != interaction_only:
        raise ValueError(
            f"interaction_only={interaction_only} of {owner} needs moments of the same terms, and "
            f"these have interaction_only={moments.interaction_only}. Make them with Moments.of("
            f"X, y, degree={degree}, interaction_only={interaction_only})."
        )


def take_features(checked: BaseEstimator, moments: Moments) -> None:
    """Give an estimator the number and the names of the features."""
    vars(checked).pop("feature_names_in_", None)
    checked.n_features_in_ = moments.n_features
    if moments.feature_names is not None:
        checked.feature_names_in_ = np.array(moments.feature_names, dtype=object)


def check_features(fitted: BaseEstimator, moments: Moments) -> None:
    """Raise unless moments are of the features and targets that an estimator was fitted to."""
    owner = type(fitted).__name__
    if moments.n_features != fitted.n_features_in_:
        raise ValueError(
            f"The moments have {moments.n_features} features, but {owner} is expecting "
            f"{fitted.n_features_in_} features as input."
        )
    names = getattr(fitted, "feature_names_in_", None)
    if names is not None and moments.feature_names not in (None, tuple(names)):
        raise ValueError(
            f"The feature names of the moments should match those that were passed during fit of "
            f"{owner}: {list(names)[:5]}. They are {list(moments.feature_names or ())[:5]}."
        )
    n_targets = len(np.atleast_2d(to_numpy(fitted.coef_)))
    if moments.n_targets != n_targets:
        raise ValueError(
            f"The moments have {moments.n_targets} targets, and {owner} was fitted to {n_targets}."
        )


def without_rows(moments: Moments) -> TrainingData:
    """Training data of the shape of moments, with no rows."""
    x, y = np.empty((0, moments.n_features)), np.empty((0, moments.n_targets))
    return TrainingData(x, y, None, 1.0, moments.has_single_target, lambda: None)
