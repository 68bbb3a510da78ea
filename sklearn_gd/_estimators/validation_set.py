"""Rows of the user's own for early stopping, in place of rows that the fit holds out."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_gd._base.types import MatrixLike
from sklearn_gd._data.dask_blocks import is_collection
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._data.validation import check_training_data
from sklearn_gd._moments.moments import Moments


class ValidationSet(NamedTuple):
    """What was passed to `fit` for validation."""

    X: MatrixLike | None
    y: ArrayLike | None
    sample_weight: ArrayLike | None

    @property
    def is_given(self) -> bool:
        """Whether anything was passed."""
        return any(value is not None for value in self)

    def check_use(self, estimator: BaseEstimator, X: Any) -> None:
        """Raise if rows were passed that the fit to ``X`` would not use."""
        owner = type(estimator).__name__
        missing = [name for name in ("X", "y") if getattr(self, name) is None]
        if missing:
            raise ValueError(
                f"{owner} was given a part of a validation set only: {missing[0]}_val is missing. "
                "Pass X_val and y_val together."
            )
        if isinstance(X, Moments) or is_collection(X):
            kind = "moments" if isinstance(X, Moments) else "a Dask collection"
            raise ValueError(
                f"{owner} was given {kind} together with X_val, and early stopping needs the rows "
                "of both. Leave X_val and y_val out, or pass X and y as arrays."
            )
        if not estimator.early_stopping:
            raise ValueError(
                f"{owner} was given X_val and y_val, which only early stopping uses, and "
                "early_stopping=False. Set early_stopping=True, or leave X_val and y_val out."
            )

    def checked(self, fitted: BaseEstimator, data: TrainingData) -> TrainingData:
        """The rows, checked against the features and targets that are trained on."""
        try:
            assert self.X is not None
            rows = check_training_data(fitted, self.X, self.y, self.sample_weight, reset=False)
            rows.check_finite()
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"In X_val, y_val or sample_weight_val: {error}") from error
        if rows.y.shape[1] != data.y.shape[1]:
            raise ValueError(
                f"y_val has {rows.y.shape[1]} targets, and y has {data.y.shape[1]}. Pass the "
                "targets of the same kind for both."
            )
        return rows
