"""The data as tensors on the device: in blocks, as moments, as rows or in batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from sklearn_gd._data import Data
from sklearn_gd._moments import Moments, Rows, moments_of
from sklearn_gd._objective import Criterion, MiniBatches, Objective
from sklearn_gd._polynomial import Basis


class Source(NamedTuple):
    """The data as tensors on the device, expanded if there is a basis."""

    data: Data
    basis: Basis | None
    device: torch.device

    @property
    def terms(self) -> int:
        """Number of coefficients of a target."""
        return self.data.x.shape[1] if self.basis is None else len(self.basis.powers())

    def read(self, rows: int) -> Iterator[Rows]:
        """All rows of weight in blocks."""
        out = None
        for block in self.data.blocks(rows):
            x, y = to_tensor(block.x, self.device), to_tensor(block.y, self.device)
            weight = None if block.weight is None else to_tensor(block.weight, self.device)
            if self.basis is not None:
                x = x.to(torch.float64)
                if out is None or out.shape[1] < len(x):
                    out = x.new_empty(self.terms, len(x))
                x = self.basis.expand(x, out[:, : len(x)]).T
            yield x, y, weight

    def moments(self, *, center: bool) -> Moments:
        """The moments of all rows."""
        return moments_of(
            self.read,
            self.data.x.shape[0],
            self.terms,
            center=center,
            check_finite=self.data.check_finite,
        )

    def rows(self) -> tuple[Tensor, Tensor, Tensor]:
        """All rows of weight, expanded as a whole: x, y, and weights of sum 1."""
        self.data.check_finite()
        weight = self.data.weight
        if weight is not None and not weight.all():
            return self._replace(data=self.data.take(np.flatnonzero(weight))).rows()
        if self.basis is None and sparse.issparse(self.data.x):
            x = _csr_tensor(self.data.x.astype(np.float64)).to(self.device)
        else:
            x = self._gatherer()(slice(None))
        return (x, *self._targets())

    def mini_batches(
        self,
        criterion: Criterion,
        size: int | None,
        seed: int | None,
        whole: Objective | None = None,
    ) -> MiniBatches:
        """The loss in batches of ``size``; rows are expanded as they are drawn."""
        self.data.check_finite()
        y, weight = self._targets()
        gather, kept = self._gatherer(), torch.nonzero(weight).ravel()
        if len(kept) < len(weight):
            y, weight, every = y[kept], weight[kept], gather

            def gather(rows: Any) -> Tensor:
                return every(kept[rows])

        return MiniBatches(criterion, gather, y, weight, size or len(y), seed, whole)

    def _targets(self) -> tuple[Tensor, Tensor]:
        """Targets, and weights of sum 1."""
        y = to_tensor(self.data.y, self.device)
        if self.data.weight is None:
            return y, torch.full_like(y[:, 0], 1.0 / len(y))
        weight = to_tensor(self.data.weight, self.device)
        return y, weight / weight.sum()

    def _gatherer(self) -> Callable[[Any], Tensor]:
        """A function from row numbers to these rows, expanded, as a dense float64 tensor."""
        x = self.data.x
        if not sparse.issparse(x):
            x = to_tensor(x, torch.device("cpu"))

        def gather(rows: Any) -> Tensor:
            if sparse.issparse(x):
                rows = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
                picked = torch.from_numpy(x[rows].toarray())
            else:
                picked = x[rows] if isinstance(rows, slice) else x.index_select(0, rows.cpu())
            picked = picked.to(self.device).to(torch.float64)
            if self.basis is None:
                return picked
            return self.basis.expand(picked, picked.new_empty(self.terms, len(picked))).T

        return gather


def to_tensor(array: np.ndarray, device: torch.device) -> Tensor:
    """A tensor on the memory of an array, or on a copy where torch cannot read it."""
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    return torch.from_numpy(array).to(device)


def _csr_tensor(x: Any) -> Tensor:
    """A CSR matrix as a torch tensor."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(
            x.indptr, x.indices, x.data, size=x.shape, check_invariants=False
        )
