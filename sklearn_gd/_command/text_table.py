"""Tables in text files: how they are written is guessed where the user does not say it.

pandas reads the table. A guess is a choice between the ways in which pandas can read it, and
every guess that changes something is told.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from argparse import Namespace
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from pandas.api.types import is_numeric_dtype

from sklearn_gd._command.messages import UserError

# "," comes after the signs that stand beside decimal commas
_SEPARATORS = ("\t", ";", "|", ",", " ")
_N_SAMPLE = 100  # rows from which separator and header are guessed
_N_CHARACTERS = 200_000  # their largest size
_REMEDIES = (
    "remove lines that are not rows of the table, or tell what separates the columns with --sep"
)


class _Layout(NamedTuple):
    """Where a text has its columns and their names."""

    sep: str
    first: list[str]  # the cells of the first row
    header: bool
    has_index: bool  # the first column has no name
    ends_with_sep: bool  # the rows end with a separator, the header does not


def read_text_table(
    path: Path, options: Namespace, texts: Iterable[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """Read a table and what was guessed. The columns `texts` are text, whatever they hold."""
    raw = path.read_bytes()
    if path.suffix.lower() == ".gz":
        raw = gzip.decompress(raw)
    text, encoding = _decoded(raw)
    if not text.strip():
        raise UserError(f"cannot read {path}: it is empty")
    told = re.match(r"sep=(.)\r?\n", text)  # for Excel
    if told:
        text = text[told.end() :]
    layout = _layout(text, options.sep or (told and told[1]), options.header)
    keywords: dict[str, Any] = {
        "sep": r"\s+" if layout.sep == " " else layout.sep,
        "header": 0 if layout.header else None,
        "index_col": False if layout.ends_with_sep else None,
        "na_values": options.na,
        "dtype": dict.fromkeys(texts, str),
        "skipinitialspace": True,
        "low_memory": False,  # else a column may have cells of several types
    }
    try:
        table, decimal = _with_decimals(text, layout.sep, options, keywords)
    except pd.errors.ParserError as error:
        uneven = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if uneven is None:
            raise
        expected, line, found = map(int, uneven.groups())
        raise UserError(
            f"cannot read {path}: line {line + bool(told)} has {found} cells separated by "
            f"{_called(layout.sep)}, and the lines before it have {expected}; {_REMEDIES}"
        ) from error
    if isinstance(table.index, pd.MultiIndex):
        raise UserError(
            f"cannot read {path}: the rows have more cells than there are names; {_REMEDIES}"
        )
    if layout.has_index and layout.header and isinstance(table.index, pd.RangeIndex):
        table = table.set_index(table.columns[0]).rename_axis(None)
    if not layout.header:
        table.columns = [f"column{k + 1}" for k in range(table.shape[1])]
    return table, _guesses(layout, encoding, decimal, options)


def _guesses(layout: _Layout, encoding: str | None, decimal: str, options: Namespace) -> list[str]:
    """What was guessed and is not the usual."""
    notes = []
    if options.sep is None and layout.sep != ",":
        notes.append(f"guessed: columns are separated by {_called(layout.sep)} (--sep)")
    if options.decimal is None and decimal != ".":
        notes.append(f"guessed: the decimal sign is {decimal!r} (--decimal)")
    if encoding is not None:
        notes.append(f"guessed: the encoding is {encoding}, as the file is not UTF-8")
    if options.header is None and not layout.header:
        called = "the columns are called 'column1', 'column2', ..."
        notes.append(f"guessed: the first row has no names (--header); {called}")
    names = [name for name in layout.first if name]
    if layout.header and len(set(names)) < len(names):
        notes.append("several columns have one name; the later ones are called 'NAME.1', ...")
    if layout.has_index:
        notes.append("the first column has no name and is left out as an index")
    return notes


def _called(sep: str) -> str:
    """A separator as messages call it."""
    return {"\t": "tabs", " ": "spaces"}.get(sep, repr(sep))


def _decoded(raw: bytes) -> tuple[str, str | None]:
    """The text of a file, and its encoding if that is not UTF-8. Excel writes all three."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16"), "UTF-16"
    try:
        return raw.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8, UTF-16 or Windows-1252") from None


