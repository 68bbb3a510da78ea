"""A fit, from checked data to fitted numbers: prepare, descend, report."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._base.torch_state import isolated
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.moments import Moments
from sklearn_gd._training.options import FitOptions
from sklearn_gd._training.prepare import Model, descend_problems, in_basis, prepare
from sklearn_gd._training.result import FitResult, in_data_units, make_result, to_numpy_model

OnModel = Callable[[np.ndarray, np.ndarray, np.ndarray], bool]


def fit_model(
    data: TrainingData,
    basis: PolynomialBasis | None,
    options: FitOptions,
    *,
    moments: Moments | None = None,
    validation: TrainingData | None = None,
    start: Model | None = None,
    seed: int = 0,
    on_epoch: OnModel | None = None,
    stops_on_validation: bool = True,
) -> FitResult:
    """Fit ``data``, from the coefficients and intercepts of ``start`` or from zeros.

    ``moments`` take the place of the rows of ``data``, if they are given. The loss of
    ``validation`` rows decides when to stop, or is only recorded. ``on_epoch`` is called after
    every epoch with the loss curve so far, the coefficients and the intercepts. It returns
    whether to stop.
    """
    with isolated():
        tensors = in_basis(moments, basis, options)
        fit = prepare(
            data,
            basis,
            options,
            validation=validation,
            seed=seed,
            moments=tensors,
            n_rows=None if moments is None else moments.n_samples,
        )
        problem = fit.problem

        def tell(values: Tensor, u: Tensor) -> bool:
            assert on_epoch is not None
            coef, intercept = to_numpy_model(problem, u)
            curve = in_data_units(values[:, 0, 0], problem.loss_scale)
            return on_epoch(curve, coef[0], intercept[0])

        recorded: list[Tensor] = []

        def record(points: Tensor) -> None:
            assert problem.validation is not None
            with torch.no_grad():
                recorded.extend(problem.validation(u) for u in points)

        only_records = problem.validation is not None and not stops_on_validation
        trace = descend_problems(
            [fit],
            [[fit.lr]],
            start=start,
            stops_on_validation=stops_on_validation,
            on_epoch=tell if on_epoch else None,
            on_points=record if only_records else None,
        )
        if only_records:
            trace = trace._replace(validation=torch.stack(recorded))
        result = make_result(fit, trace.select(0, 0), fit.lr)
        if not only_records:  # in a search candidates may be beyond the range of float64
            result.check_finite(options.owner)
        return result
