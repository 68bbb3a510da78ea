"""The files that the command writes: the figure and the saved model."""

from __future__ import annotations

import os
import shlex
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from sklearn_gd._command.messages import UserError, reason, say
from sklearn_gd._command.models import last_step
from sklearn_gd._command.read_table import require_package
from sklearn_gd._command.rows import Split


def check_files(options: Namespace) -> None:
    """Raise before the fit if a file asked for cannot be written."""
    for path, extra in ((options.figure, "plot"), (options.save, "skops")):
        if path is None:
            continue
        package = {"plot": "matplotlib", "skops": "skops"}[extra]
        require_package(package, f"to write {path}", f"sklearn_gd[{extra}]")
        if os.path.isdir(path):  # a method of Path raises for names that are too long
            raise UserError(f"cannot write {path}: it is a directory")
        if not os.path.isdir(path.parent):
            raise UserError(f"cannot write {path}: there is no directory {path.parent}")
    if options.figure:
        from matplotlib.backend_bases import FigureCanvasBase

        known = sorted(FigureCanvasBase.get_supported_filetypes())
        if options.figure.suffix.lower().removeprefix(".") not in known:
            raise UserError(f"cannot write {options.figure}: it must end in .{', .'.join(known)}")


def draw(model: BaseEstimator, split: Split, path: Path) -> None:
    """Draw the loss curve, and the true against the predicted values of the test rows."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, ScalarFormatter
    from sklearn.metrics import PredictionErrorDisplay

    from sklearn_gd import LossCurveDisplay
    from sklearn_gd._inspection.plotting import axis_label

    figure = Figure(figsize=(10, 4.2), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    LossCurveDisplay.from_estimator(last_step(model), ax=left)
    left.set_title(f"Descent, lr = {last_step(model).lr_:.4g}")
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


def save(model: BaseEstimator, path: Path) -> None:
    """Save the model, and print the calls that load it."""
    from skops.io import dump, get_untrusted_types

    with _report_writing(path):
        dump(model, path)
    if isinstance(model, Pipeline):
        say("the file holds the whole Pipeline: it takes the columns as they are in the table")
    trusted = get_untrusted_types(file=path)
    say(f"to load it: skops.io.load({str(path)!r}, trusted={trusted})")
    command = f"python -m sklearn_gd --predict {shlex.quote(str(path))}"
    say(f"to use it:  {command} new.csv > predicted.csv")


@contextmanager
def _report_writing(path: Path) -> Iterator[None]:
    """Print that a file was written. Raise `UserError` if it cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {path}: {reason(error)}") from error
    say(f"wrote {path}")
