"""From data and options to a problem, and its descent, against NumPy on the rows."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, Ridge

from sklearn_gd._data.polynomial import legendre_basis
from sklearn_gd._moments.tensor_data import TensorData
from sklearn_gd._training.build_problem import to_original_matrix
from sklearn_gd._training.prepare import descend_problems, prepare
from sklearn_gd._training.result import to_numpy_model
from tests._training.reference import (
    WEIGHT,
    N,
    X,
    Y,
    deviations,
    fit_options,
    hessian_of_rows,
    training_data,
)

PRECONDITIONS = ["whiten", "standardize", None]
ROWS = int((WEIGHT > 0).sum())


def prepared(*, x=X, y=Y, weight=WEIGHT, basis=None, validation=None, **parameters):
    data = training_data(x, y, weight)
    return prepare(data, basis, fit_options(**parameters), validation=validation)


def curvature_of(precondition, *, alpha=0.0):
    """Largest eigenvalue of the Hessian of squared error and L2 penalty, by NumPy."""
    if precondition == "whiten":  # whatever the data and the penalty
        return 2.0
    if precondition is None:
        matrix = hessian_of_rows(with_intercept=True, centred=False, alpha=alpha)
    else:
        scale = np.diag(1 / deviations(alpha=alpha))
        matrix = hessian_of_rows(with_intercept=False, scale=scale, alpha=alpha)
    return np.linalg.eigvalsh(matrix)[-1]


@pytest.mark.parametrize("alpha", [0.0, 0.7])
@pytest.mark.parametrize("precondition", PRECONDITIONS)
def test_auto_is_one_over_the_largest_eigenvalue(precondition, alpha):
    for decay in (0.0, 0.3):
        fit = prepared(
            lr="auto",
            precondition=precondition,
            alpha=alpha,
            optimizer_params={"weight_decay": decay},
        )
        largest = curvature_of(precondition, alpha=alpha) + decay
        assert fit.lr == pytest.approx(1 / largest, rel=1e-10)
        assert fit.max_stable_lr == pytest.approx(2 / largest, rel=1e-10)
        assert fit.resolve_lr(0.25) == 0.25


def hessian_of_bound(fit, x, second_derivative, l2):
    """By autograd: of the loss where its second derivative is largest, and the L2 penalty."""
    map_, weight = fit.problem.parametrization, torch.full((len(x),), 1.0 / len(x)).double()
    rows = torch.from_numpy(np.asarray(x, dtype=np.float64))

    def objective(u):
        coef, intercept = map_.to_model(u[None, None, None])
        prediction = rows @ coef[0, 0, 0] + intercept[0, 0, 0]
        return (
            second_derivative / 2 * weight @ prediction.square() + l2 / 2 * coef.square().sum()
        ) / map_.scaling.loss_scale[0, 0, 0]

    return torch.autograd.functional.hessian(objective, map_.zeros[0, 0, 0]).numpy()


@pytest.mark.parametrize("alpha", [1e-3, 0.7, 1e4])
@pytest.mark.parametrize(("loss", "curvature"), [("huber", 1.0), ("log_cosh", 1.0)])
@pytest.mark.parametrize("precondition", PRECONDITIONS)
@pytest.mark.parametrize(
    "kind", ["tall", "wide", "one row", "dependent", "constant", "units", "float32"]
)
def test_auto_of_other_losses_with_an_l2_penalty(kind, precondition, loss, curvature, alpha):
    rng = np.random.default_rng(1)
    x = rng.normal(size={"wide": (5, 9), "one row": (1, 3)}.get(kind, (20, 3))) + 2.0
    if kind == "dependent":
        x[:, 2] = x[:, 0] - x[:, 1]
    elif kind == "constant":
        x[:, 1] = 3.0
    elif kind == "units":
        x *= [1e-4, 1.0, 1e4]
    x = x.astype(np.float32) if kind == "float32" else x
    fit = prepared(
        x=x,
        y=rng.normal(size=(len(x), 1)),
        weight=None,
        lr="auto",
        loss=loss,
        precondition=precondition,
        alpha=alpha,
    )
    hessian = hessian_of_bound(fit, x, curvature, alpha)
    assert fit.lr == pytest.approx(1 / np.linalg.eigvalsh(hessian)[-1], rel=1e-6)


def test_auto_by_lanczos_method(monkeypatch):
    for precondition in PRECONDITIONS:
        options = {"lr": "auto", "loss": "huber", "precondition": precondition, "alpha": 0.4}
        direct = prepared(**options).lr
        with monkeypatch.context() as patch:
            patch.setattr("sklearn_gd._problem.curvature._MAX_DECOMPOSED", 2)
            assert prepared(**options).lr == pytest.approx(direct, rel=1e-7)


@pytest.mark.parametrize("loss", ["huber", "log_cosh", "squared_epsilon_insensitive"])
@pytest.mark.parametrize("precondition", PRECONDITIONS)
def test_auto_of_other_losses_is_below_one_over_their_curvature(precondition, loss):
    """The bound is sup ℓ'' times that of the rows, the intercept included."""
    fit = prepared(lr="auto", precondition=precondition, loss=loss)
    half = max(curvature_of(precondition) / 2, 1.0)
    bound = half * (2.0 if loss == "squared_epsilon_insensitive" else 1.0)
    assert fit.lr == pytest.approx(1 / bound, rel=1e-10)
    assert fit.max_stable_lr is None


@pytest.mark.parametrize(
    ("options", "lr"),
    [
        ({"optimizer": "adam"}, 0.01),
        ({"optimizer": "lbfgs"}, 1.0),
        # see tests/_problem/test_step_length.py; slopes of squares are twice the residuals
        ({"batch_size": 7}, 0.5 / np.sqrt(1000 * -(-ROWS // 7) * (1 + X.shape[1] / 7))),
        ({"loss": "absolute_error"}, 1 / np.sqrt(1000)),
        ({"loss": lambda p, t: (p - t) ** 2}, 0.5 / np.sqrt(1000)),
    ],
)
def test_auto_where_there_is_no_curvature(options, lr):
    fit = prepared(lr="auto", **options)
    assert fit.lr == pytest.approx(lr, rel=1e-9)
    assert fit.max_stable_lr is None


@pytest.mark.parametrize("alpha", [0.0, 0.4])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("precondition", PRECONDITIONS)
def test_optimum_and_objective_of_zeros(precondition, fit_intercept, alpha):
    problem = prepared(precondition=precondition, fit_intercept=fit_intercept, alpha=alpha).problem
    total = WEIGHT.sum()
    if alpha:
        model = Ridge(alpha * total / 2, fit_intercept=fit_intercept, solver="svd")
    else:
        model = LinearRegression(fit_intercept=fit_intercept)
    model.fit(X, Y, sample_weight=WEIGHT)
    loss = np.average((model.predict(X) - Y) ** 2, axis=0, weights=WEIGHT)
    expected = loss + alpha / 2 * (model.coef_**2).sum(axis=1)
    np.testing.assert_allclose(problem.optimum * problem.loss_scale, expected, rtol=1e-9)
    mean = np.average(Y, axis=0, weights=WEIGHT)
    start = mean if fit_intercept and precondition else 0.0
    at_zero = np.average((Y - start) ** 2, axis=0, weights=WEIGHT)
    np.testing.assert_allclose(problem.at_zero[0, 0] * problem.loss_scale, at_zero, rtol=1e-12)
    # targets are judged in units of their deviation
    variance = np.average((Y - mean * fit_intercept) ** 2, axis=0, weights=WEIGHT)
    judged = problem.value_scale[0, 0] * problem.loss_scale
    np.testing.assert_allclose(judged, variance, rtol=1e-12)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("precondition", PRECONDITIONS)
def test_validation_rows_have_a_loss_without_penalty(precondition, loss):
    x, y, weight = X[::2] + 0.5, Y[::2] * 1.1, WEIGHT[::2]
    fit = prepared(
        precondition=precondition, loss=loss, alpha=0.5, validation=training_data(x, y, weight)
    )
    problem = fit.problem
    u = torch.randn(1, 1, 2, problem.parametrization.n_coordinates, dtype=torch.float64)
    coef, intercept = to_numpy_model(problem, u)
    r = np.abs(x @ coef[0].T + intercept[0] - y)
    value = r**2 if loss == "squared_error" else np.where(r <= 1.35, r**2 / 2, 1.35 * (r - 0.675))
    expected = np.average(value, axis=0, weights=weight)
    ours = (problem.validation(u)[0, 0] * problem.loss_scale).numpy()
    np.testing.assert_allclose(ours, expected, rtol=1e-10)


def test_which_problems_have_batches():
    assert not prepared().problem.has_batches
    assert not prepared(batch_size=N).problem.has_batches
    assert prepared(batch_size=N - 1).problem.has_batches
    weight = np.where(np.arange(N) < 10, WEIGHT, 0.0)  # ten rows count
    assert not prepared(weight=weight, batch_size=10).problem.has_batches
    assert prepared(weight=weight, batch_size=9).problem.has_batches


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("precondition", PRECONDITIONS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rprop"])
def test_many_problems_at_once_are_each_alone(optimizer, precondition, loss):
    """Three problems with penalties and learning rates of their own, and folds of the rows."""
    lrs = [[0.001, 0.01], [0.005, 0.002], [0.003, 0.0001]]
    options = {"optimizer": optimizer, "precondition": precondition, "loss": loss, "epochs": 12}
    fits = []
    for k, alpha in enumerate([0.0, 0.2, 1.0]):
        # moments may be those of any rows; the risk of a loss is over rows that all share
        kept = np.arange(N) % 3 != k if loss == "squared_error" else slice(None)
        rows = {"x": X[kept], "y": Y[kept], "weight": WEIGHT[kept]}
        fits.append(prepared(**rows, alpha=alpha, **options))
    together = descend_problems(fits, lrs)
    assert together.values.shape[:3] == (12, 3, 2)
    for p, fit in enumerate(fits):
        for r, lr in enumerate(lrs[p]):
            alone = descend_problems([fit], [[lr]])
            one = together.select(p, r)
            torch.testing.assert_close(one.u, alone.u, rtol=1e-9, atol=1e-10)
            torch.testing.assert_close(one.values, alone.values, rtol=1e-9, atol=1e-12)
            assert int(one.n_iter) == int(alone.n_iter) == 12


def test_a_descent_starts_at_a_given_model():
    coef, intercept = np.full((2, 4), 0.5), np.array([1.0, -1.0])
    for precondition in PRECONDITIONS:
        fit = prepared(precondition=precondition, loss="huber", epochs=1)
        trace = descend_problems([fit], [[1e-9]], start=(coef, intercept), keep_path=True)
        ours, constant = to_numpy_model(fit.problem, trace.path[0])
        np.testing.assert_allclose(ours[0], coef, rtol=1e-9)
        np.testing.assert_allclose(constant[0], intercept, rtol=1e-9)


def test_a_start_that_is_not_finite_is_an_error_that_names_the_estimator():
    fit = prepared(loss=lambda p, t: (p - t).log())
    with pytest.raises(ValueError, match="The loss of test is not finite where the descent starts"):
        descend_problems([fit], [[0.1]])


def test_the_ceiling_is_that_of_the_larger_of_start_and_zeros():
    """A warm start that is nearly at the optimum may rise to where a cold start begins."""
    y = X @ np.ones((4, 1))  # so exact that 1e8 times the first objective is next to nothing
    fit = prepared(y=y, epochs=20)
    model = LinearRegression().fit(X, y, sample_weight=WEIGHT)
    start = model.coef_ * (1 + 1e-9), model.intercept_
    trace = descend_problems([fit], [[1.5]], start=start)
    assert trace.values.max() > 1e10 * trace.values[0, 0, 0, 0] > 0
    assert int(trace.n_iter) == 20  # it is no divergence before the end, which is above the start
    assert trace.diverged.all()
    torch.testing.assert_close(trace.value[0, 0], trace.values[0, 0, 0], rtol=0, atol=0)


def test_coefficients_in_plain_powers_are_a_product_with_one_matrix():
    basis = legendre_basis(X.min(0), X.max(0), 2, interaction_only=False, center=True)
    data = TensorData(training_data(), basis, torch.device("cpu"))
    coef = np.random.default_rng(1).normal(size=(2, len(basis.powers())))
    expected, _ = basis.convert(coef, np.zeros(2), basis.monomials())
    np.testing.assert_allclose(coef @ to_original_matrix(data).numpy(), expected, rtol=1e-12)
    plain = TensorData(training_data(), basis.monomials(), torch.device("cpu"))
    assert to_original_matrix(plain) is None
    assert to_original_matrix(plain._replace(basis=None)) is None
