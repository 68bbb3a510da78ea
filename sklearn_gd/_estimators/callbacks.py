"""Epochs as tasks of the callbacks of scikit-learn. Only this file imports `sklearn.callback`.

`sklearn.callback` is public but experimental. Every fit makes the root task, which
meta-estimators need. Tasks of epochs are made only if there are callbacks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.callback import (
    CallbackSupportMixin,
    ProgressBar,
    ScoringMonitor,
    with_callbacks,
)

from sklearn_gd._base.types import MatrixLike
from sklearn_gd._estimators.fitted_state import FittedState
from sklearn_gd._moments.moments import Moments

__all__ = ["CallbackSupportMixin", "FitTask", "with_callbacks", "with_progress_bar"]

Fitted = TypeVar("Fitted")


class FitTask:
    """The task of a fit, and of each of its epochs."""

    def __init__(
        self,
        estimator: BaseEstimator,
        X: MatrixLike | Moments | Sequence[Moments],
        y: ArrayLike | None,
        sample_weight: ArrayLike | None,
        epochs: int,
    ):
        _refuse_scoring_of_moments(estimator, X)
        self.estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.data = {"X": X, "y": y, "metadata": metadata}
        self.context = estimator._init_callback_context(max_subtasks=epochs)
        self.context.call_on_fit_task_begin(estimator=estimator, **self.data)

    @property
    def is_watched(self) -> bool:
        """Whether there are callbacks."""
        return bool(getattr(self.estimator, "_skl_callbacks", ()))

    def epoch(self, attributes: Callable[[], FittedState] | None = None) -> bool:
        """Tell callbacks that an epoch has ended. Returns whether one of them asks to stop."""
        task = self.context.subcontext(task_name="epoch")
        task.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return task.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=attributes, **self.data
        )

    def end(self, attributes: FittedState) -> None:
        """Tell callbacks that the fit has ended with these fitted attributes."""
        self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=attributes, **self.data
        )


def _refuse_scoring_of_moments(estimator: BaseEstimator, X: object) -> None:
    """Raise if a ScoringMonitor would score moments. It would log nothing, without a word."""
    parts = X if isinstance(X, list | tuple) else [X]
    has_monitor = any(
        isinstance(callback, ScoringMonitor)
        for callback in getattr(estimator, "_skl_callbacks", ())
    )
    if has_monitor and any(isinstance(part, Moments) for part in parts):
        raise ValueError(
            f"ScoringMonitor has nothing to score in a fit of {type(estimator).__name__} to "
            "moments, which hold no rows. Remove it with set_callbacks(), or pass X and y. "
            "loss_curve_ holds the objective of every epoch."
        )


def with_progress_bar(estimator: BaseEstimator, fit: Callable[[], Fitted]) -> Fitted:
    """Run ``fit`` with a progress bar, unless callbacks are set or the fit is part of another."""
    has_callbacks = bool(getattr(estimator, "_skl_callbacks", ()))
    if not estimator.verbose or has_callbacks or hasattr(estimator, "_parent_callback_ctx"):
        return fit()
    estimator.set_callbacks(ProgressBar(max_propagation_depth=0))
    try:
        return fit()
    finally:
        estimator.set_callbacks()
