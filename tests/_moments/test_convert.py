"""Moments of the terms of one polynomial basis, from those of another."""

import numpy as np
import pytest

from sklearn_gd._data.polynomial import legendre_basis, monomial_basis
from sklearn_gd._moments.convert import convert_moments
from tests._moments.reference import assert_moments, expected_moments, moments_of

RNG = np.random.default_rng(0)


BASES = {
    "powers to powers": (monomial_basis(2, 3, interaction_only=False),) * 2,
    "legendre to legendre": tuple(
        legendre_basis(
            np.full(2, low), np.full(2, low + 3.0), 3, interaction_only=False, center=True
        )
        for low in (-1.0, 0.5)
    ),
    "legendre to powers": (
        legendre_basis(np.full(2, -1.0), np.full(2, 4.0), 3, interaction_only=False, center=True),
        monomial_basis(2, 3, interaction_only=False),
    ),
}


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("name", BASES)
def test_moments_in_another_basis_of_no_higher_degree(name, center, degree):
    columns, basis = BASES[name]
    basis = basis._replace(degree=degree)
    if not center and columns.is_legendre:  # only then is a map shifted
        columns = columns._replace(center=np.zeros(2))
        basis = basis._replace(center=np.zeros(2))
    x = RNG.uniform(-1.0, 4.0, size=(40, 2))
    y = RNG.normal(size=(40, 1))

    def expand(terms):
        return terms.expand(x, np.empty((terms.n_expanded, len(x)))).T

    moments = convert_moments(moments_of(expand(columns), y, center=center), columns, basis)
    assert_moments(moments, expected_moments(expand(basis), y, center=center), rtol=1e-9)


def test_nothing_to_convert():
    moments = moments_of(RNG.normal(size=(30, 3)), RNG.normal(size=(30, 2)))
    assert convert_moments(None, None, None) is None
    assert convert_moments(moments, None, None) is moments
