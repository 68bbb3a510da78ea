"""Inverses of triangles and products with the transpose, by torch and by LAPACK and BLAS."""

import numpy as np
import pytest
import torch

from sklearn_gd._moments import triangle as module
from sklearn_gd._moments.triangle import gram_of_rows, inverse_of_triangle


@pytest.fixture(params=["torch", "lapack"])
def library(request, monkeypatch):
    """Small matrices computed by torch, as they are, and by the libraries of the large ones."""
    if request.param == "lapack":
        monkeypatch.setattr(module, "_SMALL_TRIANGLE", 0)
        monkeypatch.setattr(module, "_SMALL_GRAM", 0)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("n", [0, 1, 2, 30])
def test_inverse(n, upper):
    full = np.random.default_rng(0).normal(size=(n, n)) + 5 * n * np.eye(n)
    triangle = np.triu(full) if upper else np.tril(full)
    inverse = inverse_of_triangle(torch.from_numpy(triangle), upper=upper)
    np.testing.assert_allclose(inverse, np.linalg.inv(triangle), rtol=0, atol=1e-14)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_zero_on_the_diagonal_gives_no_finite_inverse(place):
    triangle = torch.ones(3, 3, dtype=torch.float64).triu()
    triangle[place, place] = 0.0
    assert not torch.isfinite(inverse_of_triangle(triangle, upper=True)).all()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("shape", [(1, 4), (5, 3), (3, 0)])
def test_gram_of_rows(shape):
    table = np.random.default_rng(0).normal(size=shape)
    gram = gram_of_rows(torch.from_numpy(table))
    np.testing.assert_allclose(gram, table @ table.T, rtol=0, atol=1e-14)
