"""precondition=None is the textbook: the iterates are those of a bare torch loop."""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from tests.reference import torch_loop

EPOCHS = 120

STEADY = {
    "sgd": (0.05, {}),
    "momentum": (0.02, {"momentum": 0.9}),
    "nesterov": (0.02, {"momentum": 0.9, "nesterov": True}),
    "adam": (0.05, {}),
    "adamw": (0.05, {"weight_decay": 0.01}),
    "adagrad": (0.5, {}),
    "radam": (0.05, {}),
    "adamax": (0.05, {}),
}


# These divide by a running size of the gradient that shrinks with it, so that near the
# optimum a rounding difference of the gradient grows to the size of a step.
AMPLIFYING = {"nadam": (0.01, {}), "rmsprop": (0.01, {}), "adadelta": (1.0, {})}

CLASSES = {
    "sgd": torch.optim.SGD,
    "momentum": torch.optim.SGD,
    "nesterov": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adagrad": torch.optim.Adagrad,
    "radam": torch.optim.RAdam,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "rmsprop": torch.optim.RMSprop,
    "adadelta": torch.optim.Adadelta,
}


# squared error goes through moments; given as a callable, through the rows themselves
PATHS = {"moments": "squared_error", "rows": lambda prediction, target: (prediction - target) ** 2}


def problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) * [1.0, 2.0, 0.5] + [0.3, -0.2, 0.1]
    y = X @ [1.0, -2.0, 3.0] + 0.5 + rng.normal(size=60)
    return X, y, rng.uniform(0.0, 2.0, size=60)


def fit_both(name, lr, options, path, *, weighted, fit_intercept):
    X, y, weight = problem()
    weight = weight if weighted else None
    kind = CLASSES[name]
    model = GDLinearRegressor(
        lr=lr,
        epochs=EPOCHS,
        optimizer=kind,
        optimizer_params=options,
        precondition=None,
        fit_intercept=fit_intercept,
        loss=PATHS[path],
    ).fit(X, y, sample_weight=weight)
    expected = torch_loop(
        lambda params, lr: kind(params, lr=lr, **options),
        X,
        y,
        lr,
        EPOCHS,
        weight=weight,
        fit_intercept=fit_intercept,
    )
    return model, expected


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("weighted", "fit_intercept", "path"),
    [  # every two values of different options meet
        (True, True, "moments"),
        (True, False, "rows"),
        (False, True, "rows"),
        (False, False, "moments"),
    ],
)
@pytest.mark.parametrize("name", STEADY)
def test_iterates_are_those_of_a_plain_torch_loop(name, weighted, fit_intercept, path):
    model, (coef, intercept, curve) = fit_both(
        name, *STEADY[name], path, weighted=weighted, fit_intercept=fit_intercept
    )
    np.testing.assert_allclose(model.coef_, coef, rtol=0, atol=1e-10)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=0, atol=1e-10)
    first = curve[0]
    allowed = 1e-10 * curve + 1e-14 * np.sqrt(curve * first) + 1e-28 * first
    assert np.all(np.abs(model.loss_curve_ - curve) <= allowed)
    assert model.n_iter_ == EPOCHS


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", AMPLIFYING)
def test_amplifying_optimizers_agree_as_far_as_a_rounding_allows(name, path):
    lr, options = AMPLIFYING[name]
    model, (coef, _, curve) = fit_both(name, lr, options, path, weighted=True, fit_intercept=True)
    # the plain loop against itself, with the rows in another order: rounding only
    X, y, weight = problem()
    order = np.random.default_rng(1).permutation(len(y))
    other, _, other_curve = torch_loop(
        lambda params, lr: CLASSES[name](params, lr=lr, **options),
        X[order],
        y[order],
        lr,
        EPOCHS,
        weight=weight[order],
    )
    allowed = 1e-10 + 100 * np.abs(other - coef).max()
    np.testing.assert_allclose(model.coef_, coef, rtol=0, atol=allowed)
    allowed = 1e-10 * curve + 100 * np.abs(other_curve - curve).max()
    assert np.all(np.abs(model.loss_curve_ - curve) <= allowed)


def test_loss_near_zero_is_as_exact_as_rounding_allows():
    X, _, _ = problem()
    y = X @ [1.0, -2.0, 3.0] + 0.5
    model = GDLinearRegressor(lr=0.1, epochs=600, precondition=None).fit(X, y)
    _, _, curve = torch_loop(lambda p, lr: torch.optim.SGD(p, lr=lr), X, y, 0.1, 600)
    allowed = 1e-10 * curve + 1e-14 * np.sqrt(curve * curve[0]) + 1e-28 * curve[0]
    assert curve[-1] < 1e-12 * curve[0]
    assert np.all(np.abs(model.loss_curve_ - curve) <= allowed)


def test_polynomial_descends_on_raw_powers():
    x = np.linspace(-1.0, 2.0, 25)[:, None]
    y = np.sin(2 * x[:, 0])
    model = GDPolynomialRegressor(degree=3, lr=0.01, epochs=200, precondition=None)
    with pytest.warns(Warning, match="far from the optimum"):
        model.fit(x, y)
    powers = np.hstack([x, x**2, x**3])
    coef, intercept, curve = torch_loop(
        lambda params, lr: torch.optim.SGD(params, lr=lr), powers, y, 0.01, 200
    )
    np.testing.assert_allclose(model.coef_, coef, atol=1e-12)
    np.testing.assert_allclose(model.intercept_, intercept, atol=1e-12)
    np.testing.assert_allclose(model.loss_curve_, curve, rtol=1e-12)
