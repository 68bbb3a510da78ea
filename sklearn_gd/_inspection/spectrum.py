"""The eigenvalues of the Hessian of squared error, and the convergence that they imply.

Squared error is quadratic. In the coordinates of its eigenvectors gradient descent is a
separate recurrence for each eigenvalue λ: d(t + 1) = (1 − lr·λ)·d(t), where d is the distance
from the optimum. With momentum the recurrence has two dimensions. So the loss of every epoch
follows from the eigenvalues and from the distances at the start, without any descent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._base.torch_state import isolated
from sklearn_gd._base.types import Params
from sklearn_gd._inspection.fit_trace import PreparedEstimator
from sklearn_gd._problem.least_squares import LeastSquares

TOLERANCE = 1e-6  # an excess loss of this share of the excess loss at the start is near
_MAX_EPOCHS = 2**52  # more than anybody can wait for
_MAX_DECOMPOSED = 1024  # rows of a square matrix whose singular values are computed
PLAIN_SGD = {"momentum": 0.0, "weight_decay": 0.0, "dampening": 0.0, "nesterov": False}


class Modes(NamedTuple):
    """The singular value decomposition of the design of a quadratic problem."""

    singular: Tensor  # (modes,) singular values that are not zero, the largest first
    directions: Tensor  # (coordinates, modes) of u
    target: Tensor  # (modes, targets) the target in the same decomposition

    @classmethod
    def of(cls, objective: LeastSquares) -> Modes | None:
        """The decomposition of one problem. None if X is constant or too wide.

        A ridge is rows of the design here, because it is a part of the Hessian.
        """
        assert objective.design is not None
        design, target = objective.design[0], objective.target[0, 0].T
        basis = None
        if objective.ridge is not None:
            ridge = objective.ridge[0, 0, 0]
            values, sizes = ridge.unique(return_counts=True)
            if sizes.clamp(max=design.shape[1] + 1).sum() > _MAX_DECOMPOSED:
                return None
            basis = _invariant_basis(design, [ridge == value for value in values])
            # all coordinates of a basis vector have the same ridge
            rows = torch.diag((basis.square().T @ ridge).sqrt())
            design = torch.cat([basis.T @ design, rows], dim=1)
            target = torch.cat([target, target.new_zeros(len(rows), target.shape[1])])
        with isolated():
            left, singular, right = torch.linalg.svd(design, full_matrices=False)
        rounding = singular[0] * max(design.shape) * torch.finfo(singular.dtype).eps
        is_kept = singular > rounding
        if not is_kept.any():
            return None
        directions = left[:, is_kept] if basis is None else basis @ left[:, is_kept]
        return cls(singular[is_kept], directions, right[is_kept] @ target)


class Spectrum(NamedTuple):
    """The eigenvalues of the Hessian that are not zero, in the coordinates of a descent."""

    eigenvalues: np.ndarray  # (eigenvalues,) the largest first
    excess: np.ndarray  # (eigenvalues,) loss at the start above the optimum, by eigenvector
    steepest_term: str | None  # the largest entry of the first eigenvector, unless all are alike

    @classmethod
    def of(cls, prepared: PreparedEstimator) -> Spectrum | None:
        """The spectrum of the problem of an estimator, if the problem is quadratic.

        The eigenvalues come from the singular values of the design, because squaring the
        design would lose the small ones.
        """
        problem = prepared.fit.problem
        objective = problem.objective
        if not isinstance(objective, LeastSquares) or problem.penalty is not None:
            return None
        if objective.design is None:  # whitened: the design is the identity
            target = objective.target[0, 0].T
            excess = target.square().sum(1).cpu().numpy()
            return cls(np.full(len(target), 2.0), excess, None)
        modes = Modes.of(objective)
        if modes is None:
            return None
        names = prepared.term_names
        if problem.parametrization.has_intercept:
            names = ["intercept", *names]
        return cls(
            2.0 * modes.singular.square().cpu().numpy(),
            modes.target.square().sum(1).cpu().numpy(),
            names[int(modes.directions[:, 0].abs().argmax())],
        )

    @property
    def condition_number(self) -> float:
        """The largest eigenvalue divided by the smallest."""
        return float(self.eigenvalues[0] / self.eigenvalues[-1])

    def best_lr(self, weight_decay: float = 0.0) -> float:
        """The learning rate at which gradient descent is fastest in the worst case."""
        return float(2.0 / (self.eigenvalues[0] + self.eigenvalues[-1] + 2.0 * weight_decay))

    def epochs(self, lr: float, options: Params) -> float:
        """Epochs of SGD with these options until the loss is near the optimum, or infinity."""
        curvature = self.eigenvalues + options["weight_decay"]
        # weight decay moves the optimum, and in its objective the start is nearer to it
        start = self.excess * self.eigenvalues / curvature

        def is_near(epochs: int) -> bool:
            with np.errstate(all="ignore"):  # with an unstable lr the distances overflow
                distance = _distances(lr * curvature, epochs, options)
                return bool(start @ distance**2 <= TOLERANCE * start.sum())

        high = 1
        while not is_near(high):
            high *= 2
            if high > _MAX_EPOCHS:
                return math.inf
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if is_near(middle) else (middle, high)
        return high


def _invariant_basis(design: Tensor, groups: Sequence[Tensor]) -> Tensor:
    """An orthonormal basis (coordinates, vectors) of a space that the Hessian maps to itself.

    The Hessian of a design D and a ridge is D·Dᵀ plus a diagonal matrix, and ``groups`` say
    which coordinates have the same ridge. In each group the space has the rows of D and one more
    direction. All other directions have the eigenvalue of the latter, and a descent from zero
    never leaves the space. So with one ridge for all columns no matrix is columns x columns.
    """
    blocks = []
    for group in groups:
        rows = torch.cat([design[group], torch.ones_like(design[group, :1])], dim=1)
        with isolated():
            q = torch.linalg.qr(rows)[0]
        block = q.new_zeros(len(design), q.shape[1])
        block[group] = q
        blocks.append(block)
    return torch.cat(blocks, dim=1)


def _distances(rates: np.ndarray, epochs: int, options: Params) -> np.ndarray:
    """The distances from the optimum after at least one epoch, from distances of 1.

    ``rates`` are the products lr·λ.
    """
    momentum, is_nesterov = options["momentum"], options["nesterov"]
    if momentum == 0.0:
        return np.asarray((1.0 - rates) ** epochs)
    # The state is (distance, velocity), the velocity in units of lr. torch does not dampen the
    # first velocity, which is the gradient.
    step = np.zeros((len(rates), 2, 2))
    step[:, 1, 0], step[:, 1, 1] = (1.0 - options["dampening"]) * rates, momentum
    step[:, 0] = np.array([1.0, 0.0]) - (momentum if is_nesterov else 1.0) * step[:, 1]
    if is_nesterov:
        step[:, 0, 0] -= rates
    first_rates = rates * (1.0 + momentum) if is_nesterov else rates
    state = np.stack([1.0 - first_rates, rates], axis=1)[..., None]
    return np.asarray((np.linalg.matrix_power(step, epochs - 1) @ state)[:, 0, 0])
