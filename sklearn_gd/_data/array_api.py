"""The array API: arrays of other libraries than NumPy, such as torch tensors, in and out.

With ``sklearn.config_context(array_api_dispatch=True)`` results belong to the namespace (the
library) and the device of X. Training needs NumPy. So the gate for data turns X into NumPy, and
fitted arrays are moved back where they are assigned. Predictions are computed where X is.

Only this file imports what scikit-learn has for this, most of which is private.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator
from sklearn.externals.array_api_compat import is_array_api_obj
from sklearn.externals.array_api_compat import numpy as numpy_namespace
from sklearn.utils._array_api import check_same_namespace as _check_same_namespace
from sklearn.utils._array_api import get_namespace_and_device, move_to


class Namespace(NamedTuple):
    """The library and the device of an array."""

    xp: Any = numpy_namespace  # its functions, as the standard names them
    device: Any = None

    @classmethod
    def of(cls, X: Any) -> Namespace:
        """Where results for ``X`` belong: NumPy, unless dispatch is on and X is another array."""
        if not is_dispatched(X):
            return NUMPY
        xp, _, device = get_namespace_and_device(X)
        return cls(xp, device)

    @property
    def is_numpy(self) -> bool:
        """Whether it is NumPy."""
        return self.xp is numpy_namespace

    @property
    def float_dtypes(self) -> list[Any]:
        """The dtypes in which rows are predicted: float64, if the device has it, and float32."""
        known = self.xp.__array_namespace_info__().dtypes(kind="real floating", device=self.device)
        return [known[name] for name in ("float64", "float32") if name in known]

    def take(self, values: Any) -> Any:
        """An array of any namespace in this one, not copied if it is here. A float stays."""
        if self.is_numpy or not is_array(values):
            return to_numpy(values)
        if isinstance(values, np.ndarray | np.generic) and not values.flags.carray:
            # torch takes neither scalars nor read-only memory, and 2.10 aborts at negative strides
            values = np.array(values, order="C")
        with config_context(array_api_dispatch=True):
            return move_to(values, xp=self.xp, device=self.device)

    def predict(self, X: Any, coef: Any, intercept: Any) -> Any:
        """``X @ coef.T + intercept``, with arrays of this namespace."""
        if not self.is_numpy:  # the standard has no products of different dtypes
            dtype = self.xp.result_type(X.dtype, coef.dtype)
            X, coef = self.as_type(X, dtype), self.as_type(coef, dtype)
        return X @ (coef if coef.ndim == 1 else coef.T) + intercept

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array that is not filled yet."""
        return self.xp.empty(shape, dtype=dtype, device=self.device)

    def as_type(self, array: Any, dtype: Any) -> Any:
        """An array in a dtype, not copied if it has it."""
        return self.xp.astype(array, dtype, copy=False)


NUMPY = Namespace()


def is_dispatched(values: object) -> bool:
    """Whether values keep their namespace: an array of another library, with dispatch on."""
    return _is_of_other_library(values) and bool(get_config()["array_api_dispatch"])


def to_numpy(values: Any) -> Any:
    """An array of any namespace as NumPy, with dispatch on or off. Anything else as it is."""
    if not _is_of_other_library(values):
        return values
    with config_context(array_api_dispatch=True):
        return move_to(values, xp=numpy_namespace, device="cpu")[()]  # a scalar, if 0-d


def is_array(values: object) -> bool:
    """Whether values are an array, or a NumPy scalar."""
    return bool(is_array_api_obj(values))


def check_same_namespace(estimator: BaseEstimator, X: Any) -> None:
    """Raise if the rows to predict are not where the fitted arrays are."""
    if is_dispatched(X) or is_dispatched(estimator.coef_):
        _check_same_namespace(X, estimator, attribute="coef_", method="predict")


def _is_of_other_library(values: object) -> bool:
    """Whether values are an array, and not of NumPy."""
    return is_array(values) and not isinstance(values, np.ndarray | np.generic)
