"""Coefficients lie within their bounds, and where a descent has converged no bound could help.

That is the condition of Karush, Kuhn and Tucker: a step against the gradient, with the L1 penalty
and the bounds, leads back to where it began.
"""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd._data.polynomial import polynomial_features
from tests.laws.common import examples, tables

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SLOPES = {  # of the losses with their defaults, of the residual: prediction minus target
    "squared_error": lambda r: 2 * r,
    "huber": lambda r: np.clip(r, -1.35, 1.35),
    "log_cosh": np.tanh,
    "squared_epsilon_insensitive": lambda r: 2 * np.sign(r) * np.maximum(abs(r) - 0.1, 0),
}
INF = np.inf
INTERVALS = [
    (-INF, INF),
    (0.0, INF),
    (-0.1, 0.3),
    (-INF, -0.2),
    (0.1, 0.1),
    (0.3, 2.0),
    (-1e-3, 0.0),
]
PENALTIES = [{}, {"alpha": 0.2}, {"alpha": 0.1, "l1_ratio": 1.0}, {"alpha": 0.3, "l1_ratio": 0.4}]


def way_of_a_step(model, terms, y, weight, low, high):
    """How far a proximal step moves the coefficients (targets, terms), in units of the targets."""
    coef, intercept = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    y, share = y.reshape(len(y), -1), weight / weight.sum()
    slope = SLOPES[model.loss](terms @ coef.T + intercept - y) * share[:, None]
    l1 = model.alpha * model.l1_ratio
    gradient = slope.T @ terms + model.alpha * (1 - model.l1_ratio) * coef
    size = terms.std(axis=0)  # a step of 1 for columns of unit deviation
    moved = coef - gradient / size**2
    moved = np.sign(moved) * np.maximum(abs(moved) - l1 / size**2, 0.0)
    way = np.clip(moved, low, high) - coef
    return np.abs(way * size).max() / y.std(), np.abs(slope.sum(axis=0)).max() / y.std()


@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
@pytest.mark.parametrize("loss", SLOPES)
@examples(max_examples=2)
@given(table=tables, penalty=st.sampled_from(PENALTIES), data=st.data())
def test_converged_between_bounds(kind, loss, table, penalty, data):
    X, y, weight, rng = table
    terms = (
        X if kind is GDLinearRegressor else polynomial_features(X.shape[1], 2, False).transform(X)
    )
    low, high = np.array(INTERVALS)[rng.integers(len(INTERVALS), size=terms.shape[1])].T
    momentum = data.draw(st.sampled_from([0.0, 0.9]))
    model = kind(bounds=list(zip(low, high, strict=True)), loss=loss, lr="auto", **penalty)
    model.set_params(epochs=300, optimizer_params={"momentum": momentum, "nesterov": momentum > 0})
    model.fit(X, y, weight)
    assert not model.diverged_
    assert (low <= model.coef_).all()
    assert (model.coef_ <= high).all()
    assume(model.loss_curve_[-100] - model.loss_ <= 1e-13 * model.loss_curve_[0])
    way, rest = way_of_a_step(model, terms, y, weight, low, high)
    assert way < 1e-5
    assert rest < 1e-5  # the intercept has no bounds
