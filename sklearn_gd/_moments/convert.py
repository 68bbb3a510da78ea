"""Moments of the terms of one polynomial basis, from those of another."""

from __future__ import annotations

import numpy as np
import torch

from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._moments.tensor_moments import TensorMoments, merge


def convert_moments(
    moments: TensorMoments | None, columns: PolynomialBasis | None, basis: PolynomialBasis | None
) -> TensorMoments | None:
    """Moments of the terms of ``basis``, from those of ``columns``, of no lower degree."""
    if moments is None or columns is None or basis is None:
        return moments
    terms = len(basis.powers())
    if terms < moments.factor.shape[1]:  # lower degrees are the leading terms
        moments = moments._replace(
            x_mean=moments.x_mean[:terms],
            factor=moments.factor[:, :terms],
            abs_max=moments.abs_max[:terms],
        )
    columns = columns._replace(degree=basis.degree)
    if basis.is_same(columns):  # the leading columns may have more rows than they need
        return merge([moments]) if len(moments.factor) > terms else moments
    change, constant = basis.convert(np.eye(terms), np.zeros(terms), columns)
    matrix, shift = (torch.from_numpy(part).to(moments.factor) for part in (change, constant))
    return merge(
        [
            moments._replace(
                x_mean=matrix @ moments.x_mean + shift,
                factor=moments.factor @ matrix.T,
                abs_max=matrix.abs() @ moments.abs_max,
            )
        ]
    )
