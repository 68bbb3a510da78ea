"""The parameters of an estimator as the options of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn_gd._estimators.coefficient_bounds import coefficient_bounds
from sklearn_gd._estimators.parameter_rules import check_average, check_statistical_tol

if TYPE_CHECKING:
    from sklearn_gd._estimators.base import GDRegressor
    from sklearn_gd._training.options import FitOptions


def fit_options(estimator: GDRegressor, owner: str | None = None) -> FitOptions:
    """The checked parameters that training reads."""
    from sklearn_gd._training.options import FitOptions

    owner = owner or type(estimator).__name__
    if estimator.tol == "statistical":
        check_statistical_tol(owner, estimator)
    if estimator.average:
        check_average(owner, estimator)
    return FitOptions(
        owner=owner,
        lr=estimator.lr,
        epochs=int(estimator.epochs),
        optimizer=estimator.optimizer,
        optimizer_params=estimator.optimizer_params,
        device=str(estimator.device),
        loss=estimator.loss,
        loss_params=estimator.loss_params,
        alpha=estimator.alpha,
        l1_ratio=estimator.l1_ratio,
        bounds=coefficient_bounds(estimator, owner),
        fit_intercept=bool(estimator.fit_intercept),
        precondition=estimator.precondition,
        batch_size=estimator.batch_size,
        shuffle=bool(estimator.shuffle),
        lr_scheduler=estimator.lr_scheduler,
        tol=estimator.tol,
        n_iter_no_change=estimator.n_iter_no_change,
        average=estimator.average,
    )
