"""Inverses of triangular matrices, and products of a matrix with its transpose.

LAPACK and BLAS have routines for these, with half or a third of the operations. Torch does not
call them, so that SciPy and NumPy do on a CPU. But the threads of SciPy, NumPy and torch wait for
each other. On small matrices this costs more than it gains, so that torch computes those.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import blas, lapack
from torch import Tensor

_SMALL_TRIANGLE = 2000  # rows of a triangle that torch inverts
_SMALL_GRAM = 2**31  # multiplications of a product that torch computes


def inverse_of_triangle(triangle: Tensor, *, upper: bool) -> Tensor:
    """The inverse of a triangle. It is not finite if the diagonal has a zero."""
    if triangle.is_cpu and triangle.dtype == torch.float64 and len(triangle) > _SMALL_TRIANGLE:
        # the transpose is in the order of Fortran, so that nothing is copied
        inverse, place_of_zero = lapack.dtrtri(triangle.numpy().T, lower=upper)
        if place_of_zero:  # LAPACK returns the triangle itself
            return torch.full_like(triangle, torch.nan)
        return torch.from_numpy(inverse.T)
    identity = torch.eye(len(triangle), dtype=triangle.dtype, device=triangle.device)
    return torch.linalg.solve_triangular(triangle, identity, upper=upper)


def gram_of_rows(table: Tensor) -> Tensor:
    """The product of a table and its transpose."""
    if not table.is_cpu or len(table) * table.numel() <= _SMALL_GRAM:
        return table @ table.T
    rows = table.numpy()
    # NumPy multiplies a matrix by its own transpose with half of the operations
    with np.errstate(over="ignore", invalid="ignore"):
        return torch.from_numpy(rows @ rows.T)


def add_gram_of_columns(gram: Tensor, table: Tensor) -> None:
    """Add the product of the transpose of a table and the table to the upper triangle of ``gram``.

    Both are on a CPU, in float64, and ``gram`` is contiguous.
    """
    columns, is_transposed = table.numpy(), table.stride(0) == 1
    blas.dsyrk(
        1.0,
        columns if is_transposed else columns.T,
        beta=1.0,
        c=gram.numpy().T,  # in the order of Fortran, so that the sum is made in place
        trans=is_transposed,
        lower=True,
        overwrite_c=True,
    )
