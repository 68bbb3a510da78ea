"""Rows taken out of moments again, where rounding does not decide the result.

Let R be the triangle of all rows, and B the factor of the rows to take out, with the difference
of the means as one more row. With W = B·R⁻¹ the rows that remain have the triangle Lᵀ·R, where
L·Lᵀ = M = I − WᵀW. Rounding is amplified by the trace of M⁻¹, and by the condition of R.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from sklearn_gd._moments.moments import Moments, column_norms, is_varying
from sklearn_gd._moments.two_sum import two_sum

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)
_MAX_ROUNDING = 1e-9
_MAX_ROUNDING_OF_RESIDUAL = 1e-11  # of the deviation of a target, where its residual is small


class _Remainder(NamedTuple):
    """The factorization of what remains of the features."""

    lower: np.ndarray  # (p, p) L
    quotient: np.ndarray  # (rows, p) W
    condition: float  # of R
    amplification: float  # of rounding


def subtract_rows(whole: Moments, part: Moments) -> Moments:
    """The moments of the rows of ``whole`` without those of ``part``, in the same basis."""
    n_samples, weight = whole.n_samples - part.n_samples, whole.weight - part.weight
    if n_samples < 1 or not weight > 0:
        raise ValueError(
            f"Moments of {part.n_samples} rows of weight {part.weight:.6g} cannot be subtracted "
            f"from moments of {whole.n_samples} rows of weight {whole.weight:.6g}: no row would "
            "remain. Subtract moments of some of the rows."
        )
    # the distance of the means is one more row
    root = (part.weight * whole.weight / weight) ** 0.5
    x_step = (part.x_mean - whole.x_mean) + (part.x_mean_rest - whole.x_mean_rest)
    y_step = (part.y_mean - whole.y_mean) + (part.y_mean_rest - whole.y_mean_rest)
    rows = np.vstack([part.factor, root * x_step])
    targets = np.vstack([part.target, root * y_step])
    norms = column_norms(whole.factor)
    varies = is_varying(whole, norms)
    scale = norms[varies]
    q, triangle = np.linalg.qr(whole.factor[:, varies] / scale)
    sign = np.where(np.diagonal(triangle) < 0, -1.0, 1.0)
    q, triangle = q * sign, triangle * sign[:, None]
    if len(triangle) < triangle.shape[1]:
        raise _refusal("they have fewer rows than columns")
    remainder = _factorize(triangle, rows[:, varies] / scale, whole.weight / weight)
    explained = q.T @ whole.target
    outside = np.linalg.norm(whole.target - q @ explained, axis=0)
    residuals = np.hypot(whole.residual_norm, outside), part.residual_norm
    target, residual_norm = _targets(remainder, explained, targets, residuals)
    factor = np.zeros((len(triangle), len(varies)))
    factor[:, varies] = remainder.lower.T @ triangle * scale
    share = part.weight / weight
    x_mean, x_mean_rest = two_sum(whole.x_mean, whole.x_mean_rest - share * x_step)
    y_mean, y_mean_rest = two_sum(whole.y_mean, whole.y_mean_rest - share * y_step)
    return whole._replace(
        n_samples=n_samples,
        weight=weight,
        log_weight=whole.log_weight - part.log_weight,
        x_mean=x_mean,
        y_mean=y_mean,
        x_mean_rest=x_mean_rest,
        y_mean_rest=y_mean_rest,
        factor=factor,
        target=target,
        residual_norm=residual_norm,
    )


def _factorize(triangle: np.ndarray, rows: np.ndarray, ratio: float) -> _Remainder:
    """What remains of the features. ``ratio`` is the weight before, by the weight after."""
    if not triangle.size:
        return _check(_Remainder(triangle, rows, 1.0, ratio))
    try:
        quotient = solve_triangular(triangle, rows.T, trans="T").T
        matrix = np.eye(len(triangle)) - quotient.T @ quotient
        lower = cholesky(matrix, lower=True)
        inverse = solve_triangular(lower, np.eye(len(lower)), lower=True)
    except (LinAlgError, ValueError) as error:  # singular, not positive definite, not finite
        raise _refusal("what remains of the features is dependent") from error
    condition = float(np.linalg.cond(triangle))
    amplification = max(ratio, float((inverse**2).sum()) * condition)
    return _check(_Remainder(lower, quotient, condition, amplification))


def _check(remainder: _Remainder) -> _Remainder:
    """Raise unless rounding is small."""
    rounding = _EPS * remainder.amplification
    if not rounding <= _MAX_ROUNDING:
        raise _refusal(f"it could be wrong by {rounding:.1g} of its size")
    return remainder


def _targets(
    remainder: _Remainder,
    explained: np.ndarray,
    targets: np.ndarray,
    residual_norms: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """The target and the residual norm of what remains.

    ``explained`` is the target of all rows beside the triangle, ``targets`` are those of the
    part beside B, and ``residual_norms`` are those of all rows and of the part. With the
    residuals of the part, E = targets − W·explained, the target is Lᵀ·explained − L⁻¹·WᵀE.
    """
    lower, quotient = remainder.lower, remainder.quotient
    residuals = targets - quotient @ explained
    correction = quotient.T @ residuals
    if lower.size:
        correction = solve_triangular(lower, correction, lower=True)
    target = lower.T @ explained - correction
    before, of_part = residual_norms
    taken = (residuals**2).sum(axis=0) + of_part**2 + (correction**2).sum(axis=0)
    square = before**2 - taken
    residual_norm = np.sqrt(square.clip(min=0.0))
    size = np.hypot(np.linalg.norm(target, axis=0), residual_norm)
    size_before = np.hypot(np.linalg.norm(explained, axis=0), before)
    is_wrong = _EPS * remainder.amplification * size_before > _MAX_ROUNDING * size
    rounding = _EPS * remainder.condition * size_before  # of the residuals of the part
    error_of_square = 2 * before * rounding + rounding**2
    error = error_of_square / np.maximum(residual_norm, np.sqrt(error_of_square) + _TINY)
    allowed = np.maximum(_MAX_ROUNDING * residual_norm, _MAX_ROUNDING_OF_RESIDUAL * size)
    is_lost = error > allowed
    if (is_wrong | is_lost).any():
        which = np.flatnonzero(is_wrong | is_lost).tolist()
        raise _refusal(f"too little remains of the deviations of the targets {which}")
    return target, residual_norm


def _refusal(reason: str) -> ValueError:
    """The error where rounding would decide the result."""
    return ValueError(
        f"Rounding would decide the difference of these moments: {reason}. Compute the moments of "
        "the remaining rows, or keep the moments of parts and add those that remain."
    )
