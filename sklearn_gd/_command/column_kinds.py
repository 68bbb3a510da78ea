"""Whether a column holds numbers, text, or what cannot be a feature."""

from __future__ import annotations

from typing import Literal, NamedTuple

import pandas as pd
from pandas.api.types import infer_dtype, is_numeric_dtype

from sklearn_gd._command.messages import shortened

MAX_TEXTS = 100
_DATE = r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T]+\d{1,2}:.*)?"
_NUMBER_LIKE = r"[-+]?\s?[$€£]?\s?\.?\d[\d.,'\s]*(e[-+]?\d+)?\s?[%$€£]?"
_AS_NUMBERS = ("decimal", "integer", "floating", "mixed-integer-float", "boolean")


class Kind(NamedTuple):
    """What a column holds, and why it should not be a feature."""

    name: Literal["number", "text", "unreadable", "other"]
    problem: str = ""


def kind_of(column: pd.Series) -> Kind:
    """What a column holds. Missing values do not count."""
    values = column.dropna()
    if not len(values) or is_numeric_dtype(column):
        return Kind("number")
    values = values.astype(object)
    inferred = infer_dtype(values)
    if inferred in _AS_NUMBERS:
        return Kind("number")
    if inferred.startswith(("date", "time", "period")):
        return Kind("other", "dates or times; make numbers of them first, such as the year")
    if inferred not in ("string", "mixed-integer"):
        return Kind("other", "neither numbers nor text")
    return _kind_of_text(values.astype(str).str.strip())


def _kind_of_text(values: pd.Series) -> Kind:
    """What a column of text holds."""
    if values.str.fullmatch(_DATE).all():
        return Kind("other", "dates; make numbers of them first, such as the year")
    if values.str.fullmatch(_NUMBER_LIKE, case=False).mean() >= 0.5:
        return _kind_of_digits(values)
    n_texts = values.nunique()
    if n_texts == 1:
        return Kind("text", "the same text in all rows")
    if n_texts > min(MAX_TEXTS, max(2, len(values) // 2)):
        what = "an identifier, or texts to be grouped first"
        return Kind("text", f"{n_texts} different texts in {len(values)} rows: {what}")
    return Kind("text")


def _kind_of_digits(values: pd.Series) -> Kind:
    """What a column of text holds that looks like numbers."""
    unreadable = values[pd.to_numeric(values, errors="coerce").isna()]
    if unreadable.empty:
        return Kind("number")
    example = repr(shortened(unreadable.iloc[0], 30))
    return Kind("unreadable", f"numbers that cannot be read, such as {example}")
