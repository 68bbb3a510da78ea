"""From checked data and settings to what is descended: the problem.

Squared error on the full batch is posed on the moments of the data; every other loss,
mini-batches, and sparse data too wide for a factor on the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis
from torch import Tensor

from sklearn_gd._coordinates import Coordinates, Table, identity, penalized, standardize, whiten
from sklearn_gd._data import Data
from sklearn_gd._moments import Moments
from sklearn_gd._objective import (
    Criterion,
    Objective,
    RowsLoss,
    SquaredError,
    mean_squared_error_optimum,
)
from sklearn_gd._optimizers import Recipe
from sklearn_gd._penalty import Penalty, Proximal
from sklearn_gd._polynomial import Basis
from sklearn_gd._source import Source, to_tensor
from sklearn_gd._stability import curvature, curvature_of_rows
from sklearn_gd._torch import find_device
from sklearn_gd.losses import Named, find_loss

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
    loss: Any
    loss_params: Mapping[str, Any] | None
    alpha: float
    l1_ratio: float
    positive: bool
    fit_intercept: bool
    precondition: str | None
    batch_size: int | None
    shuffle: bool
    lr_scheduler: Any
    tol: float | None
    n_iter_no_change: int

    @classmethod
    def of(cls, estimator: Any) -> Settings:
        """Those of an estimator whose parameters have been checked."""
        own = {name: getattr(estimator, name) for name in cls._fields if name != "owner"}
        plain = {"epochs": int(own["epochs"]), "device": str(own["device"])}
        return cls(owner=type(estimator).__name__, **{**own, **plain})

    @property
    def penalty(self) -> Penalty:
        """The penalty's parts."""
        return Penalty.of(self.alpha, self.l1_ratio, self.positive)


class Problem(NamedTuple):
    """What is descended, and what is known about it."""

    coordinates: Coordinates
    precondition: str | None
    objective: Objective  # its smooth part
    proximal: Proximal | None
    held_out: Objective | None
    unit: Tensor  # (targets,) objectives are in units of it
    scale: Tensor  # (targets,) of the objectives, by which they are judged
    curvature: float | None  # of the objective, where it is bounded and known
    optimum: Tensor | None  # (targets,) the least the objective can be, where known
    at_zero: Tensor  # (1, targets) the objective of zeros, where a cold fit starts
    batches: bool  # an epoch is several steps
    is_squared: bool

    @property
    def zeros(self) -> Tensor:
        """One run's parameters, all zero."""
        return _zeros(self.coordinates)


def pose(
    data: Data,
    basis: Basis | None,
    settings: Settings,
    made: Recipe,
    held: Data | None = None,
    seed: int = 0,
    moments: Moments | None = None,
    on_rows: Callable[[Criterion], RowsLoss] | None = None,
) -> Problem:
    """The problem of fitting ``data``, watching ``held``, in the coordinates asked for.

    ``moments`` are those of the data, where they are known, and ``on_rows`` makes the loss
    of its rows, where they are at hand.
    """
    device = find_device(settings.device)
    loss = find_loss(settings.loss, settings.loss_params, settings.owner)
    is_squared = settings.loss == "squared_error"
    source = Source(data, basis, device)
    batches = settings.batch_size is not None and settings.batch_size < data.n_weighted
    order = seed if settings.shuffle else None
    precondition = _choose(settings, source)
    table, largest = None, None
    if is_wide(source):
        data.check_finite()
        coordinates, deviation, largest = _wide_coordinates(data, settings, precondition, device)
    else:
        if moments is None:
            moments = source.moments(center=settings.fit_intercept)
        deviation = moments.deviations()[1]
        moments = penalized(moments, settings.penalty.l2, _to_original(basis, moments.factor))
        coordinates, table = _coordinates(moments, precondition, settings.fit_intercept)
        largest = curvature(table) / 2
    coordinates = coordinates._replace(
        has_intercept=settings.fit_intercept and (precondition is None or not is_squared)
    )
    deviation = torch.where(deviation > 0, deviation, 1.0).to(coordinates.spread)
    unit = coordinates.spread**loss.power
    criterion = Criterion(
        loss.function, coordinates, unit, settings.penalty.l2, _to_original(basis, unit)
    )
    objective: Objective
    optimum = None
    if is_squared and table is not None:
        objective = SquaredError.of(table, coordinates)
        if not settings.penalty.is_proximal:
            optimum = mean_squared_error_optimum(table) / unit
        if batches:
            objective = source.mini_batches(criterion, settings.batch_size, order, objective)
    elif batches:
        objective = source.mini_batches(criterion, settings.batch_size, order)
    else:
        objective = on_rows(criterion) if on_rows else RowsLoss.of(criterion, *source.rows())
    proximal = None
    if settings.penalty.is_proximal:
        proximal = Proximal.of(settings.penalty, coordinates, unit, made.group)
    with torch.no_grad():
        at_zero = objective(_zeros(coordinates))
    return Problem(
        coordinates,
        precondition,
        objective,
        proximal,
        None if held is None else _watched(held, source, criterion, settings),
        unit,
        (deviation / coordinates.spread) ** loss.power,
        _curvature(largest, loss, settings, batches=batches),
        optimum,
        at_zero,
        batches,
        is_squared,
    )


