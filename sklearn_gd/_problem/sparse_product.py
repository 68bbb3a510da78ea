"""The product of sparse rows with dense coefficients, at the cost of two sparse products."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sklearn_gd._moments.tensor_data import SparseRows


class _Product(torch.autograd.Function):
    """x @ coef.T. The backward pass of torch would make a dense matrix of the shape of x."""

    @staticmethod
    def forward(context: Any, coef: Tensor, rows: SparseRows) -> Tensor:
        """The product (samples, runs) with coefficients (runs, terms)."""
        context.rows = rows
        return rows.x @ coef.T

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The gradient of the coefficients."""
        return (context.rows.x_transposed @ gradient.contiguous()).T, None


def sparse_product(rows: SparseRows, coef: Tensor) -> Tensor:
    """The product (samples, runs) of sparse rows with coefficients (runs, terms)."""
    product: Tensor = _Product.apply(coef, rows)  # type: ignore[no-untyped-call]
    return product
