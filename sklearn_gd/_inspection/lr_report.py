"""What can be known about a learning rate before any training.

Squared error is a quadratic. Along each of its eigenvectors a descent is a recurrence of
its own, d(t + 1) = (1 - lr λ) d(t) (two-dimensional with momentum), so that the whole
curve of losses follows from the eigenvalues and from where the start lies on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import clone

from sklearn_gd._inspection.fit_trace import Exploration, explore
from sklearn_gd._problem.empirical_risk import SquaredError
from sklearn_gd._base.torch_state import isolated

_NEAR = 1e-6  # of the start's distance from the optimum, in the loss
_NEVER = 2**52  # epochs, about; nobody waits for so many
_SCALES: tuple[str | None, ...] = (None, "standardize", "whiten")


class Scaling(NamedTuple):
    """What a choice of `precondition` would make of the same data."""

    condition_number: float
    best_lr: float
    epochs: float  # with best_lr


class LearningRateReport(NamedTuple):
    """What `lr_report` found; None stands for a number that does not exist."""

    estimator: str
    precondition: str | None
    lr: float
    max_stable_lr: float | None
    best_lr: float | None
    condition_number: float | None
    epochs: float | None
    steepest_feature: str | None
    scaling: Mapping[str | None, Scaling]
    note: str

    def __repr__(self) -> str:
        rows = [
            ("learning rate", f"{self.lr:.4g}"),
            ("largest stable", _number(self.max_stable_lr)),
            ("best constant", _number(self.best_lr)),
            ("condition number", _number(self.condition_number)),
            ("epochs to 1e-6", _epochs(self.epochs)),
            ("steepest", self.steepest_feature or "no feature: all directions alike"),
        ]
        lines = [f"Learning rate of {self.estimator} with precondition={self.precondition!r}"]
        lines += [f"  {name:<17} {value}" for name, value in rows]
        for scale, own in self.scaling.items():
            lines.append(
                f"  with precondition={scale!r}: condition number {own.condition_number:.4g}, "
                f"best lr {own.best_lr:.4g}, epochs to 1e-6 {_epochs(own.epochs)}"
            )
        return "\n".join([*lines, *([f"  {self.note}"] if self.note else [])])


def lr_report(estimator: Any, X: Any, y: Any) -> LearningRateReport:
    """Say in numbers and words what learning rates the data allow.

    Nothing is trained: all follows from the eigenvalues λ of the loss's Hessian in the
    coordinates of the descent.

    Parameters
    ----------
    estimator : GDLinearRegressor or GDPolynomialRegressor
        The estimator, fitted or not; it is only read.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Training data.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Targets.

    Returns
    -------
    LearningRateReport
        A named tuple that prints as a table. Its fields, None where there is no such
        number (adaptive optimizers, and data too wide for their eigenvalues), are

        - ``lr`` : float, the learning rate of the estimator;
        - ``max_stable_lr`` : float, the largest at which the SGD family converges;
        - ``best_lr`` : float, 2/(λmin + λmax), at which plain gradient descent converges
          fastest in the worst case (None with momentum);
        - ``condition_number`` : float, λmax/λmin, of the directions that matter;
        - ``epochs`` : int, or inf if never: epochs of a cold start until the loss is within
          1e-6 of its minimum, as a part of the start's distance from it;
        - ``steepest_feature`` : str, the coefficient (or ``"intercept"``) that has most
          part in the direction of largest curvature; None where whitening has made all
          directions alike;
        - ``scaling`` : dict, for each other `precondition` its ``condition_number``, its
          ``best_lr`` and the ``epochs`` with it;
        - ``estimator``, ``precondition``, ``note`` : what the report is about, and what
          stands in the way of a number.

    Raises
    ------
    TypeError
        If the estimator is not one of this package's regressors.
    ValueError
        If a parameter is outside its range, or the data hold NaN or infinity.

    See Also
    --------
    LearningRateDisplay : The same, tried out and drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor, lr_report
    >>> X, y = load_diabetes(return_X_y=True, scaled=False, as_frame=True)
    >>> report = lr_report(GDLinearRegressor(precondition=None), X, y)
    >>> report.steepest_feature, report.epochs
    ('s1', inf)
    >>> report.max_stable_lr < 1e-4 < report.scaling["standardize"].best_lr
    True
    """
    exploration = explore(estimator, X, y, "lr_report")
    group, made = exploration.made.group, exploration.made
    modes = _Modes.of(exploration)
    best = epochs = None
    note = ""
    if not made.is_sgd:
        note = f"{made.kind.__name__} is not gradient descent: no bound on its lr is known."
    elif modes is None:
        note = "The eigenvalues are not known: X is too wide for them, or constant."
    else:
        epochs = modes.epochs(exploration.lr, group)
        if group["momentum"] == 0.0:
            best = modes.best_lr(group["weight_decay"])
        else:
            note = "The best constant lr is known without momentum only."
    return LearningRateReport(
        type(estimator).__name__,
        exploration.problem.precondition,
        exploration.lr,
        exploration.max_stable_lr,
        best,
        None if modes is None else modes.condition_number,
        epochs,
        None if modes is None else modes.steepest,
        {} if modes is None else _scalings(estimator, X, y, exploration.problem.precondition),
        note,
    )


class _Modes(NamedTuple):
    """The eigenvectors of the loss's Hessian that a descent moves along."""

    curvature: np.ndarray  # (modes,) eigenvalues, the largest first
    excess: np.ndarray  # (modes, targets) of the loss at the start over the optimum
    steepest: str | None

    @classmethod
    def of(cls, exploration: Exploration) -> _Modes | None:
        """From the singular values of the objective's design, which keep small ones exact."""
        objective = exploration.problem.objective
        if not isinstance(objective, SquaredError) or exploration.problem.proximal:
            return None
        goal = objective.goal.T
        if objective.design is None:  # whitened: the identity
            return cls(np.full(len(goal), 2.0), goal.square().cpu().numpy(), None)
        with isolated():
            u, s, vh = torch.linalg.svd(objective.design, full_matrices=False)
        kept = s > s[0] * max(objective.design.shape) * torch.finfo(s.dtype).eps
        if not kept.any():  # X is constant
            return None
        names = exploration.terms
        if exploration.problem.coordinates.has_intercept:
            names = ["intercept", *names]
        return cls(
            2.0 * s[kept].square().cpu().numpy(),
            (vh[kept] @ goal).square().cpu().numpy(),
            names[int(u[:, 0].abs().argmax())],
        )

    @property
    def condition_number(self) -> float:
        """The largest eigenvalue over the smallest that is not zero."""
        return float(self.curvature[0] / self.curvature[-1])

    def best_lr(self, weight_decay: float = 0.0) -> float:
        """The constant lr at which the slowest direction is fastest."""
        return float(2.0 / (self.curvature[0] + self.curvature[-1] + 2.0 * weight_decay))

    def epochs(self, lr: float, group: Mapping[str, Any]) -> float:
        """Epochs of SGD until the loss is within 1e-6 of the start's distance."""
        decay = group["weight_decay"]
        total = self.curvature + decay
        # weight decay moves the optimum; in its objective the start is nearer to it
        start = self.excess.sum(1) * self.curvature / total

        def is_near(epochs: int) -> bool:
            with np.errstate(all="ignore"):  # an unstable lr overflows, and is never near
                left = _amplitudes(lr * total, epochs, group)
                return bool(start @ left**2 <= _NEAR * start.sum())

        high = 1
        while not is_near(high):
            high *= 2
            if high > _NEVER:
                return math.inf
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if is_near(middle) else (middle, high)
        return high


