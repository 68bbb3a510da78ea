"""Options and data as the estimators give them to training."""

import numpy as np

from sklearn_gd import GDLinearRegressor
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._estimators import fit_options as of_estimators

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=(N, 4)) @ RNG.normal(size=(4, 4)) + RNG.normal(size=4)
Y = X @ RNG.normal(size=(4, 2)) * [1.0, 100.0] + RNG.normal(size=(N, 2)) * [1.0, 50.0] + 3.0
WEIGHT = RNG.uniform(0.1, 1.0, size=N)


def fit_options(n_features=X.shape[1], **parameters):
    """The options of a linear regressor with these parameters, for the features of X or so many."""
    regressor = GDLinearRegressor(**parameters)
    regressor.n_features_in_ = n_features
    return of_estimators.fit_options(regressor, "test")


def training_data(x=X, y=Y, weight=WEIGHT, weight_unit=1.0):
    return TrainingData(x, y, weight, weight_unit, False, lambda: None)


def hessian_of_rows(*, with_intercept, centred=True, scale=None, alpha=0.0):
    """Of the weighted mean squared error, and of alpha/2·‖w‖², in coordinates w = scale @ v."""
    weight = WEIGHT / WEIGHT.sum()
    table = X - weight @ X if centred else X
    scale = np.eye(4) if scale is None else scale
    table = table @ scale
    penalty = alpha * scale.T @ scale
    if with_intercept:
        table = np.column_stack([np.ones(N), table])
        penalty = np.pad(penalty, ((1, 0), (1, 0)))
    return 2 * table.T * weight @ table + penalty


def deviations(*, alpha=0.0):
    """Weighted deviations of the columns, with the rows of an L2 penalty."""
    weight = WEIGHT / WEIGHT.sum()
    return np.sqrt(weight @ (X - weight @ X) ** 2 + alpha / 2)
