"""The models: the one to fit, and those that it is compared with."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd._command.columns import Columns
from sklearn_gd._command.messages import UserError, quoted, reason
from sklearn_gd._command.rows import Split

_PARAMETERS = ("lr", "epochs", "optimizer", "device", "loss", "alpha", "precondition")


class Models(NamedTuple):
    """The model, what it is compared with, and the simplest model of all."""

    model: BaseEstimator  # an estimator of this package, or a Pipeline that ends with one
    reference: BaseEstimator
    baseline: BaseEstimator


def make_models(columns: Columns, options: Namespace) -> Models:
    """The models, not fitted."""
    params = {name: getattr(options, name) for name in _PARAMETERS}
    params["random_state"] = options.seed
    encode = _encoder(columns, options.missing)
    if options.degree == 1:
        model, terms = GDLinearRegressor(**params), []
    else:
        model = GDPolynomialRegressor(degree=options.degree, **params)
        terms = [PolynomialFeatures(options.degree, include_bias=False)]
    reference = make_pipeline(*map(clone, encode), *terms, LinearRegression())
    return Models(make_pipeline(*encode, model) if encode else model, reference, DummyRegressor())


def _encoder(columns: Columns, missing: str) -> list[BaseEstimator]:
    """The step that makes complete columns of numbers. None is needed for such columns."""
    texts = columns.texts
    numbers = [name for name in columns.X.columns if name not in texts]
    steps: list[tuple[BaseEstimator | str, Sequence[str]]] = []
    if numbers:
        steps.append((SimpleImputer() if missing == "mean" else "passthrough", numbers))
    if texts:
        # one text of each column has no coefficient of its own: the others are compared with it
        one_hot = OneHotEncoder(drop="first", handle_unknown="ignore", sparse_output=False)
        steps.append((one_hot, texts))
    if not texts and missing != "mean":
        return []
    encoder = make_column_transformer(*steps, verbose_feature_names_out=False)
    return [encoder.set_output(transform="pandas")]


def last_step(model: BaseEstimator) -> BaseEstimator:
    """The estimator of this package."""
    return model[-1] if isinstance(model, Pipeline) else model


def encoded_texts(model: BaseEstimator) -> dict[str, list[str]]:
    """The features of a fitted model that are text, each with its texts."""
    encoder = model[0] if isinstance(model, Pipeline) else None
    fitted = getattr(encoder, "named_transformers_", {}).get("onehotencoder")
    if fitted is None:
        return {}
    return dict(zip(fitted.feature_names_in_, map(list, fitted.categories_), strict=True))


def fit_models(models: Models, split: Split) -> float:
    """Fit the models. Returns the duration of the first fit in seconds."""
    try:
        # the first fit loads torch and its optimizers; that time is not part of the result
        device = last_step(models.model).device
        GDLinearRegressor(lr="auto", epochs=1, device=device).fit([[0.0], [1.0]], [0.0, 1.0])
        start = time.perf_counter()
        models.model.fit(split.X_train, split.y_train)
        seconds = time.perf_counter() - start
        models.reference.fit(split.X_train, split.y_train)
        models.baseline.fit(split.X_train, split.y_train)
    except (ValueError, TypeError, MemoryError, RuntimeError) as error:
        # an invalid parameter or device, too little memory for the terms
        raise UserError(reason(error)) from error
    return seconds


def notes_on_texts(model: BaseEstimator) -> list[str]:
    """How columns of text are encoded, for people who read the coefficients."""
    return [
        f"encoded one-hot: {quoted([name])}, {len(texts)} texts, compared with "
        f"{quoted([str(texts[0])])}"
        for name, texts in encoded_texts(model).items()
    ]


def notes_on_unknown_texts(model: BaseEstimator, X: pd.DataFrame) -> list[str]:
    """What the encoder does not know, and treats as the first text of the column."""
    notes = []
    for name, known in encoded_texts(model).items():
        new = [str(each) for each in X[name].dropna().unique() if each not in known]
        if new:
            notes.append(
                f"treated as {quoted([str(known[0])])}: texts of {quoted([name])} that no row "
                f"for training has ({quoted(new, 3)})"
            )
    return notes
