"""The public moments by torch: from rows, in a basis for a fit, and their sums and differences.

Here alone the public moments (NumPy) and the moments of training (tensors) become each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse

from sklearn_gd._base.torch_state import find_device, isolated
from sklearn_gd._data.polynomial import PolynomialBasis, legendre_basis, monomial_basis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.convert import convert_moments
from sklearn_gd._moments.difference import subtract_rows
from sklearn_gd._moments.moments import Moments
from sklearn_gd._moments.tensor_data import TensorData, to_tensor
from sklearn_gd._moments.tensor_moments import TensorMoments, merge

_CPU = torch.device("cpu")
_MAX_ENTRIES_OF_SPARSE = 2**26  # 512 MB


def moments_of(
    data: TrainingData,
    degree: int,
    *,
    feature_names: tuple[str, ...] | None,
    interaction_only: bool,
    device: str = "cpu",
    ranges: tuple[np.ndarray, np.ndarray] | None = None,
) -> Moments:
    """The moments of checked rows. Polynomials have these ranges of the features at least."""
    n_features = data.x.shape[1]
    low = high = basis = None
    if degree > 1:
        low, high = (part.astype(np.float64) for part in data.ranges())
        if ranges is not None:
            low, high = np.minimum(low, ranges[0]), np.maximum(high, ranges[1])
        basis = legendre_basis(low, high, degree, interaction_only=interaction_only, center=True)
    _check_size_of_sparse(data, n_features if basis is None else basis.n_terms)
    with isolated():
        rows = TensorData(data, basis, find_device(device))
        tensors = rows.moments(center=True).scaled(data.weight_unit)
    return Moments(
        n_samples=data.n_weighted,
        feature_names=feature_names,
        has_single_target=data.has_single_target,
        degree=degree,
        interaction_only=interaction_only,
        log_weight=data.log_weight,
        x_low=low,
        x_high=high,
        **_as_fields(tensors),
    )


def tensor_moments(
    moments: Moments, basis: PolynomialBasis | None, *, center: bool, device: torch.device = _CPU
) -> TensorMoments:
    """The moments as tensors, of the terms of ``basis`` (None: of the features)."""
    tensors = TensorMoments(
        *(to_tensor(np.asarray(getattr(moments, name)), device) for name in TensorMoments._fields)
    )
    if basis is None:
        basis = monomial_basis(moments.n_features, 1, interaction_only=moments.interaction_only)
    converted = convert_moments(tensors, moments.basis, basis)
    assert converted is not None
    return converted if center else converted.uncentered()


def at_degree(moments: Moments, degree: int) -> Moments:
    """The moments of the terms up to a degree, which is not above that of the moments."""
    if degree == moments.degree:
        return moments
    low, high = (None, None) if degree == 1 else (moments.x_low, moments.x_high)
    basis = None if degree == 1 else moments.basis._replace(degree=degree)
    with isolated():
        fields = _as_fields(tensor_moments(moments, basis, center=True))
    return moments._replace(degree=degree, x_low=low, x_high=high, **fields)


def add(a: Moments, b: Moments) -> Moments:
    """The moments of the rows of both."""
    low, high, basis = _united(a, b)
    with isolated():
        parts = [tensor_moments(part, basis, center=True) for part in (a, b)]
        fields = _as_fields(merge(parts))
    return a._replace(
        n_samples=a.n_samples + b.n_samples,
        log_weight=a.log_weight + b.log_weight,
        has_single_target=a.has_single_target and b.has_single_target,
        x_low=low,
        x_high=high,
        **fields,
    )


def subtract(whole: Moments, part: Moments) -> Moments:
    """The moments of the rows of ``whole`` that are not in ``part``."""
    low, high, basis = _united(whole, part)
    with isolated():
        fields, other = (
            _as_fields(merge([tensor_moments(each, basis, center=True)])) for each in (whole, part)
        )
    in_common_basis = whole._replace(x_low=low, x_high=high, **fields)
    return subtract_rows(in_common_basis, part._replace(x_low=low, x_high=high, **other))


def _united(
    a: Moments, b: Moments
) -> tuple[np.ndarray | None, np.ndarray | None, PolynomialBasis | None]:
    """The ranges of the features in both, and the basis for them."""
    if a.x_low is None or a.x_high is None or b.x_low is None or b.x_high is None:
        return None, None, None
    low, high = np.minimum(a.x_low, b.x_low), np.maximum(a.x_high, b.x_high)
    return low, high, a._replace(x_low=low, x_high=high).basis


def _as_fields(tensors: TensorMoments) -> dict[str, Any]:
    """The fields of the public moments. Raises if the data are beyond the range of float64."""
    fields: dict[str, Any] = {
        name: value.cpu().numpy() for name, value in tensors._asdict().items()
    }
    if not all(np.isfinite(value).all() for value in fields.values()):
        raise ValueError(
            "The moments overflow, because the values of X and y are too far from 1 for float64. "
            "Bring X and y to a moderate scale."
        )
    return {**fields, "weight": float(fields["weight"])}


def _check_size_of_sparse(data: TrainingData, n_terms: int) -> None:
    """Raise where the factor would need far more memory than sparse rows."""
    n = min(data.n_weighted, n_terms)
    if sparse.issparse(data.x) and n * n_terms > _MAX_ENTRIES_OF_SPARSE:
        raise ValueError(
            f"The moments of this sparse X are a factor of {n} x {n_terms} numbers, and at most "
            f"{_MAX_ENTRIES_OF_SPARSE} are allowed. Use fewer columns, or fit the rows: with "
            "partial_fit and batch_size they need not be in memory at once."
        )
