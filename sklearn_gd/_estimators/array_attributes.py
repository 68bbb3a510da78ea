"""Fitted arrays: in the namespace of X while the model lives, and NumPy where it is saved.

Private fitted attributes are NumPy always. What reads fitted arrays takes them as NumPy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from sklearn_gd._data.array_api import Namespace, is_array, to_numpy
from sklearn_gd._estimators.fitted_state import FittedState, is_fitted_name

Convert = Callable[[Any], Any]


def in_namespace(state: FittedState, namespace: Namespace) -> FittedState:
    """Fitted attributes with their arrays in a namespace."""
    return state if namespace.is_numpy else _converted(state, namespace.take)


def with_numpy_attributes(state: FittedState) -> FittedState:
    """Fitted attributes with their arrays as NumPy."""
    return _converted(state, to_numpy)


def _converted(state: FittedState, convert: Convert) -> FittedState:
    """Fitted attributes with their arrays converted: public arrays of numbers."""
    converted = {name: convert(value) for name, value in state.items() if _is_array(name, value)}
    if isinstance(state.get("best_estimator_"), ArrayAttributesMixin):
        best = state["best_estimator_"]
        converted["best_estimator_"] = best.__sklearn_array_api_convert__(convert)
    return state | converted


def _is_array(name: str, value: object) -> bool:
    """Whether a fitted attribute belongs to the namespace of X."""
    if name.startswith("_") or not is_fitted_name(name) or not is_array(value):
        return False
    if isinstance(value, np.ndarray):
        return value.dtype != object  # names are in no namespace
    # scores and losses are numbers, and the intercept of one target is an array of one
    return not isinstance(value, np.generic) or name == "intercept_"


class ArrayAttributesMixin:
    """Copies of an estimator keep the namespace of its arrays, and scikit-learn can move them."""

    def __copy__(self) -> Self:
        return self._with_attributes(vars(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = memo[id(self)] = self._with_attributes({})
        vars(new).update(copy.deepcopy(vars(self), memo))
        return new

    def __sklearn_array_api_convert__(self, convert: Convert) -> Self:
        """A copy with converted arrays, for `move_estimator_to` of scikit-learn."""
        return self._with_attributes(_converted(vars(self), convert))

    def _with_attributes(self, attributes: FittedState) -> Self:
        """A new object of this class with these attributes."""
        new = type(self).__new__(type(self))
        vars(new).update(attributes)
        return new
