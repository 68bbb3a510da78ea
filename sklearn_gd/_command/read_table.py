"""Reading of tables, whatever their format is."""

from __future__ import annotations

import importlib
import os
from argparse import Namespace
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd
from sklearn.datasets import load_diabetes

from sklearn_gd._command.messages import UserError, reason
from sklearn_gd._command.text_table import read_text_table

_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")


class Table(NamedTuple):
    """A table, its name in messages, and what its reader has to say of it."""

    frame: pd.DataFrame
    source: str
    notes: list[str]


def read_table(options: Namespace, texts: Iterable[str] = ()) -> Table:
    """Read a table. The columns `texts` are text, whatever a text file holds in them."""
    path = options.file
    if path is None:
        # unscaled, in the units of measurement: the estimators precondition the features
        return Table(load_diabetes(as_frame=True, scaled=False).frame, "diabetes data", [])
    is_text = path.name.lower().endswith(_TEXT)
    if os.path.isdir(path):  # a method of Path raises for names that are too long
        raise UserError(f"cannot read {path}: it is a directory")
    if not is_text and path.suffix.lower() != ".parquet":
        hint = "; save the sheet as CSV" if path.suffix.lower() in (".xls", ".xlsx", ".ods") else ""
        raise UserError(f"cannot read {path}: it must end in {', '.join(_TEXT)} or .parquet{hint}")
    if not is_text:
        require_package("pyarrow", "to read Parquet", "pyarrow")
    try:
        frame, notes = read_text_table(path, options, texts) if is_text else _read_parquet(path)
    except UserError:
        raise
    except Exception as error:  # pandas and Arrow raise anything
        raise UserError(f"cannot read {path}: {reason(error)}") from error
    return Table(frame.rename(columns=str), path.name, notes)


def _read_parquet(path: os.PathLike[str]) -> tuple[pd.DataFrame, list[str]]:
    """Read a Parquet file. pandas stores an index in it."""
    frame = pd.read_parquet(path)
    if isinstance(frame.index, pd.RangeIndex):
        return frame, []
    names = ", ".join(repr(name) for name in frame.index.names if name is not None)
    return frame, [f"left out: the index {names}".rstrip()]


def require_package(package: str, purpose: str, requirement: str) -> None:
    """Raise if an optional package is not installed."""
    try:
        importlib.import_module(package)
    except ImportError:
        raise UserError(f"{package} is needed {purpose}: pip install '{requirement}'") from None
