"""Bounds of coefficients."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Bounds(NamedTuple):
    """The interval of each coefficient, in original units. At least one is bounded."""

    low: np.ndarray  # (terms,) -inf where there is no bound
    high: np.ndarray  # (terms,) inf where there is no bound
    cause: str  # the parameters that they come from, for messages

    @property
    def excludes_zero(self) -> np.ndarray:
        """Which coefficients (terms,) cannot be 0."""
        return (self.low > 0.0) | (self.high < 0.0)

    def project(self, coef: np.ndarray) -> np.ndarray:
        """The nearest coefficients (..., terms) within the bounds."""
        return np.clip(coef, self.low, self.high)
