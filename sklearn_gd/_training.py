"""From checked data to fitted numbers: moments, coordinates, objective, descent.

Everything with torch in it that a fit needs; what goes in and comes out is NumPy.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis
from torch import Tensor

from sklearn_gd._coordinates import Coordinates, identity, standardize, whiten
from sklearn_gd._data import Data
from sklearn_gd._descent import Stop, Trace, descend
from sklearn_gd._moments import Rows, moments_of
from sklearn_gd._objective import (
    Objective,
    RowsLoss,
    SquaredError,
    mean_squared_error_optimum,
)
from sklearn_gd._optimizers import Recipe, recipe
from sklearn_gd._polynomial import Basis
from sklearn_gd._stability import curvature, curvature_of_rows, max_stable_lr
from sklearn_gd._torch import find_device, isolated

_WHITEN_AT_MOST = 4096  # coordinates
_FACTOR_AT_MOST = 2**26  # entries: 512 MB


class Settings(NamedTuple):
    """The checked parameters of an estimator that training reads."""

    owner: str
    lr: float | str
    epochs: int
    optimizer: Any
    optimizer_params: Mapping[str, Any] | None
    device: str
    fit_intercept: bool
    precondition: str | None
    tol: float | None
    n_iter_no_change: int

    @classmethod
    def of(cls, estimator: Any) -> Settings:
        """Those of an estimator whose parameters have been checked."""
        own = {name: getattr(estimator, name) for name in cls._fields if name != "owner"}
        plain = {"epochs": int(own["epochs"]), "device": str(own["device"])}
        return cls(owner=type(estimator).__name__, **{**own, **plain})


class Problem(NamedTuple):
    """What is descended, and what is known about it."""

    coordinates: Coordinates
    precondition: str | None
    objective: Objective
    curvature: float
    deviation: Tensor  # (targets,) of the targets; 1 for a constant one
    at_zero: Tensor  # (1, targets) the objective of zeros, where a cold fit starts
    optimum: Tensor | None  # (targets,) the least the objective can be, where known

    @property
    def zeros(self) -> Tensor:
        """One run's parameters, all zero."""
        spread = self.coordinates.spread
        return spread.new_zeros(1, len(spread), self.coordinates.n_coordinates)


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
    data: Data, basis: Basis | None, settings: Settings, start: tuple[np.ndarray, np.ndarray] | None
) -> Training:
    """Fit ``data``, from coefficients and intercepts ``start`` or from zero."""
    with isolated():
        made = recipe(settings.optimizer, settings.optimizer_params, settings.owner)
        problem = pose(data, basis, settings)
        lr = step_length(settings.lr, made, problem.curvature)
        trace = run(problem, made, [lr], settings, start)
        return _report(problem, made, lr, trace, finished=len(trace.values) < settings.epochs)


def pose(data: Data, basis: Basis | None, settings: Settings) -> Problem:
    """Squared error of the data, in the coordinates asked for."""
    device = find_device(settings.device)
    n, p = data.x.shape
    terms = p if basis is None else len(basis.powers())
    precondition = _choose(settings, min(n, terms), terms)
    if sparse.issparse(data.x) and basis is None and min(n, p) * p > _FACTOR_AT_MOST:
        return _pose_rows(data, settings, precondition, device)
    moments = moments_of(
        lambda rows: read(data, basis, rows, device),
        n,
        terms,
        center=settings.fit_intercept,
        check_finite=data.check_finite,
    )
    coordinates, table = {
        "whiten": whiten,
        "standardize": standardize,
        None: lambda moments: identity(moments, fit_intercept=settings.fit_intercept),
    }[precondition](moments)
    return _problem(
        coordinates,
        precondition,
        SquaredError.of(table, coordinates),
        curvature(table),
        moments.deviations()[1],
        mean_squared_error_optimum(table) / coordinates.spread.square(),
    )


def read(data: Data, basis: Basis | None, rows: int, device: torch.device) -> Iterator[Rows]:
    """The data in blocks of tensors on the device, expanded if there is a basis."""
    out = None
    for block in data.blocks(rows):
        x, y = _tensor(block.x).to(device), _tensor(block.y).to(device)
        weight = None if block.weight is None else _tensor(block.weight).to(device)
        if basis is not None:
            x = x.to(torch.float64)
            if out is None or out.shape[1] < len(x):
                out = x.new_empty(len(basis.powers()), len(x))
            x = basis.expand(x, out[:, : len(x)]).T
        yield x, y, weight


def _choose(settings: Settings, rank: int, terms: int) -> str | None:
    """The preconditioning to use."""
    can_whiten = rank <= _WHITEN_AT_MOST and rank * terms <= _FACTOR_AT_MOST
    if settings.precondition == "auto":
        return "whiten" if can_whiten else "standardize"
    if settings.precondition == "whiten" and not can_whiten:
        raise ValueError(
            f"precondition='whiten' of {settings.owner} needs a factor of {rank} x {terms} "
            f"numbers, and at most {_WHITEN_AT_MOST} rows and {_FACTOR_AT_MOST} numbers are "
            "allowed. Use precondition='standardize', or 'auto', which chooses."
        )
    return settings.precondition


