"""What a search trains and tests on: rows with splits, or moments of parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.moments import Moments

Split = tuple[np.ndarray, np.ndarray]  # row numbers to train on, and held out


class RowSource(NamedTuple):
    """Rows, and the splits of a cross-validation."""

    data: TrainingData
    splits: Sequence[Split]

    @property
    def whole(self) -> TrainingData:
        """What the basis for all rows is made of."""
        return self.data

    @property
    def moments(self) -> None:
        """The moments in place of all rows: none."""
        return

    @property
    def n_splits(self) -> int:
        """Number of splits."""
        return len(self.splits)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.data.y)


class PartSource(NamedTuple):
    """Moments of parts of the rows. Every part is tested on once, and the others are trained on."""

    data: TrainingData  # of the same shape, without rows
    parts: Sequence[Moments]
    moments: Moments  # of all parts

    @property
    def whole(self) -> Moments:
        """What the basis for all rows is made of."""
        return self.moments

    @property
    def n_splits(self) -> int:
        """Number of splits."""
        return len(self.parts)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.moments.n_samples

    def training_moments(self) -> list[Moments]:
        """For every part the moments of all others. Nothing is subtracted."""
        before: list[Moments | None] = [None]
        for part in self.parts[:-1]:
            before.append(part if before[-1] is None else before[-1] + part)
        others, after = [], None
        for earlier, part in zip(before[::-1], self.parts[::-1], strict=True):
            both = [moments for moments in (earlier, after) if moments is not None]
            others.append(both[0] if len(both) == 1 else both[0] + both[1])
            after = part if after is None else part + after
        return others[::-1]


Source = RowSource | PartSource
