"""From moments to coordinates: whitening whitens, wide data are whitened in their row space."""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor
from sklearn_gd._moments import gram
from sklearn_gd._moments.tensor_moments import merge
from sklearn_gd._problem import precondition as module
from sklearn_gd._problem.least_squares import least_squares
from sklearn_gd._problem.precondition import precondition_moments
from sklearn_gd._problem.preconditioners import (
    DeficientPreconditioner,
    DensePreconditioner,
    RowSpacePreconditioner,
)
from tests._moments.reference import moments_of
from tests._problem.reference import matrix_of, random

RNG = np.random.default_rng(0)


def rows(shape=(80, 4), *, weighted=True):
    n, p = shape
    X = RNG.normal(size=(n, p)) @ RNG.normal(size=(p, p)) * 10.0 ** np.resize([0, 2, -2], p)
    y = X @ RNG.normal(size=(p, 2)) + RNG.normal(size=(n, 2))
    return X + RNG.normal(size=p), y, RNG.uniform(0.1, 1.0, n) if weighted else np.ones(n)


def covariance(X, weight, *, center=True):
    X = X - np.average(X, axis=0, weights=weight) * int(center)
    return X.T * weight @ X / weight.sum()


@pytest.mark.parametrize("center", [True, False])
def test_whitened_features_are_uncorrelated_with_unit_variance(center):
    X, y, weight = rows()
    preconditioned = precondition_moments(
        merge([moments_of(X, y, weight, center=center)]), "whiten", 0.0, None
    )
    matrix = matrix_of(preconditioned.preconditioner)
    whitened = matrix.T @ covariance(X, weight, center=center) @ matrix
    np.testing.assert_allclose(whitened, np.eye(4), rtol=0, atol=1e-11)
    assert not np.tril(matrix, -1).any()
    assert (np.diag(matrix) > 0).all()
    assert preconditioned.design is None


@pytest.mark.parametrize("center", [True, False])
def test_standardized_features_have_unit_variance(center):
    X, y, weight = rows()
    X[:, 2] = 5.0 if center else 0.0  # a column without deviation has no coordinate that moves
    moments = merge([moments_of(X, y, weight, center=center)])
    preconditioner = precondition_moments(moments, "standardize", 0.0, None).preconditioner
    deviation = np.sqrt(np.diag(covariance(X, weight, center=center)))
    deviation[2] = np.inf
    np.testing.assert_allclose(preconditioner.scale[0], 1 / deviation, rtol=1e-12)
    inverse = preconditioner.inverse[0].numpy()
    np.testing.assert_allclose(inverse[[0, 1, 3]], deviation[[0, 1, 3]], rtol=1e-12)
    assert inverse[2] == 0.0


DESIGNS = {
    "tall": rows(),
    "square": rows((6, 6)),
    "wide": rows((5, 9)),
    "duplicate": (lambda X, y, w: (X[:, [0, 1, 1, 2]], y, w))(*rows()),
    "constant": (lambda X, y, w: (X * [1, 0, 1, 1], y, w))(*rows()),
    "all constant": (lambda X, y, w: (0.0 * X + 3.0, y, w))(*rows()),
}


@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("name", DESIGNS)
def test_the_mean_squared_error_in_coordinates_is_that_of_the_rows(name, center, precondition):
    X, y, weight = DESIGNS[name]
    moments = merge([moments_of(X, y, weight, center=center)])
    preconditioner, design, target, residual_norm, ridge = precondition_moments(
        moments, precondition, 0.0, None
    )
    assert ridge is None
    v = random(1, 3, 2, preconditioner.n_coordinates, seed=7) * float(y.std())
    if name == "all constant" and center:
        v = 0.0 * v  # no gradient ever moves the coordinates
    coef = preconditioner.to_coef(v)[0].numpy()  # (runs, targets, p)
    fitted = v[0] if design is None else v[0] @ design.T
    value = (fitted - target.T).square().sum(-1) + residual_norm**2
    shift = int(center)
    X, y = (part - np.average(part, axis=0, weights=weight) * shift for part in (X, y))
    error = (np.einsum("np,rtp->rtn", X, coef) - y.T) ** 2
    expected = np.average(error, axis=-1, weights=weight)
    np.testing.assert_allclose(value, expected, rtol=1e-9)


