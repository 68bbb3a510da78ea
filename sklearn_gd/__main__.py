"""The command: fit a table by gradient descent, or scikit-learn's diabetes data.

Nothing is computed here: the estimators and scikit-learn do that.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import textwrap
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

_READERS = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
_MOST_TERMS = 100  # of an equation to print


class _UserError(Exception):
    """A mistake of the user's, told in one line."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line like all others."""

    def error(self, message: str) -> NoReturn:
        raise _UserError(f"{message} (see --help)")


class _Split(NamedTuple):
    """Rows to train on and rows to test."""

    X_train: pd.DataFrame
    X_test: pd.DataFrame
    y_train: pd.Series
    y_test: pd.Series


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 2 for a mistake of the user's.

    Parameters
    ----------
    argv : sequence of str, default=None
        The arguments; those of the process by default.

    Returns
    -------
    int
        The exit status.
    """
    try:
        with _readable_warnings():
            _run(_parser().parse_args(argv))
    except _UserError as error:
        print(f"sklearn_gd: {_one_line(error)}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    """Read, fit, print, and write what was asked for."""
    _check_outputs(options)
    table, source = _read(options.file)
    target = table.columns[-1] if options.target is None else options.target
    split = _split(table, target, source, options.test_size)
    model, reference = _models(options)
    seconds = _fit(model, split)
    reference.fit(split.X_train, split.y_train)
    rows = f"{len(split.y_train)} rows to train on, {len(split.y_test)} to test"
    print(f"{source}: {rows}; {target!r} from {split.X_train.shape[1]} columns\n")
    print(_scores(model, reference, split))
    print(f"\n{_wrapped(target + model.equation().removeprefix('y'))}\n")
    print(_summary(model, seconds))
    if options.figure:
        _draw(model, split, options.figure)
    if options.save:
        _save(model, options.save)


def _parser() -> argparse.ArgumentParser:
    """The arguments; what the estimators check is left to them."""
    parser = _Parser(prog="python -m sklearn_gd", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, help="a table, .csv or .parquet")
    parser.add_argument("--target", help="the column to predict (default: the last)")
    parser.add_argument("--degree", type=int, default=1, help="of the polynomial (default: 1)")
    parser.add_argument("--lr", type=_lr, default=0.01, help='a number or "auto" (default: 0.01)')
    parser.add_argument("--epochs", type=int, default=1000, help="(default: 1000)")
    parser.add_argument("--optimizer", default="sgd", help="of torch.optim (default: sgd)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 or auto (default: cpu)")
    parser.add_argument("--test-size", type=float, default=0.2, help="share of rows (default: 0.2)")
    parser.add_argument("--figure", type=Path, help="draw the descent and predictions, out.png")
    parser.add_argument("--save", type=Path, help="save the fitted model, model.skops")
    return parser


def _lr(text: str) -> float | str:
    """A learning rate."""
    try:
        return text if text == "auto" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor 'auto'") from None


def _check_outputs(options: argparse.Namespace) -> None:
    """Say before the work, not after it, that its result could not be written."""
    for path, extra in ((options.figure, "plot"), (options.save, "skops")):
        if path is None:
            continue
        package = {"plot": "matplotlib", "skops": "skops"}[extra]
        _need(package, f"to write {path}", f"sklearn_gd[{extra}]")
        if path.is_dir():
            raise _UserError(f"cannot write {path}: it is a directory")
        if not path.parent.is_dir():
            raise _UserError(f"cannot write {path}: there is no directory {path.parent}")
    if options.figure:
        from matplotlib.backend_bases import FigureCanvasBase

        known = sorted(FigureCanvasBase.get_supported_filetypes())
        if options.figure.suffix.lower().removeprefix(".") not in known:
            raise _UserError(f"cannot write {options.figure}: it must end in .{', .'.join(known)}")


def _need(package: str, purpose: str, requirement: str) -> None:
    """Raise if an optional package is not there."""
    try:
        importlib.import_module(package)
    except ImportError:
        raise _UserError(f"{package} is needed {purpose}: pip install '{requirement}'") from None


def _read(path: Path | None) -> tuple[pd.DataFrame, str]:
    """A table of numbers and what to call it."""
    if path is None:
        # in the units of measurement: nothing needs to be scaled for this descent
        return load_diabetes(as_frame=True, scaled=False).frame, "diabetes data"
    reader = _READERS.get(path.suffix.lower())
    if path.is_dir():
        raise _UserError(f"cannot read {path}: it is a directory")
    if reader is None:
        raise _UserError(f"cannot read {path}: it must end in .csv or .parquet")
    if reader is pd.read_parquet:
        _need("pyarrow", "to read Parquet", "pyarrow")
    try:
        table = reader(path)
    except (OSError, ValueError) as error:  # pandas' and Arrow's own are ValueErrors
        raise _UserError(f"cannot read {path}: {_reason(error)}") from error
    return table.rename(columns=str), path.name


def _split(table: pd.DataFrame, target: str, source: str, test_size: float) -> _Split:
    """Checked numbers, split at random but always alike."""
    columns = list(table.columns)
    if target not in columns:
        raise _UserError(f"{source} has no column {target!r}; it has {_list(columns)}")
    if len(set(columns)) < len(columns):
        raise _UserError(f"{source} has several columns of one name; rename them")
    if len(columns) < 2:
        raise _UserError(f"{source} has only one column; at least one more is needed")
    text = [name for name in columns if not is_numeric_dtype(table[name])]
    if text:
        raise _UserError(f"not numbers in {_list(text)} of {source}; encode or leave them out")
    missing = [name for name in columns if table[name].isna().any()]
    if missing:
        raise _UserError(f"missing values in {_list(missing)} of {source}; fill or drop them")
    if not 0 < test_size < 1:
        raise _UserError(f"--test-size must be between 0 and 1, and is {test_size:g}")
    tested = round(len(table) * test_size)
    if min(tested, len(table) - tested) < 2:
        raise _UserError(
            f"too few rows in {source}: of {len(table)}, --test-size {test_size:g} leaves "
            f"{len(table) - tested} to train on and {tested} to test, and R² needs 2 of each"
        )
    X, y = table.drop(columns=target), table[target]
    return _Split(*train_test_split(X, y, test_size=tested, random_state=0))


def _models(options: argparse.Namespace) -> tuple[Any, Any]:
    """The estimator asked for, and scikit-learn's for the same problem."""
    names = ("lr", "epochs", "optimizer", "device")
    settings = {name: getattr(options, name) for name in names}
    if options.degree == 1:
        return GDLinearRegressor(**settings), LinearRegression()
    model = GDPolynomialRegressor(degree=options.degree, **settings)
    expansion = PolynomialFeatures(options.degree, include_bias=False)
    return model, make_pipeline(expansion, LinearRegression())


