"""The table of coefficients with standard errors, against the fit and against statsmodels."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks._data import linear_data
from benchmarks._memory import extra_megabytes
from benchmarks._timing import Task, compare, print_table
from benchmarks.models import MODELS, SHAPES


def error_bars() -> None:
    """1,000,000 x 50: one pass for moments, a fit and the table; time and memory."""
    names = [name for name in MODELS["error-bars"] if name != "statsmodels" or _has_statsmodels()]
    _compare(names)
    n, p = SHAPES["error-bars"]
    size = n * p * 8 / 1e6
    rows = []
    for name in names:
        extra = extra_megabytes("error-bars", name)
        rows.append([name, f"{extra:.0f} MB", f"{extra / size:.2f} of X"])
    print_table(["", "extra peak", ""], rows)


def _compare(names: list[str]) -> None:
    """Time the fits and tables."""
    X, y = linear_data(*SHAPES["error-bars"])
    models = MODELS["error-bars"]
    compare([Task(name, lambda name=name: models[name]().fit(X, y)) for name in names], rounds=3)


def _has_statsmodels() -> bool:
    """Whether statsmodels is installed."""
    return find_spec("statsmodels") is not None
