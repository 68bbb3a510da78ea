"""Early stopping by rows that are held out."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


rng = np.random.default_rng(0)
N = 103
X = np.array([1.0, 0.0, -1.0]) + rng.normal(size=(N, 3))
Y = X @ [1.0, -2.0, 0.5] + 3.0 + rng.normal(size=N)
BOTH = [GDLinearRegressor, GDPolynomialRegressor]


@pytest.mark.parametrize(
    "options", [{}, {"loss": "huber"}, {"batch_size": 16}, {"alpha": 0.1}, {"precondition": None}]
)
@pytest.mark.parametrize("kind", BOTH)
def test_early_stopping(kind, options):
    rng = np.random.default_rng(1)
    data, y = load_diabetes(return_X_y=True)
    data, y, weight = data[:90] * 20, y[:90], rng.uniform(0.5, 2, size=90)
    model = kind(
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=15,
        epochs=800,
        lr=0.01,
        random_state=1,
        **options,
    ).fit(data, y, weight)
    # the rows held out, by scikit-learn's own split from the same seed
    rows = np.arange(90)
    _, held = train_test_split(rows, test_size=0.3, random_state=np.random.RandomState(1))
    residual = np.abs(model.predict(data[held]) - y[held])
    loss = residual**2
    if "loss" in options:
        loss = np.where(residual <= 1.35, residual**2 / 2, 1.35 * (residual - 1.35 / 2))
    held_out = np.average(loss, weights=weight[held])
    curve = np.append(model.validation_loss_curve_, held_out)
    assert held_out == pytest.approx(curve[model.best_epoch_], rel=1e-9)
    assert curve[model.best_epoch_] <= curve.min() * (1 + 1e-9)
    assert len(model.validation_loss_curve_) == model.n_iter_ == len(model.loss_curve_)
    if model.n_iter_ < 800:
        assert model.n_iter_ - 1 - model.best_epoch_ == 15


def test_early_stopping_parts_that_are_empty():
    weight = np.zeros(N)
    weight[0] = 1.0
    with pytest.raises(ValueError, match="no sample of positive weight.*validation_fraction=0.1"):
        GDLinearRegressor(early_stopping=True, random_state=0).fit(X, Y, weight)
    with pytest.raises(ValueError, match="train set will be empty|n_samples=1"):
        GDLinearRegressor(early_stopping=True).fit(X[:1], Y[:1])
