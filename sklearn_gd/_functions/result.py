"""From the trace of a descent to the result object of SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.optimize import OptimizeResult
from torch import Tensor

from sklearn_gd._functions.objective import FunctionObjective
from sklearn_gd._solver.derivatives import gradient
from sklearn_gd._solver.loop import Trace

CONVERGED, OUT_OF_EPOCHS, DIVERGED, STOPPED_BY_TOL = range(4)
_MESSAGES = {
    CONVERGED: "Converged: the gradient has fallen to a thousandth of that at x0.",
    OUT_OF_EPOCHS: (
        "Not converged: the gradient is still more than a thousandth of that at x0 after all "
        "epochs. Raise epochs, or choose another lr or optimizer."
    ),
    DIVERGED: (
        "Diverged: the values of the function grew without bound; x is the lowest point passed. "
        "Lower lr."
    ),
    STOPPED_BY_TOL: (
        "Not converged: the function no longer fell by tol, but the gradient is still more than "
        "a thousandth of that at x0. Lower tol, or choose another lr or optimizer."
    ),
}


def make_result(objective: FunctionObjective, trace: Trace, epochs: int) -> OptimizeResult:
    """The result of all runs. Every field has a leading axis of runs."""
    layout = objective.function.layout
    n_iter, diverged = trace.n_iter[0].numpy(), trace.diverged[0].any(-1).numpy()
    assert trace.path is not None
    slope = gradient(objective, trace.u)[0, :, 0]
    slope_at_start = gradient(objective, trace.path[0])[0, :, 0]
    is_small = slope.norm(dim=1) <= 1e-3 * slope_at_start.norm(dim=1)
    success = is_small.cpu().numpy() & ~diverged
    status = np.where(n_iter < epochs, STOPPED_BY_TOL, OUT_OF_EPOCHS)
    status[success], status[diverged] = CONVERGED, DIVERGED
    curve, path = _curve_and_path(objective, trace, trace.path)
    return OptimizeResult(
        x=layout.unpack(trace.u[0, :, 0].cpu().numpy()),
        fun=trace.value[0, :, 0].cpu().numpy(),
        jac=layout.unpack(slope.cpu().numpy()),
        nit=n_iter,
        success=success,
        status=status,
        message=[_MESSAGES[code] for code in status],
        loss_curve=curve,
        path=layout.unpack(path),
    )


def select_run(result: OptimizeResult, run: int) -> OptimizeResult:
    """The result of one run without the axis of runs, and without the NaN after its end."""
    length = int(result.nit[run]) + 1
    fields = {name: _entry(value, run) for name, value in result.items()}
    path = fields["path"]
    fields["loss_curve"] = fields["loss_curve"][:length]
    fields["path"] = (
        {name: points[:length] for name, points in path.items()}
        if isinstance(path, dict)
        else path[:length]
    )
    return OptimizeResult(fields)


def _curve_and_path(
    objective: FunctionObjective, trace: Trace, path: Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Values (runs, nit + 1) and points (runs, nit + 1, size), with NaN after the end of a run."""
    n_iter = trace.n_iter[0]
    runs = torch.arange(len(n_iter))
    points = path[:, 0, :, 0].transpose(0, 1)
    values = trace.values[:, 0, :, 0].T
    curve = torch.cat([values, torch.full_like(values[:, :1], torch.nan)], dim=1)
    # the loop has not evaluated the last point of a run, or not as a point of this run
    curve[runs, n_iter] = objective(points[runs, n_iter][None, :, None])[0, :, 0]
    length = int(n_iter.max()) + 1
    is_after_end = torch.arange(length) > n_iter[:, None]
    return (
        curve[:, :length].cpu().masked_fill(is_after_end, torch.nan).numpy(),
        points[:, :length].cpu().masked_fill(is_after_end[..., None], torch.nan).numpy(),
    )


def _entry(value: Any, run: int) -> Any:
    """The entry of a run in a field, as a Python value where it is a count or a flag."""
    if isinstance(value, dict):
        return {name: array[run] for name, array in value.items()}
    entry = value[run]
    return entry.item() if isinstance(entry, np.bool_ | np.integer) else entry
