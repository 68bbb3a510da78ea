"""The descent of a fit with every point that it passes, for the displays and the report.

The data, the problem and the loop are those of `fit`, from zeros. There are two differences.
No rows are held out for early stopping, so that the descent of all data is shown. And the
estimator stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from torch import Tensor

from sklearn_gd._base.torch_state import isolated
from sklearn_gd._base.types import MatrixLike
from sklearn_gd._estimators.fit_inputs import FitInputs, fit_inputs
from sklearn_gd._estimators.linear import GDLinearRegressor
from sklearn_gd._estimators.polynomial import GDPolynomialRegressor
from sklearn_gd._moments.tensor_data import to_tensor
from sklearn_gd._training.build_problem import Problem
from sklearn_gd._training.prepare import PreparedFit, descend_problems, in_basis, prepare
from sklearn_gd._training.result import FitResult, in_data_units, make_result, to_numpy_model


class PreparedEstimator(NamedTuple):
    """An estimator and its data, ready for a descent."""

    inputs: FitInputs
    fit: PreparedFit
    term_names: list[str]  # a name for each coefficient

    @classmethod
    def of(
        cls, estimator: BaseEstimator, X: MatrixLike, y: ArrayLike, owner: str
    ) -> PreparedEstimator:
        """What ``estimator.fit(X, y)`` would descend. The estimator is only read.

        Raises
        ------
        TypeError
            If the estimator is not a regressor of this package.
        """
        if not isinstance(estimator, GDLinearRegressor | GDPolynomialRegressor):
            raise TypeError(
                f"{owner} looks at the descent of a GDLinearRegressor or a "
                f"GDPolynomialRegressor, and {type(estimator).__name__} is neither."
            )
        random_state = estimator._check_params()
        inputs = fit_inputs(estimator, X, y, None, random_state, holds_out=False)
        with isolated():
            moments = in_basis(inputs.moments, inputs.basis, inputs.options)
            fit = prepare(
                inputs.data,
                inputs.basis,
                inputs.options,
                seed=inputs.seed,
                moments=moments,
                n_rows=None if inputs.moments is None else inputs.moments.n_samples,
            )
        return cls(inputs, fit, _term_names(inputs, fit))

    @property
    def optimum(self) -> float | None:
        """The mean over targets of the lowest objective, where it is known."""
        problem = self.fit.problem
        if problem.optimum is None:
            return None
        return float((problem.optimum * problem.loss_scale).mean())

    def results(self, lrs: Sequence[float]) -> list[FitResult]:
        """What fits with these learning rates find. All descend at once."""
        with isolated():
            trace = descend_problems([self.fit], [lrs])
            return [make_result(self.fit, trace.select(0, run), lr) for run, lr in enumerate(lrs)]


class FitTrace(NamedTuple):
    """The points that the descent of one target passes, in the basis of its fit."""

    prepared: PreparedEstimator
    coef: np.ndarray  # (epochs + 1, terms)
    intercept: np.ndarray  # (epochs + 1,)
    losses: np.ndarray  # (epochs + 1,) the objective at these points
    diverged: bool

    @property
    def kept_epoch(self) -> int:
        """The epoch whose parameters a fit keeps: the last, or the best of a diverged one."""
        return int(np.nanargmin(self.losses)) if self.diverged else len(self.losses) - 1

    def in_user_terms(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (epochs + 1, terms) and intercepts, as `coef_` and `intercept_` are."""
        inputs = self.prepared.inputs
        coef, intercept, _ = inputs.checked._to_user_terms(inputs, self.coef, self.intercept)
        return coef, intercept

    def predict(self, x: ArrayLike, epoch: int) -> np.ndarray:
        """Predictions (samples,) for ``x`` (samples, features) with the parameters of an epoch."""
        coef, intercept = self.coef[[epoch]], self.intercept[[epoch]]
        basis = self.prepared.inputs.basis
        if basis is None:
            prediction: np.ndarray = x @ coef.T + intercept
        else:
            prediction = basis.evaluate(x, coef, intercept)
        return prediction[:, 0]

    def losses_at(self, coef: np.ndarray, intercept: np.ndarray | None = None) -> np.ndarray:
        """The objective (points,) at coefficients (points, terms) in the terms of the user.

        Without intercepts (points,), each point has the best intercept where the descent
        eliminates the intercept. Else each point has the intercept that the fit keeps.
        """
        has_intercepts = intercept is not None
        if intercept is None:
            intercept = np.full(len(coef), self.in_user_terms()[1][self.kept_epoch])
        basis, problem = self.prepared.inputs.basis, self.prepared.fit.problem
        if basis is not None:
            coef, intercept = basis.monomials().convert(coef, intercept, basis)
        parametrization, device = problem.parametrization, problem.loss_scale.device
        w = to_tensor(coef, device)[None, :, None]  # each point is a run
        c = to_tensor(intercept, device)[None, :, None]
        with isolated():
            loss = _objective(problem, parametrization.from_model(w, c)) * problem.loss_scale
            if has_intercepts and not parametrization.has_intercept:
                # the objective has the best intercept, and another adds its squared distance
                best = parametrization.scaling.y_mean - w @ parametrization.x_mean[0]
                loss = loss + (c - best).square()
        losses: np.ndarray = loss[0, :, 0].cpu().numpy()
        return losses


def trace_fit(estimator: BaseEstimator, X: MatrixLike, y: ArrayLike, owner: str) -> FitTrace:
    """Descend as ``estimator.fit(X, y)`` would from zeros, and keep every point.

    Raises
    ------
    TypeError
        If the estimator is not a regressor of this package.
    ValueError
        If ``y`` has several targets.
    """
    prepared = PreparedEstimator.of(estimator, X, y, owner)
    fit, n_targets = prepared.fit, prepared.inputs.data.y.shape[1]
    if n_targets != 1:
        raise ValueError(f"{owner} draws one target, and y has {n_targets}. Pass one column of y.")
    with isolated():
        trace = descend_problems([fit], [[fit.lr]], keep_path=True)
        assert trace.path is not None
        n_points = int(trace.n_iter[0, 0]) + 1
        path = trace.path[:n_points, 0].transpose(0, 1)  # each point is a run
        coef, intercept = to_numpy_model(fit.problem, path)
        # of a run that diverged the loop has the values of the point that it keeps from then on
        last = _objective(fit.problem, path[:, -1:])
        values = torch.cat([trace.values[: n_points - 1, 0, 0], last[0]])
    losses = in_data_units(values, fit.problem.loss_scale)
    return FitTrace(prepared, coef[:, 0], intercept[:, 0], losses, bool(trace.diverged[0, 0].any()))


def _objective(problem: Problem, u: Tensor) -> Tensor:
    """The objective (problems, runs, targets) of u, with the penalty that has no gradient."""
    with torch.no_grad():
        value = problem.objective(u)
        return value if problem.penalty is None else value + problem.penalty.value(u)


def _term_names(inputs: FitInputs, fit: PreparedFit) -> list[str]:
    """The names of the coefficients, as the fitted estimator has them."""
    n_terms = fit.problem.parametrization.x_mean.shape[1]
    _, _, attributes = inputs.checked._to_user_terms(inputs, np.zeros((1, n_terms)), np.zeros(1))
    vars(inputs.checked).update(attributes)  # a copy, on which the names depend
    return list(inputs.checked._term_names())
