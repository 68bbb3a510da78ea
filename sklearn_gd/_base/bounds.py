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

    def fix_nearest_to_zero(self, is_fixed: np.ndarray) -> Bounds:
        """The same with the value that is nearest to 0 as both bounds of some coefficients."""
        nearest = self.project(np.zeros_like(self.low))
        low, high = (np.where(is_fixed, nearest, bound) for bound in (self.low, self.high))
        return self._replace(low=low, high=high)

    def project(self, coef: np.ndarray) -> np.ndarray:
        """The nearest coefficients (..., terms) within the bounds."""
        return np.clip(coef, self.low, self.high)