def _fit(model: Any, split: _Split) -> float:
    """Fit, and the seconds it took."""
    try:
        # load torch and its optimizers, which is not the fit's time
        GDLinearRegressor(lr="auto", device=model.device).fit([[0.0], [1.0]], [0.0, 1.0])
        start = time.perf_counter()
        model.fit(split.X_train, split.y_train)
    except (ValueError, TypeError, MemoryError, RuntimeError) as error:
        # a bad parameter or device, infinite values, no memory for so many terms
        raise _UserError(_reason(error)) from error
    return time.perf_counter() - start


def _scores(model: Any, reference: Any, split: _Split) -> str:
    """R² of both on both parts."""
    on_terms = " on PolynomialFeatures" if isinstance(reference, Pipeline) else ""
    lines = [f"{'R²':40}{'train':>12}{'test':>12}"]
    for name, fitted in (
        (type(model).__name__, model),
        (f"LinearRegression{on_terms}", reference),
    ):
        train = fitted.score(split.X_train, split.y_train)
        test = fitted.score(split.X_test, split.y_test)
        lines.append(f"{name:40}{train:12.4f}{test:12.4f}")
    return "\n".join(lines)


def _summary(model: Any, seconds: float) -> str:
    """How the descent went."""
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


def _wrapped(equation: str) -> str:
    """The equation in lines of 79 characters, broken in front of signs."""
    terms = re.split(r" (?=[+-] )", equation)
    if len(terms) > _MOST_TERMS:
        terms[_MOST_TERMS:] = [f"+ {len(terms) - _MOST_TERMS} more terms"]
    glued = " ".join(term.replace(" ", "\xa0") for term in terms)
    lines = textwrap.wrap(
        glued, 79, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines).replace("\xa0", " ")


def _draw(model: Any, split: _Split, path: Path) -> None:
    """Loss curve, and predicted against true values of the rows for testing."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import AutoLocator, ScalarFormatter
    from sklearn.metrics import PredictionErrorDisplay

    from sklearn_gd import LossCurveDisplay

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
    target = split.y_test.name.replace("$", r"\$")  # no mathematics meant
    right.set(
        title=f"{len(split.y_test)} test rows, R² = {score:.4f}",
        xlabel=f"Predicted {target}",
        ylabel=f"True {target}",
    )
    for axis in (right.xaxis, right.yaxis):  # at round numbers, not at the data's ends
        axis.set_major_locator(AutoLocator())
        axis.set_major_formatter(ScalarFormatter())
    with _writing(path):
        figure.savefig(path)


def _save(model: Any, path: Path) -> None:
    """Save the model, and say how to load it."""
    from skops import io

    with _writing(path):
        io.dump(model, path)
    trusted = io.get_untrusted_types(file=path)
    print(f"to load it: skops.io.load({str(path)!r}, trusted={trusted})")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Report a file that cannot be written, or that it was."""
    try:
        yield
    except OSError as error:
        raise _UserError(f"cannot write {path}: {_reason(error)}") from error
    print(f"wrote {path}")


@contextmanager
def _readable_warnings() -> Iterator[None]:
    """Print each warning as one line."""

    def show(message: Warning | str, *args: Any, **kwargs: Any) -> None:
        print(f"sklearn_gd: warning: {_one_line(message)}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.showwarning = show
        yield


def _reason(error: Exception) -> str:
    """What an error says, without the number or the path it may begin with."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _one_line(message: object) -> str:
    """A message in one line."""
    return " ".join(str(message).split())


def _list(names: Sequence[str], most: int = 8) -> str:
    """A few names, quoted."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


if __name__ == "__main__":
    sys.exit(main())
