"""Mean squared error over any number of rows, from the few rows of their factor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.tensor_moments import TensorMoments
from sklearn_gd._problem.parametrization import Parametrization
from sklearn_gd._problem.precondition import PreconditionedMoments
from sklearn_gd._problem.stacking import stack_padded
from sklearn_gd._solver.objective import BatchObjective

_ACCURATE = 1e-5  # least by largest diagonal entry of a Cholesky factor
_RANK = 1e-14  # of singular values, in units of the largest
_FULL_RANK = 1e-10  # of the diagonal of a triangle, in units of its columns


class LeastSquares(NamedTuple):
    """‖u·design − target‖² + ‖√ridge·u‖² + residual, in units of the squared deviation of y.

    An L2 penalty is rows of the design, or the ridge.
    """

    design: Tensor | None  # (problems, coordinates, m); None is the identity
    target: Tensor  # (problems, 1, targets, m)
    residual: Tensor  # (problems, 1, targets) what no parameters explain
    ridge: Tensor | None = None  # (problems, 1, 1, coordinates)

    @classmethod
    def of(
        cls,
        design: Tensor | None,
        target: Tensor,
        residual_norm: Tensor,
        y_scale: Tensor,
        ridge: Tensor | None = None,
    ) -> LeastSquares:
        """From a design (m, coordinates), a target (m, targets) and residual norms of one problem.

        They are in the units of the target; ``y_scale`` (targets,) is the unit of u.
        """
        return cls(
            None if design is None else design.T.contiguous()[None],
            (target / y_scale).T.contiguous()[None, None],
            (residual_norm / y_scale).square()[None, None],
            None if ridge is None else ridge[None, None, None],
        )

    @property
    def n_coordinates(self) -> int:
        """Length of u."""
        return self.target.shape[-1] if self.design is None else self.design.shape[1]

    @property
    def entries_per_step(self) -> int:
        """Entries of the matrices that a step reads."""
        return self.target.numel() if self.design is None else self.design.numel()

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
        difference = fitted - self.target
        # the derivative of a product takes fewer operations than that of a power
        value = (difference * difference).sum(-1) + self.residual
        return value if self.ridge is None else value + (self.ridge * u.square()).sum(-1)

    def batches(self, epoch: int) -> Iterable[tuple[BatchObjective, float]]:
        return ((self, 1.0),)

    def select(self, problem: int, target: int) -> LeastSquares:
        one = slice(problem, problem + 1), slice(None), slice(target, target + 1)
        design = None if self.design is None else self.design[one[0]]
        ridge = None if self.ridge is None else self.ridge[one[0]]
        return LeastSquares(design, self.target[one], self.residual[one], ridge)

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
            _stack_ridges(objectives),
        )

    def optimum(self) -> Tensor:
        """The lowest value of one problem that any parameters reach, (targets,)."""
        residual, target = self.residual[0, 0], self.target[0, 0].T
        if self.design is None:
            return residual
        design = self.design[0].T
        if self.ridge is not None and self.ridge.count_nonzero():
            return residual + _ridge_optimum(design, self.ridge[0, 0, 0], target)
        q, r = torch.linalg.qr(design if len(design) >= design.shape[1] else design.T)
        size = r.diagonal().abs() / torch.linalg.vector_norm(r, dim=0).clamp(min=1e-300)
        if size.min() > _FULL_RANK:  # else some columns are combinations of others
            is_tall = len(design) >= design.shape[1]
            return residual + ((target - q @ (q.T @ target)).square().sum(0) if is_tall else 0.0)
        left, size, _ = torch.linalg.svd(design, full_matrices=False)
        basis = left[:, size > _RANK * size.max()]
        return (target - basis @ (basis.T @ target)).square().sum(0) + residual


def least_squares(
    moments: TensorMoments,
    preconditioned: PreconditionedMoments,
    y_scale: Tensor,
    *,
    with_means: bool,
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
    ridge = preconditioned.ridge
    if with_means and ridge is not None:
        ridge = torch.nn.functional.pad(ridge, (1, 0))  # the intercept is not penalized
    return LeastSquares.of(design, target, preconditioned.residual_norm, y_scale, ridge)


def validation_least_squares(
    moments: TensorMoments, parametrization: Parametrization
) -> LeastSquares:
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


def _ridge_optimum(design: Tensor, ridge: Tensor, target: Tensor) -> Tensor:
    """The lowest ‖design·v − target‖² + ‖√ridge·v‖², by a matrix of as many rows as the design.

    Coordinates without a ridge, such as the intercept, are projected out first.
    """
    is_free = (ridge == 0) & design.any(dim=0)  # constant columns have no ridge either
    if is_free.any():
        q, _ = torch.linalg.qr(design[:, is_free])
        design = design - q @ (q.T @ design)
        target = target - q @ (q.T @ target)
    least = torch.finfo(ridge.dtype).tiny  # the quotient by a smaller one would overflow
    scaled = design[:, ridge > 0] / ridge[ridge > 0].clamp(min=least).sqrt()
    matrix = torch.eye(len(design)).to(design) + scaled @ scaled.T
    lower, failed = torch.linalg.cholesky_ex(matrix)
    size = lower.diagonal()
    if not failed and size.min() > _ACCURATE * size.max():
        return torch.linalg.solve_triangular(lower, target, upper=False).square().sum(0)
    # rounding took the identity out of the matrix: the ridge is tiny, and rows depend on others
    left, size, _ = torch.linalg.svd(scaled, full_matrices=False)
    size = torch.where(size > _RANK * size.max(), size, 0.0)
    inside = left.T @ target
    outside = target - left @ inside
    inside = inside / (1.0 + size.square()).sqrt()[:, None]
    return outside.square().sum(0) + inside.square().sum(0)


def _stack_ridges(objectives: Sequence[LeastSquares]) -> Tensor | None:
    """The ridges of several problems; problems without one have zeros."""
    if all(objective.ridge is None for objective in objectives):
        return None
    return stack_padded(
        [
            objective.residual.new_zeros(1, 1, 1, objective.n_coordinates)
            if objective.ridge is None
            else objective.ridge
            for objective in objectives
        ]
    )


def _identity(objective: LeastSquares) -> Tensor:
    """The identity as a design."""
    m = objective.target.shape[-1]
    return torch.eye(m, dtype=objective.target.dtype, device=objective.target.device)[None]
