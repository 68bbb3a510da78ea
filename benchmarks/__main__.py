"""Run the benchmarks: ``python -m benchmarks [SECTION ...] [--quick] [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import fits, losses, overhead, scaling, searches
from benchmarks._machine import describe, machine
from benchmarks._report import Report
from benchmarks._threads import limit_threads
from benchmarks.auto_lr import auto_lr
from benchmarks.cuda import cuda
from benchmarks.nist import accuracy
from benchmarks.scan import scan

SECTIONS: dict[str, Callable[[Report], None]] = {
    "tall": fits.tall,
    "noise-free": fits.noise_free,
    "polynomial": fits.polynomial,
    "memory": fits.memory,
    "small": fits.small,
    "wide": fits.wide,
    "many-terms": fits.many_terms,
    "error-bars": fits.error_bars,
    "by-rows": scaling.by_rows,
    "by-columns": scaling.by_columns,
    "by-candidates": scaling.by_candidates,
    "search": searches.search,
    "alphas": searches.alphas,
    "mini-batch": losses.mini_batch,
    "huber": losses.huber,
    "lasso": losses.lasso,
    "predict": overhead.predict,
    "callbacks": overhead.callbacks,
    "first-fit": overhead.first_fit,
    "sparse-epoch": overhead.sparse_epoch,
    "scan": scan,
    "nist": accuracy,
    "auto-lr": auto_lr,
    "cuda": cuda,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections that the arguments name, or all. Returns 1 if an answer is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    listed = ", ".join(SECTIONS)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"one of {listed} (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="small data: tries every section")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="rows of the tables of scan (default: 1000000)"
    )
    chosen = parser.parse_args(arguments)
    names = chosen.sections or list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]!r}; the sections are {listed}")
    threads = 1 if chosen.quick else 2
    found = machine(threads)
    print(describe(found))
    results: dict[str, Any] = {"machine": found, "quick": chosen.quick, "sections": {}}
    failures: list[str] = []
    for name in names:
        report = Report(quick=chosen.quick, rows=chosen.rows)
        print(f"## {name}\n{SECTIONS[name].__doc__}\n", flush=True)
        with limit_threads(threads):
            SECTIONS[name](report)
        results["sections"][name] = report.tables
        failures += [f"{name}, {message}" for message in report.failures]
        if chosen.json:  # after every section, so that an interrupted run leaves something
            text = json.dumps(results, indent=1, ensure_ascii=False)
            chosen.json.write_text(text + "\n", encoding="utf-8")
    print(f"{len(names)} sections, {len(failures)} wrong answers")
    for message in failures:
        print(message, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
