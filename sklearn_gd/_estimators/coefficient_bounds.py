"""From the parameters `positive` and `bounds` to an interval for each coefficient.

Each of them is one value for all coefficients, a sequence of one for each, or a mapping from
names. ``positive=True`` is the interval from 0 on. The intervals of both are intersected.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_gd._base.bounds import Bounds
from sklearn_gd._base.parameters import boolean, interval
from sklearn_gd._data.polynomial import polynomial_features

_Interval = tuple[float, float]
# for all coefficients, by position, or by name
_Intervals = _Interval | list[_Interval] | dict[str, _Interval]

NO_BOUND = {"positive": False, "bounds": None}


def bounding_parameters(estimator: BaseEstimator) -> list[str]:
    """Those of the two parameters that bound any coefficient."""
    return [
        name
        for name, intervals in _intervals(estimator).items()
        if np.isfinite(_listed(intervals)).any()
    ]


def coefficient_bounds(estimator: BaseEstimator, owner: str) -> Bounds | None:
    """The bounds of an estimator that knows its features, if there are any.

    Raises if the parameters name or count other coefficients, or leave a coefficient no value.
    """
    tables = [
        _table(estimator, name, intervals, owner)
        for name, intervals in _intervals(estimator).items()
    ]
    low, high = np.maximum(*(table[0] for table in tables)), np.minimum(*(t[1] for t in tables))
    if (low > high).any():
        k = int((low > high).argmax())
        raise ValueError(
            f"positive and bounds of {owner} leave no value for the coefficient "
            f"{_term_names(estimator)[k]!r}: it is at least {low[k]:g} and at most {high[k]:g}. "
            "Change one of them."
        )
    names = bounding_parameters(estimator)
    if not names:
        return None
    cause = f"{' and '.join(names)} are given"
    if names == ["positive"]:
        cause = "positive=True" if boolean().holds(estimator.positive) else "positive is given"
    return Bounds(low, high, cause)


def adapt_to_terms(regressors: Sequence[BaseEstimator], checked: BaseEstimator, owner: str) -> None:
    """Give the regressors of a search the features, and the names of terms that each of them has.

    A mapping names terms of any degree of the search. Raises for a name that no degree has.
    """
    for regressor in regressors:
        regressor.n_features_in_ = checked.n_features_in_
        if hasattr(checked, "feature_names_in_"):
            regressor.feature_names_in_ = checked.feature_names_in_
    for parameter, default in NO_BOUND.items():
        given = getattr(regressors[0], parameter)
        if not isinstance(given, Mapping):
            continue
        terms = [_term_names(regressor) for regressor in regressors]
        _check_names(parameter, given, list(dict.fromkeys(chain(*terms))), owner)
        for regressor, names in zip(regressors, terms, strict=True):
            kept = {name: given[name] for name in names if name in given}
            regressor.set_params(**{parameter: kept or default})


def _intervals(estimator: BaseEstimator) -> dict[str, _Intervals]:
    """The intervals that the two parameters stand for."""
    positive, bounds = (getattr(estimator, name, value) for name, value in NO_BOUND.items())
    return {
        "positive": _each(
            positive, boolean().holds, lambda is_positive: (0.0 if is_positive else None, None)
        ),
        "bounds": _each((None, None) if bounds is None else bounds, interval().holds, tuple),
    }


def _each(
    given: Any, is_single: Callable[[Any], bool], to_pair: Callable[[Any], tuple[Any, Any]]
) -> _Intervals:
    """The intervals of a value for all coefficients, or of a value for each."""

    def read(value: Any) -> _Interval:
        low, high = to_pair(value)
        return -math.inf if low is None else float(low), math.inf if high is None else float(high)

    if is_single(given):
        return read(given)
    if isinstance(given, Mapping):
        return {name: read(value) for name, value in given.items()}
    return [read(value) for value in given]


def _listed(intervals: _Intervals) -> list[_Interval]:
    """All intervals, without their names."""
    if isinstance(intervals, dict):
        return list(intervals.values())
    return intervals if isinstance(intervals, list) else [intervals]


def _table(
    estimator: BaseEstimator, parameter: str, intervals: _Intervals, owner: str
) -> np.ndarray:
    """The lower and the upper bound of each coefficient, (2, terms)."""
    n_terms = _n_terms(estimator)
    table = np.tile([-math.inf, math.inf], (n_terms, 1))
    if isinstance(intervals, dict):
        names = _term_names(estimator)
        _check_names(parameter, intervals, names, owner)
        position = {name: k for k, name in enumerate(names)}
        for name, pair in intervals.items():
            table[position[name]] = pair
        return table.T
    if isinstance(intervals, list) and len(intervals) != n_terms:
        raise ValueError(
            f"{parameter} of {owner} has {len(intervals)} elements, and there are {n_terms} "
            "coefficients. Pass an element for each coefficient, or a dict from their names."
        )
    table[:] = intervals
    return table.T


def _check_names(
    parameter: str, given: Mapping[str, Any], names: Sequence[str], owner: str
) -> None:
    """Raise for names that are not those of one coefficient each."""
    count = Counter(names)
    unknown = [name for name in given if name not in count]
    repeated = [name for name in given if count[name] > 1]
    if repeated:
        raise ValueError(
            f"{parameter} of {owner} names {repeated}, and several coefficients have this name. "
            "Rename the features, or pass an element for each coefficient."
        )
    if unknown:
        few = ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")
        raise ValueError(
            f"{parameter} of {owner} contains unexpected names of coefficients: {unknown}. The "
            f"names of the coefficients are {few}."
        )


def _n_terms(estimator: BaseEstimator) -> int:
    """The number of coefficients."""
    if not hasattr(estimator, "_monomials"):  # a linear model
        return int(estimator.n_features_in_)
    return int(estimator._monomials(int(estimator.n_features_in_)).n_terms)


def _term_names(estimator: BaseEstimator) -> Sequence[str]:
    """The names of the coefficients, as `feature_names_out_` and `feature_names_in_` are."""
    features = getattr(estimator, "feature_names_in_", None)
    if features is None:
        features = [f"x{k}" for k in range(estimator.n_features_in_)]
    if not hasattr(estimator, "_monomials"):
        return tuple(features)
    basis = estimator._monomials(len(features))
    return _names_of_products(
        tuple(features), basis.degree, basis.interaction_only, basis.min_degree
    )


@lru_cache(maxsize=32)  # a search asks for each of its candidates, and names of products are slow
def _names_of_products(
    features: tuple[str, ...], degree: int, interaction_only: bool, min_degree: int
) -> Sequence[str]:
    """The names of the products of features, as PolynomialFeatures names them."""
    expansion = polynomial_features(len(features), degree, interaction_only, min_degree)
    return tuple(expansion.get_feature_names_out(features))
