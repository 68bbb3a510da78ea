"""scikit-learn's own checks, on both estimators in many configurations."""

from functools import partial

import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch.optim import lr_scheduler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

MOMENTUM = {"optimizer_params": {"momentum": 0.9}}
NESTEROV = {"optimizer_params": {"momentum": 0.9, "nesterov": True}}
L1 = {"alpha": 0.1, "l1_ratio": 1.0, "lr": "auto"}

SCHEDULERS = [
    partial(lr_scheduler.ExponentialLR, gamma=0.99),
    partial(lr_scheduler.StepLR, step_size=30),
    lr_scheduler.ReduceLROnPlateau,
]

CONFIGURATIONS = [
    GDLinearRegressor(),
    GDLinearRegressor(**MOMENTUM),
    GDLinearRegressor(**NESTEROV),
    GDLinearRegressor(optimizer="adam"),
    GDLinearRegressor(optimizer="adagrad"),
    GDLinearRegressor(optimizer="lbfgs", epochs=20, lr="auto"),
    GDLinearRegressor(precondition="standardize"),
    GDLinearRegressor(precondition=None),
    GDLinearRegressor(fit_intercept=False),
    GDLinearRegressor(lr="auto", tol=1e-6),
    GDPolynomialRegressor(degree=1),
    GDPolynomialRegressor(degree=2),
    GDPolynomialRegressor(degree=3, epochs=300),
    GDPolynomialRegressor(interaction_only=True, fit_intercept=False),
    GDPolynomialRegressor(precondition=None, optimizer="adam", epochs=200),
    GDPolynomialRegressor(precondition="standardize", epochs=200),
    GDLinearRegressor(loss="huber", epochs=200, lr="auto"),
    GDLinearRegressor(loss="absolute_error", epochs=100),
    GDLinearRegressor(loss="quantile", loss_params={"quantile": 0.7}, lr=0.1, epochs=100),
    GDLinearRegressor(loss="epsilon_insensitive", epochs=100),
    GDLinearRegressor(loss="squared_epsilon_insensitive", epochs=100),
    GDLinearRegressor(loss="log_cosh", epochs=200, lr="auto"),
    GDLinearRegressor(loss=torch.nn.SmoothL1Loss(reduction="none"), epochs=100),
    GDLinearRegressor(alpha=0.1),
    GDLinearRegressor(**L1),
    GDLinearRegressor(**{**MOMENTUM, **L1, "l1_ratio": 0.5}),
    GDLinearRegressor(positive=True),
    GDLinearRegressor(batch_size=16, epochs=30),
    GDLinearRegressor(early_stopping=True),
    *[GDLinearRegressor(lr_scheduler=scheduler, epochs=100) for scheduler in SCHEDULERS],
    GDPolynomialRegressor(loss="huber", batch_size=16, epochs=20),
    GDPolynomialRegressor(early_stopping=True, epochs=100),
    GDPolynomialRegressor(**L1, epochs=200),
    GDPolynomialRegressor(degree=(2, 3), epochs=50),
    GDLinearRegressor(average=30, batch_size=16, epochs=20),
]

WEIGHT_EQUIVALENCE = (
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
)


def impossible(estimator):
    """Checks that a configuration rules out in principle, each with its reason."""
    if estimator.batch_size is not None or estimator.early_stopping:
        return dict.fromkeys(
            WEIGHT_EQUIVALENCE,
            "a weight of 2 keeps a row in one batch, or in one part of the data; the row "
            "repeated falls into two that are drawn at random",
        )
    return {}


# every other warning is an error (see pyproject.toml)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.* terms of degree .* do not determine:UserWarning")
@parametrize_with_checks(CONFIGURATIONS, expected_failed_checks=impossible)
def test_scikit_learn_compatible(estimator, check):
    check(estimator)
