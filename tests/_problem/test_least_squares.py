"""The mean squared error on a few rows of a factor is that on all rows."""

import numpy as np
import pytest
import torch

from sklearn_gd._moments.tensor_moments import merge
from sklearn_gd._problem.least_squares import (
    LeastSquares,
    least_squares,
    validation_least_squares,
)
from sklearn_gd._problem.precondition import precondition_moments
from tests._moments.reference import moments_of
from tests._problem.reference import dense, diagonal, model_of, parametrization, random

RNG = np.random.default_rng(0)


def objective(m=4, coordinates=3, targets=2, *, identity=False, seed=0):
    """‖u·design − target‖² + residual of one problem, and the parts that it is made of."""
    design = None if identity else random(m, coordinates, seed=seed)
    target = random(m, targets, seed=seed + 1)
    residual_norm, y_scale = random(targets, seed=seed + 2), random(targets, seed=seed + 3).exp()
    made = LeastSquares.of(design, target, residual_norm, y_scale)
    return made, (design, target, residual_norm, y_scale)


def with_ridge(m=4, coordinates=3, *, free=0, seed=0):
    """The same with a ridge, of which the first ``free`` coordinates are free."""
    _, parts = objective(m, coordinates, seed=seed)
    ridge = random(coordinates, seed=seed + 4).exp()
    ridge[:free] = 0.0
    return LeastSquares.of(*parts, ridge), (*parts, ridge)


@pytest.mark.parametrize("free", [0, 1])
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 9), (1, 3)])
def test_value_and_optimum_with_a_ridge(shape, free):
    """By NumPy, where the ridge is further rows of the design."""
    made, (design, target, residual_norm, y_scale, ridge) = with_ridge(*shape, free=free)
    table = np.vstack([design.numpy(), np.diag(np.sqrt(ridge.numpy()))])
    goal = np.vstack([(target / y_scale).numpy(), np.zeros((shape[1], 2))])
    outside = (residual_norm / y_scale).numpy() ** 2
    u = random(1, 5, 2, shape[1], seed=9)
    expected = ((u[0].numpy() @ table.T - goal.T) ** 2).sum(-1) + outside
    np.testing.assert_allclose(made(u)[0], expected, rtol=1e-12)
    solution = np.linalg.lstsq(table, goal, rcond=None)[0]
    best = ((table @ solution - goal) ** 2).sum(0) + outside
    np.testing.assert_allclose(made.optimum(), best, rtol=1e-12)
    assert made.select(0, 1).optimum().item() == pytest.approx(best[1], rel=1e-12)


def test_the_optimum_of_a_tiny_ridge_and_equal_rows():
    """Two equal rows of different targets: nothing fits them closer than their mean."""
    design = torch.tensor([[1e6, 2e6, 1.0], [1e6, 2e6, 1.0], [-1e6, 3.0, 5e6]], dtype=torch.float64)
    target = torch.tensor([[1.0], [3.0], [7.0]], dtype=torch.float64)
    zeros = torch.zeros(1, dtype=torch.float64)
    ridge = torch.full((3,), 1e-18, dtype=torch.float64)
    objective = LeastSquares.of(design, target, zeros, torch.ones_like(zeros), ridge)
    assert objective.optimum().item() == pytest.approx(2.0, rel=1e-6)


def test_a_ridge_of_zeros_is_no_ridge():
    made, parts = objective(5, 3)
    zeros = LeastSquares.of(*parts, torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(zeros.optimum(), made.optimum())
    u = random(1, 5, 2, 3, seed=9)
    torch.testing.assert_close(zeros(u), made(u))


@pytest.mark.parametrize("kinds", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("sizes", [(3, 3), (2, 4), (4, 2)])
def test_stacked_ridges_are_the_ridges(sizes, kinds):
    """Also where one problem has no ridge, or is whitened."""
    parts = [
        with_ridge(4, size, seed=10 * k)[0] if has_ridge else objective(4, size, seed=10 * k)[0]
        for k, (size, has_ridge) in enumerate(zip(sizes, kinds, strict=True))
    ]
    stack = LeastSquares.stack(parts)
    u = torch.zeros(2, 3, 2, max(sizes), dtype=torch.float64)
    for k, size in enumerate(sizes):
        u[k, ..., :size] = random(3, 2, size, seed=20 + k)
    values = stack(u)
    for k, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        torch.testing.assert_close(values[k : k + 1], part(u[k : k + 1, ..., :size]))
        for t in range(2):
            alone = stack.select(k, t)
            torch.testing.assert_close(
                alone(u[k : k + 1, :, t : t + 1]), values[k : k + 1, :, t : t + 1]
            )
            torch.testing.assert_close(alone.optimum(), part.select(0, t).optimum())


@pytest.mark.parametrize("identity", [True, False])
def test_value(identity):
    made, (design, target, residual_norm, y_scale) = objective(identity=identity)
    u = random(1, 5, 2, 4 if identity else 3, seed=9)
    design = np.eye(4) if identity else design.numpy()
    for run in range(5):
        for k in range(2):
            error = design @ u[0, run, k].numpy() - target[:, k].numpy() / y_scale[k].item()
            expected = error @ error + (residual_norm[k] / y_scale[k]).item() ** 2
            assert made(u)[0, run, k].item() == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (4, 4)])
