"""What a section prints and keeps: tables in Markdown for a reader, the same rows for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

Value = str | int | float | bool | None
Row = dict[str, Value]
Choice = TypeVar("Choice")


class Report:
    """The tables of one section, and the answers that differ from the reference."""

    def __init__(self, *, quick: bool = False, rows: int = 1_000_000):
        self.quick, self.rows = quick, rows
        self.tables: list[dict[str, Any]] = []
        self.failures: list[str] = []

    def pick(self, full: Choice, quick: Choice) -> Choice:
        """The first value, or the second one under ``--quick``."""
        return quick if self.quick else full

    def table(self, title: str, rows: Sequence[Row]) -> None:
        """Print and keep a table. All rows have the same keys, which name the columns."""
        self.tables.append({"title": title, "rows": list(rows)})
        print(f"### {title}\n", flush=True)
        print(markdown(rows), flush=True)

    def check(self, is_right: bool, message: str) -> None:
        """Keep and print a message if a result is not what it must be."""
        if not is_right:
            self.failures.append(message)
            print(f"FAILED: {message}\n", flush=True)


def markdown(rows: Sequence[Row]) -> str:
    """A table in Markdown."""
    header = list(rows[0])
    cells = [header, *([_text(row[name]) for name in header] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(header))]
    cells.insert(1, ["-" * width for width in widths])
    lines = (
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    )
    return "".join(f"| {line} |\n" for line in lines)


def _text(value: Value) -> str:
    """A value as a cell."""
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
