"""Timing of several tasks in alternation, within one process."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Task(NamedTuple):
    """A function to time, with the name that is printed."""

    name: str
    run: Callable[[], Any]
    fraction: float = 1.0  # of the task that one call of `run` does; times are divided by it


def compare(tasks: Sequence[Task], rounds: int) -> None:
    """Print median and minimum seconds, and the median ratio to the time of the first task.

    Every round runs each task once, so that the load of the machine is similar for all tasks
    of a round. A ratio compares two times of one round. One more round, at the beginning,
    warms up and is not counted.
    """
    seconds: list[list[float]] = [[] for _ in tasks]
    for _ in range(rounds + 1):
        for task, times in zip(tasks, seconds, strict=True):
            gc.collect()
            start = time.perf_counter()
            task.run()
            times.append((time.perf_counter() - start) / task.fraction)
    rows = []
    for task, times in zip(tasks, seconds, strict=True):
        ratios = [a / b for a, b in zip(times[1:], seconds[0][1:], strict=True)]
        rows.append(
            [
                task.name,
                f"{statistics.median(times[1:]):.4g}",
                f"{min(times[1:]):.4g}",
                f"{statistics.median(ratios):.2f}",
            ]
        )
    print_table(["", f"median s ({rounds} rounds)", "min s", "ratio to the first"], rows)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    rule = ["-" * width for width in widths]
    for row in [header, rule, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("| " + " | ".join(cells) + " |", flush=True)
    print(flush=True)
