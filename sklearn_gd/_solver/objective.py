"""What the solver needs of an objective and of a penalty.

All parameters are one tensor u of shape (problems, runs, targets, coordinates). A problem
has its own data or its own coordinates, such as a fold of a cross-validation. A run of a
problem has its own learning rate. A plain fit is one problem with one run. Problems, runs
and targets never mix, so that one backward pass gives each of them its own gradient.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from torch import Tensor


class BatchObjective(Protocol):
    """The objective of the rows that one step sees."""

    def __call__(self, u: Tensor) -> Tensor:
        """The objective of u, of shape (problems, runs, targets)."""
        ...


class Objective(Protocol):
    """The differentiable part of what is minimized."""

    def __call__(self, u: Tensor) -> Tensor:
        """The objective of u, of shape (problems, runs, targets)."""
        ...

    def batches(self, epoch: int) -> Iterable[tuple[BatchObjective, float]]:
        """The objectives that an epoch steps on, and the share of each in the whole."""
        ...

    def select(self, problem: int, target: int) -> Objective:
        """The objective of one problem and one target."""
        ...


class ProximalPenalty(Protocol):
    """The part of what is minimized that has no gradient everywhere."""

    def value(self, u: Tensor) -> Tensor:
        """The penalty of u, of shape (problems, runs, targets)."""
        ...

    def prox(self, u: Tensor, step: Tensor | float) -> Tensor:
        """The proximal operator of ``step`` times the penalty, at u."""
        ...

    def select(self, problem: int, target: int) -> ProximalPenalty:
        """The penalty of one problem and one target."""
        ...
