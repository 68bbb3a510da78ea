"""What the displays share: matplotlib when it is needed, and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Okabe and Ito's colours, which people of every colour vision can tell apart
# (https://jfly.uni-koeln.de/color/)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
CURVE, STEPS = COLORS[0], COLORS[1]
_LOG_FROM = 30.0  # ratio of the largest to the smallest value from which a log scale helps


def pyplot() -> Any:
    """matplotlib.pyplot; a sentence if it is not installed."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Displays draw with matplotlib, which is not installed. Install it with "
            "'pip install sklearn_gd[plot]'."
        ) from error
    return plt


def axes_or_new(ax: Any) -> Any:
    """The axes given, or those of a new figure."""
    return pyplot().subplots(layout="constrained")[1] if ax is None else ax


def styled(defaults: Mapping[str, Any], own: dict[str, Any] | None) -> dict[str, Any]:
    """Options of a line: the caller's over the display's, short names (``c``) understood."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return {**defaults, **normalize_kwargs(own or {}, Line2D)}


def shades(count: int) -> Any:
    """Colours from light to dark for an ordered series."""
    return pyplot().get_cmap("plasma_r")(np.linspace(0.15, 0.95, count))


def scale_losses(ax: Any, curves: Sequence[np.ndarray], log_scale: bool | str) -> None:
    """Scale the axis of losses to ``curves``: a divergence beside them goes out of sight."""
    helps = log_helps(curves) if log_scale == "auto" else log_scale
    ax.set(yscale="log" if helps else "linear")
    values = np.concatenate([np.ravel(curve) for curve in curves])
    values = values[np.isfinite(values)]
    if not len(values) or (helps and values.min() <= 0):
        return
    low, high = (
        (np.log(values.min()), np.log(values.max())) if helps else (min(values), max(values))
    )
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    limits = np.array([low - margin, high + 2 * margin])
    ax.set_ylim(np.exp(limits) if helps else limits)


def log_helps(curves: Sequence[np.ndarray]) -> bool:
    """Whether a log scale shows more: all values are positive and span orders of magnitude."""
    values = np.concatenate([np.ravel(curve) for curve in curves])
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0 and values.max() > _LOG_FROM * values.min())
