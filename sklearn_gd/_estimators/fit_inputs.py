"""What a fit needs of an estimator and its data, checked."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_gd._base.types import MatrixLike
from sklearn_gd._data.array_api import to_numpy
from sklearn_gd._data.dask_blocks import is_collection
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData, hold_out
from sklearn_gd._data.validation import check_training_data
from sklearn_gd._estimators.fit_options import fit_options
from sklearn_gd._estimators.fitted_state import FittedState
from sklearn_gd._estimators.moments_input import (
    check_one_moments,
    check_takes_collection,
    check_takes_moments,
    check_terms,
    take_features,
    without_rows,
)
from sklearn_gd._moments.moments import Moments

if TYPE_CHECKING:
    from sklearn_gd._estimators.base import GDRegressor
    from sklearn_gd._training.options import FitOptions


class FitInputs(NamedTuple):
    """What a fit needs of an estimator and its data, checked."""

    checked: BaseEstimator  # a copy of the estimator that knows the features
    data: TrainingData  # without rows, if there are moments in their place
    validation: TrainingData | None
    basis: PolynomialBasis | None
    options: FitOptions
    seed: int
    moments: Moments | None = None  # in place of the rows of data

    @property
    def n_rows(self) -> int:
        """Number of rows of positive weight."""
        return self.data.n_weighted if self.moments is None else self.moments.n_samples


def fit_inputs(
    estimator: GDRegressor,
    X: MatrixLike | Moments,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    random_state: np.random.RandomState,
    *,
    holds_out: bool,
    keeps_features: bool = False,
    merges: bool = False,
    earlier: FittedState | None = None,
) -> FitInputs:
    """Check the data, and put together what a fit needs of them.

    ``holds_out`` says whether rows may be held out for validation, ``keeps_features``
    whether the features must be those of the earlier fit. ``earlier`` is the state of a
    stream that goes on, and ``merges`` says that its state is the moments of all rows.
    """
    checked = copy.copy(estimator)
    check_one_moments(estimator, X)
    moments = None
    if isinstance(X, Moments):
        moments = _check_moments(estimator, X, y, sample_weight)
        take_features(checked, moments)
        data = without_rows(moments)
    else:
        data = check_training_data(checked, X, y, sample_weight, reset=not keeps_features)
    validation = None
    if holds_out:
        owner = type(estimator).__name__
        data, validation = hold_out(data, estimator.validation_fraction, random_state, owner)
    if merges:
        moments = _merged_moments(estimator, checked, data, moments, earlier)
    if earlier is None or merges:
        basis = estimator._basis(data if moments is None else moments)
    else:
        basis = estimator._fitted_basis()
    seed = int(random_state.randint(2**31 - 1))
    # the copy that knows the features, because bounds may name them
    options = fit_options(checked)
    return FitInputs(checked, data, validation, basis, options, seed, moments)


def gathered(
    estimator: GDRegressor, X: Any, y: Any, sample_weight: Any, *, is_fit: bool = True
) -> tuple[Any, Any, Any]:
    """X, y and weights, where the moments of a Dask collection take the place of its rows."""
    if not is_collection(X):
        return X, y, sample_weight
    check_takes_collection(
        estimator,
        early_stopping=is_fit and bool(estimator.early_stopping),
        needs_squared_error=is_fit,
    )
    degree, interaction_only = estimator._terms()
    moments = Moments.of(X, y, sample_weight, degree=degree, interaction_only=interaction_only)
    return moments, None, None


def check_same_shape(estimator: GDRegressor, data: TrainingData) -> None:
    """Raise unless the data have the features and targets of the earlier fit."""
    targets, features = data.y.shape[1], data.x.shape[1]
    # coefficients may have been set by hand, without a fit
    n_features = getattr(estimator, "n_features_in_", features)
    coef = to_numpy(estimator.coef_)
    before = coef.size // coef.shape[-1], n_features
    if before != (targets, features):
        raise ValueError(
            f"This continues from a fit of {before[0]} targets on {before[1]} features, but y "
            f"has {targets} targets and X has {features} features. Call fit with "
            "warm_start=False to start afresh."
        )


def _check_moments(
    estimator: GDRegressor, moments: Moments, y: object, sample_weight: object
) -> Moments:
    """Moments in place of X, of the terms that this estimator needs or more."""
    check_takes_moments(estimator, y, sample_weight, early_stopping=bool(estimator.early_stopping))
    degree, interaction_only = estimator._terms()
    check_terms(type(estimator).__name__, moments, degree, interaction_only=interaction_only)
    return moments


def _merged_moments(
    estimator: GDRegressor,
    checked: BaseEstimator,
    data: TrainingData,
    moments: Moments | None,
    earlier: FittedState | None,
) -> Moments:
    """The moments of new rows, with those of the earlier rows of a stream."""
    from sklearn_gd._moments.arithmetic import at_degree, moments_of

    degree, interaction_only = estimator._terms()
    if moments is None:
        names = getattr(checked, "feature_names_in_", None)
        moments = moments_of(
            data,
            degree,
            feature_names=None if names is None else tuple(names.tolist()),
            interaction_only=interaction_only,
            device=str(estimator.device),
        )
    moments = at_degree(moments, degree)
    if earlier is None:
        return moments
    estimator._check_same_terms()
    check_same_shape(estimator, data)
    return Moments(**earlier) + moments
