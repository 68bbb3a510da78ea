"""The rank of the data: which columns are no combinations of the others.

The decision is made on columns of unit norm, so that it does not depend on units.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.moments import Moments, column_norms

_EPS = torch.finfo(torch.float64).eps
# columns whose residuals are larger than these numbers are taken first, second and last
_LEAST_RESIDUALS = (1e-2, 1e-6, 0.0)


class UnitColumns(NamedTuple):
    """The columns of a factor, scaled to unit norm."""

    factor: Tensor  # (m, p)
    scale: Tensor  # (p,) the norms before; 1 for constant columns
    is_varying: Tensor  # (p,) whether a column is more than a constant and its rounding

    @classmethod
    def of(cls, moments: Moments) -> UnitColumns:
        """The columns of the factor of some moments."""
        scale = column_norms(moments.factor)
        is_varying = scale > 10 * _EPS * moments.abs_max * moments.weight.sqrt()
        scale = torch.where(is_varying, scale, 1.0)
        return cls(moments.factor / scale, scale, is_varying)


def rounding_noise(moments: Moments, scale: Tensor) -> Tensor:
    """How far rounding alone can put a unit column from the span of the others."""
    least = 10 * _EPS * max(10, *moments.factor.shape)
    return (10 * _EPS * moments.abs_max * moments.weight.sqrt() / scale).clamp(min=least)


class IndependentColumns(NamedTuple):
    """Columns that are no combinations of the others, and their QR factorization."""

    basis: Tensor | None  # (m, rank) orthonormal; None if the factor is triangular already
    columns: Tensor  # (rank,) which columns they are, in the order in which they were taken
    inverse: Tensor  # (rank, rank) inverse of the triangle of these columns


def independent_columns(
    factor: Tensor, noise: Tensor, is_varying: Tensor, scale: Tensor
) -> IndependentColumns:
    """Find the columns of a factor, at unit norm, that are no combinations of others.

    The residual of a column is what the columns before it leave of it. A column is a
    combination of others if rounding explains its residual. This rounding is the same
    combination of the rounding noise of the others. If all columns are independent, they are
    taken in their order. Else they are taken by ``scale``, their norms before, the largest
    first, so that the coefficients of a dependence are moderate. Those with large residuals
    come first. So of two columns that nearly agree the second one is taken late, and not at
    all where other columns suffice.
    """
    rows, p = factor.shape
    everything = torch.arange(p, device=factor.device)
    if rows == p and is_varying.all() and not factor.tril(-1).any():
        eye = torch.eye(p, dtype=factor.dtype, device=factor.device)
        inverse = torch.linalg.solve_triangular(factor, eye, upper=True)
        # a column of the inverse is the combination, divided by the norm of the residual
        if ((inverse * noise[:, None]).square().sum(0) < 1.0).all():
            return IndependentColumns(None, everything, inverse)
    if is_varying.sum() <= rows:
        found = _take_columns(factor, noise, is_varying, everything)
        if len(found.columns) == is_varying.sum():
            return found
    return _take_columns(factor, noise, is_varying, scale.argsort(descending=True, stable=True))


def _take_columns(
    factor: Tensor, noise: Tensor, is_varying: Tensor, order: Tensor
) -> IndependentColumns:
    """Take independent columns in an order, those with large residuals first."""
    max_rank = min(factor.shape)
    rows = len(factor)
    basis, inverse = factor.new_zeros(rows, max_rank), factor.new_zeros(max_rank, max_rank)
    columns: list[int] = []
    norm = partial(torch.linalg.vector_norm, dim=0)  # safe: the columns are near unit norm
    for least in _LEAST_RESIDUALS:
        is_waiting = is_varying.clone()
        is_waiting[columns] = False
        # the earlier basis is removed from a panel of columns in one product
        for panel in order[is_waiting[order]].split(64):
            start = len(columns)
            if start == max_rank:
                break
            residual, coefficients = _orthogonalize(factor[:, panel], basis[:, :start])
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
    chosen = torch.tensor(columns, dtype=torch.int64, device=factor.device)
    return IndependentColumns(basis[:, :rank], chosen, inverse[:rank, :rank])


def _orthogonalize(columns: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
    """Residuals of columns after an orthonormal basis is removed, and what was removed."""
    coefficients = columns.new_zeros(basis.shape[1], *columns.shape[1:])
    for _ in range(2):  # the second time removes the rounding of the first
        part = basis.T @ columns
        columns, coefficients = columns - basis @ part, coefficients + part
    return columns, coefficients
