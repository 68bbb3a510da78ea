"""How everything here is timed: contestants take turns within one run."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Contestant(NamedTuple):
    """Something to time."""

    name: str
    run: Callable[[], Any]
    share: float = 1.0  # of the whole task that one run does; its time is divided by it


def race(contestants: Sequence[Contestant], rounds: int) -> None:
    """Print median and least seconds, and the median ratio to the first contestant.

    Taking turns, the contestants see the same machine: a ratio is that of two runs of one
    round. The first round warms up and does not count.
    """
    seconds: list[list[float]] = [[] for _ in contestants]
    for _ in range(rounds + 1):
        for contestant, own in zip(contestants, seconds, strict=True):
            gc.collect()
            start = time.perf_counter()
            contestant.run()
            own.append((time.perf_counter() - start) / contestant.share)
    rows = []
    for contestant, own in zip(contestants, seconds, strict=True):
        ratios = [a / b for a, b in zip(own[1:], seconds[0][1:], strict=True)]
        rows.append(
            [
                contestant.name,
                f"{statistics.median(own[1:]):.4g}",
                f"{min(own[1:]):.4g}",
                f"{statistics.median(ratios):.2f}",
            ]
        )
    table(["", f"median s ({rounds} rounds)", "min s", "times the first"], rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    rule = ["-" * width for width in widths]
    for row in [header, rule, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("| " + " | ".join(cells) + " |", flush=True)
    print(flush=True)