def _amplitudes(rates: np.ndarray, epochs: int, group: Mapping[str, Any]) -> np.ndarray:
    """What is left of a distance of 1 along modes, with lr·λ = ``rates``, after epochs >= 1."""
    beta, nesterov = group["momentum"], group["nesterov"]
    if beta == 0.0:
        return (1.0 - rates) ** epochs
    # distance and velocity (in units of lr); the first velocity is the gradient, undamped
    damped = (1.0 - group["dampening"]) * rates
    step = np.zeros((len(rates), 2, 2))
    step[:, 1] = np.stack([damped, np.full_like(rates, beta)], axis=1)
    forward = beta if nesterov else 1.0
    step[:, 0] = np.array([1.0, 0.0]) - forward * step[:, 1]
    if nesterov:
        step[:, 0, 0] -= rates
    first = np.stack([1.0 - rates * (1.0 + beta if nesterov else 1.0), rates], axis=1)
    return (np.linalg.matrix_power(step, epochs - 1) @ first[..., None])[:, 0, 0]


def _scalings(estimator: Any, X: Any, y: Any, used: str | None) -> dict[str | None, Scaling]:
    """What the other preconditionings would give, by plain gradient descent."""
    plain = {"momentum": 0.0, "weight_decay": 0.0, "dampening": 0.0, "nesterov": False}
    found = {}
    for scale in _SCALES:
        if scale == used:
            continue
        other = clone(estimator).set_params(precondition=scale)
        try:
            modes = _Modes.of(explore(other, X, y, "lr_report"))
        except ValueError:  # whitening so many features is refused
            continue
        if modes is not None:
            best = modes.best_lr()
            found[scale] = Scaling(modes.condition_number, best, modes.epochs(best, plain))
    return found


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _epochs(value: float | None) -> str:
    if value is None:
        return "none"
    return "never" if math.isinf(value) else f"{value:,}"


lr_report.__module__ = "sklearn_gd"
