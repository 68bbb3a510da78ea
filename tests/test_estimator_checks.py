"""scikit-learn's own checks, on both estimators in many configurations."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

MOMENTUM = {"optimizer_params": {"momentum": 0.9}}
NESTEROV = {"optimizer_params": {"momentum": 0.9, "nesterov": True}}

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
]


# every other warning is an error (see pyproject.toml)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_compatible(estimator, check):
    check(estimator)
