"""Fits between bounds: where SciPy and scikit-learn arrive, and exactly at the bounds."""

from functools import partial

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog, lsq_linear, minimize
from sklearn.linear_model import ElasticNet
from sklearn.preprocessing import PolynomialFeatures
from torch.optim.lr_scheduler import ExponentialLR

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, Moments

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
FAST = {"optimizer_params": {"momentum": 0.9, "nesterov": True}, "lr": "auto", "epochs": 250}
INF = np.inf


def make_table(name):
    """X (dense), y, weights and whether the optimal coefficients are unique."""
    n, p = {"wide": (8, 20), "one row": (1, 3), "one column": (30, 1)}.get(name, (50, 5))
    rng = np.random.default_rng(p)
    x = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3 * rng.normal(size=(p, p))) + rng.normal(size=p)
    y = 2.0 * x @ np.resize([1.0, -0.6, 0.0], p) + rng.normal(size=n) + 4.0
    weight = None
    if name == "units":
        x = x * [1e-10, 1.0, 1e10, 1e-3, 1e5]
    elif name == "dependent":
        x[:, 3] = x[:, 0] - 2.0 * x[:, 1]
    elif name == "constant":
        x[:, 1] = 1000.0 / 3.0
    elif name == "weights":
        weight = rng.uniform(0.0, 2.0, size=n)
        weight[::7] = 0.0
        y[::7] = 1e6
    return x, y, weight, name in ("tall", "units", "weights", "sparse", "one column")


def box(x, y):
    """Bounds of each kind, of a size that matters, for coefficients of x."""
    size = y.std() or 1.0
    deviation = x.std(axis=0)
    unit = size / np.where(deviation > 1e-9 * np.abs(x).max(axis=0), deviation, 1.0)
    p = x.shape[1]
    low = np.resize([-INF, 0.1, -0.4, -INF], p) * unit
    return low, np.resize([0.3, 0.5, INF, INF], p) * unit


def best_squared_error(x, y, weight, low, high, *, fit_intercept):
    """The coefficients of least squares between bounds, and their mean squared error."""
    weight = np.ones(len(y)) if weight is None else weight
    share = weight / weight.sum()
    if fit_intercept:
        x, y = x - share @ x, y - share @ y
    unit = np.abs(x).max(axis=0)
    unit = np.where(unit > 1e-12 * np.abs(low).max(where=np.isfinite(low), initial=1.0), unit, 1.0)
    root = np.sqrt(share)
    found = lsq_linear(
        x / unit * root[:, None], y * root, (low * unit, high * unit), tol=1e-15, max_iter=500
    )
    return found.x / unit, 2.0 * found.cost


TABLES = ["tall", "wide", "one row", "one column", "units", "dependent", "constant", "weights"]


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("name", [*TABLES, "sparse"])
def test_least_squares_between_bounds(name, fit_intercept):
    x, y, weight, is_unique = make_table(name)
    low, high = box(x, y)
    model = GDLinearRegressor(
        bounds=np.column_stack([low, high]), fit_intercept=fit_intercept, **FAST
    )
    model.fit(sparse.csr_array(x) if name == "sparse" else x, y, weight)
    coef, loss = best_squared_error(x, y, weight, low, high, fit_intercept=fit_intercept)
    assert (model.coef_ >= low).all()
    assert (model.coef_ <= high).all()
    size = np.average((y - np.average(y, weights=weight)) ** 2, weights=weight)
    assert model.loss_ == pytest.approx(loss, rel=1e-6, abs=1e-7 * size)
    fitted = np.average((model.predict(x) - y) ** 2, weights=weight)
    assert model.loss_ == pytest.approx(fitted, rel=1e-9, abs=1e-12 * size)
    if is_unique:
        np.testing.assert_allclose(model.coef_ / coef, 1.0, rtol=1e-5)
        is_low, is_high = (np.isclose(coef, bound, rtol=1e-6, atol=0.0) for bound in (low, high))
        np.testing.assert_array_equal(model.coef_[is_low], low[is_low])
        np.testing.assert_array_equal(model.coef_[is_high], high[is_high])
        assert is_low.any() or is_high.any() or name == "one column"


