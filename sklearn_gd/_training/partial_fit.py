"""A fit of everything that a stream has brought so far.

Squared error needs only moments. The moments of the new rows are merged, exactly, with those of
all earlier rows, and the descent continues from the present coefficients. So no row is kept,
and the objective is that of all rows, whatever the parts.
"""

from __future__ import annotations

from sklearn_gd._base.torch_state import isolated
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.moments import Moments
from sklearn_gd._training.options import FitOptions
from sklearn_gd._training.prepare import (
    Model,
    descend_problems,
    in_basis,
    prepare,
    start_parameters,
)
from sklearn_gd._training.result import FitResult, make_result

_MAX_FACTOR = 4096  # rows or columns


def fit_on_moments(
    data: TrainingData,
    moments: Moments,
    basis: PolynomialBasis | None,
    options: FitOptions,
    *,
    start: Model | None,
) -> FitResult:
    """Continue a fit with the moments of all rows so far, of which ``data`` are the last."""
    _check_size(moments, options)
    with isolated():
        fit = prepare(
            data,
            basis,
            options,
            moments=in_basis(moments, basis, options),
            n_rows=moments.n_samples,
        )
        trace = descend_problems([fit], [[fit.lr]], start=start)
        if trace.diverged.any():  # the coefficients before the call are kept
            u = start_parameters(fit, start)
            trace = trace._replace(u=u, value=fit.problem.value(u))
        result = make_result(fit, trace.select(0, 0), fit.lr)
        result.check_finite(options.owner)
        return result


def _check_size(moments: Moments, options: FitOptions) -> None:
    """Raise if the factor of all rows is too large to be kept."""
    size = min(moments.factor.shape)
    if size > _MAX_FACTOR:
        raise ValueError(
            f"partial_fit of {options.owner} keeps a factor of as many rows and columns as there "
            f"are samples or features, here {size}, and at most {_MAX_FACTOR} are allowed. Set "
            "'batch_size' for a pass of gradient descent over each part."
        )
