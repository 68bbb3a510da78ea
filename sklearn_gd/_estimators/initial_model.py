"""Where a fit starts that does not start at zero."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from sklearn_gd._data.validation import as_numpy
from sklearn_gd._estimators.fit_inputs import FitInputs, check_same_shape
from sklearn_gd._estimators.fitted_state import replace_fitted_attributes, with_target_axis

if TYPE_CHECKING:
    from sklearn_gd._estimators.base import GDRegressor


def warm_start(estimator: GDRegressor, inputs: FitInputs) -> tuple[np.ndarray, np.ndarray | None]:
    """Where a warm start begins. Raises if the shapes have changed."""
    check_same_shape(estimator, inputs.data)
    features = inputs.data.x.shape[1]
    n_terms = features if inputs.basis is None else inputs.basis.n_terms
    if not hasattr(estimator, "n_features_in_") and estimator.coef_.shape[-1] != n_terms:
        owner, n_coefficients = type(estimator).__name__, estimator.coef_.shape[-1]
        raise ValueError(
            f"coef_ of {owner} has {n_coefficients} coefficients, and this fit has {n_terms}. Set "
            "coef_ to that many, or call fit with warm_start=False."
        )
    return estimator._fitted_model(inputs.basis)


def initial_model(
    estimator: GDRegressor,
    inputs: FitInputs,
    coef_init: ArrayLike | None,
    intercept_init: ArrayLike | None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """The model in the basis of the fit. The intercept is None if the data shall give it."""
    owner, data = type(estimator).__name__, inputs.data
    targets = () if data.has_single_target else (data.y.shape[1],)
    n_terms = data.x.shape[1] if inputs.basis is None else inputs.basis.n_terms
    coef = np.zeros((*targets, n_terms))
    if coef_init is not None:
        coef = _checked(coef_init, "coef_init", coef.shape, owner)
    intercept = np.zeros(targets if estimator.fit_intercept else ())
    if intercept_init is not None:
        intercept = _checked(intercept_init, "intercept_init", intercept.shape, owner)
        if not estimator.fit_intercept and intercept.any():
            raise ValueError(
                f"intercept_init of {owner} must be None or 0 with fit_intercept=False. Got "
                f"{intercept_init!r} instead."
            )
    start = copy.copy(estimator)
    replace_fitted_attributes(start, {"coef_": coef, "intercept_": intercept})
    coef, intercept = with_target_axis(*start._fitted_model(inputs.basis))
    return coef, intercept if intercept_init is not None or not estimator.fit_intercept else None


def _checked(values: ArrayLike, name: str, shape: tuple[int, ...], owner: str) -> np.ndarray:
    """Values as finite float64 of exactly this shape, or an error that names them."""
    try:
        array = np.asarray(as_numpy(values, name), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} of {owner} must be numbers ({error}).") from error
    if array.shape != shape:
        attribute = name.replace("init", "")
        raise ValueError(
            f"{name} of {owner} has shape {array.shape}, and {attribute} of this fit has shape "
            f"{shape}. Pass an array of that shape."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} of {owner} contains NaN or infinity.")
    return array