def seen_from(criterion: Criterion, basis: Basis, columns: Basis, means: Tensor) -> Criterion:
    """A criterion of the terms of ``basis``, as one of the first columns of another basis.

    It sees the same models from the same u. ``means`` are those of the columns.
    """
    if not basis.legendre:
        return criterion
    own = criterion.coordinates
    terms = len(own.x_mean)
    columns = columns._replace(degree=basis.degree)
    change, _ = basis.to_basis(np.eye(terms), np.zeros(terms), columns)
    to_coef = torch.diag(own.to_coef) if own.to_coef.ndim == 1 else own.to_coef
    return criterion._replace(
        coordinates=own._replace(
            to_coef=torch.from_numpy(change.T).to(to_coef) @ to_coef, x_mean=means[:terms]
        ),
        to_original=_to_original(columns, to_coef),
    )


def stream_coordinates(data: Data, basis: Basis | None, settings: Settings) -> Coordinates:
    """Coordinates for rows of which these are the first: unit deviation, 1 where zero."""
    source = Source(data, basis, find_device(settings.device))
    if settings.precondition is None:
        ones = torch.ones(source.terms, dtype=torch.float64, device=source.device)
        none = torch.zeros(data.y.shape[1], dtype=torch.float64, device=source.device)
        return Coordinates(ones, ones, ones * 0.0, none, none + 1.0, settings.fit_intercept)
    data.check_finite()
    moments = source.moments(center=settings.fit_intercept)
    scale, spread = moments.deviations()
    rounding = 1e-14 * moments.peak
    scale = torch.where(scale > rounding, scale, 1.0)
    spread = torch.where(spread > 0, spread, 1.0)
    own = moments.x_mean, moments.y_mean
    return Coordinates(1.0 / scale, scale, *own, spread, settings.fit_intercept)


def pose_stream(
    data: Data,
    basis: Basis | None,
    settings: Settings,
    made: Recipe,
    coordinates: Coordinates,
    deviation: np.ndarray,
    seed: int,
) -> Problem:
    """The problem of one pass over rows, in given coordinates."""
    loss = find_loss(settings.loss, settings.loss_params, settings.owner)
    source = Source(data, basis, find_device(settings.device))
    order = seed if settings.shuffle else None
    unit = coordinates.spread**loss.power
    to_original = _to_original(basis, unit)
    criterion = Criterion(loss.function, coordinates, unit, settings.penalty.l2, to_original)
    objective = source.mini_batches(criterion, settings.batch_size, order)
    proximal = None
    if settings.penalty.is_proximal:
        proximal = Proximal.of(settings.penalty, coordinates, unit, made.group)
    with torch.no_grad():
        at_zero = objective(_zeros(coordinates))
    return Problem(
        coordinates,
        None if settings.precondition is None else "standardize",
        objective,
        proximal,
        None,
        unit,
        (to_tensor(deviation, unit.device) / coordinates.spread) ** loss.power,
        None,
        None,
        at_zero,
        True,
        settings.loss == "squared_error",
    )


def is_wide(source: Source) -> bool:
    """Whether X is sparse, and a factor would need far more memory than X."""
    n, p = source.data.x.shape
    return (
        sparse.issparse(source.data.x) and source.basis is None and min(n, p) * p > _FACTOR_AT_MOST
    )


def _choose(settings: Settings, source: Source) -> str | None:
    """The preconditioning to use."""
    terms = source.terms
    rank = terms if settings.penalty.l2 else min(source.data.n_weighted, terms)
    fits = rank <= _WHITEN_AT_MOST and rank * terms <= _FACTOR_AT_MOST
    if settings.precondition == "auto":
        return "whiten" if fits and not settings.penalty.is_proximal else "standardize"
    if settings.precondition == "whiten" and settings.penalty.is_proximal:
        raise ValueError(
            f"precondition='whiten' of {settings.owner} cannot be combined with an L1 penalty or "
            "positive=True, whose proximal step needs each coefficient to be a coordinate. Use "
            "precondition='standardize', or 'auto', which chooses."
        )
    if settings.precondition == "whiten" and not fits:
        raise ValueError(
            f"precondition='whiten' of {settings.owner} needs a factor of {rank} x {terms} "
            f"numbers, and at most {_WHITEN_AT_MOST} rows and {_FACTOR_AT_MOST} numbers are "
            "allowed. Use precondition='standardize', or 'auto', which chooses."
        )
    return settings.precondition


