"""From data and options to a problem.

Squared error on all rows is minimized on the moments of the data. Other losses, mini-batches,
and sparse data with too many columns for a factor are minimized on the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from sklearn_gd._base.bounds import Bounds
from sklearn_gd._base.parameters import InvalidParameterError
from sklearn_gd._base.torch_state import threads_for
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.standard_errors import UndefinedError, estimate_from_moments
from sklearn_gd._moments.tensor_data import TensorData, to_tensor
from sklearn_gd._moments.tensor_moments import TensorMoments
from sklearn_gd._problem.empirical_risk import EmpiricalRisk, RegularizedLoss
from sklearn_gd._problem.least_squares import LeastSquares, validation_least_squares
from sklearn_gd._problem.mini_batches import MiniBatches
from sklearn_gd._problem.parametrization import Parametrization
from sklearn_gd._problem.penalties import CoordinatePenalty
from sklearn_gd._problem.preconditioners import DensePreconditioner
from sklearn_gd._solver.objective import Objective
from sklearn_gd._training.coordinates import (
    Coordinates,
    choose_precondition,
    coordinates_from_columns,
    coordinates_from_moments,
    needs_column_statistics,
)
from sklearn_gd._training.options import FitOptions
from sklearn_gd.losses import find_loss

_SQUARED_DISTANCE = 1e-4  # of coefficients from their optimum, in standard errors

MakeRisk = Callable[[RegularizedLoss], EmpiricalRisk]


ProblemObjective = LeastSquares | EmpiricalRisk | MiniBatches


class Problem(NamedTuple):
    """What a descent minimizes, and what is known about it. Its axis of problems has length 1."""

    parametrization: Parametrization
    precondition: str | None  # the one used, never "auto"
    objective: ProblemObjective  # the differentiable part
    penalty: CoordinatePenalty | None  # the part without a gradient
    bounds: Bounds | None  # of the coefficients
    validation: Objective | None  # the loss of the validation rows
    value_scale: Tensor  # (1, 1, targets) objectives are judged in units of it
    curvature: float | None  # the largest curvature of the objective, where it is known
    squared_error: LeastSquares | None  # on the same data, where moments are known
    optimum: Tensor | None  # (targets,) the lowest value of the objective, where it is known
    enough: Tensor | None  # (1, 1, targets) the objective at which the descent may stop
    at_zero: Tensor  # (1, 1, targets) the objective of zeros, where most fits start
    has_batches: bool  # whether an epoch is several steps
    is_squared: bool

    def value(self, u: Tensor) -> Tensor:
        """The whole objective (1, runs, targets) of u, penalty included."""
        with torch.no_grad():
            value = self.objective(u)
            return value if self.penalty is None else value + self.penalty.value(u)

    @property
    def loss_scale(self) -> Tensor:
        """What objectives (..., targets) are multiplied by for the units of the data."""
        return self.parametrization.scaling.loss_scale[0, 0]


def build_problem(
    data: TensorData,
    options: FitOptions,
    *,
    validation: TrainingData | None = None,
    seed: int = 0,
    moments: TensorMoments | None = None,
    make_risk: MakeRisk | None = None,
    coordinates: Coordinates | None = None,
    n_rows: int | None = None,
) -> Problem:
    """The problem of fitting ``data``, with the loss of ``validation`` rows beside it.

    Some things may be known already: the ``moments`` of the data, and how many rows these
    count (``n_rows``), the ``coordinates`` of an earlier call of partial_fit, or in
    ``make_risk`` a way to the risk on shared rows.
    """
    loss = find_loss(options.loss, options.loss_params, options.owner)
    to_original = to_original_matrix(data) if options.penalty.l2 else None
    is_stream = coordinates is not None
    precondition = choose_precondition(options, data, moments)
    if coordinates is not None:
        precondition = None if precondition is None else "standardize"
    elif moments is None and needs_column_statistics(data):
        coordinates = coordinates_from_columns(data, options, precondition, loss)
    else:
        moments = moments or data.moments(center=options.fit_intercept)
        with threads_for(moments.factor.numel()):
            coordinates = coordinates_from_moments(
                moments, options, precondition, loss, to_original
            )
    parametrization, squared_error = coordinates.parametrization, coordinates.squared_error
    scaling = parametrization.scaling
    ridge = options.penalty.as_term(to_original, scaling.loss_scale)
    regularized = RegularizedLoss(loss.function, parametrization, ridge)
    has_batches = is_stream or _has_batches(options, data)
    objective: ProblemObjective
    if has_batches:
        objective = _mini_batches(data, options, regularized, squared_error, seed)
    else:
        objective = _full_batch(data, options, regularized, squared_error, make_risk)
    with torch.no_grad():
        at_zero = objective(parametrization.zeros)
    y_deviation = torch.where(coordinates.y_deviation > 0, coordinates.y_deviation, 1.0)
    optimum = _optimum(squared_error, options)
    enough = None
    if options.tol == "statistical":
        n_rows = data.data.n_weighted if n_rows is None else n_rows
        enough = _near_optimum(optimum, moments, n_rows, options)
    return Problem(
        parametrization,
        precondition,
        objective,
        options.penalty._replace(bounds=coordinates.bounds).in_coordinates(parametrization),
        coordinates.bounds,
        _validation(data, validation, regularized, options),
        (y_deviation / scaling.y_scale) ** loss.power,
        None if has_batches else coordinates.curvature,
        squared_error,
        optimum,
        enough,
        at_zero,
        has_batches,
        options.is_squared,
    )


def _has_batches(options: FitOptions, data: TensorData) -> bool:
    """Whether an epoch is several steps."""
    return options.batch_size is not None and options.batch_size < data.data.n_weighted


def _validation(
    data: TensorData,
    validation: TrainingData | None,
    loss: RegularizedLoss,
    options: FitOptions,
) -> Objective | None:
    """The loss, without penalty, of validation rows."""
    if validation is None:
        return None
    rows = data.with_data(validation)
    if options.is_squared and not needs_column_statistics(rows):
        return validation_least_squares(rows.moments(center=True), loss.parametrization)
    return EmpiricalRisk.of(loss._replace(ridge=None), rows.rows())


def _optimum(squared_error: LeastSquares | None, options: FitOptions) -> Tensor | None:
    """The lowest value (targets,) of the objective, where it is known."""
    if not options.is_squared or squared_error is None or options.penalty.is_proximal:
        return None
    return squared_error.optimum()


def _near_optimum(
    optimum: Tensor | None, moments: TensorMoments | None, n_rows: int, options: FitOptions
) -> Tensor:
    """The objective (1, 1, targets) from which no coefficient is 0.01 standard errors away.

    With the residual variance s² = W·J*/df, where W is the sum of the weights and J* the
    optimum, W·(J − J*)/s² <= 1e-4 is J <= J*·(1 + 1e-4/df). By Cauchy and Schwarz the square
    of each distance in standard errors is at most the left side.
    """
    if moments is None or optimum is None:
        raise InvalidParameterError(
            f"tol='statistical' of {options.owner} needs the moments of the data, and X is sparse "
            "with too many columns for them. Set tol to a number or None."
        )
    try:
        estimate = estimate_from_moments(
            moments, n_rows=n_rows, log_weight=0.0, has_intercept=options.fit_intercept
        )
    except UndefinedError as error:
        raise ValueError(
            f"tol='statistical' of {options.owner} is not possible: {error}, or set tol to a "
            "number or None."
        ) from None
    is_exact = to_tensor(estimate.is_exact, optimum.device)
    enough = optimum * (1.0 + _SQUARED_DISTANCE / estimate.df_resid)
    # a residual that is rounding says nothing of standard errors
    return torch.where(is_exact, -torch.inf, enough)[None, None]


def _full_batch(
    data: TensorData,
    options: FitOptions,
    loss: RegularizedLoss,
    squared_error: LeastSquares | None,
    make_risk: MakeRisk | None,
) -> LeastSquares | EmpiricalRisk:
    """The objective on all rows at once: on their moments, where the loss is squared."""
    if options.is_squared and squared_error is not None:
        return squared_error
    return make_risk(loss) if make_risk else EmpiricalRisk.of(loss, data.rows())


def _mini_batches(
    data: TensorData,
    options: FitOptions,
    loss: RegularizedLoss,
    squared_error: LeastSquares | None,
    seed: int,
) -> MiniBatches:
    """The objective in batches. Moments give its value on all rows, where the loss is squared."""
    full = squared_error if options.is_squared else None
    return MiniBatches.of(loss, data, options.batch_size, seed if options.shuffle else None, full)


def to_original_matrix(data: TensorData) -> Tensor | None:
    """The matrix from coefficients in the basis to those of plain powers; None if equal."""
    basis = data.basis
    if basis is None or basis.is_same(basis.monomials()):
        return None
    n_terms = len(basis.powers())
    with np.errstate(over="ignore", invalid="ignore"):
        change, _ = basis.convert(np.eye(n_terms), np.zeros(n_terms), basis.monomials())
    if not np.isfinite(change).all():
        raise ValueError(
            f"The powers of X up to degree {basis.degree} leave the range of float64, so that "
            "alpha has no meaning for their coefficients. Bring X to a moderate scale."
        )
    return to_tensor(change, data.device)


def express_in(
    loss: RegularizedLoss, basis: PolynomialBasis, columns: PolynomialBasis, means: Tensor
) -> RegularizedLoss:
    """A loss of the terms of ``basis``, as a loss of the leading terms of ``columns``.

    The models of a u are the same. ``means`` are those of the columns of the same terms. Terms of
    low degrees that ``basis`` leaves out come first, with coefficients of 0.
    """
    columns = columns._replace(degree=basis.degree, min_degree=basis.min_degree)
    n_left_out, is_same = basis.n_left_out, basis.is_same(columns)
    if is_same and not n_left_out:
        return loss
    parametrization, ridge = loss.parametrization, loss.ridge
    dense, x_mean = parametrization.preconditioner.to_dense(), parametrization.x_mean
    if not is_same:
        # the change of basis is applied to the coefficients of each coordinate, and not stored
        of_coordinates = dense.matrix[0].T.cpu().numpy()
        changed, _ = basis.convert(of_coordinates, np.zeros(len(of_coordinates)), columns)
        matrix = to_tensor(changed.T, means.device)[None]
        dense, x_mean = dense._replace(matrix=matrix), means[None]
        if ridge is not None:
            identity, zeros = np.eye(basis.n_terms), np.zeros(basis.n_terms)
            original, _ = columns.convert(identity, zeros, columns.monomials())
            ridge = ridge._replace(to_original=to_tensor(original, means.device)[None])
    if ridge is not None and ridge.to_original is not None:
        ridge = ridge._replace(to_original=pad(ridge.to_original, (n_left_out, 0) * 2))
    dense = DensePreconditioner(
        pad(dense.matrix, (0, 0, n_left_out, 0)), pad(dense.inverse, (n_left_out, 0))
    )
    return RegularizedLoss(
        loss.loss,
        parametrization._replace(preconditioner=dense, x_mean=pad(x_mean, (n_left_out, 0))),
        ridge,
    )