X, Y, WEIGHT, _ = make_table("tall")
TWO = np.column_stack([Y, 1e-4 * Y[::-1]])
# orthogonal columns, in each of which a strong effect leads to a bound
ROUND = np.linalg.qr(np.column_stack([np.ones(48), RNG.normal(size=(48, 5))])).Q[:, 1:] * 48**0.5
EFFECT, AT_BOUND = [9.0, 5.0, -9.0, 0.0, -7.0], np.array([0.3, -0.9, -0.3, 1 / 3, 0.7])
EXACT = {
    "plain": {},
    "textbook": {"precondition": None, "lr": 0.03},
    "momentum": FAST,
    "huber": {"loss": "huber", "lr": 0.5},
    "own loss": {"loss": lambda p, t: abs(p - t), "lr": 0.05},
    "ridge": {"alpha": 0.1, "lr": "auto"},
    "lasso": {"alpha": 0.01, "l1_ratio": 1.0, "lr": "auto"},
    "batches": {"batch_size": 24, "random_state": 0, "lr": 0.02},
    "decay": {"optimizer_params": {"weight_decay": 0.01}},
    "schedule": {"lr_scheduler": partial(ExponentialLR, gamma=0.99)},
    "early stopping": {"early_stopping": True, "random_state": 0},
    "tol": {"tol": 1e-6},
}
# decimal fractions are no binary fractions
LOW = np.array([0.1, -INF, -0.3, 1 / 3, 0.7])
HIGH = np.array([0.3, -0.9, -0.1, 1 / 3, INF])


@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
@pytest.mark.parametrize("name", EXACT)
def test_a_coefficient_at_its_bound_is_the_bound(name, kind):
    """The optimum of a strong effect is at the bounds, and rounding shall not move it."""
    degree = {} if kind is GDLinearRegressor else {"degree": 1}
    options = {"epochs": 200, **degree, **EXACT[name]}
    model = kind(bounds=list(zip(LOW, HIGH, strict=True)), **options)
    model.fit(ROUND + 0.1, ROUND @ EFFECT + 3.0)
    np.testing.assert_array_equal(model.coef_, AT_BOUND)


@pytest.mark.parametrize("precondition", ["standardize", None])
@pytest.mark.parametrize("unit", [1e-10, 3.7e-5, 1.0, 9.1, 1e10])
def test_bounds_are_exact_in_all_units(unit, precondition):
    low, high = LOW / unit, HIGH / unit
    y = ROUND @ np.column_stack([EFFECT, [-9e3, 5e3, 9e3, 0.0, -7e3]])
    options = {"lr": "auto", "precondition": precondition, "epochs": 100}
    if precondition is None:
        options["fit_intercept"] = False  # else its coordinate has another unit
    model = GDLinearRegressor(bounds=np.column_stack([low, high]), **options).fit(unit * ROUND, y)
    expected = [np.where([1, 1, 0, 0, 0], high, low), np.where([0, 1, 1, 0, 0], high, low)]
    np.testing.assert_array_equal(model.coef_, expected)


def test_float32_coefficients_are_at_the_nearest_float32():
    model = GDLinearRegressor(bounds=list(zip(LOW, HIGH, strict=True)), lr="auto", epochs=100)
    model.fit(ROUND.astype(np.float32), ROUND @ EFFECT)
    np.testing.assert_array_equal(model.coef_, AT_BOUND.astype(np.float32), strict=True)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_a_bound_at_zero_is_the_positive_elastic_net(l1_ratio, fit_intercept):
    options = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    expected = ElasticNet(0.2, positive=True, tol=1e-14, max_iter=100_000, **options).fit(X, Y)
    for bound in ({"positive": True}, {"bounds": (0, None)}, {"bounds": [(0.0, INF)] * 5}):
        model = GDLinearRegressor(alpha=0.4, **bound, **options, **FAST).fit(X, Y)
        np.testing.assert_array_equal(model.coef_ == 0, expected.coef_ == 0)
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-7)
    assert (expected.coef_ == 0).any()


def huber(r):
    return np.where(abs(r) <= 1.0, r**2 / 2, abs(r) - 0.5), np.clip(r, -1.0, 1.0)


def log_cosh(r):
    return np.logaddexp(r, -r) - np.log(2.0), np.tanh(r)


def squared_epsilon(r):
    beyond = np.maximum(abs(r) - 0.5, 0.0)
    return beyond**2, 2.0 * beyond * np.sign(r)


