"""The rank of the data: which columns are no combinations of the others.

The decision is made on columns of unit norm, so that it does not depend on units.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.tensor_moments import TensorMoments, column_norms
from sklearn_gd._moments.triangle import inverse_of_triangle

_EPS = torch.finfo(torch.float64).eps
# columns whose residuals are larger than these numbers are taken first, second and last
_LEAST_RESIDUALS = (1e-2, 1e-6, 0.0)


class UnitColumns(NamedTuple):
    """The columns of the factor of some moments, for reading at unit norm."""

    raw: Tensor  # (m, p) the factor itself
    scale: Tensor  # (p,) the norms of its columns; 1 for constant columns
    is_varying: Tensor  # (p,) whether a column is more than a constant and its rounding
    noise: Tensor  # (p,) how far rounding alone can put a unit column from the span of the others

    @classmethod
    def of(cls, moments: TensorMoments) -> UnitColumns:
        """The columns of the factor of some moments."""
        scale = column_norms(moments.factor)
        rounding = 10 * _EPS * moments.abs_max * moments.weight.sqrt()
        is_varying = scale > rounding
        scale = torch.where(is_varying, scale, 1.0)
        least = 10 * _EPS * max(10, *moments.factor.shape)
        return cls(moments.factor, scale, is_varying, (rounding / scale).clamp(min=least))

    def take(self, columns: Tensor | slice) -> Tensor:
        """Some columns at unit norm."""
        return self.raw[:, columns] / self.scale[columns]


class IndependentColumns(NamedTuple):
    """Columns that are no combinations of the others, and their QR factorization."""

    basis: Tensor | None  # (m, rank) orthonormal; None if the factor is triangular already
    columns: Tensor  # (rank,) which columns they are, in the order in which they were taken
    inverse: Tensor  # (rank, rank) inverse of the triangle of these columns


def independent_columns(unit: UnitColumns) -> IndependentColumns:
    """Find the columns of a factor that are no combinations of others.

    The residual of a column is what the columns before it leave of it. A column is a
    combination of others if rounding explains its residual. This rounding is the same
    combination of the rounding noise of the others. If all columns are independent, they are
    taken in their order. Else they are taken by their norms, the largest first, so that the
    coefficients of a dependence are moderate. Those with large residuals come first. So of
    two columns that nearly agree the second one is taken late, and not at all where other
    columns suffice.
    """
    rows, p = unit.raw.shape
    everything = torch.arange(p, device=unit.raw.device)
    if rows == p and unit.is_varying.all() and not unit.raw.tril(-1).any():
        inverse = inverse_of_triangle(unit.take(everything), upper=True)
        if _is_independent(inverse, unit.noise).all():
            return IndependentColumns(None, everything, inverse)
    if unit.is_varying.sum() <= rows:
        found = _take_columns(unit, everything)
        if len(found.columns) == unit.is_varying.sum():
            return found
    return _take_columns(unit, unit.scale.argsort(descending=True, stable=True))


def _is_independent(inverse: Tensor, noise: Tensor) -> Tensor:
    """Whether rounding explains the residuals of columns, from the inverse of their triangle.

    A column of the inverse is the combination of columns, divided by the norm of the residual.
    """
    return (inverse * noise[:, None]).square_().sum(0) < 1.0


def _take_columns(unit: UnitColumns, order: Tensor) -> IndependentColumns:
    """Take independent columns in an order, those with large residuals first."""
    max_rank, is_varying, noise = min(unit.raw.shape), unit.is_varying, unit.noise
    basis = unit.raw.new_zeros(len(unit.raw), max_rank)
    inverse = unit.raw.new_zeros(max_rank, max_rank)
    columns = _take_first_columns(unit, order[is_varying[order]][:max_rank], basis, inverse)
    norm = partial(torch.linalg.vector_norm, dim=0)  # safe: the columns are near unit norm
    for least in _LEAST_RESIDUALS:
        is_waiting = is_varying.clone()
        is_waiting[columns] = False
        # the earlier basis is removed from a panel of columns in one product
        for panel in order[is_waiting[order]].split(64):
            start = len(columns)
            if start == max_rank:
                break
            residual, coefficients = _orthogonalize(unit.take(panel), basis[:, :start])
            combination = inverse[:start, :start] @ coefficients
            # within the panel a residual only gets shorter
            error = torch.hypot(noise[panel], norm(combination * noise[columns, None]))
            is_candidate = norm(residual) > error.clamp(min=least)
            for j in torch.nonzero(is_candidate).ravel().tolist():
                column, k = int(panel[j]), len(columns)
                vector, coefficients = _orthogonalize(residual[:, j], basis[:, start:k])
                length = norm(vector)
                combined = inverse[:k, start:k] @ coefficients
                combined[:start] += combination[:, j]
                error_j = torch.hypot(noise[column], norm(combined * noise[columns]))
                if k < max_rank and length > error_j and length > least:
                    basis[:, k] = vector / length
                    inverse[:k, k], inverse[k, k] = -combined / length, 1.0 / length
                    columns.append(column)
    rank = len(columns)
    chosen = torch.tensor(columns, dtype=torch.int64, device=unit.raw.device)
    return IndependentColumns(basis[:, :rank], chosen, inverse[:rank, :rank])


def _take_first_columns(
    unit: UnitColumns, first: Tensor, basis: Tensor, inverse: Tensor
) -> list[int]:
    """Take columns by one QR until one has a small residual. Fills ``basis`` and ``inverse``."""
    q, r = torch.linalg.qr(unit.take(first))
    sign = torch.where(r.diagonal() < 0, -1.0, 1.0).to(r)
    length = r.diagonal() * sign
    rank = _length_of_run(length > _LEAST_RESIDUALS[0])
    triangle = r[:rank, :rank] * sign[:rank, None]
    inverse_of_run = inverse_of_triangle(triangle, upper=True)
    rank = _length_of_run(_is_independent(inverse_of_run, unit.noise[first[:rank]]))
    basis[:, :rank] = q[:, :rank] * sign[:rank]
    inverse[:rank, :rank] = inverse_of_run[:rank, :rank]
    taken: list[int] = first[:rank].tolist()
    return taken


def _length_of_run(flags: Tensor) -> int:
    """The number of true flags before the first false one."""
    return int(flags.int().cumprod(0).sum())


def _orthogonalize(columns: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
    """Residuals of columns after an orthonormal basis is removed, and what was removed."""
    coefficients = columns.new_zeros(basis.shape[1], *columns.shape[1:])
    for _ in range(2):  # the second time removes the rounding of the first
        part = basis.T @ columns
        columns, coefficients = columns - basis @ part, coefficients + part
    return columns, coefficients
