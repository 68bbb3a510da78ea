"""Saved models: they carry the version of the package, and older ones are read.

Saved state has names, so that a new field breaks no saved model. Version 0.1.0 had positions.
A version cannot know what a later version saved, so that it warns of a newer model.
"""

from __future__ import annotations

import inspect
import re
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import InconsistentVersionWarning

from sklearn_gd._base.version import __version__
from sklearn_gd._estimators.array_attributes import with_numpy_attributes
from sklearn_gd._estimators.fitted_state import FittedState, stacklevel_of_caller

_VERSION_KEY = "_sklearn_gd_version"

_EXPANSION_FIELDS = (
    "center",
    "half_width",
    "degree",
    "interaction_only",
    "is_legendre",
    "coef",
    "intercept",
)
_COORDINATE_FIELDS = ("scale", "inverse_scale", "x_mean", "y_mean", "y_scale")


class NewerModelWarning(InconsistentVersionWarning):
    """The warning that a model was saved by a newer version of this package."""

    def __str__(self) -> str:
        return (
            f"This {self.estimator_name} was saved by sklearn_gd {self.original_sklearn_version}, "
            f"and sklearn_gd {self.current_sklearn_version} reads it. An older version may read a "
            "newer model wrongly. Install "
            f"sklearn_gd>={self.original_sklearn_version}, or fit the model again."
        )


class VersionedStateMixin:
    """Adds the version of the package to what is saved, and reads what older versions saved."""

    def __getstate__(self) -> FittedState:
        state: FittedState = super().__getstate__()  # type: ignore[assignment]
        return {**with_numpy_attributes(state), _VERSION_KEY: __version__}

    def __setstate__(self, state: FittedState) -> None:
        saved_by = state.get(_VERSION_KEY, __version__)
        if _release(saved_by) > _release(__version__):
            warnings.warn(
                NewerModelWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=__version__,
                    original_sklearn_version=saved_by,
                ),
                stacklevel=stacklevel_of_caller(),
            )
        # parameters that are younger than the model have their defaults
        super().__setstate__({**_defaults(type(self)), **upgrade(state)})  # type: ignore[misc]


def _defaults(kind: type) -> FittedState:
    """The default values of the parameters of a class."""
    parameters = inspect.signature(kind).parameters.items()
    return {name: each.default for name, each in parameters if each.default is not each.empty}


def _release(version: str) -> list[int]:
    """The numbers of a version, without what marks it as a development version."""
    match = re.match(r"\d+(\.\d+)*", version)
    return [int(number) for number in match.group().split(".")] if match else []


def upgrade(state: FittedState) -> FittedState:
    """The state of a saved regressor, in the names of this version."""
    state = {name: value for name, value in state.items() if name != _VERSION_KEY}
    if "_terms_" in state:
        state["_expansion_"] = dict(zip(_EXPANSION_FIELDS, state.pop("_terms_"), strict=True))
    if "_stream_" in state:
        stream = state.pop("_stream_")
        state["_partial_fit_state_"] = {
            **dict(zip(_COORDINATE_FIELDS, stream["coordinates"], strict=True)),
            "y_deviation": stream["spread"],
            "optimizers": [
                {"optimizer": _with_problem_axis(optimizer), "scheduler": scheduler}
                for optimizer, scheduler in stream["optimizers"]
            ],
        }
    state.pop("feature_names_out_", None)  # it is a property now
    kept = state.get("_partial_fit_state_")
    if kept is not None and "factor" in kept and "n_samples" not in kept:
        del state["_partial_fit_state_"]  # moments that were not counted cannot be merged
    elif kept is not None and "factor" in kept:  # what rounding takes from means was not kept
        rests = {f"{name}_rest": np.zeros_like(kept[name]) for name in ("x_mean", "y_mean")}
        state["_partial_fit_state_"] = rests | kept
    return state


def _with_problem_axis(state: Any) -> Any:
    """The state of an optimizer of parameters (runs, targets, coordinates), with a fourth axis."""
    if isinstance(state, dict):
        return {key: _with_problem_axis(value) for key, value in state.items()}
    return state[None] if getattr(state, "ndim", 0) == 3 else state
