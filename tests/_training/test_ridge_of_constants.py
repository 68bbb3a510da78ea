"""An L2 penalty on the coefficient of a constant column, which descends beside the intercept."""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor, Moments


def bare_loop(X, y, alpha, lr, epochs):
    """Coefficients, intercept and objective of gradient descent in plain torch."""
    X, y = torch.tensor(X), torch.tensor(y)
    parameters = torch.zeros(X.shape[1] + 1, dtype=torch.float64, requires_grad=True)

    def objective():
        coef, intercept = parameters[:-1], parameters[-1]
        return (X @ coef + intercept - y).square().mean() + alpha / 2 * coef.square().sum()

    for _ in range(epochs):
        (gradient,) = torch.autograd.grad(objective(), parameters)
        parameters.data -= lr * gradient
    return parameters[:-1].tolist(), parameters[-1].item(), objective().item()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", ["rows", "moments", "wide"])
def test_without_a_precondition(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2 if kind == "wide" else 10, 3))
    X[:, 1] = 3.0
    y = X[:, 0] + 5.0 + rng.normal(size=len(X))
    model = GDLinearRegressor(lr=0.02, epochs=20, alpha=1.0, precondition=None)
    model.fit(Moments.of(X, y)) if kind == "moments" else model.fit(X, y)
    coef, intercept, objective = bare_loop(X, y, 1.0, 0.02, 20)
    assert abs(coef[1]) > 0.1
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-12)
    np.testing.assert_allclose([model.intercept_, model.loss_], [intercept, objective], rtol=1e-12)
