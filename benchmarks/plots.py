"""Plots of the stored results: ``python -m benchmarks.plots [FOLDER]``.

The results are the JSON files of ``benchmarks/results``, in the order of their names. A section
of a later file replaces that of an earlier one. The build of the site calls `draw`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from benchmarks._machine import describe
from benchmarks._report import Row, markdown

RESULTS = Path(__file__).parent / "results"
OURS = ("GDLinearRegressor", "Moments", "inference", "defaults", "lr=", "GDPolynomialRegressor")
NO_PEERS = ("limit", "without support")  # tasks that nobody would run in place of ours
RATIO = "ratio to the first"


class Section:
    """The tables of a section, and where they were measured."""

    def __init__(self, machine: dict[str, Any], tables: list[dict[str, Any]]):
        self.machine, self.tables = machine, tables

    def rows(self, index: int = 0) -> list[Row]:
        """The rows of a table."""
        return self.tables[index]["rows"]


def load(folder: Path = RESULTS) -> dict[str, Section]:
    """The newest result of every section."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        for name, tables in results["sections"].items():
            found[name] = Section(results["machine"], tables)
    return found


def draw(folder: Path, results: Path = RESULTS) -> None:
    """Write a picture for every plot, and the text files that the page includes."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = load(results)
    for name, plot in PLOTS.items():
        figure = plot(sections)
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)
    (folder / "losses.txt").write_text(markdown(losses(sections)), encoding="utf-8")
    (folder / "machines.txt").write_text(machines(sections), encoding="utf-8")


def losses(sections: dict[str, Section]) -> list[Row]:
    """Every measured task that is faster than ours, the largest factor first."""
    rows: list[Row] = []
    for name, section in sections.items():
        for table in section.tables:
            for row in table["rows"]:
                is_peer = not str(row.get("", "")).startswith((*OURS, *NO_PEERS))
                if is_peer and row.get(RATIO, 1.0) < 0.95:
                    case = f"{name}: {table['title']}"
                    factor = f"{1 / row[RATIO]:.3g} times"
                    rows.append({"case": case, "faster": row[""], "by": factor})
    rows.sort(key=lambda row: -float(str(row["by"]).split()[0]))
    return rows or [{"case": "none", "faster": "-", "by": "-"}]


def machines(sections: dict[str, Section]) -> str:
    """The machines on which the sections were measured."""
    names: dict[str, list[str]] = {}
    for name, section in sections.items():
        names.setdefault(describe(section.machine), []).append(f"`{name}`")
    return "".join(f"- {', '.join(each)}: {text}" for text, each in names.items())


def by_rows(sections: dict[str, Section]) -> Any:
    """Time against rows."""
    return _curves(sections["by-rows"].rows(), "rows", "a fit of 50 columns")


def by_columns(sections: dict[str, Section]) -> Any:
    """Time against columns."""
    return _curves(sections["by-columns"].rows(), "columns", "a fit of 20,000 rows")


def by_candidates(sections: dict[str, Section]) -> Any:
    """Time of a search against candidates."""
    title = "a search on 20,000 x 50, 5 folds"
    return _curves(sections["by-candidates"].rows(), "candidates", title)


def digits(sections: dict[str, Section]) -> Any:
    """Correct digits on NIST's data."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    titles = ("coefficients", "standard errors")
    for ax, title, table in zip(axes, titles, sections["nist"].tables, strict=True):
        _dots(ax, table["rows"], [name for name in table["rows"][0] if name not in ("", "degree")])
        ax.set(title=title, xlabel="correct digits of the least accurate number", xlim=(-0.5, 16.5))
    axes[0].invert_yaxis()
    return figure


def memory(sections: dict[str, Section]) -> Any:
    """Peak memory beyond the data."""
    rows = [row for row in sections["memory"].rows() if row["extra MB"] is not None]
    labels = [f"{row['X']}: {row['']}" for row in rows]
    figure, ax = plt.subplots(figsize=(9, 0.3 * len(rows) + 1), layout="constrained")
    colors = ["C0" if _is_ours(str(row[""])) else "0.6" for row in rows]
    ax.barh(labels, [max(float(row["extra MB"] or 0), 1.0) for row in rows], color=colors)
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel="peak memory beyond X and y [MB]")
    return figure


def _curves(rows: Sequence[Row], x: str, title: str) -> Any:
    """Seconds against a number, on logarithmic axes, with one pass as the limit."""
    figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    for name in rows[0]:
        points = [(row[x], row[name]) for row in rows if row[name] is not None]
        if name == "one pass":
            ax.plot(*zip(*points, strict=True), "k--", label="one pass over the data (X @ v)")
        elif name not in ("rows", "columns", "candidates"):
            style = {"linewidth": 2.5, "zorder": 3} if _is_ours(name) else {"linewidth": 1.2}
            ax.plot(*zip(*points, strict=True), "o-", label=name, markersize=4, **style)
    ax.set(xscale="log", yscale="log", xlabel=x, ylabel="seconds (median of 3)", title=title)
    ax.grid(alpha=0.3)
    ax.legend(fontsize="small")
    return figure


def _dots(ax: Any, rows: Sequence[Row], methods: Sequence[str]) -> None:
    """A row of dots for every data set."""
    for method, marker in zip(methods, "os^Dv", strict=False):
        points = [(row[method], row[""]) for row in rows if row[method] is not None]
        ax.plot(*zip(*points, strict=True), marker, label=method, alpha=0.8)
    ax.grid(alpha=0.3)
    ax.legend(fontsize="small")


def _is_ours(name: str) -> bool:
    """Whether a task is ours; GridSearchCV over our estimator is not."""
    return name.startswith(OURS)


PLOTS: dict[str, Callable[[dict[str, Section]], Any]] = {
    "by_rows": by_rows,
    "by_columns": by_columns,
    "by_candidates": by_candidates,
    "digits": digits,
    "memory": memory,
}


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/generated/benchmarks")
    draw(folder)
    print(f"wrote {', '.join(f'{folder}/{name}.svg' for name in PLOTS)}")
