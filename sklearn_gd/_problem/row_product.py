"""The product of rows with coefficients, where the rows are not a dense matrix in memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sklearn_gd._moments.expanded_rows import ExpandedRows
from sklearn_gd._moments.tensor_data import SparseRows


class _Product(torch.autograd.Function):
    """x @ coef.T. The backward pass of torch would make a dense matrix of the shape of x."""

    @staticmethod
    def forward(context: Any, coef: Tensor, rows: SparseRows | ExpandedRows) -> Tensor:
        """The product (samples, runs) with coefficients (runs, terms)."""
        context.rows = rows
        return rows.product(coef.T)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The gradient of the coefficients."""
        return context.rows.transposed_product(gradient).T, None


def row_product(rows: SparseRows | ExpandedRows, coef: Tensor) -> Tensor:
    """The product (samples, runs) of rows with coefficients (runs, terms)."""
    product: Tensor = _Product.apply(coef, rows)  # type: ignore[no-untyped-call]
    return product