def test_optimum_is_that_of_lstsq(shape):
    made, (design, target, residual_norm, y_scale) = objective(*shape)
    target = (target / y_scale).numpy()
    solution = np.linalg.lstsq(design.numpy(), target, rcond=None)[0]
    expected = ((design.numpy() @ solution - target) ** 2).sum(0) + (
        residual_norm / y_scale
    ).numpy() ** 2
    np.testing.assert_allclose(made.optimum(), expected, rtol=1e-12, atol=1e-14)
    at_solution = made(torch.from_numpy(solution.T.copy())[None, None])[0, 0]
    np.testing.assert_allclose(at_solution, expected, rtol=1e-12, atol=1e-14)


def test_optimum_of_dependent_columns_and_of_the_identity():
    design = random(5, 3)
    design[:, 2] = design[:, 0] - design[:, 1]
    target = random(5, 1, seed=1)
    one = torch.ones(1, dtype=torch.float64)
    made = LeastSquares.of(design, target, 0 * one, one)
    solution = np.linalg.lstsq(design.numpy(), target.numpy(), rcond=1e-10)[0]
    expected = ((design.numpy() @ solution - target.numpy()) ** 2).sum()
    assert made.optimum().item() == pytest.approx(expected, rel=1e-12)
    whitened, (_, _, residual_norm, y_scale) = objective(identity=True)
    expected = (residual_norm / y_scale) ** 2  # any target is reached
    np.testing.assert_allclose(whitened.optimum(), expected, rtol=1e-14)


@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_optimum_on_rows(fit_intercept, precondition):
    X = RNG.normal(size=(60, 4)) * [1.0, 10.0, 0.1, 1.0] + 1.0
    y = X @ RNG.normal(size=(4, 2)) + RNG.normal(size=(60, 2))
    weight = RNG.uniform(0.1, 1.0, size=60)
    moments = merge([moments_of(X, y, weight, center=fit_intercept)])
    y_scale = moments.deviations()[1]
    made = least_squares(
        moments,
        precondition_moments(moments, precondition, 0.0, None),
        y_scale,
        with_means=fit_intercept and precondition is None,
    )
    root = np.sqrt(weight / weight.sum())[:, None]
    table = np.column_stack([np.ones(60), X]) if fit_intercept else X
    solution = np.linalg.lstsq(table * root, y * root, rcond=None)[0]
    expected = (((table @ solution - y) * root) ** 2).sum(axis=0) / y_scale.numpy() ** 2
    np.testing.assert_allclose(made.optimum(), expected, rtol=1e-10)


@pytest.mark.parametrize("kind", [dense, diagonal])
@pytest.mark.parametrize("has_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_other_rows_in_the_coordinates_of_a_descent(weighted, has_intercept, kind):
    X, y = RNG.normal(size=(30, 3)) + 2.0, RNG.normal(size=(30, 2))
    weight = RNG.uniform(0.1, 1.0, size=30) if weighted else None
    map_ = parametrization(kind=kind, has_intercept=has_intercept)
    for n in (30, 2):
        part = X[:n], y[:n], None if weight is None else weight[:n]
        made = validation_least_squares(moments_of(*part), map_)
        u = random(1, 4, 2, 3 + has_intercept, seed=9)
        for run in range(4):
            for k in range(2):
                coef, intercept = model_of((map_, k), u[0, run, k].numpy())
                error = (part[0] @ coef + intercept - part[1][:, k]) ** 2
                expected = (
                    np.average(error, weights=part[2]) / map_.scaling.y_scale[0, 0, k].item() ** 2
                )
                assert made(u)[0, run, k].item() == pytest.approx(expected, rel=1e-11)


def same(ours, expected):
    for one, two in zip(ours, expected, strict=True):
        assert (one is None) == (two is None)
        if one is not None:
            torch.testing.assert_close(one, two, rtol=0, atol=0)


@pytest.mark.parametrize("identity", [(True, True), (False, False), (True, False)])
@pytest.mark.parametrize("m", [(4, 4), (5, 3)])
def test_stacked_problems_are_the_problems(m, identity):
    """Also with different numbers of coordinates; where none is, no gradient comes from."""
    sizes = [m[k] if identity[k] else 3 - k for k in range(2)]
    parts = [objective(m[k], sizes[k], identity=identity[k], seed=10 * k)[0] for k in range(2)]
    stack = LeastSquares.stack(parts)
    u = torch.zeros(2, 3, 2, max(sizes), dtype=torch.float64)
    for k in range(2):
        u[k, ..., : sizes[k]] = random(3, 2, sizes[k], seed=20 + k)
    u.requires_grad_()
    values = stack(u)
    for k in range(2):
        own = u[k : k + 1, ..., : sizes[k]]
        torch.testing.assert_close(values[k : k + 1], parts[k](own), rtol=1e-13, atol=1e-13)
        for t in range(2):
            alone = stack.select(k, t)(u[k : k + 1, :, t : t + 1])
            torch.testing.assert_close(alone, values[k : k + 1, :, t : t + 1])
    (gradient,) = torch.autograd.grad(values.sum(), u)
    for k in range(2):
        assert not gradient[k, ..., sizes[k] :].any()


def test_stack_of_selected_problems_is_the_stack():
    parts = [objective(seed=10 * k)[0] for k in range(3)]
    stack = LeastSquares.stack(parts)
    for t in range(2):
        again = LeastSquares.stack([stack.select(k, t) for k in range(3)])
        same(again, LeastSquares.stack([part.select(0, t) for part in parts]))
        for k, part in enumerate(parts):
            same(stack.select(k, t), part.select(0, t))


def test_all_rows_are_the_only_batch():
    made, _ = objective()
    assert list(made.batches(3)) == [(made, 1.0)]
    assert made.entries_per_run == 8
