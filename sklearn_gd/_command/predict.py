"""Predictions of a saved model for a table. Only types that are known are loaded."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from sklearn_gd import SKOPS_TRUSTED_TYPES
from sklearn_gd._command.columns import check_names, typed
from sklearn_gd._command.messages import UserError, quoted, reason, say_aside
from sklearn_gd._command.models import encoded_texts, notes_on_unknown_texts
from sklearn_gd._command.read_table import read_table, require_package

# numpy.dtype is in the encoder of columns of text
_TRUSTED = {*SKOPS_TRUSTED_TYPES, "numpy.dtype"}


def print_predictions(options: Namespace) -> None:
    """Print the predictions as CSV, a row for each row of the table, after its index if any."""
    model = _load(options.predict)
    texts = encoded_texts(model)
    table = read_table(options, texts)
    names = list(model.feature_names_in_)
    check_names(names, list(table.frame.columns), table.source)
    try:
        X = typed(table.frame[names], texts)
        notes = notes_on_unknown_texts(model, X)
        predicted = _predict(model, X, options.missing, table.source)
    except (ValueError, TypeError) as error:  # text in the place of numbers, infinite values
        raise UserError(f"cannot predict {table.source}: {reason(error)}") from error
    for note in [*table.notes, *notes]:
        say_aside(f"note: {note}")
    n_targets = predicted.shape[1]
    numbered = [f"prediction{k + 1}" for k in range(n_targets)]
    predicted.columns = ["prediction"] if n_targets == 1 else numbered
    if sys.stdout is not None:
        has_index = not isinstance(X.index, pd.RangeIndex)
        predicted.set_index(X.index).to_csv(sys.stdout, index=has_index, lineterminator="\n")


def _load(path: Path) -> BaseEstimator:
    """Load a model that was fitted to columns with names, and whose types are all trusted."""
    require_package("skops", f"to read {path}", "sklearn_gd[skops]")
    from skops.io import get_untrusted_types, load

    if os.path.isdir(path):
        raise UserError(f"cannot read {path}: it is a directory")
    try:
        unknown = sorted({*get_untrusted_types(file=path)} - _TRUSTED)
        model = None if unknown else load(path, trusted=sorted(_TRUSTED))
    except Exception as error:  # a file of another kind may raise anything
        raise UserError(f"cannot read {path}: {reason(error)}") from error
    if unknown:
        raise UserError(
            f"{path} holds {quoted(unknown)}; the command loads only its own kinds of models"
        )
    if not hasattr(model, "predict") or not hasattr(model, "feature_names_in_"):
        raise UserError(f"{path} holds no model that was fitted to columns with names")
    return model


def _predict(model: BaseEstimator, X: pd.DataFrame, missing: str, source: str) -> pd.DataFrame:
    """The predictions. Where a model needs complete rows, the others have no prediction."""
    complete = X.notna().all(axis=1).to_numpy()
    missing_is_known = all(
        pd.isna(np.array(known, dtype=object)).any() or X[name].notna().all()
        for name, known in encoded_texts(model).items()
    )
    if missing_is_known:
        try:
            return pd.DataFrame(model.predict(X))
        except ValueError:
            if complete.all():
                raise
    if missing != "drop" or not complete.any():
        names = [name for name in X.columns if X[name].isna().any()]
        raise UserError(
            f"missing values in {quoted(names)} of {source}: --missing drop leaves their "
            "predictions empty; a model that was fitted with --missing mean fills them"
        )
    predicted = pd.DataFrame(model.predict(X[complete]), index=np.flatnonzero(complete))
    return predicted.reindex(range(len(X)))
