"""A fitted model as one readable line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def equation(names: Sequence[str], coef: np.ndarray, intercept: np.ndarray, digits: int) -> str:
    """One line for each target, such as ``y = 3 + 2 x0 - 1.5 x0^2``. coef is (targets, terms)."""
    lines = []
    for target, (row, constant) in enumerate(zip(coef, intercept, strict=True)):
        text = f"{constant:.{digits}g}" if constant else ""
        for value, name in zip(row, names, strict=True):
            if value == 0:
                continue
            size = f"{abs(value):.{digits}g} {name}"
            if text:
                text += f" {'-' if value < 0 else '+'} {size}"
            else:
                text = f"-{size}" if value < 0 else size
        left = "y" if len(coef) == 1 else f"y{target}"
        lines.append(f"{left} = {text or '0'}")
    return "\n".join(lines)
