"""Fit a linear or polynomial model to a table by gradient descent, and print its scores.

Without a table the command fits scikit-learn's diabetes data. This file only reads options,
calls the estimators and prints their results.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import re
import sys
import textwrap
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

_READERS = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
_MAX_TERMS = 100  # a longer equation is cut when it is printed


class _UserError(Exception):
    """A mistake of the user. The command prints its message in one line."""


class _Parser(argparse.ArgumentParser):
    """A parser that raises `_UserError`, so that its errors are printed like all others."""

    def error(self, message: str) -> NoReturn:
        raise _UserError(f"{message} (see --help)")


class _Split(NamedTuple):
    """The rows for training and the rows for testing."""

    X_train: pd.DataFrame
    X_test: pd.DataFrame
    y_train: pd.Series
    y_test: pd.Series


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, default=None
        The arguments of the command. None means the arguments of the process.

    Returns
    -------
    int
        The exit status: 0 for success, 2 for an error, which is told in one line, and 1 if
        the reader of the output has closed it.
    """
    with _any_characters():
        try:
            with _readable_warnings():
                _run(_parser().parse_args(argv))
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_output()
            return 1
        except Exception as error:  # whatever a table may cause, a traceback does not help
            kind = "" if isinstance(error, _UserError) else f"{type(error).__name__}: "
            print(f"sklearn_gd: {kind}{_one_line(_reason(error))}", file=sys.stderr)
            return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    """Read the table, fit the model, print the scores, and write the files asked for."""
    _check_outputs(options)
    table, source = _read(options.file)
    target = table.columns[-1] if options.target is None else options.target
    split = _split(table, target, source, options.test_size)
    model, reference = _models(options)
    seconds = _fit(model, reference, split)
    scores = _scores(model, reference, split)
    rows = f"{len(split.y_train)} rows to train on, {len(split.y_test)} to test"
    print(f"{source}: {rows}; {target!r} from {split.X_train.shape[1]} columns\n")
    print(scores)
    print(f"\n{_wrapped(target + model.equation().removeprefix('y'))}\n")
    print(_summary(model, seconds))
    if options.summary:
        print(f"\n{_inference(model, split)}")
    if options.figure:
        _draw(model, split, options.figure)
    if options.save:
        _save(model, options.save)


