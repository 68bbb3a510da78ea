"""The one way from checked data and options to a problem and its descent.

Fits, searches, displays and reports all come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_gd._base.torch_state import find_device, threads_for
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.arithmetic import tensor_moments
from sklearn_gd._moments.moments import Moments
from sklearn_gd._moments.tensor_data import TensorData, to_tensor
from sklearn_gd._moments.tensor_moments import TensorMoments
from sklearn_gd._problem.curvature import max_stable_lr
from sklearn_gd._problem.empirical_risk import EmpiricalRisk
from sklearn_gd._problem.least_squares import LeastSquares
from sklearn_gd._problem.penalties import CoordinatePenalty
from sklearn_gd._problem.stacking import stack_padded
from sklearn_gd._problem.step_length import step_length
from sklearn_gd._solver.loop import OnEpoch, OnPoints, Trace, descend
from sklearn_gd._solver.monitor import StoppingRule
from sklearn_gd._solver.optimizers import OptimizerFactory
from sklearn_gd._training.build_problem import MakeRisk, Problem, ProblemObjective, build_problem
from sklearn_gd._training.coordinates import Coordinates
from sklearn_gd._training.options import FitOptions

_LR_WITHOUT_RULE = 0.01  # of adaptive optimizers, of streams, of sparse data without moments

# coefficients (targets, terms), intercepts (targets,) or None: where predictions are centred
Model = tuple[np.ndarray, np.ndarray | None]


class PreparedFit(NamedTuple):
    """A problem, and how it will be descended."""

    options: FitOptions
    optimizer_factory: OptimizerFactory
    problem: Problem
    n_left_out: int | None  # steps before the average of the parameters begins, if there is one

    @property
    def lr(self) -> float:
        """The learning rate of the options, as a number."""
        return self.resolve_lr(self.options.lr)

    @property
    def max_stable_lr(self) -> float | None:
        """The largest stable learning rate, where there is such a number."""
        problem, factory = self.problem, self.optimizer_factory
        if not (factory.is_sgd and problem.is_squared) or problem.curvature is None:
            return None
        return max_stable_lr(problem.curvature, factory.options)

    def with_options(self, options: FitOptions) -> PreparedFit:
        """The same fit with options that differ in the proximal part of the penalty only."""
        problem, penalty = self.problem, options.penalty._replace(bounds=self.problem.bounds)
        problem = problem._replace(penalty=penalty.in_coordinates(problem.parametrization))
        return self._replace(options=options, problem=problem)

    def resolve_lr(self, lr: float | str) -> float:
        """``lr`` as a number: "auto" is 1/L, L the largest curvature, where it is known.

        Where it is not, "auto" is the step length of a subgradient method.
        """
        if lr != "auto":
            return float(lr)
        factory, problem = self.optimizer_factory, self.problem
        if factory.is_lbfgs or factory.finds_lr:
            return 1.0
        if not factory.is_sgd:
            return _LR_WITHOUT_RULE
        if problem.curvature is not None:
            curvature = problem.curvature + factory.options["weight_decay"]
            return 1.0 / curvature if curvature > 0 else 1.0
        objective, squared_error = problem.objective, problem.squared_error
        if squared_error is None or isinstance(objective, LeastSquares):
            return _LR_WITHOUT_RULE
        step = step_length(objective, squared_error, self.options.epochs, factory.options)
        return step or _LR_WITHOUT_RULE


def prepare(
    data: TrainingData,
    basis: PolynomialBasis | None,
    options: FitOptions,
    *,
    validation: TrainingData | None = None,
    seed: int = 0,
    moments: TensorMoments | None = None,
    make_risk: MakeRisk | None = None,
    coordinates: Coordinates | None = None,
    n_rows: int | None = None,
) -> PreparedFit:
    """The problem of fitting ``data``, expanded in ``basis``. See `build_problem` for the rest."""
    factory = options.optimizer_factory()
    problem = build_problem(
        TensorData(data, basis, find_device(options.device)),
        options,
        validation=validation,
        seed=seed,
        moments=moments,
        make_risk=make_risk,
        coordinates=coordinates,
        n_rows=n_rows,
    )
    n_rows = data.n_weighted if n_rows is None else n_rows
    return PreparedFit(options, factory, problem, options.n_steps_left_out(n_rows))


def in_basis(
    moments: Moments | None, basis: PolynomialBasis | None, options: FitOptions
) -> TensorMoments | None:
    """Moments in place of rows, as `prepare` takes them."""
    if moments is None:
        return None
    device = find_device(options.device)
    return tensor_moments(moments, basis, center=options.fit_intercept, device=device)


def descend_problems(
    prepared: Sequence[PreparedFit],
    lrs: Sequence[Sequence[float]],
    *,
    start: Model | None = None,
    start_u: Tensor | None = None,
    earlier_mean: Tensor | None = None,
    epochs: int | None = None,
    optimizer_factory: OptimizerFactory | None = None,
    stops_on_validation: bool = True,
    start_value: Tensor | None = None,
    keep_path: bool = False,
    on_epoch: OnEpoch | None = None,
    on_points: OnPoints | None = None,
) -> Trace:
    """Descend some problems at once, each once for every one of its learning rates.

    The problems have the options of the first, but for the penalty and the learning rate. They
    start at ``start_u``, or else at the model ``start``, or else at zeros.
    """
    options, problems = prepared[0].options, [fit.problem for fit in prepared]
    factory = optimizer_factory or prepared[0].optimizer_factory
    validation = problems[0].validation if stops_on_validation else None
    u = start_u
    if u is None:
        u = stack_padded([start_parameters(fit, start) for fit in prepared])
    start_value = _start_value(prepared[0], start, start_value)
    objective = _stack_objectives([problem.objective for problem in problems])
    n_left_out = [fit.n_left_out for fit in prepared if fit.n_left_out is not None]
    with threads_for(objective.entries_per_step):
        trace = descend(
            objective,
            u.repeat(1, len(lrs[0]), 1, 1),
            factory,
            torch.tensor(lrs, dtype=torch.float64),
            options.epochs if epochs is None else epochs,
            _stopping_rule(
                problems, options, start_value, watches_validation=validation is not None
            ),
            penalty=CoordinatePenalty.stack([problem.penalty for problem in problems]),
            n_left_out=n_left_out or None,
            earlier_mean=earlier_mean,
            validation=validation,
            on_epoch=on_epoch,
            on_points=on_points,
            keep_path=keep_path,
            # a loss that the user wrote shall see no epoch beyond the last
            is_watched=callable(options.loss) and u.shape[:2] == (1, 1),
            repeats=_repeats(objective, options),
        )
    _check_start(trace.values[0] if start_value is None else start_value, options.owner)
    return trace


def _start_value(fit: PreparedFit, start: Model | None, known: Tensor | None) -> Tensor | None:
    """The objective of the start, where the first epoch does not tell it."""
    if known is None and fit.problem.has_batches:
        return start_objective(fit, start)
    return known


def _check_start(value: Tensor, owner: str) -> None:
    """Raise if the objective of the start is not finite."""
    if not torch.isfinite(value).all():
        raise ValueError(
            f"The loss of {owner} is not finite where the descent starts. Bring X and y to a "
            "moderate scale, or check the 'loss'."
        )


def start_parameters(fit: PreparedFit, start: Model | None) -> Tensor:
    """The u (1, 1, targets, coordinates) of a model, or of zeros, within the bounds."""
    parametrization, bounds = fit.problem.parametrization, fit.problem.bounds
    if start is None and bounds is None:
        return parametrization.zeros
    n_targets, n_terms = parametrization.scaling.y_scale.shape[-1], parametrization.x_mean.shape[-1]
    coef, intercept = start or (np.zeros((n_targets, n_terms)), None)
    coef = coef if bounds is None else bounds.project(coef)
    known = np.zeros(len(coef)) if intercept is None else intercept
    tensors = (to_tensor(part, parametrization.x_mean.device) for part in (coef, known))
    u = parametrization.from_model(*(tensor[None, None] for tensor in tensors))
    if intercept is None and parametrization.has_intercept:
        u[..., 0] = 0.0
    return u


def start_objective(fit: PreparedFit, start: Model | None) -> Tensor:
    """The objective (1, 1, targets) of a model, or of zeros."""
    return fit.problem.value(start_parameters(fit, start))


def _stack_objectives(objectives: Sequence[ProblemObjective]) -> ProblemObjective:
    """The objectives of several problems as one. Mini-batches descend one by one."""
    if len(objectives) == 1:
        return objectives[0]
    squared = [objective for objective in objectives if isinstance(objective, LeastSquares)]
    risks = [objective for objective in objectives if isinstance(objective, EmpiricalRisk)]
    return LeastSquares.stack(squared) if squared else EmpiricalRisk.stack(risks)


def _repeats(objective: ProblemObjective, options: FitOptions) -> bool:
    """Whether every epoch does the same operations on the device. A loss of the user may not."""
    if isinstance(objective, EmpiricalRisk):
        return not callable(options.loss) and isinstance(objective.x, Tensor)
    return isinstance(objective, LeastSquares)


def _stopping_rule(
    problems: Sequence[Problem],
    options: FitOptions,
    start_value: Tensor | None,
    *,
    watches_validation: bool,
) -> StoppingRule:
    """When a run ends before its epochs do. Targets are judged in units of their deviation."""
    scale = torch.cat([problem.value_scale for problem in problems])
    at_zero = torch.cat([problem.at_zero for problem in problems])
    ceiling = (at_zero / scale).cpu()
    if watches_validation:
        ceiling = ceiling.mean(-1, keepdim=True)

    def limits(first: Tensor) -> tuple[Tensor, Tensor]:
        # a loss that the user wrote may be negative
        high = 1e8 * torch.maximum(first.abs(), ceiling.abs())
        return torch.full_like(first, -torch.inf), high

    enough = [problem.enough for problem in problems if problem.enough is not None]
    tol = None if isinstance(options.tol, str) else options.tol
    if tol is None and watches_validation:
        tol = 0.0
    return StoppingRule(
        limits,
        tol,
        options.n_iter_no_change,
        scale,
        start_value=start_value,
        enough=torch.cat(enough) if enough else None,
    )
