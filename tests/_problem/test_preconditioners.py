"""Preconditioners are linear maps."""

import numpy as np
import pytest
import torch

from sklearn_gd._problem.preconditioners import (
    DensePreconditioner,
    DiagonalPreconditioner,
    stack_preconditioners,
)
from tests._problem.reference import (
    deficient,
    dense,
    diagonal,
    matrix_of,
    random,
    row_space,
    row_space_of_deficient_rank,
)

SQUARE = [diagonal, dense]
NARROW = [deficient, row_space, row_space_of_deficient_rank]


@pytest.mark.parametrize("kind", SQUARE)
def test_the_two_maps_are_inverse(kind):
    preconditioner = kind(4)
    v = random(1, 3, 2, 4, seed=5)
    there_and_back = preconditioner.from_coef(preconditioner.to_coef(v))
    torch.testing.assert_close(there_and_back, v, rtol=1e-12, atol=1e-12)
    back_and_there = preconditioner.to_coef(preconditioner.from_coef(v))
    torch.testing.assert_close(back_and_there, v, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", NARROW)
def test_fewer_coordinates_than_coefficients_come_back(kind):
    """And coefficients come back as far as the coordinates can tell them."""
    preconditioner = kind(4)
    v = random(1, 3, 2, preconditioner.n_coordinates, seed=5)
    coef = preconditioner.to_coef(v)
    assert preconditioner.n_coordinates < coef.shape[-1] == 4
    torch.testing.assert_close(preconditioner.from_coef(coef), v, rtol=1e-12, atol=1e-12)
    w = random(1, 3, 2, 4, seed=8)
    once = preconditioner.to_coef(preconditioner.from_coef(w))
    twice = preconditioner.to_coef(preconditioner.from_coef(once))
    torch.testing.assert_close(twice, once, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 1, 1), (2, 4, 0), (4, 2, 2)])
def test_dependent_columns_get_the_minimum_norm(shape):
    """Of all coefficients with the same fit, by NumPy's pseudoinverse of [I G]."""
    rank, others, constant = shape
    preconditioner = deficient(sum(shape), others=others, constant=constant)
    v = random(1, 2, 2, rank, seed=5)
    coef = preconditioner.to_coef(v)[0].numpy()
    matrix, dependence = preconditioner.matrix[0].numpy(), preconditioner.dependence[0].numpy()
    table = np.hstack([np.eye(rank), dependence, np.zeros((rank, constant))])
    table = table[:, preconditioner.order[0].numpy()]
    expected = v[0].numpy() @ matrix.T @ np.linalg.pinv(table).T
    np.testing.assert_allclose(coef, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kind", SQUARE + NARROW)
def test_coefficients_and_rows_are_products_with_one_matrix(kind):
    preconditioner, x = kind(4), random(6, 4, seed=6)
    matrix = matrix_of(preconditioner)
    v = random(1, 3, 2, preconditioner.n_coordinates, seed=5)
    coef = preconditioner.to_coef(v)
    np.testing.assert_allclose(coef[0], v[0].numpy() @ matrix.T, rtol=1e-12, atol=1e-14)
    z = preconditioner.transform(x)
    np.testing.assert_allclose(z, x.numpy() @ matrix, rtol=1e-12, atol=1e-14)
    # so that a prediction is the same in both coordinates
    torch.testing.assert_close(coef[0, 0] @ x.T, v[0, 0] @ z.T, rtol=1e-12, atol=1e-12)
    assert preconditioner.n_coordinates == matrix.shape[1]


@pytest.mark.parametrize("kind", NARROW)
def test_the_same_map_as_a_matrix(kind):
    preconditioner, x = kind(4), random(6, 4, seed=6)
    made = preconditioner.to_dense()
    assert isinstance(made, DensePreconditioner)
    np.testing.assert_allclose(made.matrix[0], matrix_of(preconditioner), rtol=1e-12, atol=1e-14)
    v, w = random(1, 3, 2, preconditioner.n_coordinates, seed=5), random(1, 3, 2, 4, seed=8)
    torch.testing.assert_close(made.to_coef(v), preconditioner.to_coef(v))
    torch.testing.assert_close(made.from_coef(w), preconditioner.from_coef(w))
    torch.testing.assert_close(made.transform(x), preconditioner.transform(x))
    alone = preconditioner.select(0)
    assert type(alone) is type(preconditioner)
    torch.testing.assert_close(alone.to_coef(v), preconditioner.to_coef(v), rtol=0, atol=0)


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


@pytest.mark.parametrize("kinds", [(deficient, dense), (row_space, deficient), NARROW[1:]])
def test_stacked_problems_of_any_kind_are_the_problems(kinds):
    parts = [kind(4, seed=k) for k, kind in enumerate(kinds)]
    sizes = [part.n_coordinates for part in parts]
    stack = stack_preconditioners(parts)
    v = torch.zeros(2, 3, 2, max(sizes), dtype=torch.float64)
    for k, size in enumerate(sizes):
        v[k, ..., :size] = random(3, 2, size, seed=10 + k)
    coef = stack.to_coef(v)
    for k, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        torch.testing.assert_close(coef[k : k + 1], part.to_coef(v[k : k + 1, ..., :size]))
        back = stack.select(k).from_coef(coef[k : k + 1])
        torch.testing.assert_close(back, v[k : k + 1])


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
