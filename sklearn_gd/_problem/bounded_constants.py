"""Constant columns whose coefficients cannot be 0.

The coefficient of a constant column changes nothing but the intercept, so that it has no
coordinate and is 0. If its bounds exclude 0, it needs a coordinate. There it is fixed at the bound
that is nearest to 0, so that rounding of the column does not move it.
"""

from __future__ import annotations

import torch

from sklearn_gd._base.bounds import Bounds
from sklearn_gd._moments.tensor_moments import TensorMoments
from sklearn_gd._problem.precondition import PreconditionedMoments
from sklearn_gd._problem.preconditioners import DiagonalPreconditioner


def with_bounded_constants(
    found: PreconditionedMoments, moments: TensorMoments, bounds: Bounds, l2: float
) -> tuple[PreconditionedMoments, Bounds]:
    """Give a coordinate to the coefficients that have none and cannot be 0, and fix them.

    Its column of the design stays zero. The L2 penalty of the coefficient is a ridge.
    """
    preconditioner = found.preconditioner
    assert isinstance(preconditioner, DiagonalPreconditioner)  # the proximal step needs that
    scale, inverse = preconditioner.scale[0], preconditioner.inverse[0]
    is_added = torch.from_numpy(bounds.excludes_zero).to(scale.device) & (scale == 0.0)
    if not is_added.any():
        return found, bounds
    # in units of the column, beside which its rounding is small
    size = torch.where(moments.abs_max > 0.0, moments.abs_max, 1.0)
    size = torch.hypot(size, size.new_tensor((l2 / 2) ** 0.5))
    scale, inverse = torch.where(is_added, 1.0 / size, scale), torch.where(is_added, size, inverse)
    ridge = torch.zeros_like(scale) if found.ridge is None else found.ridge
    found = found._replace(
        preconditioner=DiagonalPreconditioner(scale[None], inverse[None]),
        ridge=torch.where(is_added, l2 / 2 * scale.square(), ridge),
    )
    return found, bounds.fix_nearest_to_zero(is_added.cpu().numpy())
