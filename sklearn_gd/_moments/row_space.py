"""The row space of data with fewer rows than columns.

The table is A = L·Q, with L square and the rows of Q orthonormal. Every solution of a least
squares or ridge problem is w = Qᵀ·v, so that a wide problem is a square one in v. Nothing is
larger than A.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.gram import certified_cholesky
from sklearn_gd._moments.tensor_moments import TensorMoments, largest_entries
from sklearn_gd._moments.triangle import gram_of_rows


class RowSpace(NamedTuple):
    """A factorization A = L·Q of the factor of some moments."""

    lower: Tensor  # (m, m) L
    inverse: Tensor | None  # (m, m) L⁻¹; None if it is not known to be accurate
    rows: Tensor  # (m, p) A if the inverse is known, else Q

    @property
    def is_certified(self) -> bool:
        """Whether L has an accurate inverse, so that A has full rank."""
        return self.inverse is not None

    def rounding(self) -> float:
        """How far the rounding of a certified L moves the fitted values of unit deviation."""
        assert self.inverse is not None
        scale = torch.linalg.vector_norm(self.lower, dim=1)
        inflation = (self.inverse * scale).square().sum(0).max()
        return float(torch.finfo(scale.dtype).eps * inflation)

    def noise(self, moments: TensorMoments) -> Tensor:
        """What ``abs_max`` is for the columns of X, for the columns of L."""
        return torch.stack([row.abs() @ moments.abs_max for row in self.rows])


def factorize_rows(moments: TensorMoments) -> RowSpace:
    """The row space of the factor of some moments: by Cholesky if certified, else by QR."""
    table = moments.factor
    certified = certified_cholesky(gram_of_rows(table))
    return factorize_rows_by_qr(moments) if certified is None else RowSpace(*certified, table)


def factorize_rows_by_qr(moments: TensorMoments) -> RowSpace:
    """The row space by QR, which is always accurate."""
    table = moments.factor
    # large columns first: then the error of a column is relative to its own size
    order = largest_entries(table).argsort(descending=True)
    q, r = torch.linalg.qr(table[:, order].T)
    rows = torch.empty_like(table)
    rows[:, order] = q.T
    return RowSpace(r.T, None, rows)
