"""lr_report against eigenvalues by NumPy and against measured descents."""

import math
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression

import sklearn_gd
from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, lr_report


def california_like(n=2000):
    """Columns of scales 1 to 1e4, in the manner of the California housing data."""
    rng = np.random.default_rng(0)
    income = rng.lognormal(1.3, 0.4, n)
    age = rng.uniform(1, 52, n)
    rooms = rng.normal(5.4, 1.5, n)
    population = rng.lognormal(7, 0.7, n)
    X = np.column_stack([income, age, rooms, rooms / 5 + rng.normal(0, 0.1, n), population])
    return X, 0.4 * income + 0.01 * age - 0.1 * rooms + 1e-4 * population + rng.normal(0, 0.6, n)


X, Y = california_like()


def quiet_fit(model, X=X, y=Y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def hessian(X, precondition, *, intercept=True):
    if precondition is None:
        table = np.column_stack([np.ones(len(X)), X]) if intercept else X
    else:
        table = (X - X.mean(0)) / X.std(0)
    return 2 * table.T @ table / len(X)


def measured_epochs(model, X=X, y=Y):
    """The first epoch that begins within 1e-6 of the optimum, of the start's distance."""
    curve = quiet_fit(model, X, y).loss_curve_
    least = np.mean((LinearRegression().fit(X, y).predict(X) - y) ** 2)
    near = curve - least <= 1e-6 * (curve[0] - least)
    assert near.any()
    return int(near.argmax())


@pytest.mark.parametrize("precondition", [None, "standardize"])
def test_numbers_are_those_of_the_eigenvalues(precondition):
    report = lr_report(GDLinearRegressor(precondition=precondition), X, Y)
    values = np.linalg.eigvalsh(hessian(X, precondition))
    np.testing.assert_allclose(report.max_stable_lr, 2 / values[-1], rtol=1e-9)
    np.testing.assert_allclose(report.best_lr, 2 / (values[0] + values[-1]), rtol=1e-9)
    np.testing.assert_allclose(report.condition_number, values[-1] / values[0], rtol=1e-6)
    assert report.lr == 0.01
    other = report.scaling[None if precondition else "standardize"]
    values = np.linalg.eigvalsh(hessian(X, None if precondition else "standardize"))
    np.testing.assert_allclose(other.condition_number, values[-1] / values[0], rtol=1e-6)
    np.testing.assert_allclose(other.best_lr, 2 / (values[0] + values[-1]), rtol=1e-9)
    assert report.scaling["whiten"][:2] == (1.0, 0.5)


@pytest.mark.parametrize("precondition", [None, "standardize", "whiten"])
@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}])
def test_one_percent_around_the_bound(precondition, options):
    model = GDLinearRegressor(
        precondition=precondition, epochs=600, optimizer_params=options or None
    )
    bound = lr_report(model, X, Y).max_stable_lr
    below = quiet_fit(model.set_params(lr=0.99 * bound))
    assert not below.diverged_
    assert below.loss_ < below.loss_curve_[0]
    assert quiet_fit(model.set_params(lr=1.01 * bound)).diverged_


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.99])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": 0.5},
        {"momentum": 0.5, "nesterov": True},
        {"momentum": 0.5, "dampening": 0.5},
    ],
)
def test_predicted_epochs_agree_with_the_measured(fraction, options):
    model = GDLinearRegressor(precondition="standardize", optimizer_params=options or None)
    model.set_params(lr=fraction * lr_report(model, X, Y).max_stable_lr)
    predicted = lr_report(model, X, Y).epochs
    model.set_params(epochs=int(1.1 * predicted) + 10)
    measured = measured_epochs(model)
    assert abs(predicted - measured) <= max(1, 0.05 * measured)


def test_predicted_epochs_on_raw_data():
    # scales at which the slowest direction arrives while a test can wait
    raw = np.random.default_rng(0).normal(size=(200, 3)) * [1, 5, 30]
    y = raw @ [1, 0.5, 0.01] + 2
    model = GDLinearRegressor(precondition=None, epochs=10_000)
    model.set_params(lr=0.9 * lr_report(model, raw, y).max_stable_lr)
    predicted = lr_report(model, raw, y).epochs
    measured = measured_epochs(model, raw, y)
    assert measured > 2000
    assert abs(predicted - measured) <= 0.05 * measured


@pytest.mark.parametrize("fraction", [0.03, 0.99])
def test_predicted_epochs_of_billions_on_raw_california_like_data(fraction):
    # too many to run: the textbook's iteration, fast-forwarded by powers of its matrix
    model = GDLinearRegressor(precondition=None)
    model.set_params(lr=fraction * lr_report(model, X, Y).max_stable_lr)
    predicted = lr_report(model, X, Y).epochs
    assert predicted > 1e8
    exact = LinearRegression().fit(X, Y)
    distance, curvature = -np.array([exact.intercept_, *exact.coef_]), hessian(X, None)
    step = np.eye(6) - model.lr * curvature

    def excess(epochs):
        left = np.linalg.matrix_power(step, epochs) @ distance
        return left @ curvature @ left / (distance @ curvature @ distance)

    assert excess(int(0.95 * predicted)) > 1e-6 >= excess(int(1.05 * predicted))


def test_several_targets_and_the_best_rate():
    both = np.column_stack([Y, X[:, 0] ** 2])
    model = GDLinearRegressor(precondition="standardize", lr=0.05, epochs=4000)
    best = lr_report(model, X, both).best_lr
    counts = []
    for lr in (0.5 * best, best):
        predicted = lr_report(model.set_params(lr=lr), X, both).epochs
        curve = quiet_fit(model, X, both).loss_curve_
        least = np.mean((LinearRegression().fit(X, both).predict(X) - both) ** 2)
        scale = both.var(0).mean()
        assert curve[-1] - least < 1e-6 * scale
        counts.append(predicted)
    assert counts[1] < counts[0]


