"""When an estimator has `partial_fit`."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from sklearn.base import BaseEstimator


class UnavailableError(AttributeError, ValueError):
    """A method was called that the parameters of the estimator rule out."""


class AvailableInParts:
    """A method that the estimator has unless it needs all rows at once."""

    def __init__(self, method: Callable[..., Any]):
        self.method = method
        self.__doc__ = method.__doc__

    def __get__(self, estimator: BaseEstimator, owner: type) -> Any:
        if estimator is None:
            return self.method
        if estimator.early_stopping:
            raise UnavailableError(
                "partial_fit does not support early_stopping=True, which needs rows to hold out. "
                "Set early_stopping=False."
            )
        if getattr(estimator, "average", False) and estimator._keeps_moments():
            raise UnavailableError(
                "partial_fit does not support average without batches: it fits all rows seen so "
                "far, from coef_. Set 'batch_size' for an average over the steps of all calls, or "
                "average=False."
            )
        if (
            estimator.optimizer == "lbfgs"
            or getattr(estimator.optimizer, "__name__", "") == "LBFGS"
        ):
            raise UnavailableError(
                "partial_fit does not support optimizer='lbfgs', whose estimates of the curvature "
                "need the same rows every time. Use 'sgd' or 'adam', or fit."
            )
        needs_moments = estimator._keeps_moments() and hasattr(estimator, "coef_")
        if needs_moments and estimator._partial_fit_state() is None:
            raise UnavailableError(
                "partial_fit fits all rows seen so far, and fit did not keep the moments of its "
                "rows. Begin with partial_fit on a new estimator, or set 'batch_size' for a pass "
                "of gradient descent from coef_."
            )
        return MethodType(self.method, estimator)
