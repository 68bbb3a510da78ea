"""A CUDA device against the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks._data import linear_data, plain_loop
from benchmarks._report import Report
from benchmarks._timing import Task, compare
from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV


def cuda(report: Report) -> None:
    """1,000,000 x 50 on a CUDA device, with the transfer: a fit, Huber's loss, and a search."""
    if not torch.cuda.is_available():
        print("there is no CUDA device\n")
        return
    X, y = linear_data(report.pick(1_000_000, 2000), 50)
    epochs = report.pick(1000, 20)
    device_name = torch.cuda.get_device_name()

    def device_tasks(estimator_class: Any, **params: Any) -> list[Task]:
        return [
            Task(
                f"{estimator_class.__name__} {device}",
                lambda device=device: estimator_class(device=device, **params).fit(X, y),
            )
            for device in ("cuda", "cpu")
        ]

    loop = Task(
        "plain torch loop cuda",
        lambda: plain_loop(X, y, torch.optim.SGD, epochs, "cuda"),
        within=None,
    )
    fits = device_tasks(GDLinearRegressor, epochs=epochs)
    exact = "GDLinearRegressor cpu"
    compare(report, f"a fit, {device_name}", [*fits, loop], rounds=5, exact=exact)
    hubers = device_tasks(GDLinearRegressor, loss="huber", epochs=epochs // 10)
    compare(report, f"Huber's loss, {device_name}", hubers, rounds=3, exact=exact)
    lrs = np.geomspace(0.001, 0.9, report.pick(20, 3))
    searches = device_tasks(GDLinearRegressorCV, lrs=lrs, epochs=epochs)
    exact = "GDLinearRegressorCV cpu"
    compare(report, f"a search, {device_name}", searches, rounds=3, exact=exact)
