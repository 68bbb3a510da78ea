"""Fitted attributes: their names, and how a fit replaces them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_gd._data.array_api import to_numpy

FittedState = dict[str, Any]  # fitted attributes by name


def replace_fitted_attributes(estimator: BaseEstimator, state: FittedState) -> None:
    """Replace all fitted attributes at once, so that no exception leaves half of a fit."""
    kept = {name: value for name, value in vars(estimator).items() if not is_fitted_name(name)}
    estimator.__dict__ = kept | state


def stacklevel_of_caller() -> int:
    """The stack level of the code that called into this package."""
    frame, level = sys._getframe(1), 1
    inside = ("sklearn_gd.", "sklearn.callback.")
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(inside):
        frame, level = frame.f_back, level + 1
    return level


def is_fitted_name(name: str) -> bool:
    """Whether an attribute of this name comes from a fit."""
    return name.endswith("_") and not name.startswith("__")


def with_target_axis(coef: np.ndarray, intercept: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and intercepts as NumPy in float64, with an axis of targets."""
    coef = np.atleast_2d(np.asarray(to_numpy(coef), dtype=np.float64))
    return coef, np.array(np.broadcast_to(to_numpy(intercept), len(coef)), dtype=np.float64)