def _parser() -> argparse.ArgumentParser:
    """The parser. It does not check values that the estimators check."""
    parser = _Parser(prog="python -m sklearn_gd", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "file", nargs="?", type=Path, help="table, .csv or .parquet (default: diabetes data)"
    )
    parser.add_argument("--target", help="column to predict (default: the last one)")
    parser.add_argument(
        "--degree", type=int, default=1, help="degree of the polynomial (default: 1)"
    )
    parser.add_argument(
        "--lr", type=_lr, default=0.01, help='learning rate, or "auto" (default: 0.01)'
    )
    parser.add_argument("--epochs", type=int, default=1000, help="number of epochs (default: 1000)")
    parser.add_argument(
        "--optimizer", default="sgd", help="class of torch.optim in lower case (default: sgd)"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 or auto (default: cpu)")
    parser.add_argument(
        "--test-size", type=float, default=0.2, help="fraction of rows for testing (default: 0.2)"
    )
    parser.add_argument(
        "--summary",
        action="store_true",
        help="print standard errors, intervals and tests on the rows for training",
    )
    parser.add_argument(
        "--figure", type=Path, help="plot the loss curve and the predictions, e.g. to out.png"
    )
    parser.add_argument("--save", type=Path, help="save the fitted model, e.g. to model.skops")
    return parser


def _lr(text: str) -> float | str:
    """Convert the text of ``--lr`` to a learning rate."""
    try:
        return text if text == "auto" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor 'auto'") from None


def _check_outputs(options: argparse.Namespace) -> None:
    """Raise before the fit if a file asked for cannot be written."""
    for path, extra in ((options.figure, "plot"), (options.save, "skops")):
        if path is None:
            continue
        package = {"plot": "matplotlib", "skops": "skops"}[extra]
        _require_package(package, f"to write {path}", f"sklearn_gd[{extra}]")
        if os.path.isdir(path):  # a method of Path raises for names that are too long
            raise _UserError(f"cannot write {path}: it is a directory")
        if not os.path.isdir(path.parent):
            raise _UserError(f"cannot write {path}: there is no directory {path.parent}")
    if options.figure:
        from matplotlib.backend_bases import FigureCanvasBase

        known = sorted(FigureCanvasBase.get_supported_filetypes())
        if options.figure.suffix.lower().removeprefix(".") not in known:
            raise _UserError(f"cannot write {options.figure}: it must end in .{', .'.join(known)}")


def _require_package(package: str, purpose: str, requirement: str) -> None:
    """Raise if an optional package is not installed."""
    try:
        importlib.import_module(package)
    except ImportError:
        raise _UserError(f"{package} is needed {purpose}: pip install '{requirement}'") from None


def _read(path: Path | None) -> tuple[pd.DataFrame, str]:
    """Read a table. Returns the table and its name in messages."""
    if path is None:
        # unscaled, in the units of measurement: the estimators precondition the features
        return load_diabetes(as_frame=True, scaled=False).frame, "diabetes data"
    reader = _READERS.get(path.suffix.lower())
    if os.path.isdir(path):
        raise _UserError(f"cannot read {path}: it is a directory")
    if reader is None:
        raise _UserError(f"cannot read {path}: it must end in .csv or .parquet")
    if reader is pd.read_parquet:
        _require_package("pyarrow", "to read Parquet", "pyarrow")
    try:
        table = reader(path)
    except Exception as error:  # pandas and Arrow raise anything
        raise _UserError(f"cannot read {path}: {_reason(error)}") from error
    return table.rename(columns=str), path.name


def _split(table: pd.DataFrame, target: str, source: str, test_size: float) -> _Split:
    """Check the table and split its rows. The split is random with a fixed seed."""
    columns = list(table.columns)
    if target not in columns:
        raise _UserError(f"{source} has no column {target!r}; it has {_quoted(columns)}")
    if len(set(columns)) < len(columns):
        raise _UserError(f"{source} has several columns of one name; rename them")
    if len(columns) < 2:
        raise _UserError(f"{source} has only one column; at least one more is needed")
    text = [name for name in columns if not is_numeric_dtype(table[name])]
    if text:
        raise _UserError(f"not numbers in {_quoted(text)} of {source}; encode or leave them out")
    missing = [name for name in columns if table[name].isna().any()]
    if missing:
        raise _UserError(f"missing values in {_quoted(missing)} of {source}; fill or drop them")
    if not 0 < test_size < 1:
        raise _UserError(f"--test-size must be between 0 and 1, and is {test_size:g}")
    n_test = round(len(table) * test_size)
    if min(n_test, len(table) - n_test) < 2:
        raise _UserError(
            f"too few rows in {source}: with --test-size {test_size:g}, {len(table) - n_test} rows "
            f"are for training and {n_test} for testing, and R² needs at least 2 of each"
        )
    X, y = table.drop(columns=target), table[target]
    return _Split(*train_test_split(X, y, test_size=n_test, random_state=0))


def _models(options: argparse.Namespace) -> tuple[BaseEstimator, BaseEstimator]:
    """The model to fit, and the model of scikit-learn that it is compared with."""
    names = ("lr", "epochs", "optimizer", "device")
    params = {name: getattr(options, name) for name in names}
    if options.degree == 1:
        return GDLinearRegressor(**params), LinearRegression()
    model = GDPolynomialRegressor(degree=options.degree, **params)
    expansion = PolynomialFeatures(options.degree, include_bias=False)
    return model, make_pipeline(expansion, LinearRegression())


def _fit(model: BaseEstimator, reference: BaseEstimator, split: _Split) -> float:
    """Fit both models. Returns the duration of the first fit in seconds."""
    try:
        # the first fit loads torch and its optimizers; that time is not part of the result
        GDLinearRegressor(lr="auto", device=model.device).fit([[0.0], [1.0]], [0.0, 1.0])
        start = time.perf_counter()
        model.fit(split.X_train, split.y_train)
        seconds = time.perf_counter() - start
        reference.fit(split.X_train, split.y_train)
    except (ValueError, TypeError, MemoryError, RuntimeError) as error:
        # an invalid parameter or device, infinite values, too little memory for the terms
        raise _UserError(_reason(error)) from error
    return seconds


def _scores(model: BaseEstimator, reference: BaseEstimator, split: _Split) -> str:
    """A table with R² of both models on the training rows and on the test rows."""
    suffix = " on PolynomialFeatures" if isinstance(reference, Pipeline) else ""
    lines = [f"{_printable('R²', 'R^2'):40}{'train':>12}{'test':>12}"]
    for name, fitted in (
        (type(model).__name__, model),
        (f"LinearRegression{suffix}", reference),
    ):
        try:
            train = fitted.score(split.X_train, split.y_train)
            test = fitted.score(split.X_test, split.y_test)
        except ValueError as error:  # predictions that overflow
            raise _UserError(f"{name} has no R²: {_reason(error)}") from error
        lines.append(f"{name:40}{train:12.4f}{test:12.4f}")
    return "\n".join(lines)


def _summary(model: BaseEstimator, seconds: float) -> str:
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


def _inference(model: BaseEstimator, split: _Split) -> str:
    """The table of coefficients with their standard errors."""
    from sklearn_gd import inference

    try:
        return inference(model, split.X_train, split.y_train).summary()
    except ValueError as error:  # standard errors are undefined
        raise _UserError(f"no --summary: {_reason(error)}") from error


def _wrapped(equation: str) -> str:
    """Wrap the equation to lines of at most 79 characters. Lines break before a sign."""
    terms = re.split(r" (?=[+-] )", equation)
    if len(terms) > _MAX_TERMS:
        terms[_MAX_TERMS:] = [f"+ {len(terms) - _MAX_TERMS} more terms"]
    unbreakable = " ".join(term.replace(" ", "\xa0") for term in terms)
    lines = textwrap.wrap(
        unbreakable, 79, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines).replace("\xa0", " ")


def _draw(model: BaseEstimator, split: _Split, path: Path) -> None:
    """Draw the loss curve, and the true against the predicted values of the test rows."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, ScalarFormatter
    from sklearn.metrics import PredictionErrorDisplay

    from sklearn_gd import LossCurveDisplay
    from sklearn_gd._inspection.plotting import axis_label

    figure = Figure(figsize=(10, 4.2), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    LossCurveDisplay.from_estimator(model, ax=left)
    left.set_title(f"Descent, lr = {model.lr_:.4g}")
    PredictionErrorDisplay.from_estimator(
        model,
        split.X_test,
        split.y_test,
        kind="actual_vs_predicted",
        ax=right,
        scatter_kwargs={"alpha": 0.6, "edgecolors": "none"},
    )
    score = model.score(split.X_test, split.y_test)
    target = split.y_test.name
    right.set(
        title=f"{len(split.y_test)} test rows, R² = {score:.4f}",
        xlabel=axis_label(f"Predicted {target}"),
        ylabel=axis_label(f"True {target}"),
    )
    # ticks at round numbers; the display puts them at the limits of the data
    for axis in (right.xaxis, right.yaxis):
        axis.set_major_locator(MaxNLocator(5))  # so few that wide numbers do not overlap
        axis.set_major_formatter(ScalarFormatter())
    with _report_writing(path):
        figure.savefig(path)


def _save(model: BaseEstimator, path: Path) -> None:
    """Save the model, and print the call that loads it."""
    from skops.io import dump, get_untrusted_types

    with _report_writing(path):
        dump(model, path)
    trusted = get_untrusted_types(file=path)
    print(f"to load it: skops.io.load({str(path)!r}, trusted={trusted})")


@contextmanager
def _report_writing(path: Path) -> Iterator[None]:
    """Print that a file was written. Raise `_UserError` if it cannot be written."""
    try:
        yield
    except OSError as error:
        raise _UserError(f"cannot write {path}: {_reason(error)}") from error
    print(f"wrote {path}")


@contextmanager
def _any_characters() -> Iterator[None]:
    """Escape the characters that a terminal cannot print."""
    streams = [each for each in (sys.stdout, sys.stderr) if isinstance(each, io.TextIOWrapper)]
    before = [stream.errors for stream in streams]
    for stream in streams:
        stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            stream.reconfigure(errors=errors)


def _printable(text: str, plain: str) -> str:
    """The text, or a plain text where the terminal cannot print it."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return plain
    return text


def _discard_output() -> None:
    """Let the interpreter find nothing to flush, where the reader has closed the pipe."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


@contextmanager
def _readable_warnings() -> Iterator[None]:
    """Print each warning as one line."""

    def show(message: Warning | str, *args: object, **kwargs: object) -> None:
        print(f"sklearn_gd: warning: {_one_line(message)}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # an overflow ends in an error
        warnings.showwarning = show
        yield


def _reason(error: Exception) -> str:
    """The message of an error, without the error number and path of an OSError."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _one_line(message: object) -> str:
    """The message with its line breaks replaced by spaces."""
    return " ".join(str(message).split())


def _quoted(names: Sequence[str], limit: int = 8) -> str:
    """The first names in quotes, and the number of the others."""
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


if __name__ == "__main__":
    sys.exit(main())
