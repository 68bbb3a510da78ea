"""What is printed of a fit."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.pipeline import Pipeline

from sklearn_gd._command.messages import UserError, quoted, reason
from sklearn_gd._command.models import Models, last_step
from sklearn_gd._command.rows import Split
from sklearn_gd._command.terminal import printable

_MAX_TERMS = 100  # a longer equation is cut when it is printed


def score_table(models: Models, split: Split) -> str:
    """R², RMSE and MAE of all models on the rows for training and the rows for testing."""
    names = [type(last_step(models.model)).__name__, _reference_name(models.reference)]
    fitted = dict(zip([*names, "DummyRegressor (mean)"], models, strict=True))
    sides = ((split.X_train, split.y_train), (split.X_test, split.y_test))
    predicted = {
        name: [(y, _predict(model, X, name)) for X, y in sides] for name, model in fitted.items()
    }
    in_units = f" in the units of {quoted([split.y_train.name])}"
    lines = [f"{'':42}{'train':>12}{'test':>12}"]
    for label, metric, number in (
        (printable("R²", "R^2"), r2_score, _score),
        (f"RMSE{in_units}", root_mean_squared_error, _error),
        (f"MAE{in_units}", mean_absolute_error, _error),
    ):
        lines.append(label)
        for name, pairs in predicted.items():
            lines.append(f"  {name:40}" + "".join(f"{number(metric(*p)):>12}" for p in pairs))
    return "\n".join(lines)


def _reference_name(reference: Pipeline) -> str:
    """The name of the model of scikit-learn."""
    suffix = " on PolynomialFeatures" if "polynomialfeatures" in reference.named_steps else ""
    return f"LinearRegression{suffix}"


def _predict(model: BaseEstimator, X: pd.DataFrame, name: str) -> pd.Series:
    """The predictions of a model for whose scores they must be finite."""
    predicted = pd.Series(model.predict(X), index=X.index)
    if not predicted.abs().max() < float("inf"):
        raise UserError(f"{name} has no scores: its predictions contain infinity")
    return predicted


def _score(score: float) -> str:
    """A coefficient of determination with four decimals."""
    return f"{score:.4f}" if abs(score) < 1e5 else f"{score:.4g}"


def _error(error: float) -> str:
    """An error with about five digits, without an exponent where it is readable."""
    return f"{error:.0f}" if 1e5 <= error < 1e9 else f"{error:.5g}"


def notes_text(notes: Iterable[str]) -> str:
    """A list of remarks, in lines of at most 79 characters."""
    return "\n".join(
        textwrap.fill(
            f"- {note}",
            79,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for note in notes
    )


def summary(model: BaseEstimator, seconds: float) -> str:
    """The learning rate, the number of epochs, the first and last loss, and the time."""
    bound = "no bound is known for this optimizer"
    if model.max_stable_lr_ is not None:
        bound = f"largest stable {model.max_stable_lr_:.4g}"
    ends = (*model.loss_curve_[:1], model.loss_)
    return "\n".join(
        [
            f"learning rate  {model.lr_:.4g} ({bound})",
            f"epochs         {model.n_iter_}",
            f"loss           {' -> '.join(f'{loss:.6g}' for loss in ends)}",
            f"time           {seconds:.3f} s",
        ]
    )


def inference_table(model: BaseEstimator, split: Split) -> str:
    """The table of coefficients with their standard errors."""
    from sklearn_gd import inference

    X = model[:-1].transform(split.X_train) if isinstance(model, Pipeline) else split.X_train
    try:
        return inference(last_step(model), X, split.y_train).summary()
    except ValueError as error:  # standard errors are undefined
        raise UserError(f"no --summary: {reason(error)}") from error


def equation(target: str, model: BaseEstimator) -> str:
    """The equation, in lines of at most 79 characters. Lines break before a sign."""
    terms = re.split(r" (?=[+-] )", target + model.equation().removeprefix("y"))
    if len(terms) > _MAX_TERMS:
        terms[_MAX_TERMS:] = [f"+ {len(terms) - _MAX_TERMS} more terms"]
    unbreakable = " ".join(term.replace(" ", "\xa0") for term in terms)
    lines = textwrap.wrap(
        unbreakable, 79, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines).replace("\xa0", " ")
