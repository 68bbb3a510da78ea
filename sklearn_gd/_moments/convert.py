"""Moments of the terms of one polynomial basis, from those of another."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._moments.tensor_moments import TensorMoments, merge


def convert_moments(
    moments: TensorMoments | None, columns: PolynomialBasis | None, basis: PolynomialBasis | None
) -> TensorMoments | None:
    """Moments of the terms of ``basis``, from those of ``columns``, of no lower degree."""
    if moments is None or columns is None or basis is None:
        return moments
    if basis.min_degree > 1:  # the terms that are left out come first
        every = convert_moments(moments, columns, basis.with_low_degrees())
        assert every is not None
        return merge([_of_columns(every, slice(basis.n_left_out, None))])
    terms = basis.n_terms
    if terms < moments.factor.shape[1]:  # lower degrees are the leading terms
        moments = _of_columns(moments, slice(terms))
    columns = columns._replace(degree=basis.degree)
    if basis.is_same(columns):  # the leading columns may have more rows than they need
        return merge([moments]) if len(moments.factor) > terms else moments
    x_mean, factor, abs_max = (
        part.cpu().numpy() for part in (moments.x_mean, moments.factor, moments.abs_max)
    )

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(moments.factor)

    return merge(
        [
            moments._replace(
                x_mean=tensor(columns.convert_columns(x_mean[None], 1.0, basis)[0]),
                factor=tensor(columns.convert_columns(factor, 0.0, basis)),
                abs_max=tensor(columns.convert_magnitudes(abs_max, basis)),
            )
        ]
    )


def _of_columns(moments: TensorMoments, columns: slice) -> TensorMoments:
    """The moments of some columns, with a factor that may have more rows than it needs."""
    return moments._replace(
        x_mean=moments.x_mean[columns],
        factor=moments.factor[:, columns],
        abs_max=moments.abs_max[columns],
    )
