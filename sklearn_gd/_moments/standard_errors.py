"""The least-squares optimum and its statistics, from moments alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sklearn_gd._moments.estimate import LeastSquaresEstimate
from sklearn_gd._moments.rank import IndependentColumns, UnitColumns, independent_columns
from sklearn_gd._moments.tensor_moments import TensorMoments, column_norms

_EPS = torch.finfo(torch.float64).eps
_ROUNDING = 10.0 * _EPS  # of a residual, in units of the terms of a prediction
_MAX_COEF = 8192  # the factor and its inverse are matrices of coefficients x coefficients
_SHOWN = 5  # names in a message


class UndefinedError(ValueError):
    """The data leave the standard errors undefined."""


def estimate_from_moments(
    moments: TensorMoments,
    *,
    n_rows: int,
    log_weight: float,
    has_intercept: bool,
    names: Sequence[str] | None = None,
) -> LeastSquaresEstimate:
    """The optimum of ``n_rows`` rows of positive weight, from their moments.

    ``log_weight`` is the sum of the logarithms of the weights, and ``names`` are those of the
    columns, for messages. Raises an `UndefinedError` where there are no standard errors.
    """
    n_columns = len(moments.x_mean)
    n_coef = n_columns + int(has_intercept)
    _check_size(n_rows, n_coef)
    unit = UnitColumns.of(moments)
    independent = independent_columns(unit)
    _check_rank(independent, n_columns, names)
    inverse = torch.zeros_like(independent.inverse)
    columns = independent.columns
    inverse[columns] = independent.inverse / unit.scale[columns, None]
    slopes, outside = moments.target, torch.zeros_like(moments.residual_norm)
    if independent.basis is not None:
        slopes = independent.basis.T @ moments.target
        outside = column_norms(moments.target - independent.basis @ slopes)
    residual_norm = torch.hypot(moments.residual_norm, outside)
    is_exact = residual_norm <= _rounding(moments, inverse @ slopes)
    return LeastSquaresEstimate(
        n_rows,
        log_weight,
        float(moments.weight),
        moments.x_mean.cpu().numpy(),
        moments.y_mean.cpu().numpy(),
        moments.factor.cpu().numpy(),
        inverse.cpu().numpy(),
        slopes.T.contiguous().cpu().numpy(),
        residual_norm.square().cpu().numpy(),
        is_exact.cpu().numpy(),
        has_intercept,
    )


def _rounding(moments: TensorMoments, coef: Tensor) -> Tensor:
    """The norm (targets,) that rounding alone may give to the residuals."""
    x_size, y_size = moments.deviations()
    x_size = torch.hypot(x_size, moments.x_mean)
    y_size = torch.hypot(y_size, moments.y_mean)
    return _ROUNDING * moments.weight.sqrt() * (y_size + x_size @ coef.abs())


def _check_size(n_rows: int, n_coef: int) -> None:
    """Raise if no row is left for the residual variance, or the matrices are too large."""
    if n_rows <= n_coef:
        raise UndefinedError(
            f"the residual variance is undefined, because there are {n_rows} samples of positive "
            f"weight for {n_coef} coefficients. Use more samples or fewer features"
        )
    if n_coef > _MAX_COEF:
        raise UndefinedError(
            f"the covariance of {n_coef} coefficients is too large: at most {_MAX_COEF} are "
            "allowed. Use fewer features"
        )


def _check_rank(
    independent: IndependentColumns, n_columns: int, names: Sequence[str] | None
) -> None:
    """Raise if some columns are combinations of others."""
    if len(independent.columns) == n_columns:
        return
    others = sorted(set(range(n_columns)) - set(independent.columns.tolist()))
    shown = [str(j) if names is None else repr(names[j]) for j in others[:_SHOWN]]
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    raise UndefinedError(
        f"the coefficients are undefined, because the columns have rank "
        f"{len(independent.columns)} and not {n_columns}. Constant columns, or combinations of "
        f"the other columns, are {', '.join(shown)}{more}. Leave them out"
    )
