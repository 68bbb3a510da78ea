"""Derivatives outside of the loop."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sklearn_gd._solver.objective import BatchObjective


def gradient(objective: BatchObjective, u: Tensor) -> Tensor:
    """The gradient at u of an objective whose entries do not mix."""
    leaf = u.detach().clone().requires_grad_()
    return torch.autograd.grad(objective(leaf).sum(), leaf)[0]


def jacobian(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The Jacobian (outputs, inputs) of a function of one vector."""
    matrix: Tensor = torch.autograd.functional.jacobian(function, x)
    return matrix
