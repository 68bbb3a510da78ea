"""The one gate for data: what the user passes becomes checked NumPy arrays or a CSR matrix."""

from __future__ import annotations

from collections.abc import KeysView, Mapping, Sequence, Set, ValuesView
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_array
from sklearn.utils.validation import _check_sample_weight, validate_data

from sklearn_gd._base.types import MatrixLike
from sklearn_gd._data.array_api import (
    Namespace,
    check_same_namespace,
    is_dispatched,
    to_numpy,
)
from sklearn_gd._data.text_columns import text_told
from sklearn_gd._data.training_data import SMALL_ENTRIES, TrainingData


def check_training_data(
    estimator: BaseEstimator,
    X: MatrixLike,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    *,
    reset: bool = True,
) -> TrainingData:
    """Validate X, y and weights. Sets ``n_features_in_`` and names on ``estimator``.

    A large X is not searched for NaN here. The caller reads that from what it computes, and
    calls ``check_finite`` when in doubt.
    """
    _check_container(X)
    namespace = Namespace.of(X)
    frame = X
    X, y = as_numpy(X, "X"), as_numpy(y, "y")
    with text_told(frame, y):
        X, y = validate_data(
            estimator,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            multi_output=True,
            y_numeric=True,
            reset=reset,
        )

    def check_finite() -> None:
        return check_array(X, accept_sparse="csr", estimator=estimator, input_name="X")

    if (X.nnz if sparse.issparse(X) else X.size) <= SMALL_ENTRIES:
        check_finite()
    if sparse.issparse(y):
        raise TypeError("Sparse targets are not supported: pass y.toarray() instead.")
    weight, weight_unit = None, 1.0
    if sample_weight is not None:
        weight = _check_sample_weight(
            as_numpy(sample_weight, "sample_weight"),
            X,
            dtype=np.float64,
            ensure_non_negative=True,
        )
        weight_unit = float(weight.max())
        weight = weight / weight_unit
    targets = np.asarray(y, dtype=np.float64)
    if X.dtype == np.float32:
        _check_targets_fit_float32(targets)
    has_single_target = targets.ndim == 1
    return TrainingData(
        X,
        targets.reshape(len(targets), -1),
        weight,
        weight_unit,
        has_single_target,
        check_finite,
        namespace,
    )


def _check_targets_fit_float32(targets: np.ndarray) -> None:
    """Raise if a target is below the range of the coefficients, which would all become 0."""
    least = float(np.finfo(np.float32).tiny)
    largest = np.atleast_1d(abs(targets).max(axis=0))
    too_small = largest[(largest > 0) & (largest < least)]
    if len(too_small):
        raise ValueError(
            f"The targets are too small for coefficients in float32, the dtype of X: the largest "
            f"absolute value of a target is {too_small[0]:.3g}, and the smallest normal number of "
            f"float32 is {least:.3g}. Pass X as float64, or y in smaller units."
        )


def check_unfitted_data(
    owner: str, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[TrainingData, tuple[str, ...] | None]:
    """Validate X, y and weights without an estimator. Returns the feature names too."""
    checked = type(owner, (RegressorMixin, BaseEstimator), {})()
    data = check_training_data(checked, X, y, sample_weight)
    names = getattr(checked, "feature_names_in_", None)
    return data, None if names is None else tuple(names.tolist())


def check_rows(estimator: BaseEstimator, X: MatrixLike) -> Any:
    """Validate rows against what was fitted. They become NumPy or sparse."""
    with text_told(X):
        return validate_data(
            estimator, as_numpy(X, "X"), accept_sparse=["csr", "csc", "coo"], reset=False
        )


def check_rows_to_predict(estimator: BaseEstimator, X: Any) -> tuple[Any, Namespace]:
    """Validate rows against what was fitted. They stay in their namespace, which is told."""
    check_same_namespace(estimator, X)
    namespace = Namespace.of(X)
    if namespace.is_numpy:
        return check_rows(estimator, X), namespace
    if _is_tensor(X):
        _check_tensor(X, "X")
    if namespace.xp.isdtype(X.dtype, "complex floating"):  # scikit-learn asks this of NumPy only
        raise ValueError("Complex data not supported. Pass real numbers as X.")
    X = validate_data(estimator, X, dtype=namespace.float_dtypes, reset=False)
    return X, namespace


def follow(values: Any, name: str, namespace: Namespace) -> Any:
    """Numbers in the namespace of X, where that is not NumPy. Metrics move arrays themselves."""
    if namespace.is_numpy or values is None or is_dispatched(values):
        return values
    return namespace.take(np.asarray(as_numpy(values, name), dtype=np.float64))


def as_numpy(values: Any, name: str) -> Any:
    """An array of torch, Arrow, or dispatched to by scikit-learn, as NumPy; the rest as it is."""
    if _is_tensor(values):
        _check_tensor(values, name)
        # NumPy has no bfloat16
        values = values.double() if str(values.dtype) == "torch.bfloat16" else values
        return values.cpu().numpy()
    if _is_from("pyarrow", values) and hasattr(values, "to_numpy"):
        return values.to_numpy(zero_copy_only=False)
    return to_numpy(values) if is_dispatched(values) else values


def _check_container(X: MatrixLike) -> None:
    """Raise for containers that are no arrays, where NumPy would raise a TypeError."""
    is_lazy = type(X).__name__ == "LazyFrame"
    has_values = isinstance(X, Sequence | Number | None) or any(
        hasattr(X, name) for name in ("__array__", "__array_interface__", "__len__", "shape")
    )
    # a sparse array of the format DOK is a dict
    is_no_array = isinstance(X, Mapping | Set | KeysView | ValuesView | type)
    if is_lazy or ((is_no_array or not has_values) and not sparse.issparse(X)):
        remedy = "X.collect()" if is_lazy else "an array or a data frame"
        name = X.__name__ if isinstance(X, type) else type(X).__name__
        raise ValueError(f"Expected 2D array-like X, got {name} instead. Pass {remedy}.")
    field_names = getattr(getattr(X, "dtype", None), "names", None)
    if field_names:
        raise ValueError(
            "Expected 2D array of numbers, got a structured array with the fields "
            f"{list(field_names)} instead. "
            "Pass numpy.lib.recfunctions.structured_to_unstructured(X)."
        )


def _is_from(package: str, values: object) -> bool:
    """Whether the class of an object is from a package, which need not be installed."""
    return type(values).__module__.partition(".")[0] == package


def _is_tensor(values: object) -> bool:
    """Whether an object is a torch tensor."""
    return _is_from("torch", values) and hasattr(values, "requires_grad")


def _check_tensor(values: Any, name: str) -> None:
    """Raise a sentence for a torch tensor that cannot become an array."""
    if values.device.type != "cpu" and not is_dispatched(values):
        raise TypeError(
            f"{name} is a torch tensor on {str(values.device)!r}. Pass {name}.cpu(), or enable "
            "array API dispatch; the 'device' parameter says where the descent runs."
        )
    if values.requires_grad:
        raise TypeError(
            f"{name} is a torch tensor that requires grad, and gradients are not passed on to "
            f"it. Pass {name}.detach()."
        )
    if str(values.layout) != "torch.strided":
        raise TypeError(
            f"{name} is a sparse torch tensor. Pass {name}.to_dense() or a SciPy sparse matrix."
        )
