"""The progress bar of a scan, in the style of those of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[float, int], None]  # the share of the table that is read, and its rows


@contextmanager
def progress_bar(title: str) -> Iterator[Report]:
    """A bar while the context lasts, moved by the function that it gives."""
    try:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError as error:
        raise ImportError(
            f"The progress bar of {title} requires rich. Install it: pip install "
            "'sklearn_gd[progress]', or set verbose=0."
        ) from error
    columns = (
        TextColumn("{task.description}"),
        BarColumn(complete_style="#F7931E", finished_style="#29ABE2"),  # those of scikit-learn
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns) as bar:
        task = bar.add_task(title, total=1.0, rows=0)

        def report(share: float, n_rows: int) -> None:
            bar.update(task, completed=share, rows=n_rows)

        yield report
