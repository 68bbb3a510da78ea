"""The result of a fit as the fitted attributes of an estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sklearn_gd._data.array_api import to_numpy
from sklearn_gd._estimators.array_attributes import in_namespace
from sklearn_gd._estimators.fit_inputs import FitInputs
from sklearn_gd._estimators.fitted_state import FittedState

if TYPE_CHECKING:
    from sklearn_gd._estimators.base import GDRegressor
    from sklearn_gd._training.result import FitResult


def model_attributes(
    estimator: GDRegressor, inputs: FitInputs, coef: np.ndarray, intercept: np.ndarray
) -> FittedState:
    """The fitted attributes that `predict` needs."""
    data, checked = inputs.data, inputs.checked
    coef, intercept, further = estimator._to_user_terms(inputs, coef, intercept)
    with np.errstate(over="ignore"):
        coef, intercept = coef.astype(data.dtype), intercept.astype(data.dtype)
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ValueError(
            f"The coefficients of {type(estimator).__name__} in the units of X overflow "
            f"{data.dtype}. Pass X as float64, or bring X and y to a moderate scale."
        )
    names = ("n_features_in_", "feature_names_in_")
    fitted_intercept: float | np.ndarray = intercept[0] if data.has_single_target else intercept
    return {
        **{name: getattr(checked, name) for name in names if hasattr(checked, name)},
        **further,
        "coef_": coef[0] if data.has_single_target else coef,
        "intercept_": fitted_intercept if estimator.fit_intercept else 0.0,
    }


def curve_attributes(estimator: GDRegressor, curve: np.ndarray, *, goes_on: bool) -> FittedState:
    """The fitted attributes that count epochs, over all calls."""
    if goes_on and hasattr(estimator, "loss_curve_"):
        curve = np.concatenate([to_numpy(estimator.loss_curve_), curve])
    return {"loss_curve_": curve, "n_iter_": len(curve)}


def fitted_attributes(
    estimator: GDRegressor, inputs: FitInputs, result: FitResult, *, goes_on: bool
) -> FittedState:
    """All fitted attributes."""
    state = {
        **model_attributes(estimator, inputs, result.coef, result.intercept),
        **curve_attributes(estimator, result.loss_curve, goes_on=goes_on),
        "loss_": result.loss,
        "lr_": result.lr,
        "max_stable_lr_": result.max_stable_lr,
        "precondition_": result.precondition,
        "diverged_": result.diverged,
    }
    if result.validation_curve is not None:
        earlier = getattr(estimator, "validation_loss_curve_", []) if goes_on else []
        curve = np.concatenate([to_numpy(earlier), result.validation_curve])
        state["validation_loss_curve_"] = curve
        before = state["n_iter_"] - len(result.loss_curve)
        state["best_epoch_"] = before + result.best_epoch
    return in_namespace(state, inputs.data.namespace)
