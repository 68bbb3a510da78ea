"""Penalties arrive where scikit-learn's own estimators arrive."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd._base.bounds import Bounds
from sklearn_gd._base.parameters import InvalidParameterError
from sklearn_gd._moments.tensor_moments import merge
from sklearn_gd._problem.least_squares import least_squares
from sklearn_gd._problem.penalties import CoordinatePenalty, Penalty, RidgeTerm
from sklearn_gd._problem.precondition import precondition_moments
from sklearn_gd._solver.optimizers import make_optimizer_factory
from tests._moments.reference import expected_moments, moments_of
from tests._problem.reference import diagonal, model_of, parametrization, random

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


rng = np.random.default_rng(0)
N = 120
X = rng.normal(size=(N, 6)) @ (np.eye(6) + 0.4 * rng.normal(size=(6, 6))) + [3, 0, 0, -1, 0, 0]
X = X * [1.0, 10.0, 0.1, 1.0, 1.0, 1.0]
Y = X @ [1.0, 0.3, 0.0, -2.0, 0.0, 0.5] + 2.0 + rng.standard_t(3, size=N)
WEIGHT = rng.uniform(0.2, 2.0, size=N)
FAST = {"optimizer_params": {"momentum": 0.9, "nesterov": True}, "lr": "auto", "epochs": 600}


@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("alpha", [1e-4, 0.3, 100.0])
def test_ridge(alpha, weighted, precondition):
    weight = WEIGHT if weighted else None
    total = WEIGHT.sum() if weighted else N
    options = FAST if precondition != "whiten" else {"lr": 0.1, "epochs": 300}
    if precondition is None:
        options = {"optimizer": "lbfgs", "lr": "auto", "epochs": 200}
    model = GDLinearRegressor(alpha=alpha, precondition=precondition, **options)
    model.fit(X, Y, weight)
    reference = Ridge(alpha * total / 2).fit(X, Y, weight)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.intercept_, reference.intercept_, rtol=1e-8)
    penalty = alpha / 2 * np.sum(reference.coef_**2)
    loss = np.average((reference.predict(X) - Y) ** 2, weights=weight)
    assert model.loss_ == pytest.approx(loss + penalty, rel=1e-12)


@pytest.mark.parametrize("alpha", [1e-6, 1.0, 1e6])
def test_any_lr_below_one_converges_whatever_the_penalty(alpha):
    model = GDLinearRegressor(alpha=alpha, lr=0.99, epochs=3000).fit(X, Y)
    assert model.max_stable_lr_ == pytest.approx(1.0)
    reference = Ridge(alpha * N / 2).fit(X, Y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-8, atol=1e-12)


def test_ridge_of_wide_data_and_several_targets():
    rng = np.random.default_rng(1)
    wide, y = rng.normal(size=(20, 50)), rng.normal(size=(20, 2))
    model = GDLinearRegressor(alpha=0.2).fit(wide, y)
    np.testing.assert_allclose(model.coef_, Ridge(0.2 * 10).fit(wide, y).coef_, rtol=1e-6)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("precondition", ["whiten", "standardize"])
def test_a_constant_column_has_no_coefficient(precondition, loss):
    """Rounding of its mean is no gradient, which Adam would make a full step of."""
    data = np.column_stack([X, np.full(N, 1000 / 3)])
    options = {"alpha": 0.3, "optimizer": "adam", "lr": 0.1, "epochs": 40, "loss": loss}
    model = GDLinearRegressor(precondition=precondition, **options).fit(data, Y)
    assert model.coef_[-1] == 0.0
    without = GDLinearRegressor(precondition=precondition, **options).fit(X, Y)
    np.testing.assert_allclose(model.coef_[:-1], without.coef_, rtol=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_of_a_polynomial_is_on_original_coefficients(fit_intercept):
    rng = np.random.default_rng(1)
    x = rng.uniform(1, 4, size=(80, 2))
    y = np.sin(x[:, 0]) + x[:, 1]
    model = GDPolynomialRegressor(
        degree=3, alpha=0.05, lr="auto", epochs=20, fit_intercept=fit_intercept
    )
    powers = PolynomialFeatures(3, include_bias=False).fit_transform(x)
    reference = Ridge(0.05 * 40, fit_intercept=fit_intercept).fit(powers, y)
    np.testing.assert_allclose(model.fit(x, y).coef_, reference.coef_, rtol=1e-7)


MOMENTUMS = [{}, {"momentum": 0.9}, FAST["optimizer_params"]]
PENALTIES = [(0.5, 1.0), (0.2, 0.5), (0.05, 0.9)]
PRECONDITIONS = ["auto", "standardize", None]


@pytest.mark.parametrize(
    ("alpha", "l1_ratio", "precondition", "momentum"),
    [  # all pairs of values, a Latin square
        (*PENALTIES[i], PRECONDITIONS[j], MOMENTUMS[(i + j) % 3])
        for i in range(3)
        for j in range(3)
    ],
)
def test_lasso_and_elastic_net(alpha, l1_ratio, precondition, momentum):
    scaled = StandardScaler().fit_transform(X) + (0.2 if precondition is None else 0.0)
    model = GDLinearRegressor(
        alpha=alpha,
        l1_ratio=l1_ratio,
        precondition=precondition,
        optimizer_params=momentum,
        lr="auto",
        epochs=2500,
    ).fit(scaled, Y)
    kind = Lasso if l1_ratio == 1.0 else ElasticNet
    options = {} if l1_ratio == 1.0 else {"l1_ratio": l1_ratio}
    reference = kind(alpha / 2, tol=1e-14, max_iter=100_000, **options).fit(scaled, Y)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, reference.intercept_, rtol=1e-6)
    assert model.loss_ == pytest.approx(
        np.mean((reference.predict(scaled) - Y) ** 2)
        + alpha * l1_ratio * np.abs(reference.coef_).sum()
        + alpha * (1 - l1_ratio) / 2 * np.sum(reference.coef_**2),
        rel=1e-9,
    )


def test_lasso_on_raw_units_and_weights():
    model = GDLinearRegressor(alpha=0.8, l1_ratio=1.0, **FAST).fit(X, Y, WEIGHT)
    reference = Lasso(0.4, tol=1e-14, max_iter=100_000).fit(X, Y, WEIGHT)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6)


def test_lasso_of_highly_correlated_columns():
    rng = np.random.default_rng(1)
    common = rng.normal(size=(300, 1))
    data = 0.1 * rng.normal(size=(300, 30)) + common
    y = data[:, :3] @ [1.0, -1.0, 2.0] + 0.1 * rng.normal(size=300)
    momentum = {"momentum": 0.98, "nesterov": True}
    model = GDLinearRegressor(
        alpha=0.02, l1_ratio=1.0, optimizer_params=momentum, lr="auto", epochs=3000
    ).fit(data, y)
    reference = Lasso(0.01, tol=1e-14, max_iter=1_000_000).fit(data, y)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6, atol=1e-8)


def test_lasso_of_a_polynomial():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 2))
    y = x[:, 0] ** 2 - x[:, 1] + 0.1 * rng.normal(size=100)
    model = GDPolynomialRegressor(degree=3, alpha=0.2, l1_ratio=1.0, **FAST).fit(x, y)
    powers = PolynomialFeatures(3, include_bias=False).fit_transform(x)
    reference = Lasso(0.1, tol=1e-14, max_iter=1_000_000).fit(powers, y)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_positive(fit_intercept):
    model = GDLinearRegressor(positive=True, fit_intercept=fit_intercept, **FAST).fit(X, Y)
    reference = LinearRegression(positive=True, fit_intercept=fit_intercept).fit(X, Y)
    np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"l1_ratio": 1.0, "alpha": 1.0, "optimizer": "adam"}, r"must be 'sgd'.*l1_ratio=1.0"),
        ({"positive": True, "optimizer": "lbfgs"}, "must be 'sgd'.*positive=True"),
        ({"positive": True, "precondition": "whiten"}, "cannot be combined with an L1.*'auto'"),
        ({"alpha": -1.0}, "'alpha' parameter of GDLinearRegressor must be a float in the range"),
        ({"l1_ratio": 1.5}, r"'l1_ratio' parameter .*\[0.0, 1.0\]"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(options, words):
    with pytest.raises(ValueError, match=words):
        GDLinearRegressor(**options).fit(X, Y)


def test_real_data():
    data, y = load_diabetes(return_X_y=True)
    model = GDLinearRegressor(alpha=2.0, l1_ratio=1.0, **FAST).fit(data, y)
    reference = Lasso(1.0, tol=1e-12).fit(data, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-6)


@pytest.mark.parametrize(
    ("alpha", "l1_ratio", "positive", "expected"),
    [
        (0.0, 0.5, False, (0.0, 0.0, False)),
        (2.0, 0.0, False, (0.0, 2.0, False)),
        (2.0, 1.0, False, (2.0, 0.0, True)),
        (2.0, 0.25, False, (0.5, 1.5, True)),
        (0.0, 1.0, True, (0.0, 0.0, True)),
    ],
)
def test_parts_of_a_penalty(alpha, l1_ratio, positive, expected):
    penalty = Penalty(alpha, l1_ratio, bounds_of("positive" if positive else "none", 3))
    assert (penalty.l1, penalty.l2, penalty.is_proximal) == expected


def test_what_a_penalty_requires():
    adam = make_optimizer_factory("adam", None, "test")
    momentum = make_optimizer_factory("sgd", {"momentum": 0.9}, "test")
    for penalty in (Penalty(1.0, 0.5, None), Penalty(0.0, 0.0, bounds_of("box", 4))):
        penalty.check_optimizer(momentum, "sgd", "test")
        penalty.check_precondition("standardize", "test")
        with pytest.raises(
            InvalidParameterError, match="'optimizer' parameter of test must be 'sgd'"
        ):
            penalty.check_optimizer(adam, "adam", "test")
        with pytest.raises(InvalidParameterError, match="precondition='whiten' of test"):
            penalty.check_precondition("whiten", "test")
    Penalty(1.0, 0.0, None).check_optimizer(adam, "adam", "test")
    Penalty(1.0, 0.0, None).check_precondition("whiten", "test")


@pytest.mark.parametrize("with_matrix", [True, False])
def test_the_l2_part_as_rows_and_as_a_term(with_matrix):
    """Both are l2/2 times the squares of the coefficients in original units."""
    x, y, weight = X[:50], np.column_stack([Y, Y**2])[:50], WEIGHT[:50]
    penalty, matrix = Penalty(1.4, 0.5, None), random(6, 6, seed=3) if with_matrix else None
    # a coefficient c in the basis is the coefficients c @ matrix in original units
    to_original = np.eye(6) if matrix is None else matrix.numpy()
    moments = merge([moments_of(x, y, weight)])
    coef = random(1, 3, 2, 6, seed=4)
    expected = 0.7 / 2 * ((coef.numpy() @ to_original) ** 2).sum(axis=-1)
    term = penalty.as_term(matrix, moments.weight)
    np.testing.assert_allclose(term(coef), expected, rtol=1e-12)
    assert Penalty(1.4, 1.0, None).as_term(matrix, moments.weight) is None
    total, _, _, xx, xy, yy = expected_moments(x, y, weight)
    squared = np.einsum("rti,ij,rtj->rt", coef[0], xx, coef[0])
    squared = squared - 2 * np.einsum("rti,it->rt", coef[0], xy) + yy
    for precondition in ("whiten", "standardize", None):
        found = precondition_moments(moments, precondition, penalty.l2, matrix)
        one = torch.ones(2, dtype=torch.float64)
        objective = least_squares(moments, found, one, with_means=False)
        value = objective(found.preconditioner.from_coef(coef))[0]
        np.testing.assert_allclose(value, squared / total + expected[0], rtol=1e-11)


def test_the_l2_part_gives_a_constant_column_no_curvature():
    x = np.column_stack([X[:50, :2], np.full(50, 1000 / 3)])
    for rows in (50, 2):  # as rows of the data, and in the space of the rows
        moments = merge([moments_of(x[:rows], Y[:rows, None])])
        found = precondition_moments(moments, "standardize", 1.0, None)
        assert not found.design[:, 2].any()
        assert found.preconditioner.scale[0, 2] == 0.0
        assert found.ridge is None or found.ridge[2] == 0.0


def bounds_of(kind, p):
    """Bounds of p coefficients: none, those of ``positive=True``, or some of each kind."""
    if kind == "none":
        return None
    low, high = np.zeros(p), np.full(p, np.inf)
    if kind == "box":
        low, high = np.resize([-np.inf, 0.3, -2.0, 0.7], p), np.resize([0.2, 0.9, -1.0, 0.7], p)
    return Bounds(low, high, "positive=True")


def proximal(*, has_intercept=True, bounds="none", power=2):
    map_ = parametrization(4, kind=diagonal, has_intercept=has_intercept, power=power)
    return map_, Penalty(0.8, 0.5, bounds_of(bounds, 4)).in_coordinates(map_)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("has_intercept", [True, False])
def test_the_l1_part_is_that_of_the_coefficients(has_intercept, power):
    map_, penalty = proximal(has_intercept=has_intercept, power=power)
    u = random(1, 3, 2, 4 + has_intercept, seed=5)
    for run in range(3):
        for k in range(2):
            coef, _ = model_of((map_, k), u[0, run, k].numpy())
            expected = 0.4 * np.abs(coef).sum() / map_.scaling.loss_scale[0, 0, k].item()
            assert penalty.value(u)[0, run, k].item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("bounds", ["none", "positive", "box"])
@pytest.mark.parametrize("step", [0.01, 0.5, 3.0])
@pytest.mark.parametrize("has_intercept", [True, False])
def test_prox_is_the_minimum_of_distance_and_penalty(has_intercept, step, bounds):
    """Coordinate by coordinate, by a brute-force search between the bounds."""
    map_, penalty = proximal(has_intercept=has_intercept, bounds=bounds)
    u = 2.0 * random(1, 2, 2, 4 + has_intercept, seed=5)
    ours = penalty.prox(u, step)
    # of u in coefficients
    unit = (map_.preconditioner.scale[0] * map_.scaling.y_scale[0, 0, :, None]).numpy()
    for index in np.ndindex(*u.shape):
        _, _, k, j = index
        j -= has_intercept
        weight = 0.0 if j < 0 else penalty.weight[0, 0, k, index[-1]].item()
        assert j < 0 or weight > 0

        z = u[index].item()

        def objective(x, z=z, weight=weight):
            return (x - z) ** 2 / 2 + step * weight * abs(x)

        low, high = -20.0, 20.0
        if bounds != "none" and j >= 0:
            least, most, _ = bounds_of(bounds, 4)
            low, high = max(low, least[j] / unit[k, j]), min(high, most[j] / unit[k, j])
        xatol = {"xatol": 1e-12}
        found = minimize_scalar(objective, bounds=(low, high), method="bounded", options=xatol)
        candidates = [found.x, low, high, *([0.0] if low <= 0.0 <= high else [])]
        best = min(candidates, key=objective)
        assert objective(ours[index].item()) <= objective(best) + 1e-14
        assert ours[index].item() == pytest.approx(best, abs=1e-5)
        assert low - 1e-12 <= ours[index].item() <= high + 1e-12


def test_prox_with_a_step_for_each_run():
    _, penalty = proximal()
    u = random(1, 3, 2, 5, seed=5)
    steps = torch.tensor([0.01, 0.2, 1.0], dtype=torch.float64).view(1, 3, 1, 1)
    together = penalty.prox(u, steps)
    for run in range(3):
        alone = penalty.prox(u[:, run : run + 1], steps[0, run].item())
        torch.testing.assert_close(together[:, run : run + 1], alone, rtol=0, atol=0)


def test_no_proximal_part_is_none():
    assert Penalty(1.0, 0.0, None).in_coordinates(parametrization(4)) is None
    assert CoordinatePenalty.stack([None, None]) is None
    assert RidgeTerm.stack([None, None]) is None


@pytest.mark.parametrize("bounds", [("none", "none"), ("box", "box"), ("none", "positive")])
@pytest.mark.parametrize("sizes", [(4, 4), (2, 4)])
def test_stacked_penalties_are_the_penalties(sizes, bounds):
    maps = [parametrization(p, kind=diagonal, seed=20 * k) for k, p in enumerate(sizes)]
    parts = [
        Penalty(0.5 + k, 0.5, bounds_of(bounds[k], p)).in_coordinates(maps[k])
        for k, p in enumerate(sizes)
    ]
    stack = CoordinatePenalty.stack(parts)
    u = torch.zeros(2, 3, 2, max(sizes) + 1, dtype=torch.float64)
    for k, p in enumerate(sizes):
        u[k, ..., : p + 1] = random(3, 2, p + 1, seed=30 + k)
    for k, (part, p) in enumerate(zip(parts, sizes, strict=True)):
        own = u[k : k + 1, ..., : p + 1]
        torch.testing.assert_close(stack.value(u)[k : k + 1], part.value(own))
        torch.testing.assert_close(stack.prox(u, 0.3)[k : k + 1, ..., : p + 1], part.prox(own, 0.3))
        assert not stack.prox(u, 0.3)[k, ..., p + 1 :].any()
        for t in range(2):
            alone, narrow = stack.select(k, t), u[k : k + 1, :, t : t + 1]
            expected = stack.value(u)[k : k + 1, :, t : t + 1]
            torch.testing.assert_close(alone.value(narrow), expected)
            torch.testing.assert_close(
                alone.prox(narrow, 0.3), stack.prox(u, 0.3)[k : k + 1, :, t : t + 1]
            )


@pytest.mark.parametrize("with_matrix", [True, False])
@pytest.mark.parametrize("known", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("sizes", [(4, 4), (2, 4), (4, 2)])
def test_stacked_ridge_terms_are_the_terms(sizes, known, with_matrix):
    """Problems without a term are among them, also the one with the most coordinates."""
    terms = [
        RidgeTerm(
            torch.full((1, 1, 1), 0.5 + k, dtype=torch.float64),
            random(1, p, p, seed=40 + k) if with_matrix else None,
        )
        if known[k]
        else None
        for k, p in enumerate(sizes)
    ]
    stack = RidgeTerm.stack(terms)
    coef = torch.zeros(2, 3, 2, max(sizes), dtype=torch.float64)
    for k, p in enumerate(sizes):
        coef[k, ..., :p] = random(3, 2, p, seed=30 + k)
    values = stack(coef)
    for k, (term, p) in enumerate(zip(terms, sizes, strict=True)):
        own = coef[k : k + 1, ..., :p]
        expected = torch.zeros_like(own[..., 0]) if term is None else term(own)
        torch.testing.assert_close(values[k : k + 1], expected)
        torch.testing.assert_close(stack.select(k)(coef[k : k + 1]), expected)


def test_stacks_of_one_are_what_they_are_made_of():
    _, penalty = proximal()
    for ours, expected in zip(CoordinatePenalty.stack([penalty]), penalty, strict=True):
        assert ours is expected or torch.equal(ours, expected)
    term = RidgeTerm(torch.ones(1, 1, 1), random(1, 4, 4))
    for ours, expected in zip(RidgeTerm.stack([term]), term, strict=True):
        assert torch.equal(ours, expected)