def _coordinates(
    moments: Moments, precondition: str | None, fit_intercept: bool
) -> tuple[Coordinates, Table]:
    """The coordinates of a preconditioning."""
    if precondition is None:
        return identity(moments, fit_intercept=fit_intercept)
    return whiten(moments) if precondition == "whiten" else standardize(moments)


def _to_original(basis: Basis | None, like: Tensor) -> Tensor | None:
    """The matrix from coefficients in the basis to the user's; None if they are the same."""
    if basis is None or not basis.legendre:
        return None
    terms = len(basis.powers())
    change, _ = basis.to_basis(np.eye(terms), np.zeros(terms), basis.raw())
    return torch.from_numpy(change).to(like)


def _curvature(
    largest: float | None, loss: Named, settings: Settings, *, batches: bool
) -> float | None:
    """The largest curvature of the objective, from that of half the mean squared error."""
    if batches or loss.curvature is None or largest is None:
        return None
    if settings.fit_intercept and settings.loss != "squared_error":
        largest = max(largest, 1.0)  # the intercept is a coordinate too
    # the penalty's rows are among those that ``largest`` saw, with curvature 2
    return largest * (2.0 if settings.penalty.l2 else loss.curvature)


def _watched(held: Data, source: Source, criterion: Criterion, settings: Settings) -> Objective:
    """The loss, without penalty, of rows held out."""
    own = source._replace(data=held)
    plain = criterion._replace(l2=0.0)
    if settings.loss == "squared_error" and not is_wide(source):
        return held_out_squared_error(own.moments(center=True), plain.coordinates)
    return RowsLoss.of(plain, *own.rows())


def held_out_squared_error(moments: Moments, coordinates: Coordinates) -> SquaredError:
    """Mean squared error of other rows, from their moments, in given coordinates."""
    root = moments.weight.sqrt()
    slopes = torch.cat([moments.factor / root, (moments.x_mean - coordinates.x_mean)[None]])
    to_coef = coordinates.to_coef
    design = slopes * to_coef if to_coef.ndim == 1 else slopes @ to_coef
    if coordinates.has_intercept:
        ones = torch.zeros_like(design[:, :1])
        ones[-1] = 1.0
        design = torch.cat([ones, design], dim=1)
    goal = torch.cat([moments.target / root, (moments.y_mean - coordinates.y_mean)[None]])
    return SquaredError.of(Table(design, goal, moments.rest / root), coordinates)


def _wide_coordinates(
    data: Data, settings: Settings, precondition: str | None, device: torch.device
) -> tuple[Coordinates, Tensor, float]:
    """Diagonal coordinates from column means and variances, and the curvature by Lanczos."""
    x, y, l2 = data.x.astype(np.float64), data.y, settings.penalty.l2
    weight = np.ones(len(y)) if data.weight is None else data.weight
    weight = weight / weight.sum()
    x_mean, y_mean = np.zeros(x.shape[1]), np.zeros(y.shape[1])
    variance = x.multiply(x).T @ weight
    if settings.fit_intercept:
        x_mean, variance = mean_variance_axis(x, axis=0, weights=weight)
        y_mean = weight @ y
    deviation = np.sqrt(weight @ (y - y_mean) ** 2)
    scale, spread = np.sqrt(variance + l2 / 2), np.where(deviation > 0, deviation, 1.0)
    with_ones = settings.fit_intercept and precondition is None
    if precondition is None:
        x_mean, y_mean = np.zeros_like(x_mean), np.zeros_like(y_mean)
        scale, spread = np.ones_like(scale), np.ones_like(spread)
    to_coef = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    parts = [to_tensor(part, device) for part in (to_coef, scale, x_mean, y_mean, spread)]
    largest = curvature_of_rows(x, weight, x_mean, to_coef, with_ones=with_ones) / 2
    largest += l2 / 2 * float(np.max(to_coef) ** 2)
    coordinates = Coordinates(parts[0], parts[1], parts[2], parts[3], parts[4])
    return coordinates, torch.from_numpy(deviation), largest


def _zeros(coordinates: Coordinates) -> Tensor:
    """Parameters of one run, all zero."""
    spread = coordinates.spread
    return spread.new_zeros(1, len(spread), coordinates.n_coordinates)
