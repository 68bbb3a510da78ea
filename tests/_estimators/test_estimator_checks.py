"""scikit-learn's own checks: all of them on the defaults, and on other configurations those
that a configuration can change.

The epochs are few, because the checks look at data, shapes and repeated fits. scikit-learn
checks its own iterative estimators with few iterations too. `check_regressors_train` asks for a
score, and so it also sees the default number of epochs.
"""

from functools import partial

import pytest
import torch
from sklearn.utils.estimator_checks import estimator_checks_generator
from torch.optim import lr_scheduler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

DEFAULTS = [GDLinearRegressor(epochs=50), GDPolynomialRegressor(epochs=50)]

LINEAR = partial(GDLinearRegressor, epochs=10, lr=0.5)
POLYNOMIAL = partial(GDPolynomialRegressor, epochs=10, lr=0.5)
MOMENTUM = {"optimizer_params": {"momentum": 0.9}}
NESTEROV = {"optimizer_params": {"momentum": 0.9, "nesterov": True}}
L1 = {"alpha": 0.1, "l1_ratio": 1.0}

FULL_LENGTH = [GDLinearRegressor(), GDPolynomialRegressor()]

# every value of every option, combined with values of other options
CONFIGURATIONS = [
    LINEAR(**MOMENTUM, **L1, lr="auto"),
    LINEAR(**NESTEROV, fit_intercept=False, lr=0.1),
    LINEAR(
        optimizer="adam", precondition=None, lr_scheduler=lr_scheduler.ReduceLROnPlateau, epochs=20
    ),
    LINEAR(optimizer="lbfgs", loss="log_cosh", alpha=0.1, lr="auto", epochs=15),
    LINEAR(optimizer="adagrad", loss="epsilon_insensitive"),
    LINEAR(alpha=0.1, l1_ratio=0.5, positive=True, lr="auto"),
    LINEAR(loss="huber", precondition="standardize", lr="auto", tol=1e-6),
    LINEAR(loss="absolute_error", lr_scheduler=partial(lr_scheduler.StepLR, step_size=5)),
    LINEAR(loss="quantile", loss_params={"quantile": 0.7}, precondition=None, alpha=0.1),
    LINEAR(loss=torch.nn.SmoothL1Loss(reduction="none"), optimizer="rprop"),
    LINEAR(
        batch_size=16,
        epochs=5,
        alpha=0.1,
        lr_scheduler=partial(lr_scheduler.ExponentialLR, gamma=0.9),
    ),
    LINEAR(early_stopping=True, loss="squared_epsilon_insensitive", **L1),
    POLYNOMIAL(degree=1, alpha=0.1),
    POLYNOMIAL(degree=3, precondition="standardize", lr="auto"),
    POLYNOMIAL(interaction_only=True, fit_intercept=False),
    POLYNOMIAL(precondition=None, optimizer="adam", loss="log_cosh", lr=0.1, epochs=60),
    POLYNOMIAL(loss="huber", batch_size=16, early_stopping=True, lr=0.05, epochs=5),
    POLYNOMIAL(**L1, lr="auto", tol=1e-4),
    POLYNOMIAL(degree=(2, 3)),
    LINEAR(average=10, batch_size=16, epochs=5),
]

# Checks of fits and of predictions. The others look at parameters, tags, names and messages,
# which are the same code for every configuration.
CHANGED_BY_OPTIONS = {
    "check_dict_unchanged",
    "check_estimator_sparse_array",
    "check_estimators_dtypes",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit_idempotent",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_readonly_memmap_input",
    "check_regressor_multioutput",
    "check_regressors_int",
    "check_regressors_train",
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
    "check_supervised_y_2d",
}

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


def name_of(check):
    """The name of the function behind a check."""
    return check.func.__name__ if isinstance(check, partial) else check.__name__


def identify(value):
    """The name of an estimator or of a check, for the name of a test."""
    return name_of(value) if callable(value) else "".join(str(value).split())


def checks(estimators, names=None):
    """The checks with these names for some estimators, as parameters of a test."""
    chosen = []
    for estimator in estimators:
        found = set()
        for parameters in estimator_checks_generator(
            estimator, expected_failed_checks=impossible(estimator), mark="xfail"
        ):
            name = name_of(parameters.values[1] if hasattr(parameters, "marks") else parameters[1])
            found.add(name)
            if names is None or name in names:
                chosen.append(parameters)
        assert names is None or names <= found, names - found
    return chosen


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.* terms of degree .* do not determine:UserWarning")
@pytest.mark.parametrize(
    ("estimator", "check"),
    checks(DEFAULTS) + checks(FULL_LENGTH, {"check_regressors_train"}),
    ids=identify,
)
def test_scikit_learn_compatible(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.* terms of degree .* do not determine:UserWarning")
@pytest.mark.parametrize(
    ("estimator", "check"), checks(CONFIGURATIONS, CHANGED_BY_OPTIONS), ids=identify
)
def test_options_keep_compatibility(estimator, check):
    check(estimator)
