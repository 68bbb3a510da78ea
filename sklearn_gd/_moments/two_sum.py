"""Sums without rounding, with which the means of moments stay exact."""

from __future__ import annotations

from typing import Any


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """The rounded sum of two arrays or tensors, and what the rounding took from it.

    The algorithm is from Knuth, The Art of Computer Programming, section 4.2.2.
    """
    total = a + b
    part_of_b = total - a
    return total, (a - (total - part_of_b)) + (b - part_of_b)
