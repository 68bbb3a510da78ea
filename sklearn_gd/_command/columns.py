"""The columns of a table that are used: the target and the features."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from sklearn_gd._command.column_kinds import kind_of
from sklearn_gd._command.messages import UserError, quoted, shortened
from sklearn_gd._command.read_table import Table

_MIN_COUNT = 10  # rows from which on numbers in a sequence are no accident


class Columns(NamedTuple):
    """The features and the target. Numbers are float64, and texts are str."""

    X: pd.DataFrame
    y: pd.Series
    texts: list[str]  # the names of the features that are text
    notes: list[str]


def choose_columns(table: Table, options: Namespace) -> Columns:
    """The columns that are used. Columns that cannot be used are left out and told."""
    frame, source = table.frame, table.source
    _check_names(options, list(frame.columns), source)
    empty = [name for name in frame.columns if len(frame) and frame[name].isna().all()]
    used = [name for name in frame.columns if name not in {*empty, *(options.drop or [])}]
    target = _target(frame, used, options.target, source)
    notes = [f"left out: {quoted(empty)} (empty)"] if empty else []
    features, texts = [], []
    for name in options.features or [name for name in used if name != target]:
        kind, problem = kind_of(frame[name]) if name not in empty else ("other", "empty")
        if kind == "unreadable":
            raise UserError(f"{quoted([name])} of {source} holds {problem}; {_remedies(name)}")
        if problem and options.features is None:
            notes.append(f"left out: {quoted([name])} ({problem})")
            continue
        if kind == "other":
            raise UserError(f"{quoted([name])} of {source} cannot be a feature: {problem}")
        features.append(name)
        if kind == "text":
            texts.append(name)
    counts = [name for name in features if options.features is None and _counts(frame[name])]
    if counts:
        notes.append(f"used, though it numbers the rows: {quoted(counts)} (--drop leaves it out)")
    if not features:
        because = f"; {'; '.join(notes)}" if notes else ""
        raise UserError(f"{source} has no column to predict {quoted([target])} from{because}")
    return Columns(typed(frame[features], texts), as_numbers(frame[target]), texts, notes)


def _counts(column: pd.Series) -> bool:
    """Whether a column numbers the rows, from 0 or from 1."""
    if not is_numeric_dtype(column) or len(column) < _MIN_COUNT or column.isna().any():
        return False
    start = column.iloc[0]
    return start in (0, 1) and bool((column == np.arange(len(column)) + start).all())


def typed(frame: pd.DataFrame, texts: Iterable[str]) -> pd.DataFrame:
    """The columns `texts` as str, the others as float64. Missing values stay missing."""
    return pd.DataFrame(
        {
            name: as_text(frame[name]) if name in texts else as_numbers(frame[name])
            for name in frame.columns
        }
    )


def as_numbers(column: pd.Series) -> pd.Series:
    """A column of numbers of any type, as float64."""
    values = column if len(column) else column.astype(object)  # dates that are not there
    return values.astype("float64")


def as_text(column: pd.Series) -> pd.Series:
    """A column of text of any type, as str."""
    return column.astype(object).map(str, na_action="ignore")


def check_names(names: Sequence[str], columns: Sequence[str], source: str) -> None:
    """Raise if a table does not have all of the columns."""
    for name in names:
        if name not in columns:
            close = get_close_matches(name[:100], columns, n=1)
            hint = f"; did you mean {quoted(close)}?" if close else ""
            raise UserError(
                f"{source} has no column {quoted([name])}; it has {quoted(columns)}{hint}"
            )


def _check_names(options: Namespace, columns: Sequence[str], source: str) -> None:
    """Raise if options name columns that are not there, or contradict each other."""
    if len(set(columns)) < len(columns):
        raise UserError(f"{source} has several columns of one name; rename them")
    if len(columns) < 2:
        raise UserError(
            f"{source} has only one column; at least one more is needed (or another --sep)"
        )
    features, dropped = options.features or [], options.drop or []
    target = [] if options.target is None else [options.target]
    check_names([*target, *features, *dropped], columns, source)
    for name in [*target, *features]:
        if name in dropped:
            raise UserError(f"{quoted([name])} is named in --drop, and asked for too")
    if len({*target, *features}) < len([*target, *features]):
        raise UserError("--features must name each column once, and not the target")


def _target(frame: pd.DataFrame, used: Sequence[str], name: str | None, source: str) -> str:
    """The name of the target. It must be numbers."""
    if name is None and not used:
        raise UserError(f"{source} has no column left to predict")
    target = used[-1] if name is None else name
    if target not in used:
        raise UserError(f"the target {quoted([target])} of {source} is empty")
    kind, problem = kind_of(frame[target])
    if kind == "unreadable":
        raise UserError(f"the target {quoted([target])} of {source} holds {problem}; {_remedies()}")
    if kind != "number":
        raise UserError(
            f"the target {quoted([target])} of {source} must be numbers, and holds "
            f"{quoted([str(frame[target].dropna().iloc[0])])}; choose another column with --target"
        )
    return target


def _remedies(name: str | None = None) -> str:
    """What helps where numbers cannot be read."""
    how = "tell how numbers are written with --decimal, --thousands and --na"
    signs = "remove signs such as $ and % from them"
    if name is None:
        return f"{how}, or {signs}"
    return f"{how}, {signs}, or leave it out with --drop {shortened(name)}"
