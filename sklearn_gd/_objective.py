"""Parameters of K runs -> their objectives, from moments or from rows.

An objective is a function of u, shape (runs, targets, coordinates), that returns a tensor
of shape (runs, targets); runs and targets never mix, so that one backward pass gives
every run its own gradient. ``cell`` narrows it to one run and target, for optimizers that
cannot take several at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from sklearn_gd._coordinates import Coordinates, Table

Loss = Callable[[Tensor, Tensor], Tensor]


class Objective(Protocol):
    """What the descent needs of an objective."""

    def __call__(self, u: Tensor) -> Tensor: ...

    def cell(self, run: int, target: int) -> Objective: ...


class SquaredError(NamedTuple):
    """Mean squared error over any number of rows, from the few rows of their factor."""

    design: Tensor | None  # (coordinates, m); None is the identity
    goal: Tensor  # (targets, m)
    rest: Tensor  # (targets,) what no parameters can explain

    @classmethod
    def of(cls, table: Table, coordinates: Coordinates) -> SquaredError:
        """In units of the coordinates' spread."""
        return cls(
            None if table.design is None else table.design.T.contiguous(),
            (table.goal / coordinates.spread).T.contiguous(),
            (table.rest / coordinates.spread).square(),
        )

    def __call__(self, u: Tensor) -> Tensor:
        seen = u if self.design is None else u @ self.design
        return (seen - self.goal).square().sum(-1) + self.rest

    def cell(self, run: int, target: int) -> SquaredError:
        one = slice(target, target + 1)
        return self._replace(goal=self.goal[one], rest=self.rest[one])


class RowsLoss(NamedTuple):
    """Weighted mean of an elementwise loss over the rows themselves."""

    x: Tensor  # (samples, p), dense or sparse CSR
    y: Tensor  # (targets, samples)
    weight: Tensor  # (samples,), of sum 1
    coordinates: Coordinates
    loss: Loss
    unit: Tensor  # (targets,) losses are divided by it

    def __call__(self, u: Tensor) -> Tensor:
        coef, intercept = self.coordinates.coef(u)
        runs, targets, p = coef.shape
        # one product for all runs; the samples' axis last
        prediction = (self.x @ coef.reshape(-1, p).T).T.reshape(runs, targets, -1)
        elements = self.loss(prediction + intercept[..., None], self.y.expand_as(prediction))
        return (elements @ self.weight) / self.unit

    def cell(self, run: int, target: int) -> RowsLoss:
        one = slice(target, target + 1)
        narrow = self.coordinates._replace(
            y_mean=self.coordinates.y_mean[one], spread=self.coordinates.spread[one]
        )
        return self._replace(y=self.y[one], coordinates=narrow, unit=self.unit[one])


def mean_squared_error_optimum(table: Table) -> Tensor:
    """The least mean squared error that any parameters reach, per target."""
    if table.design is None:
        return table.rest.square()
    basis = torch.linalg.svd(table.design, full_matrices=False)
    kept = basis.U[:, basis.S.max() * 1e-14 < basis.S]
    return (table.goal - kept @ (kept.T @ table.goal)).square().sum(0) + table.rest.square()