def test_weight_decay_counts():
    decay = 0.3
    model = GDLinearRegressor(precondition="standardize", optimizer_params={"weight_decay": decay})
    report = lr_report(model, X, Y)
    values = np.linalg.eigvalsh(hessian(X, "standardize")) + decay
    np.testing.assert_allclose(report.best_lr, 2 / (values[0] + values[-1]), rtol=1e-9)
    # the recurrence in NumPy, in the objective with weight decay
    table = (X - X.mean(0)) / X.std(0)
    goal = (Y - Y.mean()) / Y.std()
    slope, matrix = 2 * table.T @ goal / len(Y), hessian(X, "standardize") + decay * np.eye(5)
    optimum, u, epochs = np.linalg.solve(matrix, slope), np.zeros(5), 0
    first = optimum @ matrix @ optimum
    while (u - optimum) @ matrix @ (u - optimum) > 1e-6 * first:
        u, epochs = u - report.lr * (matrix @ u - slope), epochs + 1
    assert report.epochs == epochs


def test_the_steepest_feature():
    assert lr_report(GDLinearRegressor(precondition=None), X, Y).steepest_feature == "x4"
    names = ["income", "age", "rooms", "beds", "population"]
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=names)
    raw = GDLinearRegressor(precondition=None)
    assert lr_report(raw, frame, Y).steepest_feature == "population"
    assert lr_report(raw, frame / 1e6, Y).steepest_feature == "intercept"
    standardized = GDLinearRegressor(precondition="standardize")
    assert lr_report(standardized, frame, Y).steepest_feature in ("rooms", "beds")
    assert lr_report(GDLinearRegressor(), frame, Y).steepest_feature is None
    cubic = GDPolynomialRegressor(degree=3, precondition=None)
    assert lr_report(cubic, X[:, :1], Y).steepest_feature == "x0^3"


def test_the_penalty_of_wide_data_counts():
    rng = np.random.default_rng(1)
    wide, y = rng.normal(size=(5, 8)), rng.normal(size=5)
    model = GDLinearRegressor(precondition="standardize", alpha=0.5)
    centred = (wide - wide.mean(0)) / np.sqrt(wide.var(0) + 0.25)
    penalty = 0.5 * np.diag(1 / (wide.var(0) + 0.25))
    values = np.linalg.eigvalsh(2 * centred.T @ centred / 5 + penalty)
    report = lr_report(model, wide, y)
    np.testing.assert_allclose(report.condition_number, values[-1] / values[0], rtol=1e-9)
    np.testing.assert_allclose(report.best_lr, 2 / (values[0] + values[-1]), rtol=1e-9)
    np.testing.assert_allclose(report.max_stable_lr, 2 / values[-1], rtol=1e-9)


def test_never():
    model = GDLinearRegressor(precondition=None, lr=0.01)
    report = lr_report(model, X, Y)
    assert report.epochs == math.inf
    assert "epochs to 1e-6    diverges\n" in repr(report)
    assert "learning rate     0.01       the descent diverges\n" in repr(report)
    # at the bound the descent neither diverges nor converges
    model.set_params(lr=report.max_stable_lr, precondition=None)
    assert "epochs to 1e-6    never" in repr(lr_report(model, X, Y))


def test_where_there_is_no_number():
    report = lr_report(GDLinearRegressor(optimizer="adam"), X, Y)
    assert report.max_stable_lr is report.best_lr is report.epochs is None
    assert report.condition_number == 1
    assert "Adam is not gradient descent" in repr(report)
    momentum = GDLinearRegressor(optimizer_params={"momentum": 0.9})
    assert lr_report(momentum, X, Y).best_lr is None
    constant = lr_report(GDLinearRegressor(precondition="standardize"), np.ones((9, 2)), Y[:9])
    assert constant.condition_number is constant.epochs is None
    assert "constant" in constant.note


def test_data_too_wide_for_eigenvalues(monkeypatch):
    monkeypatch.setattr("sklearn_gd._training.coordinates._MAX_FACTOR_ENTRIES", 10)
    wide = sparse.random(30, 40, density=0.1, format="csr", random_state=0)
    report = lr_report(GDLinearRegressor(), wide, np.arange(30.0))
    assert report.max_stable_lr > 0
    assert report.condition_number is report.best_lr is report.epochs is None
    assert report.scaling == {}
    assert "too wide" in repr(report)


def test_rank_deficient_data_and_constant_targets():
    doubled = np.column_stack([X, X[:, 0]])
    report = lr_report(GDLinearRegressor(precondition="standardize"), doubled, Y)
    assert report.condition_number < 1e4
    assert lr_report(GDLinearRegressor(), X, np.ones(len(X))).epochs == 1


def test_the_estimator_is_only_read_and_the_report_reads_well():
    model = GDLinearRegressor(precondition=None, lr=1e-8)
    report = lr_report(model, X, Y)
    assert vars(model) == vars(GDLinearRegressor(precondition=None, lr=1e-8))
    text = str(report)
    assert text == repr(report)
    assert text.startswith("Learning rate of GDLinearRegressor with precondition=None")
    for part in ("largest stable", "condition number", "epochs to 1e-6", "x4", "'whiten'"):
        assert part in text
    assert lr_report.__module__ == "sklearn_gd"
    assert "lr_report" in sklearn_gd.__all__


def test_errors():
    with pytest.raises(TypeError, match="lr_report looks at the descent of a GDLinearRegressor"):
        lr_report(LinearRegression(), X, Y)
    with pytest.raises(ValueError, match="'epochs' parameter of GDLinearRegressor must be"):
        lr_report(GDLinearRegressor(epochs=0), X, Y)
