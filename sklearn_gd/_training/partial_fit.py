"""A fit of everything that a stream has brought so far.

Squared error needs only moments. The moments of the new rows are merged, exactly, with those of
all earlier rows, and the descent continues from the present coefficients. So no row is kept,
and the objective is that of all rows, whatever the parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_gd._base.torch_state import find_device, isolated
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.convert import convert_moments
from sklearn_gd._moments.tensor_data import TensorData, to_tensor
from sklearn_gd._moments.tensor_moments import TensorMoments, merge
from sklearn_gd._training.options import FitOptions
from sklearn_gd._training.prepare import Model, descend_problems, prepare, start_parameters
from sklearn_gd._training.result import FitResult, make_result

PartialFitState = dict[str, Any]

_MAX_FACTOR = 4096  # rows or columns


def fit_on_moments(
    data: TrainingData,
    basis: PolynomialBasis | None,
    options: FitOptions,
    *,
    start: Model | None,
    state: PartialFitState | None,
    state_basis: PolynomialBasis | None,
) -> tuple[FitResult, PartialFitState]:
    """Continue a fit with the rows of ``data``. Returns the moments of all rows as the state.

    ``basis`` is the basis for all rows, ``state_basis`` that of the earlier moments.
    """
    with isolated():
        tensor_data = TensorData(data, basis, find_device(options.device))
        moments = tensor_data.moments(center=options.fit_intercept).scaled(data.weight_unit)
        if state is not None:
            earlier = TensorMoments(
                *(
                    to_tensor(np.asarray(state[name]), tensor_data.device)
                    for name in TensorMoments._fields
                )
            )
            converted = convert_moments(earlier, state_basis, basis)
            assert converted is not None
            moments = merge([converted, moments])
        _check_size(moments, options)
        n_rows = _rows_seen(data, state, options)
        fit = prepare(data, basis, options, moments=moments, n_rows=n_rows)
        trace = descend_problems([fit], [[fit.lr]], start=start)
        if trace.diverged.any():  # the coefficients before the call are kept
            u = start_parameters(fit, start)
            trace = trace._replace(u=u, value=fit.problem.value(u))
        result = make_result(fit, trace.select(0, 0), fit.lr)
        result.check_finite(options.owner)
        arrays = {name: value.cpu().numpy() for name, value in moments._asdict().items()}
        return result, {**arrays, "n_rows": n_rows}


def _rows_seen(
    data: TrainingData, state: PartialFitState | None, options: FitOptions
) -> int | None:
    """The number of rows of positive weight so far; None if the state does not tell."""
    if state is None:
        return data.n_weighted
    earlier: int | None = state.get("n_rows")
    if earlier is None and options.tol == "statistical":
        raise ValueError(
            f"tol='statistical' of {options.owner} needs the number of rows seen so far, which a "
            "model saved by an earlier version does not hold. Set tol to a number or None."
        )
    return None if earlier is None else earlier + data.n_weighted


def _check_size(moments: TensorMoments, options: FitOptions) -> None:
    """Raise if the factor of all rows is too large to be kept."""
    size = min(moments.factor.shape)
    if size > _MAX_FACTOR:
        raise ValueError(
            f"partial_fit of {options.owner} keeps a factor of as many rows and columns as there "
            f"are samples or features, here {size}, and at most {_MAX_FACTOR} are allowed. Set "
            "'batch_size' for a pass of gradient descent over each part."
        )