def test_whitening_of_deficient_rank_lands_on_the_minimum_norm():
    for name in ("wide", "duplicate", "constant"):
        X, y, weight = DESIGNS[name]
        moments = merge([moments_of(X, y, weight)])
        preconditioned = precondition_moments(moments, "whiten", 0.0, None)
        coef = preconditioned.preconditioner.to_coef(preconditioned.target.T[None, None])[0, 0]
        root = np.sqrt(weight)[:, None]
        X, y = ((part - np.average(part, axis=0, weights=weight)) * root for part in (X, y))
        expected = (np.linalg.pinv(X, rcond=1e-10) @ y).T
        np.testing.assert_allclose(coef, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())
        back = preconditioned.preconditioner.from_coef(coef[None, None])[0, 0]
        np.testing.assert_allclose(back, preconditioned.target.T, rtol=1e-6, atol=1e-8)


def wide(n=6, p=15, *, weighted=True, seed=0):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, p)) + rng.normal(size=p), rng.normal(size=(n, 2))
    return X, y, rng.uniform(0.1, 1.0, n) if weighted else np.ones(n)


def ridge_by_normal_equations(X, y, weight, l2, *, center):
    """The minimum of the weighted mean squared error and l2/2·‖w‖², (targets, p)."""
    if center:
        X, y = (part - np.average(part, axis=0, weights=weight) for part in (X, y))
    weight = weight / weight.sum()
    matrix = (X.T * weight) @ X + l2 / 2 * np.eye(X.shape[1])
    return np.linalg.solve(matrix, (X.T * weight) @ y).T


def optimum_of(moments, precondition, l2):
    """Coefficients (targets, p) of the optimum in the coordinates of a preconditioner."""
    found = precondition_moments(moments, precondition, l2, None)
    if found.design is None:
        v = found.target.T
    else:
        design, target = found.design.numpy(), found.target.numpy()
        if found.ridge is not None:
            design = np.vstack([design, np.diag(np.sqrt(found.ridge.numpy()))])
            target = np.vstack([target, np.zeros((len(found.ridge), target.shape[1]))])
        v = torch.from_numpy(np.linalg.lstsq(design, target, rcond=1e-12)[0].T.copy())
    return found.preconditioner.to_coef(v[None, None])[0, 0].numpy()


