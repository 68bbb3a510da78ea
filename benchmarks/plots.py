"""Plots of the stored results: ``python -m benchmarks.plots [FOLDER]``.

The results are the JSON files of ``benchmarks/results``, in the order of their names. A section
of a later file replaces that of an earlier one. The build of the site calls `draw`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from benchmarks._machine import describe
from benchmarks._report import Row, markdown
from sklearn_gd._inspection.plotting import COLORS

RESULTS = Path(__file__).parent / "results"
OURS = ("GDLinearRegressor", "Moments", "inference", "defaults", "lr=", "GDPolynomialRegressor")
NO_PEERS = ("limit", "without support")  # tasks that nobody would run in place of ours
RATIO = "ratio to the first"
CYCLE: dict[str, Any] = {"color": COLORS[:6], "marker": list("os^DvP")}  # black is the limit


class Section:
    """The tables of a section, and where they were measured."""

    def __init__(self, machine: dict[str, Any], tables: list[dict[str, Any]]):
        self.machine, self.tables = machine, tables

    def rows(self, index: int = 0) -> list[Row]:
        """The rows of a table."""
        return self.tables[index]["rows"]


class Plot(NamedTuple):
    """A plot of a section, and its words on the page."""

    section: str
    draw: Callable[[Section], Figure]
    heading: str
    text: str


def load(folder: Path = RESULTS) -> dict[str, Section]:
    """The newest result of every section."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        for name, tables in results["sections"].items():
            found[name] = Section(results["machine"], tables)
    return found


def draw(folder: Path, results: Path = RESULTS) -> None:
    """Write the plots of what has been measured, and the text that the page includes."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = load(results)
    parts = []
    for name, plot in PLOTS.items():
        if plot.section in sections:
            plot.draw(sections[plot.section]).savefig(folder / f"{name}.svg")
            picture = f"![{plot.heading}](generated/benchmarks/{name}.svg)"
            parts.append(f"### {plot.heading}\n\n{plot.text}\n\n{picture}\n")
    parts.append(f"### What we lose\n\n{LOSSES}\n\n{markdown(losses(sections))}")
    parts.append(f"### Where it was measured\n\n{machines(sections)}")
    (folder / "results.txt").write_text("\n".join(parts), encoding="utf-8")


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


def by_rows(section: Section) -> Figure:
    """Time against rows."""
    return _curves(section.rows(), "rows", "a fit of 50 columns")


def by_columns(section: Section) -> Figure:
    """Time against columns."""
    return _curves(section.rows(), "columns", "a fit of 20,000 rows")


def by_candidates(section: Section) -> Figure:
    """Time of a search against candidates."""
    return _curves(section.rows(), "candidates", "a search on 20,000 x 50, 5 folds")


def digits(section: Section) -> Figure:
    """Correct digits on NIST's data."""
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, table in zip(axes, section.tables, strict=True):
        _dots(ax, table["rows"], [name for name in table["rows"][0] if name not in ("", "degree")])
        ax.set(title=table["title"], xlabel="correct digits", xlim=(-0.5, 16.5))
    axes[0].invert_yaxis()
    return figure


def memory(section: Section) -> Figure:
    """Peak memory beyond the data."""
    rows = [row for row in section.rows() if row["extra MB"] is not None]
    labels = [f"{row['X']}: {row['']}" for row in rows]
    figure = Figure(figsize=(9, 0.3 * len(rows) + 1), layout="constrained")
    ax = figure.subplots()
    colors = [COLORS[0] if _is_ours(str(row[""])) else "0.6" for row in rows]
    ax.barh(labels, [max(float(row["extra MB"] or 0), 1.0) for row in rows], color=colors)
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel="peak memory beyond X and y [MB]")
    return figure


def _curves(rows: Sequence[Row], x: str, title: str) -> Figure:
    """Seconds against a number, on logarithmic axes, with one pass as the limit."""
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    ax = figure.subplots()
    ax.set_prop_cycle(**CYCLE)
    for name in rows[0]:
        points = [(row[x], row[name]) for row in rows if row[name] is not None]
        if name == "one pass":
            ax.plot(*zip(*points, strict=True), "k--", label="one pass over the data (X @ v)")
        elif name not in ("rows", "columns", "candidates"):
            style = {"linewidth": 2.5, "zorder": 3} if _is_ours(name) else {"linewidth": 1.2}
            ax.plot(*zip(*points, strict=True), label=name, markersize=5, **style)
    ax.set(xscale="log", yscale="log", xlabel=x, ylabel="seconds (median of 3)", title=title)
    ax.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    return figure


def _dots(ax: Any, rows: Sequence[Row], methods: Sequence[str]) -> None:
    """A row of dots for every data set."""
    ax.set_prop_cycle(**CYCLE)
    for method in methods:
        points = [(row[method], row[""]) for row in rows if row[method] is not None]
        ax.plot(*zip(*points, strict=True), linestyle="none", label=method, alpha=0.8)
    ax.grid(alpha=0.3)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, fontsize="small")


def _is_ours(name: str) -> bool:
    """Whether a task is ours; GridSearchCV over our estimator is not."""
    return name.startswith(OURS)


LIMIT = "The dashed line is one pass over the data: the product of X with a vector."
PLOTS = {
    "by_rows": Plot(
        "by-rows",
        by_rows,
        "Time against rows",
        f"{LIMIT} A fit of squared error reads X once, and then makes its epochs with the moments. "
        "On few rows the 1,000 epochs cost more than a direct method. On many rows reading X is "
        "what counts.",
    ),
    "by_columns": Plot("by-columns", by_columns, "Time against columns", LIMIT),
    "by_candidates": Plot(
        "by-candidates",
        by_candidates,
        "Time of a search against candidates",
        f"{LIMIT} Our searches train all candidates at once. `RidgeCV` without `cv` needs one "
        "factorization for all penalties.",
    ),
    "digits": Plot(
        "nist",
        digits,
        "Accuracy",
        "Correct digits of the least accurate number on NIST's reference regressions. Float64 "
        "holds almost 16.",
    ),
    "memory": Plot(
        "memory",
        memory,
        "Memory",
        "Our fits are blue. Peaks below 1 MB are drawn as 1 MB.",
    ),
}
LOSSES = """Every measured task of others that takes less than 0.95 of our time, the largest factor
first. The list is made from the results, and nothing is left out. Inexact tasks, such as one pass
of SGDRegressor, are listed beside exact ones."""


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/generated/benchmarks")
    draw(folder)
    print(f"The plots and results.txt are in {folder}.")
