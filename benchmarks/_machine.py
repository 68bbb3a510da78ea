"""Where and with what a benchmark ran."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "sklearn_gd",
    "torch",
    "scikit-learn",
    "numpy",
    "scipy",
    "polars",
    "pyarrow",
    "glum",
    "statsmodels",
    "skglm",
    "skorch",
)


def machine(threads: int) -> dict[str, Any]:
    """The date, the processor, its load, and the versions of the packages (None: not installed)."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    versions = {name: _version(name) for name in PACKAGES}
    return {
        "date": str(datetime.date.today()),
        "processor": _processor(),
        "load": load,
        "threads": threads,
        "versions": {"Python": platform.python_version(), **versions},
    }


def describe(found: dict[str, Any]) -> str:
    """Two lines for a reader."""
    load = "" if found["load"] is None else f", load {found['load']:.1f} at the start"
    installed = [f"{name} {each}" for name, each in found["versions"].items() if each]
    missing = [name for name, each in found["versions"].items() if each is None]
    not_installed = f"; not installed: {', '.join(missing)}" if missing else ""
    return (
        f"{found['date']}, {found['processor']}, threads: {found['threads']}, float64{load}\n"
        f"{', '.join(installed)}{not_installed}\n"
    )


def _version(package: str) -> str | None:
    """The version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The name of the processor and the number of its cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()} x {os.cpu_count()}"