LOSSES = {
    "huber": (huber, {"delta": 1.0}),
    "log_cosh": (log_cosh, {}),
    "squared_epsilon_insensitive": (squared_epsilon, {"epsilon": 0.5}),
}


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("name", LOSSES)
def test_smooth_losses_between_bounds(name, alpha):
    """L-BFGS-B of SciPy finds the same optimum."""
    loss, loss_params = LOSSES[name]
    low, high = box(X, Y)
    share = RNG.uniform(0.2, 1.0, size=len(Y))
    share /= share.sum()

    def objective(parameters):
        coef, intercept = parameters[:-1], parameters[-1]
        value, slope = loss(X @ coef + intercept - Y)
        gradient = np.append((share * slope) @ X + alpha * coef, share @ slope)
        return share @ value + alpha / 2 * coef @ coef, gradient

    best = minimize(
        objective,
        np.zeros(6),
        jac=True,
        method="L-BFGS-B",
        bounds=[*zip(low, high, strict=True), (None, None)],
        options={"ftol": 1e-16, "gtol": 1e-11, "maxiter": 2000},
    )
    model = GDLinearRegressor(
        loss=name, loss_params=loss_params, alpha=alpha, bounds=list(zip(low, high, strict=True))
    )
    model.set_params(**FAST).fit(X, Y, share)
    assert model.loss_ == pytest.approx(best.fun, rel=1e-9)
    np.testing.assert_allclose(model.coef_, best.x[:-1], rtol=1e-4, atol=1e-6)
    is_low = np.isclose(best.x[:-1], low)
    np.testing.assert_array_equal(model.coef_[is_low], low[is_low])


@pytest.mark.parametrize("quantile", [0.5, 0.8])
def test_quantiles_between_bounds(quantile):
    """Linear programming finds the optimum, and subgradient steps come near it."""
    low, high = box(X, Y)
    n, p = X.shape
    # y = X w + c + above - below
    found = linprog(
        np.concatenate([np.zeros(p + 1), np.full(n, quantile / n), np.full(n, (1 - quantile) / n)]),
        A_eq=np.hstack([X, np.ones((n, 1)), np.eye(n), -np.eye(n)]),
        b_eq=Y,
        bounds=[*zip(low, high, strict=True), (None, None), *[(0, None)] * (2 * n)],
    )
    model = GDLinearRegressor(loss="quantile", loss_params={"quantile": quantile}, epochs=800)
    model.set_params(bounds=list(zip(low, high, strict=True)), lr=0.3)
    model.set_params(lr_scheduler=partial(ExponentialLR, gamma=0.994)).fit(X, Y)
    assert found.fun * (1 - 1e-9) <= model.loss_ <= found.fun * 1.01
    assert (model.coef_ >= low).all()
    assert (model.coef_ <= high).all()


def test_terms_of_a_polynomial():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 2, size=(60, 2))
    y = x[:, 0] ** 2 - x[:, 1] + rng.normal(size=60)
    terms = PolynomialFeatures(2, include_bias=False).fit_transform(x)
    low, high = np.array([-INF, -0.5, 0.0, -INF, -0.2]), np.array([0.3, INF, 0.6, 0.0, 0.2])
    model = GDPolynomialRegressor(bounds=np.column_stack([low, high]), **FAST).fit(x, y)
    coef, loss = best_squared_error(terms, y, None, low, high, fit_intercept=True)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-5, atol=1e-9)
    assert model.loss_ == pytest.approx(loss, rel=1e-9)
    assert model.precondition_ == "standardize"


@pytest.mark.parametrize("alpha", [{}, {"alpha": 0.3}, {"alpha": 0.3, "l1_ratio": 0.4}])
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("n", [30, 3])
def test_a_constant_column_whose_coefficient_cannot_be_zero(n, loss, alpha):
    """Its coefficient is the bound that is nearest to 0, and the intercept makes up for it."""
    x = np.column_stack([X[:n, :3], np.full((n, 2), [1000 / 3, -1e-7])])
    bounds = [(None, 1.0)] * 3 + [(0.2, 0.9), (None, -3.0)]
    options = {**FAST, "loss": loss, **alpha}
    model = GDLinearRegressor(bounds=bounds, **options).fit(x, Y[:n])
    np.testing.assert_array_equal(model.coef_[3:], [0.2, -3.0])
    without = GDLinearRegressor(bounds=(None, 1.0), **options).fit(x[:, :3], Y[:n])
    np.testing.assert_allclose(model.coef_[:3], without.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.predict(x), without.predict(x[:, :3]), rtol=1e-8)
    strength, ratio = alpha.get("alpha", 0.0), alpha.get("l1_ratio", 0.0)
    more = strength * (ratio * 3.2 + (1 - ratio) / 2 * (0.2**2 + 3.0**2))
    assert model.loss_ == pytest.approx(without.loss_ + more, rel=1e-7)


