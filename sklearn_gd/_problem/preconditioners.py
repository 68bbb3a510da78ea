"""Preconditioners: the linear map between the coordinates of a descent and coefficients.

A descent moves v, and the coefficients are w = T·v. Preconditioning changes the path of a
descent, and not the optimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._problem.stacking import stack_padded


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


class DeficientPreconditioner(NamedTuple):
    """The minimum norm where some columns (D) are combinations of others (B).

    The fit depends on c = w_B + G·w_D only. Of all coefficients with the same c, those of
    minimum norm have w_D = N·c. The others are computed last, as w_B = c − G·w_D, so that the
    fit does not suffer from the rounding of w_D.
    """

    matrix: Tensor  # (problems, rank, coordinates) c = matrix · v
    inverse: Tensor  # (problems, coordinates, rank)
    dependence: Tensor  # (problems, rank, others) G
    norm_map: Tensor  # (problems, others, rank) N
    order: Tensor  # (problems, p) positions of the coefficients in (w_B, w_D, zeros)

    @property
    def n_coordinates(self) -> int:
        """Length of v."""
        return self.matrix.shape[2]

    def to_coef(self, v: Tensor) -> Tensor:
        """Coefficients (problems, runs, targets, p) of v."""
        c = _multiply(v, self.matrix)
        w_others = _multiply(c, self.norm_map)
        w_basis = c - _multiply(w_others, self.dependence)
        w = torch.cat([w_basis, w_others], dim=-1)
        w = torch.nn.functional.pad(w, (0, self.order.shape[1] - w.shape[-1]))
        return w.gather(-1, self.order[:, None, None].expand(*w.shape[:3], -1))

    def from_coef(self, coef: Tensor) -> Tensor:
        """The v of coefficients."""
        position = self.order.argsort(dim=1)[:, None, None].expand(*coef.shape[:3], -1)
        rank, others = self.dependence.shape[1:]
        w_basis, w_others, _ = coef.gather(-1, position).split(
            [rank, others, coef.shape[-1] - rank - others], dim=-1
        )
        return _multiply(w_basis + _multiply(w_others, self.dependence), self.inverse)

    def transform(self, x: Tensor) -> Tensor:
        """Rows (samples, p), or a design, as functions of v. For one problem."""
        return self.to_dense().transform(x)

    def select(self, problem: int) -> DeficientPreconditioner:
        """The preconditioner of one problem."""
        return DeficientPreconditioner(*(field[problem : problem + 1] for field in self))

    def to_dense(self) -> DensePreconditioner:
        """The same map as a matrix, without the second step."""
        unit = torch.eye(self.n_coordinates).to(self.matrix)
        matrix = self.to_coef(unit.expand(len(self.matrix), 1, -1, -1))[:, 0].mT
        inverse = torch.cat([self.inverse, self.inverse @ self.dependence], dim=-1)
        inverse = torch.nn.functional.pad(inverse, (0, self.order.shape[1] - inverse.shape[-1]))
        position = self.order[:, None].expand(*inverse.shape)
        return DensePreconditioner(matrix, inverse.gather(-1, position))


class RowSpacePreconditioner(NamedTuple):
    """w = rowsᵀ · a, with a = T·v, for data with fewer rows than columns."""

    rows: Tensor  # (problems, m, p)
    # from v to a, and from rows · w to v
    inner: DensePreconditioner | DeficientPreconditioner

    @property
    def n_coordinates(self) -> int:
        """Length of v."""
        return self.inner.n_coordinates

    def to_coef(self, v: Tensor) -> Tensor:
        """Coefficients (problems, runs, targets, p) of v."""
        return _multiply(self.inner.to_coef(v), self.rows.mT)

    def from_coef(self, coef: Tensor) -> Tensor:
        """The v of coefficients."""
        return self.inner.from_coef(_multiply(coef, self.rows))

    def transform(self, x: Tensor) -> Tensor:
        """Rows (samples, p), or a design, as functions of v. For one problem."""
        return self.inner.transform(x @ self.rows[0].T)

    def select(self, problem: int) -> RowSpacePreconditioner:
        """The preconditioner of one problem."""
        one = slice(problem, problem + 1)
        return RowSpacePreconditioner(self.rows[one], self.inner.select(problem))

    def to_dense(self) -> DensePreconditioner:
        """The same map as a matrix."""
        inner = self.inner.to_dense()
        return DensePreconditioner(self.rows.mT @ inner.matrix, inner.inverse @ self.rows)


Preconditioner = (
    DiagonalPreconditioner | DensePreconditioner | DeficientPreconditioner | RowSpacePreconditioner
)


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


def _multiply(vectors: Tensor, matrices: Tensor) -> Tensor:
    """The matrix of each problem times all vectors (problems, runs, targets, ...) of it."""
    product = torch.bmm(vectors.flatten(1, 2), matrices.mT)
    return product.view(*vectors.shape[:3], -1)
