"""The least-squares estimate of a model's terms: the moments of the data, and its rows once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sklearn_gd._data.polynomial import PolynomialBasis, well_conditioned_basis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._estimators.base import GDRegressor
from sklearn_gd._estimators.parameter_rules import why_no_standard_errors
from sklearn_gd._inspection.user_terms import UserEstimate
from sklearn_gd._moments.moments import Moments

_LEAST_ERROR, _LARGEST_ERROR = 1e-140, 1e140


class Estimation(NamedTuple):
    """What the data tell of a model, as NumPy."""

    estimate: UserEstimate
    leverage: np.ndarray | None  # (n,)
    loo_residuals: np.ndarray | None  # (n, targets)


def estimate_terms(
    regressor: GDRegressor,
    data: TrainingData,
    terms: PolynomialBasis | None,
    names: Sequence[str],
    *,
    cov_type: str,
    owner: str,
    moments: Moments | None = None,
) -> Estimation:
    """The estimate of the terms of a model, named ``names``. ``owner`` is for messages.

    With ``moments`` in place of the rows of ``data``, nothing is known of single rows.

    Raises
    ------
    ValueError
        If standard errors are undefined for the model or the data.
    """
    import torch

    from sklearn_gd._base.torch_state import isolated
    from sklearn_gd._moments.arithmetic import tensor_moments
    from sklearn_gd._moments.row_statistics import row_statistics
    from sklearn_gd._moments.standard_errors import UndefinedError, estimate_from_moments
    from sklearn_gd._moments.tensor_data import TensorData

    subject = f"{owner} on {type(regressor).__name__} is not possible"
    reason = why_no_standard_errors(regressor)
    if reason:
        raise ValueError(f"{subject}: {reason}")
    center, weight = bool(regressor.fit_intercept), data.weight
    basis = _basis_for_range(terms, data if moments is None else moments, center=center)
    if weight is not None:
        weight = weight * data.weight_unit
    with isolated():
        tensor_data = TensorData(data, basis, torch.device("cpu"))
        if moments is None:
            tensors = tensor_data.moments(center=center).scaled(data.weight_unit)
            n_rows, log_weight = data.n_weighted, data.log_weight
        else:
            tensors = tensor_moments(moments, basis, center=center)
            n_rows, log_weight = moments.n_samples, moments.log_weight
        try:
            estimate = estimate_from_moments(
                tensors,
                n_rows=n_rows,
                log_weight=log_weight,
                has_intercept=center,
                names=names,
            )
        except UndefinedError as error:
            raise ValueError(f"{subject}: {error}.") from None
        robust = leverage = loo_residuals = None
        if moments is None:
            rows = row_statistics(tensor_data, estimate, weight, cov_type)
            leverage, loo_residuals, robust = rows.leverage, rows.loo_residuals, rows.covariance
    with np.errstate(all="ignore"):  # the range is checked
        covariance = estimate.covariance() if robust is None else robust
        user = UserEstimate(estimate, basis, covariance, use_t=robust is None)
        is_in_range = _is_in_range(user)
    if not is_in_range:
        raise ValueError(
            f"{subject}: the squares of standard errors are beyond the range of float64. Bring X "
            "and y to a moderate scale."
        )
    return Estimation(user, leverage, loo_residuals)


def _is_in_range(user: UserEstimate) -> bool:
    """Whether the squares of all standard errors are normal numbers.

    Rounding may be zero, and so may the robust error of what one sample alone determines.
    """
    if not np.isfinite(user.covariance).all():
        return False
    errors = np.column_stack([np.sqrt(user.estimate.scale), user.bse()])
    is_normal = (errors > _LEAST_ERROR) & (errors < _LARGEST_ERROR)
    may_be_zero = user.estimate.is_exact[:, None] | (not user.use_t)
    is_fine = is_normal | (may_be_zero & (errors <= _LEAST_ERROR))
    return bool(is_fine.all() and np.isfinite(user.params()).all())


def _basis_for_range(
    terms: PolynomialBasis | None, data: TrainingData | Moments, *, center: bool
) -> PolynomialBasis | None:
    """The basis of the same terms on the range of the data, whatever the fit used."""
    if terms is None:
        return None
    low, high = (data.x_low, data.x_high) if isinstance(data, Moments) else data.ranges()
    if low is None or high is None:  # moments of degree 1, which are centred anyway
        return terms.monomials()
    return well_conditioned_basis(terms, low, high, center=center)
