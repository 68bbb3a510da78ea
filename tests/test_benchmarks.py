"""The benchmarks run on small data, find the same answers, and their results can be drawn."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import plots
from benchmarks.__main__ import SECTIONS, main
from benchmarks._report import Report, markdown
from benchmarks._timing import Task, compare

README = Path(__file__).parents[1] / "benchmarks" / "README.md"


def test_readme_lists_all_sections():
    table = README.read_text(encoding="utf-8").partition("| section |")[2]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, flags=re.MULTILINE) == list(SECTIONS)


def test_quick_run_writes_the_tables_as_json(tmp_path, capsys):
    path = tmp_path / "results.json"
    assert main(["predict", "--quick", "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    results = json.loads(path.read_text(encoding="utf-8"))
    assert results["quick"]
    assert results["machine"]["versions"]["torch"]
    one_row, many_rows = results["sections"]["predict"]
    for table in (one_row, many_rows):
        assert markdown(table["rows"]) in printed
        assert [row[""] for row in table["rows"]] == ["GDLinearRegressor", "LinearRegression"]


def test_unknown_section_is_an_error(capsys):
    with pytest.raises(SystemExit):
        main(["fast"])
    assert "there is no section 'fast'" in capsys.readouterr().err


def test_wrong_answers_are_told():
    report = Report(quick=True)
    tasks = [
        Task("right", lambda: np.array([1.0, 2.0])),
        Task("near", lambda: np.array([1.0, 2.0 + 1e-9])),
        Task("wrong", lambda: np.array([1.0, 2.1])),
        Task("other problem", lambda: np.array([9.0, 9.0]), within=None),
        Task("no answer", lambda: None),
    ]
    compare(report, "x", tasks, 1, exact="right", answer=lambda result: result)
    assert [message.split()[1] for message in report.failures] == ["wrong"]
    differences = [row["difference of the answer"] for row in report.tables[0]["rows"]]
    assert differences[0] == 0
    assert differences[2] == pytest.approx(0.1 / 5**0.5)
    assert differences[4] is None


def test_median_and_ratio_are_of_whole_tasks(monkeypatch):
    times = iter([1.0, 3.0, 2.0, 2.0, 4.0, 40.0])
    monkeypatch.setattr("benchmarks._timing.seconds_of", lambda run: next(times))
    report = Report()
    compare(report, "x", [Task("a", lambda: None), Task("b", lambda: None, fraction=0.5)], 3)
    a, b = report.tables[0]["rows"]
    assert (a["median s (3 rounds)"], a["min s"], a["ratio to the first"]) == (2.0, 1.0, 1.0)
    assert (b["median s (3 rounds)"], b["min s"], b["ratio to the first"]) == (6.0, 4.0, 6.0)


def test_later_results_replace_earlier_ones(tmp_path):
    for name, seconds in (("a.json", 1.0), ("b.json", 2.0)):
        sections = {"tall": [{"title": "x", "rows": [{"": "y", "min s": seconds}]}]}
        text = json.dumps({"machine": {"date": name}, "quick": False, "sections": sections})
        (tmp_path / name).write_text(text)
    section = plots.load(tmp_path)["tall"]
    assert section.rows() == [{"": "y", "min s": 2.0}]
    assert section.machine == {"date": "b.json"}


def test_what_we_lose_is_listed():
    rows = [
        {"": "GDLinearRegressor", "ratio to the first": 1.0},
        {"": "slower", "ratio to the first": 3.0},
        {"": "twice as fast", "ratio to the first": 0.5},
        {"": "ten times as fast", "ratio to the first": 0.1},
        {"": "limit: reading alone", "ratio to the first": 0.01},
    ]
    section = plots.Section({}, [{"title": "x", "rows": rows}])
    found = plots.losses({"tall": section})
    assert [row["faster"] for row in found] == ["ten times as fast", "twice as fast"]


def test_stored_results_can_be_drawn(tmp_path):
    plots.draw(tmp_path)
    page = (tmp_path / "results.txt").read_text(encoding="utf-8")
    pictures = re.findall(r"generated/benchmarks/(\w+\.svg)", page)
    assert pictures
    assert sorted(pictures) == sorted(path.name for path in tmp_path.glob("*.svg"))
    assert "### What we lose" in page


TIMES = [
    {"rows": 10, "columns": 50, "one pass": 1e-5, "GDLinearRegressor": 0.1, "other": 1e-3},
    {"rows": 1000, "columns": 50, "one pass": 1e-3, "GDLinearRegressor": 0.1, "other": None},
]


def test_curves_show_all_that_was_measured():
    (ax,) = plots.by_rows(plots.Section({}, [{"title": "x", "rows": TIMES}])).axes
    curves = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert curves["GDLinearRegressor"] == [[10, 0.1], [1000, 0.1]]
    assert curves["other"] == [[10, 1e-3]]
    assert len(curves) == 3
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_memory_shows_all_that_was_measured():
    rows = [
        {"X": "tall", "": "GDLinearRegressor", "extra MB": 5.0, "of X": 0.1},
        {"X": "tall", "": "other", "extra MB": 500.0, "of X": 10.0},
        {"X": "tall", "": "not on Linux", "extra MB": None, "of X": None},
    ]
    (ax,) = plots.memory(plots.Section({}, [{"title": "x", "rows": rows}])).axes
    assert [patch.get_width() for patch in ax.patches] == [5.0, 500.0]
