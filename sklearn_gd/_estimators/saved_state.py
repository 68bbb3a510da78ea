"""Reading models that older versions saved.

Saved state has names, so that a new field breaks no saved model. Version 0.1.0 had positions.
"""

from __future__ import annotations

from typing import Any

from sklearn_gd._estimators.fitted_state import FittedState

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


def upgrade(state: FittedState) -> FittedState:
    """The state of a saved regressor, in the names of this version."""
    state = dict(state)
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
    kept = state.get("_partial_fit_state_")
    if kept is not None and "factor" in kept and "n_samples" not in kept:
        del state["_partial_fit_state_"]  # moments that were not counted cannot be merged
    return state


def _with_problem_axis(state: Any) -> Any:
    """The state of an optimizer of parameters (runs, targets, coordinates), with a fourth axis."""
    if isinstance(state, dict):
        return {key: _with_problem_axis(value) for key, value in state.items()}
    return state[None] if getattr(state, "ndim", 0) == 3 else state
