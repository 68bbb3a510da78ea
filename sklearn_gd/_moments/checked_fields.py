"""The fields of moments from plain values, which may come from elsewhere and are checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from sklearn_gd._data.polynomial import monomial_basis

_ARRAYS = (
    *("x_mean", "y_mean", "factor", "target", "residual_norm", "abs_max"),
    *("x_mean_rest", "y_mean_rest", "x_low", "x_high"),
)


def checked_fields(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The fields of moments. Raises a ValueError that names what is wrong."""
    if not isinstance(values, Mapping):
        raise ValueError(
            f"Moments.from_dict needs the dict of to_dict, and got a {type(values).__name__}."
        )
    missing, unknown = set(names) - set(values), set(values) - set(names)
    if missing or unknown:
        raise ValueError(
            f"Moments.from_dict needs the keys of to_dict: {sorted(missing)} are missing, and "
            f"{sorted(map(str, unknown))} are unknown."
        )
    checked = dict(values)
    for name in _ARRAYS:
        if values[name] is not None:
            checked[name] = _finite_array(values[name], name)
    _check_numbers(checked)
    _check_shapes(checked)
    if checked["feature_names"] is not None:
        checked["feature_names"] = tuple(map(str, checked["feature_names"]))
    return checked


def _finite_array(value: Any, name: str) -> np.ndarray:
    """A list of numbers as an array."""
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _wrong(name, "must be a list of numbers") from error
    if not np.isfinite(array).all():
        raise _wrong(name, "must be finite")
    return array


def _check_numbers(checked: dict[str, Any]) -> None:
    """Raise unless the counts and the weight are numbers in their range."""
    for name in ("n_samples", "degree"):
        value = checked[name]
        if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < 1:
            raise _wrong(name, f"must be an int of at least 1, and is {value!r}")
    weight = checked["weight"]
    if not isinstance(weight, Real) or isinstance(weight, bool) or not 0 < float(weight) < np.inf:
        raise _wrong("weight", f"must be a positive finite number, and is {weight!r}")
    log_weight = checked["log_weight"]
    if not isinstance(log_weight, Real) or not np.isfinite(float(log_weight)):
        raise _wrong("log_weight", f"must be a finite number, and is {log_weight!r}")
    for name in ("has_single_target", "interaction_only"):
        if not isinstance(checked[name], bool):
            raise _wrong(name, f"must be true or false, and is {checked[name]!r}")


def _check_shapes(checked: dict[str, Any]) -> None:
    """Raise unless the arrays fit each other. Empty arrays get the shape that lists lose."""
    for name in _ARRAYS[:8]:
        if checked[name] is None:
            raise _wrong(name, "must be a list of numbers")
    n_terms, n_targets = checked["x_mean"].size, checked["y_mean"].size
    for name, columns in (("factor", n_terms), ("target", n_targets)):
        if not checked[name].size:
            checked[name] = checked[name].reshape(0, columns)
    n_rows = len(checked["factor"])
    shapes: dict[str, tuple[int, ...]] = {
        "x_mean": (n_terms,),
        "y_mean": (n_targets,),
        "factor": (n_rows, n_terms),
        "target": (n_rows, n_targets),
        "residual_norm": (n_targets,),
        "abs_max": (n_terms,),
        "x_mean_rest": (n_terms,),
        "y_mean_rest": (n_targets,),
    }
    for name, shape in shapes.items():
        if checked[name].shape != shape:
            raise _wrong(name, f"must have the shape {shape}, and has {checked[name].shape}")
    if n_rows > n_terms or not n_terms or not n_targets:
        raise _wrong("factor", f"must not have more rows than columns, and has {n_rows}")
    n_features = _checked_n_features(checked, n_terms)
    names = checked["feature_names"]
    if names is not None and len(names) != n_features:
        raise _wrong("feature_names", f"must be {n_features} names, and are {len(names)}")


def _checked_n_features(checked: dict[str, Any], n_terms: int) -> int:
    """The number of features. Raises unless the terms are those of a polynomial of them."""
    low, high, degree = (checked[name] for name in ("x_low", "x_high", "degree"))
    for name in ("x_low", "x_high"):
        if (checked[name] is not None) != (degree > 1):
            raise _wrong(name, "must be given if the degree is above 1, and else be None")
    if degree == 1:
        return n_terms
    if low.ndim != 1 or low.shape != high.shape or not (low <= high).all():
        raise _wrong("x_low", "must be as long as x_high, and nowhere above it")
    basis = monomial_basis(low.size, degree, interaction_only=checked["interaction_only"])
    if basis.n_terms != n_terms:
        raise _wrong("x_mean", f"must have {basis.n_terms} terms, and has {n_terms}")
    return int(low.size)


def _wrong(name: str, words: str) -> ValueError:
    """The error for a field."""
    return ValueError(f"{name!r} of Moments.from_dict {words}. Pass what to_dict returned.")
