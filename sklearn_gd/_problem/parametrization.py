"""The map between the parameters of a descent and a model.

Predictions are made by coefficients and an intercept in the units of the data. A descent
moves u: coefficients in the coordinates of a preconditioner, in units of the deviation of the
target, around the means of the data. So a learning rate means the same whatever the units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._problem.preconditioners import Preconditioner, stack_preconditioners
from sklearn_gd._problem.stacking import stack_padded


class TargetScaling(NamedTuple):
    """The units of the targets and of the objective during a descent."""

    y_mean: Tensor  # (problems, 1, targets) predictions are deviations from it
    y_scale: Tensor  # (problems, 1, targets) u is in units of it
    loss_scale: Tensor  # (problems, 1, targets) objectives are divided by it

    @classmethod
    def of(cls, y_mean: Tensor, y_scale: Tensor, loss_power: int) -> TargetScaling:
        """The scaling of one problem, with a mean and a deviation of each target.

        The loss grows like ``loss_power`` of the residual.
        """
        y_scale = y_scale[None, None]
        return cls(y_mean[None, None], y_scale, y_scale**loss_power)

    def select(self, problem: int, target: int) -> TargetScaling:
        """The scaling of one problem and one target."""
        one = slice(problem, problem + 1), slice(None), slice(target, target + 1)
        return TargetScaling(self.y_mean[one], self.y_scale[one], self.loss_scale[one])


class Parametrization(NamedTuple):
    """The map between u (problems, runs, targets, coordinates) and models."""

    preconditioner: Preconditioner
    x_mean: Tensor  # (problems, p)
    scaling: TargetScaling
    has_intercept: bool  # whether the first coordinate is (the rest of) the intercept

    @property
    def n_coordinates(self) -> int:
        """Length of u."""
        return self.preconditioner.n_coordinates + int(self.has_intercept)

    @property
    def zeros(self) -> Tensor:
        """The parameters of one run of each problem, all zero."""
        return self.x_mean.new_zeros(*self.scaling.y_scale.shape, self.n_coordinates)

    def to_model(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Coefficients (problems, runs, targets, p) and intercepts without the last axis."""
        v = u * self.scaling.y_scale[..., None]
        intercept = self.scaling.y_mean
        if self.has_intercept:
            intercept, v = intercept + v[..., 0], v[..., 1:]
        coef = self.preconditioner.to_coef(v)
        shift = torch.bmm(coef.flatten(1, 2), self.x_mean[..., None])
        return coef, intercept - shift.view(coef.shape[:3])

    def from_model(self, coef: Tensor, intercept: Tensor) -> Tensor:
        """The u of coefficients and intercepts."""
        u = self.preconditioner.from_coef(coef)
        if self.has_intercept:
            shift = (coef @ self.x_mean[:, None, :, None]).squeeze(-1)
            first = intercept - self.scaling.y_mean + shift
            u = torch.cat([first[..., None], u], dim=-1)
        return u / self.scaling.y_scale[..., None]

    def transform(self, x: Tensor) -> Tensor:
        """Rows z (samples, coordinates) of one problem: predictions are z @ (u · y_scale) + y_mean.

        For the rows x (samples, p) of the data.
        """
        z = self.preconditioner.transform(x - self.x_mean)
        return torch.nn.functional.pad(z, (1, 0), value=1.0) if self.has_intercept else z

    def select(self, problem: int, target: int) -> Parametrization:
        """The map of one problem and one target."""
        one = slice(problem, problem + 1)
        return Parametrization(
            self.preconditioner.select(problem),
            self.x_mean[one],
            self.scaling.select(problem, target),
            self.has_intercept,
        )

    @staticmethod
    def stack(parts: Sequence[Parametrization]) -> Parametrization:
        """The maps of several problems as one."""
        scalings = [part.scaling for part in parts]
        return Parametrization(
            stack_preconditioners([part.preconditioner for part in parts]),
            stack_padded([part.x_mean for part in parts]),
            TargetScaling(*(stack_padded(fields) for fields in zip(*scalings, strict=True))),
            parts[0].has_intercept,
        )
