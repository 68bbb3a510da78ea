"""The tutorials, each a short call."""

import numpy as np
import pytest

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor


def test_line_of_the_tutorial():
    x = np.arange(1.0, 101.0)
    y = 3.0 * x + 4.0 + np.random.default_rng(0).normal(size=100)
    line = GDLinearRegressor(lr=0.0001, epochs=100, precondition=None)
    line.fit(x[:, None], y)
    assert not line.diverged_
    assert line.loss_curve_[-1] < line.loss_curve_[0] / 1000
    steep = GDLinearRegressor(lr=0.01, epochs=100, precondition=None)
    bound = f"{line.max_stable_lr_:.6g}"
    with pytest.warns(Warning, match=f"diverged in epoch .* with lr=0.01.*stable lr is {bound}"):
        steep.fit(x[:, None], y)
    assert steep.diverged_
    below = GDLinearRegressor(lr=0.99 * line.max_stable_lr_, precondition=None)
    assert not below.fit(x[:, None], y).diverged_
    above = GDLinearRegressor(lr=1.01 * line.max_stable_lr_, precondition=None)
    with pytest.warns(Warning, match="diverged"):
        above.fit(x[:, None], y)
    assert above.diverged_


def test_polynomial_of_the_tutorial():
    x = np.random.default_rng(0).normal(0, 5, size=(20, 1))
    y = x[:, 0] ** 2 + 2 * x[:, 0] + 3
    model = GDPolynomialRegressor(degree=2, optimizer="nadam", lr=0.01, epochs=1000).fit(x, y)
    np.testing.assert_allclose([model.intercept_, *model.coef_], [3.0, 2.0, 1.0], rtol=1e-6)
