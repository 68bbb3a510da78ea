"""Timing of several tasks in alternation, within one process, and a check of their answers."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks._report import Report, Row

Answer = Callable[[Any], Any]


class Task(NamedTuple):
    """A function to time, with the name that is printed."""

    name: str
    run: Callable[[], Any]
    fraction: float = 1.0  # of the task that one call of `run` does; times are divided by it
    within: float | None = 1e-6  # allowed difference of the answer; None: it is another problem


def coefficients(model: Any) -> np.ndarray:
    """The answer of most tasks: the coefficients, and the intercept at the end."""
    model = model[-1] if hasattr(model, "steps") else model  # of a pipeline
    return np.append(np.ravel(model.coef_), model.intercept_)


def compare(
    report: Report,
    title: str,
    tasks: Sequence[Task],
    rounds: int,
    *,
    exact: str | np.ndarray | None = None,
    answer: Answer = coefficients,
) -> None:
    """Report median and minimum seconds, and the median ratio to the time of the first task.

    Every round runs each task once, so that the load of the machine is similar for all tasks
    of a round. A ratio compares two times of one round. One more round, at the beginning,
    warms up and is not counted. Its answers are compared with `exact`, an answer or the name of
    a task.
    """
    results = {}
    for task in tasks:  # the warm-up; models are not kept, because some keep the data
        result = task.run()
        results[task.name] = None if exact is None else answer(result)
        del result
    reference = results[exact] if isinstance(exact, str) else exact
    seconds: dict[str, list[float]] = {task.name: [] for task in tasks}
    rounds = report.pick(rounds, 1)
    for _ in range(rounds):
        for task in tasks:
            seconds[task.name].append(seconds_of(task.run) / task.fraction)
    first = seconds[tasks[0].name]
    rows: list[Row] = []
    for task in tasks:
        times = seconds[task.name]
        ratios = [a / b for a, b in zip(times, first, strict=True)]
        row: Row = {
            "": task.name,
            f"median s ({rounds} rounds)": statistics.median(times),
            "min s": min(times),
            "ratio to the first": statistics.median(ratios),
        }
        if exact is not None:
            difference = difference_of(results[task.name], reference)
            row["difference of the answer"] = difference
            is_right = task.within is None or difference is None or difference <= task.within
            report.check(is_right, f"{title}: {task.name} differs by {difference}")
        rows.append(row)
    report.table(title, rows)


def seconds_of(run: Callable[[], Any]) -> float:
    """Seconds of one call."""
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def difference_of(answer: Any, exact: Any) -> float | None:
    """The norm of the difference, relative to the norm of the exact answer."""
    if answer is None:
        return None
    return float(np.linalg.norm(answer - exact) / np.linalg.norm(exact))
