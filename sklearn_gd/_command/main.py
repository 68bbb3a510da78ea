"""The command from its options to its exit status."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from sklearn_gd._command.columns import choose_columns
from sklearn_gd._command.files import check_files, draw, save
from sklearn_gd._command.messages import UserError, counted, quoted, reason, say, say_aside
from sklearn_gd._command.models import (
    fit_models,
    last_step,
    make_models,
    notes_on_texts,
    notes_on_unknown_texts,
)
from sklearn_gd._command.options import parse
from sklearn_gd._command.predict import print_predictions
from sklearn_gd._command.read_table import read_table
from sklearn_gd._command.report import equation, inference_table, notes_text, score_table, summary
from sklearn_gd._command.rows import split_rows
from sklearn_gd._command.terminal import (
    any_characters,
    discard_output,
    flush_output,
    readable_warnings,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, default=None
        The arguments of the command. None means the arguments of the process.

    Returns
    -------
    int
        The exit status: 0 for success, 2 for an error, which is told in one line, 1 if the
        reader of the output has closed it, and 130 after an interrupt from the keyboard.
    """
    with any_characters():
        try:
            status = _status(argv)
            flush_output()
        except BrokenPipeError:
            discard_output()
            return 1
        except OSError as error:  # such as a disk that is full
            discard_output()
            say_aside(f"cannot write the output: {reason(error)}")
            return 2
    return status


def _status(argv: Sequence[str] | None) -> int:
    """Run the command. What goes wrong is told in one line."""
    try:
        with readable_warnings():
            _run(argv)
    except SystemExit as end:  # after --help and --version
        return int(end.code or 0)
    except KeyboardInterrupt:
        say_aside("interrupted")
        return 130
    except OSError:  # of the output; files raise a UserError
        raise
    except Exception as error:  # whatever a table may cause, a traceback does not help
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        say_aside(f"{kind}{reason(error)}")
        return 2
    return 0


def _run(argv: Sequence[str] | None) -> None:
    """Read the options, and do what they ask for."""
    options = parse(argv)
    if options.predict is not None:
        print_predictions(options)
    else:
        _fit_and_report(options)


def _fit_and_report(options: Namespace) -> None:
    """Read the table, fit the model, print the scores, and write the files asked for."""
    check_files(options)
    table = read_table(options)
    columns = choose_columns(table, options)
    split, notes_on_rows = split_rows(columns, options, table.source)
    models = make_models(columns, options)
    seconds = fit_models(models, split)
    estimator = last_step(models.model)
    target = str(columns.y.name)
    rows = f"{len(split.y_train)} rows to train on, {len(split.y_test)} to test"
    features = counted(columns.X.shape[1], "column")
    say(f"{table.source}: {rows}; {quoted([target])} from {features}")
    notes = [*table.notes, *columns.notes, *notes_on_rows, *notes_on_texts(models.model)]
    notes += notes_on_unknown_texts(models.model, split.X_test)
    if notes:
        say(notes_text(notes))
    say(f"\n{score_table(models, split)}")
    say(f"\n{equation(target, estimator)}\n")
    say(summary(estimator, seconds))
    if options.summary:
        say(f"\n{inference_table(models.model, split)}")
    if options.figure:
        draw(models.model, split, options.figure)
    if options.save:
        save(models.model, options.save)