def test_a_constant_column_of_sparse_data_without_moments(monkeypatch):
    monkeypatch.setattr("sklearn_gd._training.coordinates._MAX_FACTOR_ENTRIES", 1)
    x = np.column_stack([X[:, :3], np.full(len(X), 5.0)])
    model = GDLinearRegressor(bounds=[(None, 1.0)] * 3 + [(0.2, 0.9)], **FAST)
    model.fit(sparse.csr_array(x), Y)
    without = GDLinearRegressor(bounds=(None, 1.0), **FAST).fit(X[:, :3], Y)
    assert model.coef_[3] == 0.2
    np.testing.assert_allclose(model.coef_[:3], without.coef_, rtol=1e-6)
    assert model.loss_ == pytest.approx(without.loss_, rel=1e-9)


START = [7.0, -8.0, 0.0, 5.0, 0.0]


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_the_start_is_projected(loss):
    """The objective of a start beyond the bounds may be below all that the bounds allow."""
    bounds = [(-1.0, 0.5)] * 5
    options = {"bounds": bounds, "loss": loss, "epochs": 1, "lr": 1e-9}
    model = GDLinearRegressor(**options).fit(X, Y, coef_init=START)
    projected = np.clip(START, -1.0, 0.5)
    np.testing.assert_allclose(model.coef_, projected, atol=1e-5)
    again = GDLinearRegressor(**options).fit(X, Y, coef_init=projected)
    assert model.loss_curve_[0] == pytest.approx(again.loss_curve_[0], rel=1e-12)
    both = {"coef_init": START, "intercept_init": 2.0}
    model.set_params(precondition=None).fit(X, Y, **both)
    value = X @ projected + 2.0 - Y
    expected = value**2 if loss == "squared_error" else np.where(
        abs(value) <= 1.35, value**2 / 2, 1.35 * (abs(value) - 0.675)
    )  # fmt: skip
    assert model.loss_curve_[0] == pytest.approx(expected.mean(), rel=1e-12)


def test_a_cold_start_is_the_projection_of_zero():
    model = GDLinearRegressor(bounds=[(1, 2), (-3, -1), (0, 1), (None, 4), (-1, 1)], epochs=1)
    model.set_params(precondition=None, lr=1e-12).fit(X, Y)
    projected = np.array([1.0, -1.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(model.coef_, projected, atol=1e-9)
    assert model.loss_curve_[0] == pytest.approx(np.mean((X @ projected - Y) ** 2), rel=1e-12)


def test_bounds_that_become_narrower_during_a_warm_start():
    free = GDLinearRegressor(lr="auto", warm_start=True, epochs=10).fit(X, Y)
    model = free.set_params(bounds=(-0.1, 0.1), **FAST).fit(X, Y)
    assert not model.diverged_
    cold = GDLinearRegressor(bounds=(-0.1, 0.1), **FAST).fit(X, Y)
    np.testing.assert_allclose(model.coef_, cold.coef_, atol=1e-8)


def test_moments_and_parts_arrive_where_rows_do():
    low, high = box(X, Y)
    model = GDLinearRegressor(bounds=np.column_stack([low, high]), **FAST)
    expected = model.fit(X, Y).coef_
    np.testing.assert_array_equal(model.fit(Moments.of(X, Y)).coef_, expected)
    stream = GDLinearRegressor(bounds=np.column_stack([low, high]), **FAST)
    for rows in (slice(0, 20), slice(20, 50)):
        stream.partial_fit(X[rows], Y[rows])
    np.testing.assert_allclose(stream.coef_, expected, rtol=1e-6)
    batches = GDLinearRegressor(
        bounds=np.column_stack([low, high]), batch_size=10, lr=0.1, random_state=0
    )
    for _ in range(20):
        batches.partial_fit(X, Y)
        assert (batches.coef_ >= low).all()
        assert (batches.coef_ <= high).all()
    np.testing.assert_array_equal(batches.coef_[expected == low], low[expected == low])


def test_targets_have_the_bounds_each():
    low, high = box(X, Y)
    both = GDLinearRegressor(bounds=np.column_stack([low, high]), **FAST).fit(X, TWO)
    for k in range(2):
        one = GDLinearRegressor(bounds=np.column_stack([low, high]), **FAST).fit(X, TWO[:, k])
        np.testing.assert_allclose(both.coef_[k], one.coef_, rtol=1e-7, atol=1e-12)
        np.testing.assert_array_equal(both.coef_[k] == low, one.coef_ == low)
