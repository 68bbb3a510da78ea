"""What the displays share: the import of matplotlib, colours, styles, labels and limits."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike

from sklearn_gd._base.types import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

# The colours of Okabe and Ito, which people of every colour vision can tell apart
# (https://jfly.uni-koeln.de/color/)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
CURVE_COLOR, STEPS_COLOR = COLORS[0], COLORS[1]
_MARKERS = ("o", "s", "^", "v", "P")
DIVERGED_STYLE: Style = {
    "marker": "X",
    "markersize": 9,
    "markeredgecolor": "black",
    "linestyle": "none",
    "clip_on": False,
    "zorder": 4,
}
_LABEL_WIDTH, _LABEL_LINES = 40, 3  # characters that fit beside an axis of a figure of 640 x 480
_EDGE = 0.025  # of an axis: how far inside a mark is drawn that would be outside
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


def is_dark(ax: Axes) -> bool:
    """Whether the background of the axes is dark, as in the style ``dark_background``."""
    from matplotlib.colors import to_rgba

    background = np.ones(3)
    for face in (cast("Figure", ax.figure).get_facecolor(), ax.get_facecolor()):
        *color, alpha = to_rgba(face)  # what is transparent shows what is behind it
        background = alpha * np.array(color) + (1.0 - alpha) * background
    return luminance(background) < 0.5


def luminance(rgb: ArrayLike) -> float:
    """How light a colour looks, from 0 to 1."""
    return float(np.asarray(rgb)[:3] @ (0.299, 0.587, 0.114))


def distinct_colors(ax: Axes) -> tuple[str, ...]:
    """Colours that differ from each other and from the background: no black on black."""
    return (*COLORS[:-1], "#ffffff" if is_dark(ax) else COLORS[-1])


def band_color(ax: Axes) -> str:
    """The colour of a transparent band, which is light on a dark background."""
    return COLORS[5] if is_dark(ax) else CURVE_COLOR


def curve_style(ax: Axes, i: int) -> Style:
    """The style of the i-th of several curves: when all colours are used up, with marks."""
    round_, number = divmod(i, len(COLORS))
    style = {"color": distinct_colors(ax)[number]}
    if round_ == 0:
        return style
    marker = _MARKERS[(round_ - 1) % len(_MARKERS)]
    return {**style, "marker": marker, "markersize": 5, "markevery": 0.1}


def point_style(curve: ArrayLike) -> Style:
    """A mark for a curve of a single point, of which a line shows nothing."""
    return {"marker": "o"} if np.isfinite(np.asarray(curve)).sum() == 1 else {}


def axis_label(text: str) -> str:
    """A label in lines that are not cut off. A dollar sign begins no formula."""
    lines = textwrap.wrap(text, _LABEL_WIDTH, max_lines=_LABEL_LINES, placeholder=" …")
    return "\n".join(lines).replace("$", r"\$")


def distinct_labels(values: Sequence[float]) -> list[str]:
    """Numbers as text, with three digits, or with as many as tell them apart."""
    labels: list[str] = []
    for digits in range(3, 18):
        labels = [_number_label(float(value), digits) for value in values]
        if len(set(labels)) == len(set(values)):
            break
    return labels


def _number_label(value: float, digits: int) -> str:
    """A number with some digits, and without an exponent if it is of moderate size."""
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits}g}"
    return np.format_float_positional(
        value, precision=digits, unique=False, fractional=False, trim="-"
    )


def into_view(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Values for marks: those outside of the limits of an axis are moved to its ends.

    What is not a number is moved to the upper end.
    """
    low, high = limits
    inset = _EDGE * (high - low)
    values = np.where(np.isnan(values), np.inf, values)
    is_outside = (values < low) | (values > high)
    return np.where(is_outside, np.clip(values, low + inset, high - inset), values)


def below(ax: Axes, transform: Transform) -> Transform:
    """The same place, lower by the radius of a mark. At the upper edge a mark is then inside."""
    from matplotlib.transforms import ScaledTranslation

    return transform + ScaledTranslation(0, -7 / 72, cast("Figure", ax.figure).dpi_scale_trans)


def ordered_colors(ax: Axes, count: int) -> np.ndarray:
    """Colours for an ordered series, an array (count, 4). The last differs most from the axes."""
    name, first, last = ("plasma", 0.35, 1.0) if is_dark(ax) else ("plasma_r", 0.15, 0.95)
    colors: np.ndarray = pyplot().get_cmap(name)(np.linspace(last, first, count)[::-1])
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


def distance_above(curve: np.ndarray, optimum: float) -> np.ndarray:
    """The distances of losses from an optimum. NaN where they are rounding errors below it."""
    distance = np.asarray(curve, dtype=np.float64) - optimum
    return np.where(distance > 0, distance, np.nan)


def log_helps(curves: Sequence[np.ndarray]) -> bool:
    """Whether a log scale shows more: the values are positive and differ by a large factor."""
    values = _finite_values(curves)
    return bool(len(values) and values.min() > 0 and values.max() > _LOG_RATIO * values.min())


def _finite_values(curves: Sequence[np.ndarray]) -> np.ndarray:
    """The finite values of all curves."""
    values = np.concatenate([np.ravel(curve) for curve in curves])
    finite: np.ndarray = values[np.isfinite(values)]
    return finite
