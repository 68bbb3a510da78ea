"""The options of the command. Values that the estimators check are not checked here."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from sklearn_gd import __version__
from sklearn_gd._command.messages import UserError

_EXAMPLES = """
examples:
  python -m sklearn_gd
      fits scikit-learn's diabetes data
  python -m sklearn_gd houses.csv --target price --drop id,street --degree 2 --lr auto
      predicts the price from all other columns; columns of text are encoded one-hot
  python -m sklearn_gd preise.csv --sep ";" --decimal "," --missing mean --save model.skops
      reads a table with decimal commas, fills its gaps, and saves the model
  python -m sklearn_gd --predict model.skops new.csv > predicted.csv
      predicts the rows of another table with the saved model
"""

# what has a meaning together with --predict; the other options are those of a fit
_OF_PREDICTION = {
    *("file", "predict", "missing"),
    *("sep", "decimal", "thousands", "header", "na"),
}


class _Parser(argparse.ArgumentParser):
    """A parser that raises `UserError`, so that its errors are printed like all others."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see --help)")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of a command line."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.predict is not None:
        for name, value in vars(options).items():
            if name not in _OF_PREDICTION and value != parser.get_default(name):
                raise UserError(f"--{name.replace('_', '-')} is not for use with --predict")
        if options.file is None:
            raise UserError("--predict needs a table: --predict model.skops data.csv")
    return options


def _parser() -> argparse.ArgumentParser:
    """The parser."""
    parser = _Parser(
        prog="python -m sklearn_gd",
        description="Fit a linear or polynomial model to a table by gradient descent, and print "
        "its scores.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sklearn_gd {__version__}")
    _add_table(parser.add_argument_group("the table"))
    _add_model(parser.add_argument_group("the model"))
    _add_results(parser.add_argument_group("the results"))
    return parser


def _add_table(group: argparse._ArgumentGroup) -> None:
    """The options that say what is read."""
    group.add_argument(
        "file",
        nargs="?",
        type=Path,
        help="a table: .csv, .tsv, .txt, each also with .gz, or .parquet (default: diabetes data)",
    )
    group.add_argument("--target", help="column to predict (default: the last one)")
    group.add_argument(
        "--features",
        type=_names,
        action="extend",
        metavar="A,B",
        help="columns to predict from (default: all others)",
    )
    group.add_argument(
        "--drop", type=_names, action="extend", metavar="A,B", help="columns to leave out"
    )
    group.add_argument(
        "--missing",
        default="error",
        choices=("error", "drop", "mean"),
        help="drop: leave rows with missing values out; mean: fill the columns of numbers with "
        "their means (default: error)",
    )
    group.add_argument(
        "--sep",
        type=_separator,
        help='what separates columns: a character, "tab" or "space" (default: guessed)',
    )
    group.add_argument(
        "--decimal", type=_character, help='decimal sign, "." or "," (default: guessed)'
    )
    group.add_argument(
        "--thousands", type=_character, help="sign between thousands (default: none)"
    )
    group.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first row has the names of the columns (default: guessed)",
    )
    group.add_argument("--na", metavar="TEXT", help='what else marks a missing value, such as "?"')


def _add_model(group: argparse._ArgumentGroup) -> None:
    """The options that say what is fitted."""
    group.add_argument(
        "--degree", type=int, default=1, help="degree of the polynomial (default: 1)"
    )
    group.add_argument(
        "--lr", type=_lr, default=0.01, help='learning rate, or "auto" (default: 0.01)'
    )
    group.add_argument("--epochs", type=int, default=1000, help="number of epochs (default: 1000)")
    group.add_argument(
        "--optimizer", default="sgd", help="class of torch.optim in lower case (default: sgd)"
    )
    group.add_argument(
        "--loss", default="squared_error", help="such as huber (default: squared_error)"
    )
    group.add_argument(
        "--alpha", type=float, default=0.0, help="strength of the L2 penalty (default: 0)"
    )
    group.add_argument(
        "--precondition",
        type=lambda text: None if text == "none" else text,
        default="auto",
        help="auto, whiten, standardize or none (default: auto)",
    )
    group.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 or auto (default: cpu)")
    group.add_argument(
        "--test-size", type=float, default=0.2, help="fraction of rows for testing (default: 0.2)"
    )
    group.add_argument(
        "--seed",
        type=_seed,
        default=0,
        help="seed of what is random, such as the choice of the rows for testing (default: 0)",
    )


def _add_results(group: argparse._ArgumentGroup) -> None:
    """The options that say what comes out."""
    group.add_argument(
        "--summary",
        action="store_true",
        help="print standard errors, intervals and tests on the rows for training",
    )
    group.add_argument(
        "--figure", type=Path, help="plot the loss curve and the predictions, e.g. to out.png"
    )
    group.add_argument("--save", type=Path, help="save the fitted model, e.g. to model.skops")
    group.add_argument(
        "--predict",
        type=Path,
        metavar="MODEL",
        help="fit nothing: print the predictions of a saved model for the table, as CSV",
    )


def _lr(text: str) -> float | str:
    """Convert the text of ``--lr`` to a learning rate."""
    try:
        return text if text == "auto" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor 'auto'") from None


def _seed(text: str) -> int:
    """Convert the text of ``--seed`` to a seed of NumPy."""
    if not text.isascii() or not text.isdigit() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2**32 - 1")
    return int(text)


def _names(text: str) -> list[str]:
    """Names of columns. A name with a comma stands in double quotes, as in a CSV file."""
    return next(csv.reader([text], skipinitialspace=True), [])


def _separator(text: str) -> str:
    """Convert the text of ``--sep`` to a separator."""
    words = {"tab": "\t", r"\t": "\t", "space": " "}
    return words.get(text) or _character(text)


def _character(text: str) -> str:
    """One character that can separate columns or digits."""
    if len(text) != 1 or text.isalnum() or text in '"\n\r\0+-':
        raise argparse.ArgumentTypeError(f"{text!r} is not one sign")
    return text
