"""Checked training data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.model_selection import train_test_split

from sklearn_gd._data.array_api import NUMPY, Namespace

SMALL_ENTRIES = 2**18  # up to so many entries a separate check for NaN costs nothing


class Block(NamedTuple):
    """Some rows, dense, without the rows of weight zero."""

    x: np.ndarray  # (rows, features), float64 or float32
    y: np.ndarray  # (rows, targets), float64
    weight: np.ndarray | None  # (rows,), float64


class TrainingData(NamedTuple):
    """Checked training data."""

    x: Any  # ndarray or CSR matrix of shape (samples, features), float64 or float32
    y: np.ndarray  # (samples, targets), float64
    weight: np.ndarray | None  # (samples,), float64, the largest 1
    weight_unit: float  # the weights of the user are in units of it
    has_single_target: bool  # whether y was one-dimensional
    check_finite: Callable[[], object]  # raises the error of scikit-learn if x is not finite
    namespace: Namespace = NUMPY  # of the X of the user, where the results belong

    @property
    def dtype(self) -> np.dtype:
        """The precision of the coefficients: that of X."""
        return self.x.dtype

    @property
    def targets(self) -> np.ndarray:
        """The targets in the shape of the y of the user."""
        return self.y[:, 0] if self.has_single_target else self.y

    @property
    def n_weighted(self) -> int:
        """Number of rows that count."""
        return len(self.y) if self.weight is None else int(np.count_nonzero(self.weight))

    @property
    def log_weight(self) -> float:
        """Sum of the logarithms of the positive weights, in the units of the user."""
        if self.weight is None:
            return 0.0
        positive = self.weight[self.weight > 0]
        return float(np.log(positive).sum() + len(positive) * np.log(self.weight_unit))

    def reweighted(self, factors: np.ndarray) -> TrainingData:
        """The same rows, with the weight of each multiplied by a factor."""
        weight = np.ones(len(self.y)) if self.weight is None else self.weight
        return self._replace(weight=weight * factors)

    def take(self, rows: np.ndarray) -> TrainingData:
        """The data of some row numbers. Rows that follow each other are not copied."""
        index: Any = rows
        is_ascending = len(rows) > 0 and rows[-1] - rows[0] == len(rows) - 1
        if is_ascending and (np.diff(rows) == 1).all():
            index = slice(int(rows[0]), int(rows[-1]) + 1)
        weight = None if self.weight is None else self.weight[index]
        return self._replace(x=self.x[index], y=self.y[index], weight=weight)

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
        for block in self.blocks(max(SMALL_ENTRIES // self.x.shape[1], 1)):
            low = np.minimum(low, block.x.min(axis=0))
            high = np.maximum(high, block.x.max(axis=0))
        if not np.isfinite([low, high]).all():
            self.check_finite()
        return low, high


def hold_out(
    data: TrainingData, fraction: float, random_state: np.random.RandomState, owner: str
) -> tuple[TrainingData, TrainingData]:
    """The data split at random into the part to train on and the part held out."""
    rows = np.arange(len(data.y))
    _, held_out = train_test_split(rows, test_size=fraction, random_state=random_state)
    is_held_out = np.zeros(len(rows), dtype=bool)
    is_held_out[held_out] = True
    train, validation = data.reweighted(~is_held_out), data.reweighted(is_held_out)
    for use, part in (("trained on", train), ("held out", validation)):
        if not part.n_weighted:
            raise ValueError(
                f"early_stopping=True of {owner} leaves no sample of positive weight to be {use}: "
                f"validation_fraction={fraction} of {len(rows)} samples. Change "
                "validation_fraction, or set early_stopping=False."
            )
    return train, validation
