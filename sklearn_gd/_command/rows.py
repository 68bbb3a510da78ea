"""The rows of a table that are used: missing values, and the split for training and testing."""

from __future__ import annotations

from argparse import Namespace
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from sklearn_gd._command.columns import Columns
from sklearn_gd._command.messages import UserError, counted, quoted


class Split(NamedTuple):
    """The rows for training and the rows for testing."""

    X_train: pd.DataFrame
    X_test: pd.DataFrame
    y_train: pd.Series
    y_test: pd.Series


def split_rows(columns: Columns, options: Namespace, source: str) -> tuple[Split, list[str]]:
    """Split the rows at random. Also returns what is to be told of missing values."""
    X, y, notes = _without_missing(columns, options.missing, source)
    infinite = [name for name, column in [*X.items(), (y.name, y)] if _has_infinity(column)]
    if infinite:
        raise UserError(f"{quoted(infinite)} of {source} contains infinity")
    size = options.test_size
    if not 0 < size < 1:
        raise UserError(f"--test-size must be between 0 and 1, and is {size:g}")
    n_test = round(len(y) * size)
    if min(n_test, len(y) - n_test) < 2:
        raise UserError(
            f"{source} has {counted(len(y), 'row')}: with --test-size {size:g}, too few rows are "
            f"for training ({len(y) - n_test}) or testing ({n_test}), and R² needs 2 of each"
        )
    return Split(*train_test_split(X, y, test_size=n_test, random_state=options.seed)), notes


def _without_missing(
    columns: Columns, how: str, source: str
) -> tuple[pd.DataFrame, pd.Series, list[str]]:
    """The rows that are used. Without a target a row is of no use."""
    X, y = columns.X, columns.y
    names = [name for name, column in [*X.items(), (y.name, y)] if column.isna().any()]
    if not names:
        return X, y, []
    if how == "error":
        raise UserError(
            f"missing values in {quoted(names)} of {source}: --missing drop leaves these rows "
            "out, --missing mean fills them, --drop leaves columns out"
        )
    used = y.notna() if how == "mean" else y.notna() & X.notna().all(axis=1)
    notes = []
    if not used.all():
        what = "target" if how == "mean" else "value"
        notes.append(f"left out: {(~used).sum()} of {len(y)} rows with missing {what}s")
    filled = [name for name in names if name in X.columns and how == "mean"]
    if filled:
        fill = "numbers by the mean of the rows for training, text by a text of its own"
        notes.append(f"filled: missing values in {quoted(filled)} ({fill})")
    return X[used], y[used], notes


def _has_infinity(column: pd.Series) -> bool:
    """Whether a column has an infinite value."""
    return column.dtype.kind == "f" and bool(np.isinf(column).any())
