"""An `Inference` as text and as HTML, in the layout of statsmodels."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn_gd._inspection.inference import Inference

_WIDTH = 78
_LEFT = 37  # characters of the left half of a line

Cell = tuple[str, str]  # a label and a value
Table = list[list[str]]  # rows of cells; the first row is the head


def summary_text(result: Inference) -> str:
    """The tables of all targets, one below the other, and the notes."""
    names = result.feature_names
    width = max([_WIDTH, max(map(len, names)) + 63])
    parts = []
    for target in range(len(result.target_names)):
        table = _coefficients(result, target)
        stub = width - 63
        lines = [_row_text(row, stub) for row in table]
        parts += [
            _title(result).center(width).rstrip(),
            "=" * width,
            *_two_columns(_header(result, target), width),
            "=" * width,
            lines[0],
            "-" * width,
            *lines[1:],
            "=" * width,
            *_two_columns(_diagnostics(result, target), width),
            "=" * width,
            "",
        ]
    notes = [
        textwrap.fill(f"[{i}] {note}", width, subsequent_indent="    ")
        for i, note in enumerate(_notes(result), 1)
    ]
    return "\n".join([*parts, "Notes:", *notes])


def summary_html(result: Inference) -> str:
    """The same as HTML tables."""
    parts = []
    for target in range(len(result.target_names)):
        head, *rows = _coefficients(result, target)
        for cells in (_header(result, target), _diagnostics(result, target)):
            pairs = [[*cells[i], *cells[i + 1]] for i in range(0, len(cells), 2)]
            parts.append(_html_table(pairs))
        parts.insert(-1, _html_table(rows, head))
    notes = "".join(f"<li>{escape(note)}</li>" for note in _notes(result))
    return f"<div><h4>{_title(result)}</h4>{''.join(parts)}<ol>{notes}</ol></div>"


def _title(result: Inference) -> str:
    return f"{'WLS' if result.is_weighted else 'OLS'} Regression Results"


def _header(result: Inference, target: int) -> list[Cell]:
    """The cells above the coefficients, in the order left, right."""

    def of(value: object) -> float:
        return float(np.atleast_1d(np.asarray(value))[target])

    return [
        ("Dep. Variable:", result.target_names[target]),
        ("R-squared:", f"{of(result.rsquared):.3f}"),
        ("Model:", type(result.model).__name__),
        ("Adj. R-squared:", f"{of(result.rsquared_adj):.3f}"),
        ("Method:", "Least Squares"),
        ("F-statistic:", f"{of(result.fvalue):.4g}"),
        ("No. Observations:", str(result.nobs)),
        ("Prob (F-statistic):", f"{of(result.f_pvalue):.3g}"),
        ("Df Residuals:", str(result.df_resid)),
        ("Log-Likelihood:", f"{of(result.llf):.5g}"),
        ("Df Model:", str(result.df_model)),
        ("AIC:", f"{of(result.aic):.4g}"),
        ("Covariance Type:", result.cov_type),
        ("BIC:", f"{of(result.bic):.4g}"),
    ]


def _diagnostics(result: Inference, target: int) -> list[Cell]:
    """The cells below the coefficients."""
    scale = float(np.atleast_1d(result.scale)[target])
    distance = np.atleast_2d(result.distance)[target]
    is_known = not np.isnan(distance).all()
    where = result.feature_names[int(np.nanargmax(distance))] if is_known else "-"
    largest = f"{np.nanmax(distance):.2g} std err" if is_known else "undefined"
    loo_score = leverage = "needs rows"
    if result.loo_score is not None and result.leverage is not None:
        loo_score = f"{float(np.atleast_1d(result.loo_score)[target]):.3f}"
        leverage = f"{result.leverage.max():.3g}"
    return [
        ("Leave-one-out R-sq.:", loo_score),
        ("Cond. No.", f"{result.condition_number:.3g}"),
        ("Residual std err:", f"{scale**0.5:.4g}"),
        ("Max leverage:", leverage),
        ("Largest distance:", largest),
        ("of coefficient:", where),
    ]


def _coefficients(result: Inference, target: int) -> Table:
    """The table of coefficients."""
    letter = "t" if result.estimate.use_t else "z"
    low = (1.0 - result.confidence) / 2.0
    head = ["", "coef", "std err", letter, f"P>|{letter}|", f"[{low:.4g}", f"{1.0 - low:.4g}]"]
    columns = [
        np.atleast_2d(values)[target]
        for values in (result.params, result.bse, result.tvalues, result.pvalues)
    ]
    intervals = result.conf_int().reshape(-1, len(result.feature_names), 2)[target]
    rows = [
        [
            name,
            _number(coef, 4),
            _number(error, 3),
            _number(t, 3),
            f"{p:.3f}",
            *(_number(end, 3) for end in interval),
        ]
        for name, coef, error, t, p, interval in zip(
            result.feature_names, *columns, intervals, strict=True
        )
    ]
    return [head, *rows]


def _notes(result: Inference) -> list[str]:
    """What a reader has to know of the numbers."""
    notes = [
        "The table describes the least-squares optimum. The largest distance tells how far a "
        f"coefficient of the {type(result.model).__name__} still is from it."
    ]
    if result.cov_type == "nonrobust":
        notes.append("Standard errors take the errors to be independent, with one variance.")
    else:
        notes.append(
            f"Standard errors are robust to errors of different variances ({result.cov_type})."
        )
    if np.any(result.is_exact):
        notes.append(
            "The residuals are rounding: the fit is perfect, and standard errors, tests, intervals "
            "and distances have no meaning."
        )
    if result.is_search:
        notes.append(
            "A search chose this model on the same data. The p-values ignore the selection, and "
            "are too small."
        )
    return notes


def _number(value: float, digits: int) -> str:
    """A number of at most 10 characters: with decimals, or far from 1 with an exponent."""
    if value != 0 and not 1e-4 <= abs(value) < (1e5 if digits > 3 else 1e4):
        return f"{value:.{digits}g}"
    return f"{value:.{digits}f}"


def _two_columns(cells: Sequence[Cell], width: int) -> list[str]:
    """Lines of two cells each."""
    right = width - _LEFT - 3
    lines = []
    for i in range(0, len(cells), 2):
        first, second = (
            label + _clipped(value, size - len(label) - 1).rjust(size - len(label))
            for (label, value), size in zip(cells[i : i + 2], (_LEFT, right), strict=True)
        )
        lines.append(f"{first}   {second}")
    return lines


def _clipped(text: str, size: int) -> str:
    """A text of at most ``size`` characters."""
    return text if len(text) <= size else text[: size - 1] + "…"


def _row_text(row: Sequence[str], stub: int) -> str:
    """A row of the table of coefficients."""
    widths = (12, 11, 10, 10, 10, 10)
    cells = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths, strict=True))
    return row[0].ljust(stub) + "".join(cells)


def _html_table(rows: Sequence[Sequence[str]], head: Sequence[str] | None = None) -> str:
    """A table; the first cell of each row names the row."""
    lines = []
    if head is not None:
        lines.append("".join(f"<th>{escape(cell)}</th>" for cell in head))
    for first, *others in rows:
        cells = "".join(f'<td style="text-align:right">{escape(cell)}</td>' for cell in others)
        lines.append(f'<th style="text-align:left">{escape(first)}</th>{cells}')
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
