"""From checked data to fitted numbers: a problem, a descent, a report.

What goes in and comes out is NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._data import Data
from sklearn_gd._descent import Stop, Trace, descend
from sklearn_gd._optimizers import Recipe, recipe, scheduled
from sklearn_gd._params import invalid
from sklearn_gd._polynomial import Basis
from sklearn_gd._problem import Problem, Settings, pose
from sklearn_gd._source import to_tensor
from sklearn_gd._stability import max_stable_lr
from sklearn_gd._torch import isolated

Model = tuple[np.ndarray, np.ndarray]  # coefficients (targets, terms), intercepts (targets,)


class Training(NamedTuple):
    """A finished descent, in the units of the data."""

    coef: np.ndarray  # (targets, terms)
    intercept: np.ndarray  # (targets,)
    loss_curve: np.ndarray  # (n_iter,)
    loss: float
    lr: float
    max_stable_lr: float | None
    precondition: str | None
    diverged: bool
    unfinished: bool
    held_out_curve: np.ndarray | None  # (n_iter,)
    best_epoch: int
    interrupted: bool
    held_out_loss: float | None  # at the end

    def warning(self, owner: str) -> str:
        """What to tell the user, or nothing."""
        where = f"epoch {len(self.loss_curve)} with lr={self.lr:g}"
        bound = ""
        if self.max_stable_lr is not None:
            bound = f" The largest stable lr is {self.max_stable_lr:.6g} (max_stable_lr_)."
        if self.diverged:
            return (
                f"{owner} diverged in {where}; the parameters of the lowest loss are kept."
                f"{bound} Lower lr, or set lr='auto' or precondition='auto'."
            )
        if self.unfinished:
            return (
                f"{owner} was still far from the optimum at {where}.{bound} Raise epochs or "
                "lr, or set lr='auto' or precondition='auto'."
            )
        return ""


def train(
    data: Data,
    basis: Basis | None,
    settings: Settings,
    *,
    held: Data | None = None,
    start: Model | None = None,
    seed: int = 0,
    after: Callable[[np.ndarray, np.ndarray, np.ndarray], bool] | None = None,
    on_held_out: bool = True,
) -> Training:
    """Fit ``data``, from coefficients and intercepts ``start`` or from zero.

    The loss of ``held`` says when to stop; unless ``on_held_out`` it is only recorded.
    ``after`` is called at the end of every epoch with the loss curve up to there, the
    coefficients and the intercepts; what it returns says whether to stop.
    """
    with isolated():
        made = make_recipe(settings)
        problem = pose(data, basis, settings, made, held, seed)
        lr = step_length(settings.lr, made, problem.curvature)

        def tell(values: Tensor, u: Tensor) -> bool:
            assert after is not None
            curve = _in_units(values[:, 0], problem.unit)
            return after(curve, *_as_numpy(*problem.coordinates.coef(u[0])))

        recorded: list[Tensor] = []

        def record(points: Tensor) -> None:
            assert problem.held_out is not None
            with torch.no_grad():
                recorded.extend(problem.held_out(u) for u in points)

        trace = run(
            problem if on_held_out else problem._replace(held_out=None),
            made,
            [lr],
            settings,
            start,
            after=tell if after else None,
            record=None if on_held_out else record,
        )
        if recorded:
            trace = trace._replace(held_out=torch.stack(recorded))
        check_start(trace, settings.owner)
        return report(problem, made, lr, trace, settings)


def check_start(trace: Trace, owner: str) -> None:
    """A sentence if a run could not begin."""
    if (trace.n_iter == 0).any():
        raise ValueError(
            f"The loss of {owner} is not finite where the descent starts. Bring X and y to a "
            "moderate scale, or check the 'loss'."
        )


def make_recipe(settings: Settings) -> Recipe:
    """The optimizer and scheduler, checked against what else was asked for."""
    made = recipe(settings.optimizer, settings.optimizer_params, settings.owner)
    if settings.penalty.is_proximal and not made.is_sgd:
        what = "positive=True" if settings.positive else f"l1_ratio={settings.l1_ratio}"
        raise invalid(
            settings.owner,
            "optimizer",
            f"'sgd' (with or without momentum) when {what}, because only its steps combine with "
            "a proximal step",
            settings.optimizer,
        )
    return scheduled(made, settings.lr_scheduler, settings.owner)


def step_length(lr: float | str, made: Recipe, largest: float | None) -> float:
    """The lr, with "auto" resolved to 1/L where there is such a number."""
    if lr != "auto":
        return float(lr)
    if made.is_lbfgs:
        return 1.0
    if not made.is_sgd or largest is None:
        return 0.01
    largest = largest + made.group["weight_decay"]
    return 1.0 / largest if largest > 0 else 1.0


def run(
    problem: Problem,
    made: Recipe,
    lrs: Sequence[float],
    settings: Settings,
    start: Model | None = None,
    *,
    after: Callable[[Tensor, Tensor], bool] | None = None,
    keep_path: bool = False,
    must_fall: bool = True,
    record: Callable[[Tensor], None] | None = None,
) -> Trace:
    """Descend once for each lr, from zeros or from coefficients and intercepts."""
    stop = stop_rule(problem.at_zero, problem.scale, settings)._replace(must_fall=must_fall)
    if stop.tol is None and problem.held_out is not None:
        stop = stop._replace(tol=0.0)
    u = problem.zeros
    if start is not None:
        coef, intercept = (to_tensor(part, u.device) for part in start)
        u = problem.coordinates.parameters(coef, intercept)[None]
    u = u.repeat(len(lrs), 1, 1)
    return descend(
        problem.objective,
        u,
        made,
        lrs,
        settings.epochs,
        stop,
        proximal=problem.proximal,
        held_out=problem.held_out,
        after=after,
        record=record,
        keep_path=keep_path,
    )


def stop_rule(at_zero: Tensor, scale: Tensor, settings: Settings) -> Stop:
    """When a run ends, given the objective of zeros; a target counts in units of its scale."""
    ceiling = (at_zero / scale).mean(-1).cpu()

    def limits(first: Tensor) -> tuple[Tensor, Tensor]:
        # a loss of the user's own may be negative
        high = 1e8 * torch.maximum(first.abs(), ceiling.abs())
        return torch.full_like(first, -torch.inf), high

    return Stop(
        limits,
        settings.tol,
        settings.n_iter_no_change,
        scale,
    )


def report(problem: Problem, made: Recipe, lr: float, trace: Trace, settings: Settings) -> Training:
    """The trace in the units of the data, as NumPy."""
    coef, intercept = _as_numpy(*problem.coordinates.coef(trace.u[0]))
    diverged, n_iter = bool(trace.diverged[0]), int(trace.n_iter[0])
    values = trace.values[:n_iter, 0]
    all_epochs = len(trace.values) == settings.epochs and not problem.batches
    watches = trace.held_out is not None
    bound = None
    if made.is_sgd and problem.is_squared and problem.curvature is not None:
        bound = max_stable_lr(problem.curvature, made.group)
    decays = made.group.get("weight_decay", 0) != 0
    held_out_loss = None
    if watches and problem.held_out is not None:
        with torch.no_grad():
            held_out_loss = float((problem.held_out(trace.u)[0] * problem.unit).mean())
    return Training(
        coef,
        intercept,
        _in_units(values, problem.unit),
        float((trace.value[0] * problem.unit).mean()),
        lr,
        bound,
        problem.precondition,
        diverged,
        all_epochs
        and not (diverged or watches)
        and _is_far(problem, values, trace.value[0], decays=decays),
        _in_units(trace.held_out[:n_iter, 0], problem.unit) if trace.held_out is not None else None,
        int(trace.best_epoch[0]),
        trace.interrupted,
        held_out_loss,
    )


def _is_far(problem: Problem, values: Tensor, end: Tensor, *, decays: bool) -> bool:
    """Whether the end, after all epochs, still has a thousandth of the way to go."""
    if problem.optimum is not None and not decays:  # weight decay goes elsewhere
        # a start at the optimum is some rounding away from it
        way = (values[0] - problem.optimum + 1e-10 * problem.at_zero[0]).mean()
        return bool((end - problem.optimum).mean() > 1e-3 * way)
    curve = torch.cat([values, end[None]]).mean(-1)
    late = curve[-1 - max(1, len(values) // 10)] - curve[-1]
    return bool(late > 1e-3 * (curve[0] - curve[-1]) + 1e-12 * curve[0].abs())


def _in_units(values: Tensor, unit: Tensor) -> np.ndarray:
    """The mean over targets of values (epochs, targets), in the units of the data."""
    return (values * unit).mean(-1).cpu().numpy()


def _as_numpy(*tensors: Any) -> Any:
    """Tensors as arrays on the host."""
    return tuple(tensor.cpu().numpy() for tensor in tensors)
