"""Preconditioners are linear maps, and whitening whitens."""

import numpy as np
import pytest
import torch

from sklearn_gd._moments.moments import merge
from sklearn_gd._problem.preconditioners import (
    DensePreconditioner,
    DiagonalPreconditioner,
    precondition_moments,
    stack_preconditioners,
)
from tests._moments.reference import moments_of
from tests._problem.reference import dense, diagonal, matrix_of, random

KINDS = [diagonal, dense]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_two_maps_are_inverse(kind):
    preconditioner = kind(4)
    v = random(1, 3, 2, 4, seed=5)
    there_and_back = preconditioner.from_coef(preconditioner.to_coef(v))
    torch.testing.assert_close(there_and_back, v, rtol=1e-12, atol=1e-12)
    back_and_there = preconditioner.to_coef(preconditioner.from_coef(v))
    torch.testing.assert_close(back_and_there, v, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_coefficients_and_rows_are_products_with_one_matrix(kind):
    preconditioner, x = kind(4), random(6, 4, seed=6)
    v, matrix = random(1, 3, 2, 4, seed=5), matrix_of(preconditioner)
    coef = preconditioner.to_coef(v)
    np.testing.assert_allclose(coef[0], v[0].numpy() @ matrix.T, rtol=1e-13)
    z = preconditioner.transform(x)
    np.testing.assert_allclose(z, x.numpy() @ matrix, rtol=1e-13)
    # so that a prediction is the same in both coordinates
    torch.testing.assert_close(coef[0, 0] @ x.T, v[0, 0] @ z.T, rtol=1e-12, atol=1e-12)
    assert preconditioner.n_coordinates == 4


@pytest.mark.parametrize("p", [1, 4])
def test_a_diagonal_is_a_dense_one(p):
    one = stack_preconditioners([diagonal(p, seed=k) for k in range(2)])
    two = one.to_dense()
    assert isinstance(two, DensePreconditioner)
    assert two.to_dense() is two
    v, x = random(2, 3, 2, p, seed=5), random(6, p, seed=6)
    for name in ("to_coef", "from_coef"):
        torch.testing.assert_close(getattr(one, name)(v), getattr(two, name)(v))
    for problem in range(2):
        torch.testing.assert_close(
            one.select(problem).transform(x), two.select(problem).transform(x)
        )


def test_a_scale_of_zero_moves_nothing_and_comes_from_nothing():
    scale = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
    inverse = torch.tensor([[0.5, 0.0]], dtype=torch.float64)
    preconditioner = DiagonalPreconditioner(scale, inverse)
    v = torch.full((1, 1, 1, 2), 3.0, dtype=torch.float64)
    assert preconditioner.to_coef(v).ravel().tolist() == [6.0, 0.0]
    assert preconditioner.from_coef(v).ravel().tolist() == [1.5, 0.0]


@pytest.mark.parametrize("kinds", [(diagonal, diagonal), (dense, dense), (diagonal, dense)])
@pytest.mark.parametrize("sizes", [(3, 3), (2, 4), (4, 2)])
def test_stacked_problems_are_the_problems(sizes, kinds):
    parts = [kind(p, seed=k) for k, (kind, p) in enumerate(zip(kinds, sizes, strict=True))]
    stack = stack_preconditioners(parts)
    assert isinstance(stack, DiagonalPreconditioner) == (kinds == (diagonal, diagonal))
    v = torch.zeros(2, 3, 2, max(sizes), dtype=torch.float64)
    for k, p in enumerate(sizes):
        v[k, ..., :p] = random(3, 2, p, seed=10 + k)
    coef, back = stack.to_coef(v), stack.from_coef(v)
    for k, (part, p) in enumerate(zip(parts, sizes, strict=True)):
        own = v[k : k + 1, ..., :p]
        torch.testing.assert_close(coef[k : k + 1, ..., :p], part.to_coef(own))
        torch.testing.assert_close(back[k : k + 1, ..., :p], part.from_coef(own))
        assert not coef[k, ..., p:].any()
        assert not back[k, ..., p:].any()
        alone = stack.select(k)
        torch.testing.assert_close(alone.to_coef(v[k : k + 1]), coef[k : k + 1])
        if sizes[0] == sizes[1] and kinds[0] is kinds[1]:  # the stack of one is the problem
            for ours, expected in zip(alone, part, strict=True):
                torch.testing.assert_close(ours, expected, rtol=0, atol=0)


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
        merge([moments_of(X, y, weight, center=center)]), "whiten"
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
    preconditioner = precondition_moments(moments, "standardize").preconditioner
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
    preconditioner, design, target, residual_norm = precondition_moments(moments, precondition)
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
        preconditioned = precondition_moments(merge([moments_of(X, y, weight)]), "whiten")
        coef = preconditioned.preconditioner.to_coef(preconditioned.target.T[None, None])[0, 0]
        root = np.sqrt(weight)[:, None]
        X, y = ((part - np.average(part, axis=0, weights=weight)) * root for part in (X, y))
        expected = (np.linalg.pinv(X, rcond=1e-10) @ y).T
        np.testing.assert_allclose(coef, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())
        back = preconditioned.preconditioner.from_coef(coef[None, None])[0, 0]
        np.testing.assert_allclose(back, preconditioned.target.T, rtol=1e-6, atol=1e-8)
