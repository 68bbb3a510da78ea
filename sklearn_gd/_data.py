"""The one gate: whatever the user brings becomes checked NumPy arrays or a CSR matrix.

No torch here: predicting uses this file and must not import it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array
from sklearn.utils.validation import _check_sample_weight, validate_data

_SMALL = 2**18  # entries up to which a separate finiteness check costs nothing


class Block(NamedTuple):
    """Some rows, dense; rows of weight zero are left out."""

    x: np.ndarray  # (rows, features), float64 or float32
    y: np.ndarray  # (rows, targets), float64
    weight: np.ndarray | None  # (rows,), float64


class Data(NamedTuple):
    """Checked training data."""

    x: Any  # ndarray or CSR matrix of shape (samples, features), float64 or float32
    y: np.ndarray  # (samples, targets), float64
    weight: np.ndarray | None  # (samples,), float64, the largest 1
    single: bool  # y was one-dimensional
    check_finite: Callable[[], Any]  # raises scikit-learn's error if x is not finite

    @property
    def dtype(self) -> np.dtype:
        """The precision of the coefficients: that of X."""
        return self.x.dtype

    @property
    def n_weighted(self) -> int:
        """Number of rows that count."""
        return len(self.y) if self.weight is None else int(np.count_nonzero(self.weight))

    def part(self, rows: np.ndarray) -> Data:
        """The same data with only ``rows`` (a mask) counting."""
        weight = np.ones(len(self.y)) if self.weight is None else self.weight
        return self._replace(weight=weight * rows)

    def take(self, rows: np.ndarray) -> Data:
        """The data of ``rows`` (indices) alone; rows that follow each other are not copied."""
        ascending = len(rows) > 0 and rows[-1] - rows[0] == len(rows) - 1
        if ascending and (np.diff(rows) == 1).all():
            own: Any = slice(int(rows[0]), int(rows[-1]) + 1)
        else:
            own = rows
        weight = None if self.weight is None else self.weight[own]
        return self._replace(x=self.x[own], y=self.y[own], weight=weight)

    def blocks(self, rows: int) -> Iterator[Block]:
        """All rows in blocks of at most ``rows``."""
        for start in range(0, self.x.shape[0], rows):
            block = slice(start, start + rows)
            x, y = self.x[block], self.y[block]
            weight = None if self.weight is None else self.weight[block]
            if weight is not None and not weight.all():
                kept = np.flatnonzero(weight)
                x, y, weight = x[kept], y[kept], weight[kept]
            if len(y):
                yield Block(x.toarray() if sparse.issparse(x) else x, y, weight)

    def ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest value of each feature."""
        low = np.full(self.x.shape[1], np.inf)
        high = -low
        for block in self.blocks(max(_SMALL // self.x.shape[1], 1)):
            low = np.minimum(low, block.x.min(axis=0))
            high = np.maximum(high, block.x.max(axis=0))
        if not np.isfinite([low, high]).all():
            self.check_finite()
        return low, high


def check_training_data(
    estimator: Any, X: Any, y: Any, sample_weight: Any, *, reset: bool = True
) -> Data:
    """Validate X, y and weights; sets ``n_features_in_`` (and names) on ``estimator``.

    A large X is not searched for NaN here: the caller reads that from what it computes
    anyway, and calls ``check_finite`` when in doubt.
    """
    X, y = as_numpy(X, "X"), as_numpy(y, "y")
    X, y = validate_data(
        estimator,
        X,
        y,
        accept_sparse="csr",
        dtype=[np.float64, np.float32],
        ensure_all_finite=False,
        multi_output=True,
        y_numeric=True,
        reset=reset,
    )

    def check_finite() -> Any:
        return check_array(X, accept_sparse="csr", estimator=estimator, input_name="X")

    if (X.nnz if sparse.issparse(X) else X.size) <= _SMALL:
        check_finite()
    if sparse.issparse(y):
        raise TypeError("Sparse targets are not supported: pass y.toarray() instead.")
    weight = None
    if sample_weight is not None:
        weight = _check_sample_weight(
            as_numpy(sample_weight, "sample_weight"),
            X,
            dtype=np.float64,
            ensure_non_negative=True,
        )
        weight = weight / weight.max()
    targets = np.asarray(y, dtype=np.float64)
    single = targets.ndim == 1
    return Data(X, targets.reshape(len(targets), -1), weight, single, check_finite)


def hold_out(
    data: Data, fraction: float, random_state: np.random.RandomState, owner: str
) -> tuple[Data, Data]:
    """The data split at random into the part to train on and the part held out."""
    rows = np.arange(len(data.y))
    _, held = train_test_split(rows, test_size=fraction, random_state=random_state)
    mask = np.zeros(len(rows), dtype=bool)
    mask[held] = True
    train, part = data.part(~mask), data.part(mask)
    for name, own in (("trained on", train), ("held out", part)):
        if not own.n_weighted:
            raise ValueError(
                f"early_stopping=True of {owner} leaves no sample of positive weight to be {name}: "
                f"validation_fraction={fraction} of {len(rows)} samples. Change "
                "validation_fraction, or set early_stopping=False."
            )
    return train, part


def check_rows(estimator: Any, X: Any) -> Any:
    """Validate the rows to predict against what was fitted."""
    return validate_data(
        estimator, as_numpy(X, "X"), accept_sparse=["csr", "csc", "coo"], reset=False
    )


def as_numpy(values: Any, name: str) -> Any:
    """A torch tensor or an Arrow array as NumPy; anything else as it is."""
    module = type(values).__module__.partition(".")[0]
    if module == "torch" and hasattr(values, "requires_grad"):
        return _tensor_as_numpy(values, name)
    if module == "pyarrow" and hasattr(values, "to_numpy"):
        return values.to_numpy(zero_copy_only=False)
    return values


def _tensor_as_numpy(values: Any, name: str) -> np.ndarray:
    """A CPU tensor's memory as an array; a sentence for the tensors that have none."""
    if values.device.type != "cpu":
        raise TypeError(
            f"{name} is a torch tensor on {str(values.device)!r}. Pass {name}.cpu(); the "
            "'device' parameter says where the descent runs."
        )
    if values.requires_grad:
        raise TypeError(
            f"{name} is a torch tensor that requires grad, and fitting cannot pass gradients "
            f"on to it. Pass {name}.detach()."
        )
    if str(values.layout) != "torch.strided":
        raise TypeError(
            f"{name} is a sparse torch tensor. Pass {name}.to_dense() or a SciPy sparse matrix."
        )
    if str(values.dtype) == "torch.bfloat16":  # NumPy has no such type
        values = values.double()
    return values.numpy()