def _layout(text: str, sep: str | None, header: bool | None) -> _Layout:
    """Where the columns are."""
    sep = sep or _guessed_separator(text)
    first, *rest = _sample(text, sep) or [[]]
    if header is None:
        header = not (first and all(_is_number(cell) for cell in first))
    longer = header and bool(rest) and all(len(row) == len(first) + 1 for row in rest)
    ends_with_sep = longer and all(row[-1] == "" for row in rest)
    has_index = header and ((longer and not ends_with_sep) or (first and first[0] == ""))
    return _Layout(sep, first, header, bool(has_index), ends_with_sep)


def _guessed_separator(text: str) -> str:
    """The sign that cuts all rows into equally many cells, else the first line into most."""
    samples = {sep: _sample(text, sep) for sep in _SEPARATORS}
    for sep, rows in samples.items():
        widths = {len(row) for row in rows[1:]} or {len(row) for row in rows}
        if len(widths) == 1 and widths != {1} and len(rows[0]) in (*widths, max(widths) - 1):
            return sep
    return max(_SEPARATORS[:-1], key=lambda sep: (len(next(iter(samples[sep]), [])), sep == ","))


def _sample(text: str, sep: str) -> list[list[str]]:
    """The first rows that are not empty, cut at the separator. No rows if that is impossible."""
    start = text[:_N_CHARACTERS]
    if len(start) < len(text):
        start = start[: max(start.rfind("\n"), start.rfind("\r")) + 1] or start
    lines = io.StringIO(start, newline=None)
    try:
        rows = csv.reader(lines, delimiter=sep, skipinitialspace=True)
        return list(islice((row for row in rows if row), _N_SAMPLE))
    except csv.Error:  # such as a cell without an end
        return []


def _is_number(cell: str) -> bool:
    """Whether a cell of the first row is a number, and so not the name of a column."""
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return any(each.isdigit() for each in cell)  # "nan" and "inf" may be names


def _with_decimals(
    text: str, sep: str, options: Namespace, keywords: dict[str, Any]
) -> tuple[pd.DataFrame, str]:
    """Read the table with the decimal sign that makes numbers of most columns."""
    signs = [options.decimal] if options.decimal else [".", ","]
    signs = [sign for sign in signs if sign != options.thousands]
    if not signs:
        raise UserError("--decimal and --thousands are the same sign")
    if options.decimal is None and sep == ",":
        signs = signs[:1]
    best = _read(text, keywords, decimal=signs[0], thousands=options.thousands)
    if len(signs) == 1 or len(_numeric(best)) == best.shape[1]:
        return best, signs[0]
    other = _read(text, keywords, decimal=signs[1], thousands=options.thousands)
    new = [name for name in _numeric(other) if name not in _numeric(best)]
    if len(_numeric(other)) > len(_numeric(best)) and not _may_be_thousands(best[new]):
        return other, signs[1]
    return best, signs[0]


def _read(
    text: str, keywords: dict[str, Any], *, decimal: str, thousands: str | None
) -> pd.DataFrame:
    """Read the table. pandas would ignore the sign between thousands wherever it stands."""
    table = pd.read_csv(io.StringIO(text, newline=None), decimal=decimal, **keywords)
    if thousands is None:
        return table
    grouped = rf"\d{{1,3}}({re.escape(thousands)}\d{{3}})+"
    number = rf"[-+]?(\d+|{grouped})({re.escape(decimal)}\d*)?"
    joined = pd.read_csv(
        io.StringIO(text, newline=None), decimal=decimal, thousands=thousands, **keywords
    )
    for k, name in enumerate(table.columns):
        column = table[name]
        if not is_numeric_dtype(column) and _all_match(column, number):
            table[name] = joined.iloc[:, k]
    return table


def _numeric(table: pd.DataFrame) -> Sequence[str]:
    """The names of the columns of numbers."""
    return [name for name in table.columns if is_numeric_dtype(table[name])]


def _may_be_thousands(table: pd.DataFrame) -> bool:
    """Whether all commas may stand between thousands, as in 12,345."""
    return all(_all_match(table[name], r"[-+]?[1-9]\d{0,2}(,\d{3})*") for name in table.columns)


def _all_match(column: pd.Series, pattern: str) -> bool:
    """Whether all cells that are not missing have a pattern."""
    return bool(column.dropna().astype(str).str.strip().str.fullmatch(pattern).all())
