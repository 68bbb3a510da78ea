"""Mean squared error over any number of rows, from the few rows of their factor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.moments import Moments
from sklearn_gd._problem.parametrization import Parametrization
from sklearn_gd._problem.preconditioners import PreconditionedMoments
from sklearn_gd._problem.stacking import stack_padded
from sklearn_gd._solver.objective import BatchObjective


class LeastSquares(NamedTuple):
    """‖u·design − target‖² + residual, in units of the squared deviation of the target.

    The rows of an L2 penalty are rows like all others.
    """

    design: Tensor | None  # (problems, coordinates, m); None is the identity
    target: Tensor  # (problems, 1, targets, m)
    residual: Tensor  # (problems, 1, targets) what no parameters explain

    @classmethod
    def of(
        cls, design: Tensor | None, target: Tensor, residual_norm: Tensor, y_scale: Tensor
    ) -> LeastSquares:
        """From a design (m, coordinates), a target (m, targets) and residual norms of one problem.

        They are in the units of the target; ``y_scale`` (targets,) is the unit of u.
        """
        return cls(
            None if design is None else design.T.contiguous()[None],
            (target / y_scale).T.contiguous()[None, None],
            (residual_norm / y_scale).square()[None, None],
        )

    @property
    def entries_per_run(self) -> int:
        """Size of the largest tensor that one run of one problem makes."""
        return self.target[0].numel()

    def __call__(self, u: Tensor) -> Tensor:
        fitted = u
        if self.design is not None:
            # all runs of a problem see the same matrix, which is read once
            product = torch.bmm(u.flatten(1, 2), self.design)
            fitted = product.view(*u.shape[:3], -1)
        return (fitted - self.target).square().sum(-1) + self.residual

    def batches(self, epoch: int) -> Iterable[tuple[BatchObjective, float]]:
        return ((self, 1.0),)

    def select(self, problem: int, target: int) -> LeastSquares:
        one = slice(problem, problem + 1), slice(None), slice(target, target + 1)
        design = None if self.design is None else self.design[one[0]]
        return LeastSquares(design, self.target[one], self.residual[one])

    @staticmethod
    def stack(objectives: Sequence[LeastSquares]) -> LeastSquares:
        """The objectives of several problems as one."""
        design = None
        if any(objective.design is not None for objective in objectives):
            design = stack_padded(
                [
                    _identity(objective) if objective.design is None else objective.design
                    for objective in objectives
                ]
            )
        return LeastSquares(
            design,
            stack_padded([objective.target for objective in objectives]),
            stack_padded([objective.residual for objective in objectives]),
        )

    def optimum(self) -> Tensor:
        """The lowest value of one problem that any parameters reach, (targets,)."""
        residual, target = self.residual[0, 0], self.target[0, 0].T
        if self.design is None:
            return residual
        left, size, _ = torch.linalg.svd(self.design[0].T, full_matrices=False)
        basis = left[:, size > 1e-14 * size.max()]
        return (target - basis @ (basis.T @ target)).square().sum(0) + residual


def least_squares(
    moments: Moments, preconditioned: PreconditionedMoments, y_scale: Tensor, *, with_means: bool
) -> LeastSquares:
    """The squared error of the data of some moments, in the coordinates of a descent.

    ``with_means`` is for data that are not centred: the means are then one more row, and the
    intercept is the first coordinate.
    """
    design, target = preconditioned.design, preconditioned.target
    if with_means:
        assert design is not None
        means = torch.cat([torch.ones_like(moments.x_mean[:1]), moments.x_mean])
        design = torch.cat([means[None], torch.nn.functional.pad(design, (1, 0))])
        target = torch.cat([moments.y_mean[None], target])
    return LeastSquares.of(design, target, preconditioned.residual_norm, y_scale)


def validation_least_squares(moments: Moments, parametrization: Parametrization) -> LeastSquares:
    """The squared error of other rows, in the coordinates of a descent."""
    root = moments.weight.sqrt()
    scaling = parametrization.scaling
    x_shift = moments.x_mean - parametrization.x_mean[0]
    design = torch.cat([moments.factor / root, x_shift[None]])
    design = parametrization.preconditioner.transform(design)
    if parametrization.has_intercept:
        ones = torch.zeros_like(design[:, :1])
        ones[-1] = 1.0
        design = torch.cat([ones, design], dim=1)
    target = torch.cat([moments.target / root, (moments.y_mean - scaling.y_mean[0, 0])[None]])
    return LeastSquares.of(design, target, moments.residual_norm / root, scaling.y_scale[0, 0])


def _identity(objective: LeastSquares) -> Tensor:
    """The identity as a design."""
    m = objective.target.shape[-1]
    return torch.eye(m, dtype=objective.target.dtype, device=objective.target.device)[None]
