"""The data as tensors on the device: in blocks, as moments, or as all rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.compute import compute_moments
from sklearn_gd._moments.device_blocks import copy_to, prefetched
from sklearn_gd._moments.expanded_rows import ExpandedRows, GatherRows
from sklearn_gd._moments.tensor_moments import Rows, TensorMoments

_CPU = torch.device("cpu")
_MAX_EXPANDED_ENTRIES = 2**25  # 256 MB


class SparseRows(NamedTuple):
    """A sparse matrix and its transpose, both in CSR format."""

    x: Tensor  # (samples, terms)
    x_transposed: Tensor  # (terms, samples)

    @property
    def shape(self) -> torch.Size:
        """Number of samples and terms."""
        return self.x.shape

    def product(self, right: Tensor) -> Tensor:
        """The product with a matrix (terms, any)."""
        return self.x @ right

    def transposed_product(self, right: Tensor) -> Tensor:
        """The product of the transpose with a matrix (samples, any)."""
        return self.x_transposed @ right.contiguous()


DesignRows = Tensor | SparseRows | ExpandedRows  # (samples, terms)
WeightedRows = tuple[DesignRows, Tensor, Tensor]  # x, y, weights of sum 1


class TensorData(NamedTuple):
    """The data as tensors on a device, expanded if there is a polynomial basis."""

    data: TrainingData
    basis: PolynomialBasis | None
    device: torch.device

    @property
    def n_terms(self) -> int:
        """Number of coefficients of a target."""
        return self.data.x.shape[1] if self.basis is None else len(self.basis.powers())

    def with_data(self, data: TrainingData) -> TensorData:
        """Other rows, in the same basis and on the same device."""
        return self._replace(data=data)

    def blocks(self, rows: int) -> Iterator[Rows]:
        """All rows of positive weight, in blocks of at most ``rows``."""
        out = None
        for x, y, weight in prefetched(self._host_blocks(rows), copy_to(self.device)):
            if self.basis is not None:
                x = x.to(torch.float64)
                if out is None or out.shape[1] < len(x):
                    out = x.new_empty(self.basis.n_expanded, len(x))
                x = self.basis.expand(x, out[:, : len(x)]).T
            yield x, y, weight

    def _host_blocks(self, rows: int) -> Iterator[Rows]:
        """The blocks before they go to the device, and before the basis expands them."""
        for block in self.data.blocks(rows):
            weight = None if block.weight is None else to_tensor(block.weight, _CPU)
            yield to_tensor(block.x, _CPU), to_tensor(block.y, _CPU), weight

    def moments(self, *, center: bool) -> TensorMoments:
        """The moments of all rows."""
        moments = compute_moments(
            self.blocks,
            self.data.x.shape[0],
            self.n_terms,
            center=center,
            check_finite=self.data.check_finite,
        )
        if self.basis is None:
            return moments
        # the rounding of inputs far from zero is large in the range to which they are mapped
        least = to_tensor(self.basis.sensitivity(), self.device)
        is_measured = moments.abs_max > 0
        return moments._replace(abs_max=moments.abs_max.maximum(least).where(is_measured, 0.0))

    def rows(self) -> WeightedRows:
        """All rows of positive weight. Sparse rows stay sparse, and terms may be computed later."""
        self.data.check_finite()
        weight = self.data.weight
        if weight is not None and not weight.all():
            return self.with_data(self.data.take(np.flatnonzero(weight))).rows()
        if self.basis is None and sparse.issparse(self.data.x):
            x = self.data.x.astype(np.float64)
            tensors = (_csr_tensor(part).to(self.device) for part in (x, x.T.tocsr()))
            return (SparseRows(*tensors), *self.targets())
        gather, n = self.row_gatherer(), len(self.data.y)
        if self.basis is not None and n * self.basis.n_expanded > _MAX_EXPANDED_ENTRIES:
            return (ExpandedRows(gather, n, self.n_terms), *self.targets())
        return (gather(slice(None)), *self.targets())

    def targets(self) -> tuple[Tensor, Tensor]:
        """Targets (samples, targets), and weights (samples,) of sum 1."""
        y = to_tensor(self.data.y, self.device)
        if self.data.weight is None:
            return y, torch.full_like(y[:, 0], 1.0 / len(y))
        weight = to_tensor(self.data.weight, self.device)
        return y, weight / weight.sum()

    def row_gatherer(self) -> GatherRows:
        """A function from row numbers to these rows, expanded, dense and in float64."""
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
            expanded: Tensor = self.basis.expand(
                picked, picked.new_empty(self.basis.n_expanded, len(picked))
            )
            return expanded.T

        return gather


def to_tensor(array: np.ndarray, device: torch.device) -> Tensor:
    """A tensor on the memory of an array, or on a copy where torch cannot read it."""
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    return torch.from_numpy(array).to(device)


def _csr_tensor(x: Any) -> Tensor:
    """A CSR matrix as a torch tensor, with indices of 32 bits where they fit."""
    index = np.int32 if max(x.nnz, *x.shape) < 2**31 else np.int64
    indptr, indices = (np.asarray(part, dtype=index) for part in (x.indptr, x.indices))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(
            torch.from_numpy(indptr),
            torch.from_numpy(indices),
            torch.from_numpy(x.data),
            size=x.shape,
            check_invariants=False,
        )
