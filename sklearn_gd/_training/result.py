"""What a descent found, in the units of the data, as NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._base.torch_state import isolated
from sklearn_gd._solver.derivatives import gradient
from sklearn_gd._solver.loop import Trace
from sklearn_gd._training.advice import advise_on_distance, advise_on_divergence
from sklearn_gd._training.build_problem import Problem
from sklearn_gd._training.prepare import PreparedFit


class FitResult(NamedTuple):
    """A finished descent."""

    coef: np.ndarray  # (targets, terms)
    intercept: np.ndarray  # (targets,)
    loss_curve: np.ndarray  # (n_iter,)
    loss: float
    lr: float
    max_stable_lr: float | None
    precondition: str | None
    diverged_targets: tuple[int, ...]
    n_targets: int
    is_far_from_optimum: bool  # after all epochs
    advice: str  # what to do if it diverged or is far from the optimum
    validation_curve: np.ndarray | None  # (n_iter,)
    validation_loss: float | None  # at the end
    best_epoch: int
    interrupted: bool

    @property
    def diverged(self) -> bool:
        """Whether any target diverged."""
        return bool(self.diverged_targets)

    def check_finite(self, owner: str) -> None:
        """Raise if the model or its loss is beyond the range of float64."""
        for name in ("coef", "intercept", "loss"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(
                    f"The {name} of {owner} overflows, because the values of X and y are too far "
                    "from 1 for float64. Bring X and y to a moderate scale."
                )

    def warning(self, owner: str) -> str:
        """What to warn of, or nothing."""
        where = f"epoch {len(self.loss_curve)} with lr={self.lr:g}"
        bound = ""
        if self.max_stable_lr is not None:
            bound = f" The largest stable lr is {self.max_stable_lr:.6g} (max_stable_lr_)."
        if self.diverged:
            which = "" if self.n_targets == 1 else f" for targets {list(self.diverged_targets)}"
            return (
                f"{owner} diverged{which} in {where}; the parameters of the lowest loss are kept."
                f"{bound} {self.advice}"
            )
        if self.is_far_from_optimum:
            return f"{owner} was still far from the optimum at {where}.{bound} {self.advice}"
        return ""


def make_result(fit: PreparedFit, trace: Trace, lr: float) -> FitResult:
    """The result of a trace of one run of one problem."""
    problem = fit.problem
    coef, intercept = to_numpy_model(problem, trace.u)
    values = trace.values[:, 0, 0]
    scale = problem.loss_scale
    has_validation = trace.validation is not None
    did_all_epochs = len(values) == fit.options.epochs and not trace.diverged.any()
    is_far = oscillates = False
    if did_all_epochs and not (problem.has_batches or has_validation):
        is_far = _is_far_from_optimum(fit, values, trace.value[0, 0])
        oscillates = not is_far and _oscillates(fit, trace, values)
    validation_loss = None
    if has_validation and problem.validation is not None:
        with torch.no_grad():
            validation_loss = float((problem.validation(trace.u)[0, 0] * scale).mean())
    return FitResult(
        coef[0],
        intercept[0],
        in_data_units(values, scale),
        float((trace.value[0, 0] * scale).mean()),
        lr,
        fit.max_stable_lr,
        problem.precondition,
        tuple(torch.nonzero(trace.diverged[0, 0]).ravel().tolist()),
        trace.diverged.shape[-1],
        is_far or oscillates,
        _advice(fit, lr, is_too_large=oscillates or bool(trace.diverged.any())),
        None if trace.validation is None else in_data_units(trace.validation[:, 0, 0], scale),
        validation_loss,
        int(trace.best_epoch[0, 0]),
        trace.interrupted,
    )


def _advice(fit: PreparedFit, lr: float, *, is_too_large: bool) -> str:
    """What to do about a descent that went wrong."""
    has_auto_lr = fit.optimizer_factory.is_sgd
    if is_too_large:
        return advise_on_divergence(fit.options, lr, has_auto_lr=has_auto_lr)
    return advise_on_distance(fit.options, lr, fit.max_stable_lr, has_auto_lr=has_auto_lr)


def to_numpy_model(problem: Problem, u: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (runs, targets, terms) and intercepts (runs, targets) of one problem."""
    model = problem.parametrization.to_model(u)
    coef, intercept = (part[0].cpu().numpy() for part in model)
    penalty, bounds = problem.penalty, problem.bounds
    if penalty is None or bounds is None:
        return coef, intercept
    # the change of units rounds, and a bound is exact
    first = int(problem.parametrization.has_intercept)
    at_bounds = (u <= penalty.lower, u >= penalty.upper)
    is_low, is_high = (flags[0, ..., first:].cpu().numpy() for flags in at_bounds)
    inside = np.where(is_high, bounds.high, bounds.project(coef))
    return np.where(is_low, bounds.low, inside), intercept


def in_data_units(values: Tensor, loss_scale: Tensor) -> np.ndarray:
    """The mean over targets of values (..., targets), in the units of the data."""
    mean: np.ndarray = (values * loss_scale).mean(-1).cpu().numpy()
    return mean


def _is_far_from_optimum(fit: PreparedFit, values: Tensor, end: Tensor) -> bool:
    """Whether the end, after all epochs, still has a thousandth of the way to go.

    With ``tol="statistical"`` it is whether any target has not come near enough.
    """
    problem = fit.problem
    if problem.enough is not None and torch.isfinite(problem.enough).any():
        enough = problem.enough[0, 0]
        return bool((torch.isfinite(enough) & (end > enough)).any())
    if problem.optimum is not None and not _decays(fit):
        # a start at the optimum is some rounding away from it
        at_zero = problem.at_zero[0, 0]
        way = (values[0] - problem.optimum + 1e-10 * at_zero).mean()
        return bool((end - problem.optimum).mean() > 1e-3 * way)
    curve = torch.cat([values, end[None]]).mean(-1)
    late = curve[-1 - max(1, len(values) // 10)] - curve[-1]
    return bool(late > 1e-3 * (curve[0] - curve[-1]) + 1e-12 * curve[0].abs())


def _oscillates(fit: PreparedFit, trace: Trace, values: Tensor) -> bool:
    """Whether a shorter step from the end would go a thousandth of the way that all epochs went.

    A step of length 1/L, with L the largest curvature, lowers the objective by L/2 times the square
    of what it moves, or more (Beck and Teboulle, A Fast Iterative Shrinkage-Thresholding
    Algorithm, 2009, Lemma 2.3). Bounds, and losses with a bounded slope, can keep a descent
    with too large a learning rate from diverging.
    """
    problem, curvature = fit.problem, fit.problem.curvature
    if problem.optimum is not None or not curvature or _decays(fit):
        return False  # the distance from an optimum that is known tells more
    with isolated():
        moved = trace.u - gradient(problem.objective, trace.u) / curvature
        if problem.penalty is not None:
            moved = problem.penalty.prox(moved, 1.0 / curvature)
    gain = curvature / 2 * (moved - trace.u).square().sum(-1).mean()
    first, end = values[0].mean(), trace.value.mean()
    return bool(gain > 1e-3 * (first - end) + 1e-12 * first.abs())


def _decays(fit: PreparedFit) -> bool:
    """Whether the optimizer has a weight decay, which moves the optimum."""
    return bool(fit.optimizer_factory.options.get("weight_decay", 0) != 0)
