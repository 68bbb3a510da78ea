"""What is not numbers in X and y, named in the error that it causes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_SHOWN = 5  # so many names are in the message


@contextmanager
def text_told(X: Any, y: Any = None) -> Iterator[None]:
    """Say which columns of X, or that y, are not numbers, if the code inside fails on them."""
    try:
        yield
    except (TypeError, ValueError) as error:
        remedy = _remedy(X, y)
        if not remedy:
            raise
        # not the class of the error, which may need other arguments
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{error}\n{remedy}") from error


def _remedy(X: Any, y: Any) -> str:
    """What is not numbers and what to do, or an empty text."""
    names = _text_columns(X)
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return (
            f"Columns of X that are not numbers: {', '.join(names[:_SHOWN])}{more}. Encode them "
            "first, such as with sklearn.preprocessing.OneHotEncoder in a ColumnTransformer, or "
            "leave them out."
        )
    if y is None or _holds_numbers(y):
        return ""
    return "y is not numbers. A regressor predicts numbers; for classes use a classifier."


def _text_columns(X: Any) -> list[str]:
    """The names of columns whose values are no numbers, of a data frame of any library."""
    names: Iterable[Any] = getattr(X, "column_names", getattr(X, "columns", ()))  # Arrow, pandas
    return [repr(name) for name in names if not _holds_numbers(X[name])]


def _holds_numbers(values: Any) -> bool:
    """Whether all values can be read as numbers."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths, which the error tells
        return True
    try:
        if array.dtype.kind in "OSU":
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return array.dtype.kind not in "mM"  # dates and durations
