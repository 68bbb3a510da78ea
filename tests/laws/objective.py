"""The objective of a fitted model, recomputed by NumPy in extended precision.

Nothing of `sklearn_gd` is used here but fitted attributes and constructor parameters.
"""

from __future__ import annotations

import numpy as np
import torch

LOSSES = {  # of the residual: prediction minus target
    "squared_error": np.square,
    "huber": lambda r, delta=1.35: np.where(
        abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2)
    ),
    "absolute_error": np.abs,
    "quantile": lambda r, quantile=0.5: np.maximum(-quantile * r, (1 - quantile) * r),
    "epsilon_insensitive": lambda r, epsilon=0.1: np.maximum(abs(r) - epsilon, 0),
    "squared_epsilon_insensitive": lambda r, epsilon=0.1: np.maximum(abs(r) - epsilon, 0) ** 2,
    "log_cosh": lambda r: np.logaddexp(r, -r) - np.log(np.longdouble(2)),
}


def extended(values):
    """Numbers in extended precision, whose squares do not overflow."""
    return np.asarray(values, dtype=np.longdouble)


def two_dimensional(y):
    """Targets in extended precision, with an axis of targets."""
    return extended(y).reshape(len(y), -1)


def unit_weights(y, weight):
    """Weights of the rows that sum to 1."""
    weight = np.ones(len(y)) if weight is None else weight
    return extended(weight) / extended(weight).sum()


def elementwise_loss(model, residual):
    """The loss of every residual, in the model's loss."""
    if callable(model.loss):
        values = torch.tensor(residual.astype(np.float64))
        return extended(model.loss(values, torch.zeros_like(values)))
    return LOSSES[model.loss](residual, **(model.loss_params or {}))


def penalty(model, coef):
    """The penalty of coefficients (targets, terms), for each target."""
    l1, l2 = abs(coef).sum(axis=1), (coef**2).sum(axis=1)
    return model.alpha * (model.l1_ratio * l1 + (1 - extended(model.l1_ratio)) / 2 * l2)


def objective(model, prediction, coef, y, weight=None):
    """Weighted mean loss plus penalty, averaged over targets."""
    residual = two_dimensional(prediction) - two_dimensional(y)
    loss = unit_weights(y, weight) @ elementwise_loss(model, residual)
    return (loss + penalty(model, np.atleast_2d(extended(coef)))).mean()


def objective_of_fit(model, X, y, weight=None):
    """The objective of what the model predicts."""
    return objective(model, model.predict(X), model.coef_, y, weight)


def starting_prediction(model, y, weight=None):
    """What the model predicts where a descent starts: zero, or the mean of the target."""
    y = two_dimensional(y)
    if model.precondition is None or not model.fit_intercept:
        return np.zeros_like(y)
    return np.broadcast_to(unit_weights(y, weight) @ y, y.shape)


def objective_at_start(model, y, weight=None):
    """The objective where a descent starts."""
    coef = np.zeros((two_dimensional(y).shape[1], 1))
    return objective(model, starting_prediction(model, y, weight), coef, y, weight)