def _pose_rows(
    data: Data, settings: Settings, precondition: str | None, device: torch.device
) -> Problem:
    """Squared error of a sparse X too wide for a factor, from its rows."""
    data.check_finite()
    x = data.x.astype(np.float64)
    n, p = x.shape
    weight = np.ones(n) if data.weight is None else data.weight
    weight = weight / weight.sum()
    x_mean, y_mean = np.zeros(p), np.zeros(data.y.shape[1])
    variance = x.multiply(x).T @ weight
    if settings.fit_intercept:
        x_mean, variance = mean_variance_axis(x, axis=0, weights=weight)
        y_mean = weight @ data.y
    scale, deviation = np.sqrt(variance), np.sqrt(weight @ (data.y - y_mean) ** 2)
    spread = np.where(deviation > 0, deviation, 1.0)
    with_ones = settings.fit_intercept and precondition is None
    if precondition is None:
        x_mean, y_mean, scale, spread = (
            x_mean * 0.0,
            y_mean * 0.0,
            scale * 0.0 + 1.0,
            spread * 0 + 1,
        )
    to_coef = np.divide(1.0, scale, out=np.zeros(p), where=scale > 0)
    own = [_tensor(part).to(device) for part in (to_coef, scale, x_mean, y_mean, spread)]
    coordinates = Coordinates(own[0], own[1], own[2], own[3], own[4], with_ones)
    objective = RowsLoss(
        _sparse_tensor(x).to(device),
        _tensor(data.y.T.copy()).to(device),
        _tensor(weight).to(device),
        coordinates,
        lambda prediction, target: (prediction - target).square(),
        coordinates.spread.square(),
    )
    largest = curvature_of_rows(x, weight, x_mean, to_coef, with_ones=with_ones)
    return _problem(coordinates, precondition, objective, largest, _tensor(deviation), None)


def _problem(
    coordinates: Coordinates,
    precondition: str | None,
    objective: Objective,
    largest: float,
    deviation: Tensor,
    optimum: Tensor | None,
) -> Problem:
    """A problem with what follows from the other fields."""
    deviation = torch.where(deviation > 0, deviation, 1.0).to(coordinates.spread)
    zero = torch.zeros(())
    problem = Problem(coordinates, precondition, objective, largest, deviation, zero, optimum)
    with torch.no_grad():
        return problem._replace(at_zero=objective(problem.zeros))


def step_length(lr: float | str, made: Recipe, largest: float) -> float:
    """The lr, with "auto" resolved to 1/L where there is such a number."""
    if lr != "auto":
        return float(lr)
    if made.is_lbfgs:
        return 1.0
    if not made.is_sgd:
        return 0.01
    largest = largest + made.group["weight_decay"]
    return 1.0 / largest if largest > 0 else 1.0


def run(
    problem: Problem,
    made: Recipe,
    lrs: Sequence[float],
    settings: Settings,
    start: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    keep_path: bool = False,
) -> Trace:
    """Descend once for each lr, from zeros or from coefficients and intercepts."""
    coordinates = problem.coordinates
    # each target counts in units of its deviation, whether it is descended in them or not
    scale = (problem.deviation / coordinates.spread).square()
    ceiling = (problem.at_zero / scale).mean(-1).cpu()
    stop = Stop(
        lambda first: (torch.full_like(first, -torch.inf), 1e8 * torch.maximum(first, ceiling)),
        settings.tol,
        settings.n_iter_no_change,
        scale,
    )
    u = problem.zeros
    if start is not None:
        u = coordinates.parameters(_tensor(start[0]).to(u), _tensor(start[1]).to(u))[None]
    u = u.repeat(len(lrs), 1, 1)
    return descend(problem.objective, u, made, lrs, settings.epochs, stop, keep_path=keep_path)


def _report(problem: Problem, made: Recipe, lr: float, trace: Trace, *, finished: bool) -> Training:
    """The trace in the units of the data, as NumPy."""
    coef, intercept = problem.coordinates.coef(trace.u[0])
    unit = problem.coordinates.spread.square()
    diverged = bool(trace.diverged[0])
    values = trace.values[: int(trace.n_iter[0]), 0]
    return Training(
        coef.cpu().numpy(),
        intercept.cpu().numpy(),
        (values * unit).mean(-1).cpu().numpy(),
        float((trace.value[0] * unit).mean()),
        lr,
        max_stable_lr(problem.curvature, made.group) if made.is_sgd else None,
        problem.precondition,
        diverged,
        unfinished=not finished and not diverged and _is_far(problem, values, trace.value[0]),
    )


def _is_far(problem: Problem, values: Tensor, end: Tensor) -> bool:
    """Whether the end, after all epochs, still has a thousandth of the way to go."""
    if problem.optimum is not None:
        # a start at the optimum is some rounding away from it
        way = (values[0] - problem.optimum + 1e-10 * problem.at_zero[0]).mean()
        return bool((end - problem.optimum).mean() > 1e-3 * way)
    curve = torch.cat([values, end[None]]).mean(-1)
    late = curve[-1 - max(1, len(values) // 10)] - curve[-1]
    return bool(late > 1e-3 * (curve[0] - curve[-1]) + 1e-12 * curve[0])


def _tensor(array: np.ndarray) -> Tensor:
    """A tensor on the memory of an array, or on a copy where torch cannot read it."""
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    return torch.from_numpy(array)


def _sparse_tensor(x: Any) -> Tensor:
    """A CSR matrix as a torch tensor."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(
            x.indptr, x.indices, x.data, size=x.shape, check_invariants=False
        )
