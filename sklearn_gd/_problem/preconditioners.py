"""Preconditioners: the linear map between the coordinates of a descent and coefficients.

A descent moves v, and the coefficients are w = T v. Preconditioning changes the path of a
descent, and not the optimum. T comes from the moments of the data: "whiten" makes the
features uncorrelated with unit variance, "standardize" gives them unit variance, and None
leaves the coordinates of the user.

The T of whitening is triangular. Eigenvectors would do as well for gradient descent. But
adaptive optimizers act on each coordinate, and eigenvectors of nearly equal eigenvalues
depend on rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.moments import Moments, column_norms
from sklearn_gd._moments.rank import UnitColumns, independent_columns, rounding_noise
from sklearn_gd._problem.stacking import stack_padded

_DEPENDENCE_ROUNDING = 1e-12  # smaller entries of a dependence are rounding
_RESIDUAL_ROUNDING = 1e-7  # no residual larger than this number is called rounding


class DiagonalPreconditioner(NamedTuple):
    """w = scale · v, one coordinate for each coefficient."""

    scale: Tensor  # (problems, p)
    inverse: Tensor  # (problems, p) 0 where the scale is 0

    @property
    def n_coordinates(self) -> int:
        """Length of v."""
        return self.scale.shape[1]

    def to_coef(self, v: Tensor) -> Tensor:
        """Coefficients (problems, runs, targets, p) of v."""
        return v * self.scale[:, None, None]

    def from_coef(self, coef: Tensor) -> Tensor:
        """The v of coefficients."""
        return coef * self.inverse[:, None, None]

    def transform(self, x: Tensor) -> Tensor:
        """Rows (samples, p), or a design, as functions of v. For one problem."""
        return x * self.scale[0]

    def select(self, problem: int) -> DiagonalPreconditioner:
        """The preconditioner of one problem."""
        one = slice(problem, problem + 1)
        return DiagonalPreconditioner(self.scale[one], self.inverse[one])

    def to_dense(self) -> DensePreconditioner:
        """The same map as a matrix."""
        return DensePreconditioner(torch.diag_embed(self.scale), torch.diag_embed(self.inverse))


class DensePreconditioner(NamedTuple):
    """w = T v."""

    matrix: Tensor  # (problems, p, coordinates) T
    inverse: Tensor  # (problems, coordinates, p) v = inverse · w

    @property
    def n_coordinates(self) -> int:
        """Length of v."""
        return self.matrix.shape[2]

    def to_coef(self, v: Tensor) -> Tensor:
        """Coefficients (problems, runs, targets, p) of v."""
        return _multiply(v, self.matrix)

    def from_coef(self, coef: Tensor) -> Tensor:
        """The v of coefficients."""
        return _multiply(coef, self.inverse)

    def transform(self, x: Tensor) -> Tensor:
        """Rows (samples, p), or a design, as functions of v. For one problem."""
        return x @ self.matrix[0]

    def select(self, problem: int) -> DensePreconditioner:
        """The preconditioner of one problem."""
        one = slice(problem, problem + 1)
        return DensePreconditioner(self.matrix[one], self.inverse[one])

    def to_dense(self) -> DensePreconditioner:
        """The map itself, which is dense."""
        return self


Preconditioner = DiagonalPreconditioner | DensePreconditioner


def stack_preconditioners(parts: Sequence[Preconditioner]) -> Preconditioner:
    """The preconditioners of several problems as one. Diagonal only if all of them are."""
    diagonal = [part for part in parts if isinstance(part, DiagonalPreconditioner)]
    if len(diagonal) == len(parts):
        return DiagonalPreconditioner(
            stack_padded([part.scale for part in diagonal]),
            stack_padded([part.inverse for part in diagonal]),
        )
    dense = [part.to_dense() for part in parts]
    return DensePreconditioner(
        stack_padded([part.matrix for part in dense]),
        stack_padded([part.inverse for part in dense]),
    )


class PreconditionedMoments(NamedTuple):
    """A preconditioner, and the mean squared error ‖design·v − target‖² + residual_norm²."""

    preconditioner: Preconditioner
    design: Tensor | None  # (m, coordinates); None is the identity
    target: Tensor  # (m, targets)
    residual_norm: Tensor  # (targets,)


def precondition_moments(moments: Moments, precondition: str | None) -> PreconditionedMoments:
    """The preconditioner that ``precondition`` names, for the data of some moments."""
    if precondition == "whiten":
        return _whiten(moments)
    return _standardize(moments) if precondition == "standardize" else _identity(moments)


def _whiten(moments: Moments) -> PreconditionedMoments:
    """Uncorrelated features of unit variance; the minimum norm where the rank is deficient."""
    root = moments.weight.sqrt()
    unit = UnitColumns.of(moments)
    factor, scale = unit.factor, unit.scale
    basis, columns, inverse = independent_columns(
        factor, rounding_noise(moments, scale), unit.is_varying
    )
    target, residual_norm = moments.target, moments.residual_norm
    if not len(columns):  # all columns are constant: one coordinate that moves nothing
        zeros = torch.zeros_like(factor[:1])
        residual_norm = torch.hypot(residual_norm, column_norms(target))
        return PreconditionedMoments(
            DensePreconditioner(zeros.T[None], zeros[None]),
            None,
            torch.zeros_like(target[:1]),
            residual_norm / root,
        )
    if basis is not None:
        projected = basis.T @ factor
        # a column whose residual is not rounding must not be part of another's coefficient
        residuals = column_norms(factor - basis @ projected)
        factor = projected * (residuals < _RESIDUAL_ROUNDING)
        target = basis.T @ moments.target
        outside = column_norms(moments.target - basis @ target)
        residual_norm = torch.hypot(residual_norm, outside)
        factor[:, columns] = projected[:, columns].triu()
    from_coef = factor * scale / root
    to_coef = torch.zeros_like(from_coef.T)
    to_coef[columns] = inverse * (root / scale[columns])[:, None]
    if len(columns) < len(scale):
        # Project off the null space, in original units. Columns of different scales that do
        # not depend on each other must not be mixed by rounding, hence the exact zeros.
        dependence = inverse @ factor
        dependence = dependence.where(dependence.abs() > _DEPENDENCE_ROUNDING, 0.0)
        rows = torch.linalg.qr((dependence * scale).T).Q
        identity = torch.eye(len(columns), dtype=factor.dtype, device=factor.device)
        to_coef = rows @ (rows.T @ to_coef)
        # one step of iterative refinement, for the rounding of the projection
        to_coef = to_coef + to_coef @ (identity - from_coef @ to_coef)
    preconditioner = DensePreconditioner(to_coef[None], from_coef[None])
    return PreconditionedMoments(preconditioner, None, target / root, residual_norm / root)


def _standardize(moments: Moments) -> PreconditionedMoments:
    """Features of unit variance. The coefficient of a constant column stays 0."""
    root = moments.weight.sqrt()
    unit = UnitColumns.of(moments)
    preconditioner = DiagonalPreconditioner(
        (root / unit.scale * unit.is_varying)[None], (unit.scale / root * unit.is_varying)[None]
    )
    return PreconditionedMoments(
        preconditioner,
        unit.factor * unit.is_varying,
        moments.target / root,
        moments.residual_norm / root,
    )


def _identity(moments: Moments) -> PreconditionedMoments:
    """The coordinates of the user."""
    root = moments.weight.sqrt()
    ones = torch.ones_like(moments.x_mean)[None]
    return PreconditionedMoments(
        DiagonalPreconditioner(ones, ones),
        moments.factor / root,
        moments.target / root,
        moments.residual_norm / root,
    )


def _multiply(vectors: Tensor, matrices: Tensor) -> Tensor:
    """The matrix of each problem times all vectors (problems, runs, targets, ...) of it."""
    product = torch.bmm(vectors.flatten(1, 2), matrices.mT)
    return product.view(*vectors.shape[:3], -1)