@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("shape", [(6, 15), (1, 4), (14, 15), (2, 3)])
@pytest.mark.parametrize("l2", [1e-6, 0.3, 1e4])
def test_ridge_of_wide_data(l2, shape, center, precondition):
    X, y, weight = wide(*shape)
    moments = merge([moments_of(X, y, weight, center=center)])
    coef = optimum_of(moments, precondition, l2)
    expected = ridge_by_normal_equations(X, y, weight, l2, center=center)
    np.testing.assert_allclose(coef, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("is_certified", [True, False])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_both_factorizations_of_the_rows_whiten(l2, center, is_certified, monkeypatch):
    if not is_certified:
        monkeypatch.setattr(gram, "_CERTAIN", 0.0)
    X, y, weight = wide()
    moments = merge([moments_of(X, y, weight, center=center)])
    preconditioned = precondition_moments(moments, "whiten", l2, None)
    preconditioner = preconditioned.preconditioner
    assert isinstance(preconditioner, RowSpacePreconditioner)
    matrix = matrix_of(preconditioner)
    hessian = matrix.T @ (covariance(X, weight, center=center) + l2 / 2 * np.eye(15)) @ matrix
    np.testing.assert_allclose(hessian, np.eye(len(hessian)), rtol=0, atol=1e-10)
    expected = ridge_by_normal_equations(X, y, weight, l2 or 1e-10, center=center)
    if not l2:
        root = np.sqrt(weight)[:, None]
        X, y = (
            (part - np.average(part, axis=0, weights=weight) * int(center)) * root
            for part in (X, y)
        )
        expected = (np.linalg.pinv(X, rcond=1e-10) @ y).T
    coef = preconditioner.to_coef(preconditioned.target.T[None, None])[0, 0]
    np.testing.assert_allclose(coef, expected, rtol=1e-8, atol=1e-10)
    back = preconditioner.from_coef(coef[None, None])[0, 0]
    np.testing.assert_allclose(back, preconditioned.target.T, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_no_tensor_is_larger_than_the_wide_data(l2, precondition):
    n, p = 7, 400
    X, y, weight = wide(n, p)
    moments = merge([moments_of(X, y, weight)])
    found = precondition_moments(moments, precondition, l2, None)
    one = torch.ones(2, dtype=torch.float64)
    objective = least_squares(moments, found, one, with_means=precondition is None)

    def tensors(value):
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, tuple):
            for part in value:
                yield from tensors(part)

    sizes = [tensor.numel() for tensor in tensors((found, objective))]
    assert max(sizes) <= (n + 1) * (p + 1)
    if precondition == "whiten":
        assert found.preconditioner.n_coordinates <= n


UNITS = [np.zeros(9), np.linspace(-5, 5, 9), np.linspace(10, -10, 9), np.resize([10, -10], 9)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("units", UNITS, ids=["ones", "1e±5", "1e±10", "alternating 1e±10"])
@pytest.mark.parametrize("shape", [(40, 9), (5, 9), (9, 9)])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_fit_comes_before_the_norm(noise, shape, units):
    """Whatever the units of dependent columns, loss_ is the loss of predict."""
    n, p = shape
    for seed in range(5):
        rng = np.random.default_rng(seed)
        base = rng.normal(size=(n, 5))
        X = np.hstack([base, base @ rng.normal(size=(5, p - 5))]) * 10.0**units
        X = X[:, rng.permutation(p)]
        y = base @ rng.normal(size=5) + noise * rng.normal(size=n)
        model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
        loss = np.mean((model.predict(X) - y) ** 2)
        assert model.loss_ == pytest.approx(loss, rel=1e-10, abs=1e-24 * np.var(y))
        centred = (base - base.mean(axis=0), y - y.mean())
        rest = np.linalg.lstsq(*centred, rcond=1e-10)[0]
        best = np.mean((centred[1] - centred[0] @ rest) ** 2)
        assert loss <= best * (1 + 1e-8) + 1e-16 * np.var(y)
        if np.ptp(units) <= 0:
            coef = np.linalg.pinv(X - X.mean(axis=0), rcond=1e-10) @ centred[1]
            np.testing.assert_allclose(model.coef_, coef, rtol=0, atol=1e-9 * np.abs(coef).max())


@pytest.mark.parametrize("position", [0, 2, 4])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
@pytest.mark.parametrize("n", [40, 3])
@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_a_constant_column_gets_no_coefficient(l2, n, constant, position):
    X, y, _ = wide(n, 4, weighted=False)
    spoiled = np.insert(X, position, constant, axis=1)
    with_it, without = (
        GDLinearRegressor(lr="auto", epochs=20, alpha=l2).fit(data, y) for data in (spoiled, X)
    )
    assert not with_it.coef_[:, position].any()
    coef = np.delete(with_it.coef_, position, axis=1)
    np.testing.assert_allclose(coef, without.coef_, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("n", [40, 3])
def test_a_constant_column_does_not_move_the_optimum_that_is_known(n):
    X, y, weight = wide(n, 6)
    X[:, 2] = 5.0
    moments = merge([moments_of(X, y, weight)])
    found = precondition_moments(moments, "standardize", 0.3, None)
    one = torch.ones(2, dtype=torch.float64)
    objective = least_squares(moments, found, one, with_means=False)
    coef = ridge_by_normal_equations(X, y, weight, 0.3, center=True)
    X, y = (part - np.average(part, axis=0, weights=weight) for part in (X, y))
    expected = np.average((X @ coef.T - y) ** 2, axis=0, weights=weight)
    expected = expected + 0.15 * (coef**2).sum(axis=1)
    np.testing.assert_allclose(objective.optimum(), expected, rtol=1e-9)


def test_kinds_of_whitening():
    for name, kind in [
        ("tall", DensePreconditioner),
        ("duplicate", DeficientPreconditioner),
        ("wide", RowSpacePreconditioner),
    ]:
        moments = merge([moments_of(*DESIGNS[name])])
        found = precondition_moments(moments, "whiten", 0.0, None)
        assert isinstance(found.preconditioner, kind)


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (1, 5), (5, 1)])
def test_the_map_of_minimum_norm(shape):
    """w = N·c minimizes ‖c − G·w‖² + ‖w‖²."""
    dependence = RNG.normal(size=shape)
    found = module._norm_map(torch.from_numpy(dependence))
    expected = np.linalg.solve(np.eye(shape[1]) + dependence.T @ dependence, dependence.T)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
