"""Rows of a polynomial, whose terms are computed block by block whenever they are needed.

All terms of all rows may be far larger than the data. A block of them stays in the cache, and is
forgotten after its product. So an epoch computes the terms twice and keeps none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

_BLOCK_ENTRIES, _LEAST_ROWS = 2**19, 64  # 4 MB

GatherRows = Callable[[Any], Tensor]  # row numbers or a slice -> (samples, terms)


class ExpandedRows(NamedTuple):
    """A matrix (samples, terms) that is never whole in memory."""

    gather: GatherRows
    n_rows: int
    n_terms: int  # the leading terms of those that are gathered

    @property
    def shape(self) -> torch.Size:
        """Number of samples and terms."""
        return torch.Size((self.n_rows, self.n_terms))

    def leading(self, n_terms: int) -> ExpandedRows:
        """The matrix of the leading terms."""
        return self._replace(n_terms=n_terms)

    def product(self, right: Tensor) -> Tensor:
        """The product with a matrix (terms, any)."""
        result = right.new_empty(self.n_rows, right.shape[1])
        for rows, block in self._blocks():
            torch.mm(block, right, out=result[rows])
        return result

    def transposed_product(self, right: Tensor) -> Tensor:
        """The product of the transpose with a matrix (samples, any)."""
        result = right.new_zeros(self.n_terms, right.shape[1])
        for rows, block in self._blocks():
            result.addmm_(block.T, right[rows])
        return result

    def _blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """All rows (samples, terms), in blocks, and which rows they are."""
        size = max(_BLOCK_ENTRIES // self.n_terms, _LEAST_ROWS)
        for start in range(0, self.n_rows, size):
            rows = slice(start, min(start + size, self.n_rows))
            yield rows, self.gather(rows)[:, : self.n_terms]
