"""Which coordinates a problem is descended in.

They come from the moments of the data, from column statistics where the data are sparse and
too wide for a factor, or from the first rows of a stream.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis
from torch import Tensor

from sklearn_gd._base.bounds import Bounds
from sklearn_gd._base.parameters import InvalidParameterError
from sklearn_gd._moments.tensor_data import TensorData, to_tensor
from sklearn_gd._moments.tensor_moments import TensorMoments, column_norms, mean_of_targets
from sklearn_gd._problem.bounded_constants import with_bounded_constants
from sklearn_gd._problem.curvature import (
    curvature_of_least_squares,
    curvature_of_loss,
    curvature_of_rows,
)
from sklearn_gd._problem.least_squares import LeastSquares, least_squares
from sklearn_gd._problem.parametrization import Parametrization, TargetScaling
from sklearn_gd._problem.precondition import precondition_moments
from sklearn_gd._problem.preconditioners import DiagonalPreconditioner, Preconditioner
from sklearn_gd._training.options import FitOptions
from sklearn_gd.losses import LossSpec

_MAX_WHITENED = 4096  # coordinates
_MAX_FACTOR_ENTRIES = 2**26  # 512 MB


class Coordinates(NamedTuple):
    """The coordinates of a problem, and what is known of its squared error there."""

    parametrization: Parametrization
    y_deviation: Tensor  # (targets,)
    squared_error: LeastSquares | None  # None where no moments are known
    curvature: float | None  # the largest one of the loss with the L2 penalty, if bounded
    bounds: Bounds | None  # of the coefficients


def choose_precondition(
    options: FitOptions, data: TensorData, moments: TensorMoments | None
) -> str | None:
    """The preconditioning to use. The rows may be fewer than those of known moments."""
    penalty, n_terms = options.penalty, data.n_terms
    rank = min(data.data.n_weighted if moments is None else len(moments.factor), n_terms)
    fits = rank <= _MAX_WHITENED and rank * n_terms <= _MAX_FACTOR_ENTRIES
    if options.precondition == "auto":
        return "whiten" if fits and not penalty.is_proximal else "standardize"
    penalty.check_precondition(options.precondition, options.owner)
    if options.precondition == "whiten" and not fits:
        raise InvalidParameterError(
            f"precondition='whiten' of {options.owner} needs a factor of {rank} x {n_terms} "
            f"numbers, and at most {_MAX_WHITENED} rows and {_MAX_FACTOR_ENTRIES} numbers are "
            "allowed. Use precondition='standardize', or 'auto', which chooses."
        )
    return options.precondition


def coordinates_from_moments(
    moments: TensorMoments,
    options: FitOptions,
    precondition: str | None,
    loss: LossSpec,
    to_original: Tensor | None,
) -> Coordinates:
    """Coordinates from moments, to which the L2 penalty adds rows."""
    y_deviation = moments.y_deviation()
    preconditioned = precondition_moments(moments, precondition, options.penalty.l2, to_original)
    bounds = options.bounds
    if bounds is not None:
        preconditioned, bounds = with_bounded_constants(
            preconditioned, moments, bounds, options.penalty.l2
        )
    is_textbook = precondition is None
    y_scale = torch.where(y_deviation > 0, y_deviation, 1.0)
    x_mean, y_mean = moments.x_mean, moments.y_mean
    if is_textbook:
        x_mean, y_mean = torch.zeros_like(x_mean), torch.zeros_like(y_mean)
        y_scale = torch.ones_like(y_scale)
    parametrization = Parametrization(
        preconditioned.preconditioner,
        x_mean[None],
        TargetScaling.of(y_mean, y_scale, loss.power),
        _has_intercept(options, precondition),
    )
    with_means = options.fit_intercept and is_textbook
    squared_error = least_squares(moments, preconditioned, y_scale, with_means=with_means)
    curvature_of_squares = curvature_of_least_squares(squared_error)
    if not math.isfinite(curvature_of_squares):
        raise ValueError(
            f"The squared error of {options.owner} overflows in the coordinates of "
            f"precondition={precondition!r}. Bring X to a moderate scale, or set "
            "precondition='auto'."
        )
    if options.is_squared:
        return Coordinates(
            parametrization, y_deviation, squared_error, curvature_of_squares, bounds
        )
    curvature = _curvature_of_loss(
        moments, preconditioned.preconditioner, loss, options, to_original, with_means=with_means
    )
    return Coordinates(parametrization, y_deviation, squared_error, curvature, bounds)


def _curvature_of_loss(
    moments: TensorMoments,
    preconditioner: Preconditioner,
    loss: LossSpec,
    options: FitOptions,
    to_original: Tensor | None,
    *,
    with_means: bool,
) -> float | None:
    """The largest curvature of an objective that is not squared error; None without a bound."""
    if loss.curvature is None:
        return None
    largest = curvature_of_loss(
        moments,
        preconditioner,
        loss.curvature,
        options.penalty.l2,
        to_original,
        with_means=with_means,
    )
    if not math.isfinite(largest):
        raise ValueError(
            f"The loss of {options.owner} overflows in the coordinates of the descent. Bring X to "
            "a moderate scale."
        )
    # the intercept is a coordinate too
    return max(largest, loss.curvature) if options.fit_intercept else largest


def coordinates_from_columns(
    data: TensorData, options: FitOptions, precondition: str | None, loss: LossSpec
) -> Coordinates:
    """Diagonal coordinates from column means and variances, and the curvature by Lanczos."""
    data.data.check_finite()
    x, y, l2 = data.data.x.astype(np.float64), data.data.y, options.penalty.l2
    abs_max = _checked_magnitudes(x, options.owner)
    weight = np.ones(len(y)) if data.data.weight is None else data.data.weight
    weight = weight / weight.sum()
    x_mean, y_mean = np.zeros(x.shape[1]), np.zeros(y.shape[1])
    variance = x.multiply(x).T @ weight
    if options.fit_intercept:
        x_mean, variance = mean_variance_axis(x, axis=0, weights=weight)
        y_mean = mean_of_targets(*data.targets()).cpu().numpy()
    eps = np.finfo(np.float64).eps
    variance = np.where(variance > (10 * eps * abs_max) ** 2, variance, 0.0)  # else rounding
    y_deviation = np.sqrt(weight @ (y - y_mean) ** 2)
    inverse, y_scale = np.sqrt(variance + l2 / 2), np.where(y_deviation > 0, y_deviation, 1.0)
    if precondition is None:
        x_mean, y_mean = np.zeros_like(x_mean), np.zeros_like(y_mean)
        inverse, y_scale = np.ones_like(inverse), np.ones_like(y_scale)
    bounds = options.bounds
    if bounds is not None:  # see `with_bounded_constants`
        is_added = bounds.excludes_zero & (inverse == 0.0)
        inverse = np.where(is_added, np.where(abs_max > 0.0, abs_max, 1.0), inverse)
        bounds = bounds.fix_nearest_to_zero(is_added)
    scale = np.divide(1.0, inverse, out=np.zeros_like(inverse), where=inverse > 0)
    with_intercept = options.fit_intercept and precondition is None
    curvature = None
    if loss.curvature is not None:
        curvature = curvature_of_rows(
            x, weight, x_mean, scale, loss.curvature, l2, with_intercept=with_intercept
        )
        if options.fit_intercept and not options.is_squared:
            curvature = max(curvature, loss.curvature)  # the intercept is a coordinate too
    parametrization = _diagonal(
        to_tensor(scale, data.device),
        to_tensor(inverse, data.device),
        to_tensor(x_mean, data.device),
        to_tensor(y_mean, data.device),
        to_tensor(y_scale, data.device),
        options,
        loss,
    )._replace(has_intercept=_has_intercept(options, precondition))
    return Coordinates(
        parametrization, to_tensor(y_deviation, data.device), None, curvature, bounds
    )


def coordinates_of_stream(data: TensorData, options: FitOptions, loss: LossSpec) -> Coordinates:
    """The coordinates of a stream of which these rows are the first: unit deviation.

    A column that is constant here may vary later, so its scale is 1.
    """
    y, weight = data.targets()
    y_mean = mean_of_targets(y, weight) * int(options.fit_intercept)
    y_rows = (y - y_mean) * weight.sqrt()[:, None]
    y_deviation = column_norms(y_rows)
    y_deviation = torch.where(y_deviation > 0, y_deviation, 1.0)
    if options.precondition is None:
        ones = torch.ones(data.n_terms, dtype=torch.float64, device=data.device)
        zeros = torch.zeros_like(y_deviation)
        parametrization = _diagonal(ones, ones, ones * 0.0, zeros, zeros + 1.0, options, loss)
        return Coordinates(parametrization, y_deviation, None, None, options.bounds)
    data.data.check_finite()
    moments = data.moments(center=options.fit_intercept)
    scale, y_scale = moments.deviations()
    scale = torch.where(scale > 1e-14 * moments.abs_max, scale, 1.0)
    y_scale = torch.where(y_scale > 0, y_scale, 1.0)
    parametrization = _diagonal(
        1.0 / scale, scale, moments.x_mean, moments.y_mean, y_scale, options, loss
    )
    return Coordinates(parametrization, y_deviation, None, None, options.bounds)


def needs_column_statistics(data: TensorData) -> bool:
    """Whether X is sparse, and its factor would need far more memory than X."""
    n, p = data.data.n_weighted, data.data.x.shape[1]
    return (
        sparse.issparse(data.data.x) and data.basis is None and min(n, p) * p > _MAX_FACTOR_ENTRIES
    )


def _checked_magnitudes(x: Any, owner: str) -> np.ndarray:
    """Largest |x| of each column. Raises if squares of the values overflow or underflow."""
    abs_max: np.ndarray = abs(x).max(axis=0).toarray().ravel()
    values = abs_max[abs_max > 0]
    if len(values) and not (values.min() > 1e-140 and values.max() < 1e140):
        raise ValueError(
            f"The columns of X are too large or too small for {owner} on sparse data of this "
            f"width: their largest absolute values are from {values.min():.3g} to "
            f"{values.max():.3g}. Bring them between 1e-140 and 1e140."
        )
    return abs_max


def _has_intercept(options: FitOptions, precondition: str | None) -> bool:
    """Whether the intercept is a coordinate. Else the optimal intercept is eliminated."""
    return options.fit_intercept and (precondition is None or not options.is_squared)


def _diagonal(
    scale: Tensor,
    inverse: Tensor,
    x_mean: Tensor,
    y_mean: Tensor,
    y_scale: Tensor,
    options: FitOptions,
    loss: LossSpec,
) -> Parametrization:
    """The parametrization of one problem, a coordinate for each coefficient."""
    return Parametrization(
        DiagonalPreconditioner(scale[None], inverse[None]),
        x_mean[None],
        TargetScaling.of(y_mean, y_scale, loss.power),
        options.fit_intercept,
    )
