"""What the displays share: the import of matplotlib, colours, styles and limits of axes."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, cast

import numpy as np

from sklearn_gd._base.types import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The colours of Okabe and Ito, which people of every colour vision can tell apart
# (https://jfly.uni-koeln.de/color/)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
CURVE_COLOR, STEPS_COLOR = COLORS[0], COLORS[1]
DIVERGED_STYLE: Style = {"marker": "X", "markersize": 9, "linestyle": "none", "clip_on": False}
_LOG_RATIO = 30.0  # of the largest to the smallest value, from which a log scale helps


def pyplot() -> ModuleType:
    """matplotlib.pyplot.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Displays draw with matplotlib, which is not installed. Install it with "
            "'pip install sklearn_gd[plot]'."
        ) from error
    return plt


def axes_or_new(ax: Axes | None, size: tuple[float, float] | None = None) -> tuple[Axes, Figure]:
    """The given axes, or those of a new figure of a size in inches, and the figure."""
    axes: Axes = pyplot().subplots(layout="constrained", figsize=size)[1] if ax is None else ax
    return axes, cast("Figure", axes.figure)


def line_style(defaults: Style, options: Style | None) -> Style:
    """Options of a line: those of the user over the defaults. Short names (``c``) are allowed."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return {**defaults, **normalize_kwargs(dict(options or {}), Line2D)}


def ordered_colors(count: int) -> np.ndarray:
    """Colours from light to dark for an ordered series, an array (count, 4)."""
    colors: np.ndarray = pyplot().get_cmap("plasma_r")(np.linspace(0.15, 0.95, count))
    return colors


def legend_above(ax: Axes, *, gap: float, columns: int = 1) -> None:
    """Put a legend above the axes, because the data may fill the axes."""
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0 + gap), ncols=columns, frameon=False)


def scale_losses(ax: Axes, curves: Sequence[np.ndarray], log_scale: bool | str) -> None:
    """Scale the axis of losses to ``curves``. What lies outside of the limits is not visible."""
    is_log = log_helps(curves) if log_scale == "auto" else bool(log_scale)
    ax.set(yscale="log" if is_log else "linear")
    values = _finite_values(curves)
    if not len(values) or (is_log and values.min() <= 0):
        return
    ends = np.array([values.min(), values.max()])
    low, high = np.log(ends) if is_log else ends
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    low, high = low - margin, high + 2 * margin
    ax.set_ylim(*(np.exp([low, high]) if is_log else (low, high)))


def log_helps(curves: Sequence[np.ndarray]) -> bool:
    """Whether a log scale shows more: the values are positive and differ by a large factor."""
    values = _finite_values(curves)
    return bool(len(values) and values.min() > 0 and values.max() > _LOG_RATIO * values.min())


def _finite_values(curves: Sequence[np.ndarray]) -> np.ndarray:
    """The finite values of all curves."""
    values = np.concatenate([np.ravel(curve) for curve in curves])
    finite: np.ndarray = values[np.isfinite(values)]
    return finite
