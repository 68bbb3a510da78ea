"""An estimator's descent laid open, for the displays and the report.

The same data, problem and loop as in a fit, but the trace is kept whole and the estimator
is left as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from sklearn_gd._data.validation import Data, check_training_data
from sklearn_gd._solver.loop import Trace
from sklearn_gd._estimators.linear import GDLinearRegressor
from sklearn_gd._solver.optimizers import Recipe
from sklearn_gd._data.polynomial import Basis, polynomial_features
from sklearn_gd._estimators.polynomial import GDPolynomialRegressor
from sklearn_gd._training.build_problem import Problem, Settings, pose
from sklearn_gd._problem.curvature import max_stable_lr
from sklearn_gd._base.torch_state import isolated
from sklearn_gd._training.fit import make_recipe, run, step_length


class Exploration(NamedTuple):
    """What a fit on some data would descend."""

    data: Data
    basis: Basis | None
    terms: list[str]  # a name for each coefficient
    settings: Settings
    made: Recipe
    problem: Problem
    lr: float

    @property
    def max_stable_lr(self) -> float | None:
        """The largest stable lr, where there is such a number."""
        problem = self.problem
        if not (self.made.is_sgd and problem.is_squared) or problem.curvature is None:
            return None
        return max_stable_lr(problem.curvature, self.made.group)

    def descend(self, lrs: Sequence[float], *, keep_path: bool = False) -> Trace:
        """One run from a cold start for each lr, all at once."""
        with isolated():
            return run(self.problem, self.made, lrs, self.settings, keep_path=keep_path)

    def curves(self, trace: Trace) -> tuple[list[np.ndarray], np.ndarray]:
        """Per run the loss where each epoch began, and the loss at the end."""
        unit = self.problem.unit
        values = (trace.values * unit).mean(-1).cpu().numpy()
        curves = [values[:n, k] for k, n in enumerate(trace.n_iter.tolist())]
        return curves, (trace.value * unit).mean(-1).cpu().numpy()

    def path(self) -> Path:
        """The parameters at the beginning of each epoch and at the end."""
        trace = self.descend([self.lr], keep_path=True)
        assert trace.path is not None
        u = trace.path[: int(trace.n_iter[0]) + 1, 0]
        coef, intercept = (part.cpu().numpy() for part in self.problem.coordinates.coef(u))
        values = trace.values[: len(u), 0]  # one more than epochs, if the run stopped early
        values = torch.cat([values, trace.value])[: len(u)]
        losses = (values * self.problem.unit).mean(-1).cpu().numpy()
        return Path(self, coef, intercept, losses, bool(trace.diverged[0]))


class Path(NamedTuple):
    """The points that one run passed, in the basis of its fit."""

    exploration: Exploration
    coef: np.ndarray  # (epochs + 1, targets, terms)
    intercept: np.ndarray  # (epochs + 1, targets)
    losses: np.ndarray  # (epochs + 1,)
    diverged: bool

    @property
    def kept(self) -> int:
        """The epoch whose parameters a fit keeps: the end, or the best before a divergence."""
        return int(np.nanargmin(self.losses)) if self.diverged else len(self.losses) - 1

    def in_user_terms(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients and intercepts as `coef_` and `intercept_` would be."""
        basis = self.exploration.basis
        if basis is None:
            return self.coef, self.intercept
        flat = self.coef.reshape(-1, self.coef.shape[-1])
        coef, intercept = basis.to_basis(flat, self.intercept.ravel(), basis.raw())
        return coef.reshape(self.coef.shape), intercept.reshape(self.intercept.shape)

    def predict(self, x: Any, epoch: int) -> np.ndarray:
        """Predictions (rows, targets) with the parameters at an epoch."""
        coef, intercept = self.coef[epoch], self.intercept[epoch]
        basis = self.exploration.basis
        return x @ coef.T + intercept if basis is None else basis.values(x, coef, intercept)

    def losses_at(self, coef: np.ndarray, intercept: np.ndarray | None) -> np.ndarray:
        """The loss (points,) of one target at coefficients (points, terms) in user's terms.

        Intercepts of None follow the coefficients where the descent lets them follow, and
        else are the one that is kept.
        """
        exploration = self.exploration
        coordinates, basis = exploration.problem.coordinates, exploration.basis
        follows = intercept is None
        if intercept is None:
            intercept = np.full(len(coef), self.in_user_terms()[1][self.kept, 0])
        if basis is not None:
            coef, intercept = basis.raw().to_basis(coef, intercept, basis)
        # each point is a run of one target
        w, c = (torch.from_numpy(a).to(coordinates.spread)[:, None] for a in (coef, intercept))
        with torch.no_grad():
            u = coordinates.parameters(w, c)
            loss = exploration.problem.objective(u)
            if exploration.problem.proximal is not None:
                loss = loss + exploration.problem.proximal.value(u)
            loss = loss * exploration.problem.unit
            if not follows and not coordinates.has_intercept:
                # the objective takes the best intercept; another costs the square
                best = coordinates.y_mean - w @ coordinates.x_mean
                loss = loss + (c - best).square()
        return loss[:, 0].cpu().numpy()


def explore(estimator: Any, X: Any, y: Any, owner: str) -> Exploration:
    """What ``estimator.fit(X, y)`` would descend; the estimator is only read.

    Raises
    ------
    TypeError
        If the estimator is not one of this package's regressors.
    """
    if not isinstance(estimator, GDLinearRegressor | GDPolynomialRegressor):
        raise TypeError(
            f"{owner} looks at the descent of a GDLinearRegressor or a GDPolynomialRegressor, "
            f"and {type(estimator).__name__} is neither."
        )
    seed = int(estimator._check_params().randint(2**31 - 1))
    checked = copy.copy(estimator)
    data = check_training_data(checked, X, y, None)
    settings, basis = Settings.of(estimator), estimator._basis(data)
    with isolated():
        made = make_recipe(settings)
        problem = pose(data, basis, settings, made, seed=seed)
        lr = step_length(settings.lr, made, problem.curvature)
    return Exploration(data, basis, _terms(checked, basis), settings, made, problem, lr)


def check_single_target(exploration: Exploration, owner: str) -> None:
    """A sentence unless there is one target."""
    targets = exploration.data.y.shape[1]
    if targets != 1:
        raise ValueError(f"{owner} draws one target, and y has {targets}. Pass one column of y.")


def _terms(checked: Any, basis: Basis | None) -> list[str]:
    """Names of the coefficients, from the feature names that validation has seen."""
    names = getattr(checked, "feature_names_in_", None)
    if basis is not None:
        expansion = polynomial_features(len(basis.center), basis.degree, basis.interaction_only)
        return list(expansion.get_feature_names_out(names))
    return [f"x{i}" for i in range(checked.n_features_in_)] if names is None else list(names)
