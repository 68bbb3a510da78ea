"""The polynomial basis against PolynomialFeatures, numpy.polynomial and exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from numpy.polynomial import Polynomial, legendre
from scipy import sparse
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd._data.polynomial import (
    PolynomialBasis,
    legendre_basis,
    monomial_basis,
    well_conditioned_basis,
)

RNG = np.random.default_rng(0)
SHAPES = [(1, 1), (1, 6), (2, 3), (3, 2), (4, 4), (5, 1)]  # features, degree


def bases(n_features, degree, *, interaction_only=False, center=True):
    """A basis of plain powers, and one of Legendre polynomials on a range of its own."""
    low = RNG.uniform(-4.0, -1.0, n_features)
    high = low + RNG.uniform(1.0, 5.0, n_features)
    powers = monomial_basis(n_features, degree, interaction_only=interaction_only)
    return powers, legendre_basis(
        low, high, degree, interaction_only=interaction_only, center=center
    )


def terms_of(basis, x):
    """The columns by their definition: products of B_0 = 1 and B_k = t·P_{k-1}(t), or of t^k."""
    t = (x - basis.center) / basis.half_width

    def factor(j, k):
        if k == 0 or not basis.is_legendre:
            return t[:, j] ** k
        return t[:, j] * legendre.legval(t[:, j], [0.0] * (k - 1) + [1.0])

    return np.stack(
        [np.prod([factor(j, k) for j, k in enumerate(row)], axis=0) for row in basis.powers()],
        axis=1,
    )


@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize(("n_features", "degree"), SHAPES)
def test_plain_powers_are_polynomial_features(n_features, degree, interaction_only):
    basis, _ = bases(n_features, degree, interaction_only=interaction_only)
    x = RNG.normal(size=(7, n_features))
    reference = PolynomialFeatures(
        degree, interaction_only=interaction_only, include_bias=False
    ).fit(x)
    np.testing.assert_array_equal(basis.powers(), reference.powers_)
    out = np.empty((len(reference.powers_), 7))
    assert np.shares_memory(basis.expand(x, out), out)
    np.testing.assert_allclose(out.T, reference.transform(x), rtol=1e-13)


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize(("n_features", "degree"), SHAPES)
def test_columns_are_products_of_legendre_polynomials(n_features, degree, interaction_only, kind):
    x = RNG.normal(size=(7, n_features))
    for basis in bases(n_features, degree, interaction_only=interaction_only):
        expected = terms_of(basis, x)
        terms = basis.expand(kind(x), kind(np.empty(expected.T.shape)))
        np.testing.assert_allclose(np.asarray(terms).T, expected, rtol=1e-12, atol=1e-12)


def test_no_column_but_the_constant_has_a_value_at_the_center():
    for basis in bases(3, 4):
        terms = basis.expand(basis.center[None], np.empty((len(basis.powers()), 1)))
        np.testing.assert_array_equal(terms, 0.0)


@pytest.mark.parametrize("center", [True, False])
def test_a_basis_maps_its_range_to_one(center):
    low, high = np.array([-3.0, 2.0, 5.0]), np.array([1.0, 10.0, 5.0])
    basis = legendre_basis(low, high, 2, interaction_only=False, center=center)
    mapped = (np.stack([low, high]) - basis.center) / basis.half_width
    if center:
        np.testing.assert_allclose(mapped, [[-1, -1, 0], [1, 1, 0]], atol=1e-15)
    else:  # scaled without a shift, so that the span is that of the plain powers
        np.testing.assert_array_equal(basis.center, 0.0)
        np.testing.assert_allclose(np.abs(mapped).max(axis=0), 1.0)
    constant = legendre_basis(low[:1] * 0, high[:1] * 0, 2, interaction_only=False, center=center)
    assert constant.half_width.tolist() == [1.0]


def test_a_range_may_be_as_large_as_numbers_are():
    large = np.array([1.5e308])
    basis = legendre_basis(-large, large, 2, interaction_only=False, center=True)
    assert np.isfinite([basis.center, basis.half_width]).all()


def exact_coefficients(k, center, half_width):
    """B_k of mapped inputs in powers of the input, by Bonnet's recursion on fractions."""
    t = [-Fraction(center) / Fraction(half_width), 1 / Fraction(half_width)]

    def times(a, b):
        product = [Fraction(0)] * (len(a) + len(b) - 1)
        for i, left in enumerate(a):
            for j, right in enumerate(b):
                product[i + j] += left * right
        return product

    def plus(a, b):
        longer = max(len(a), len(b))
        a, b = (list(part) + [Fraction(0)] * (longer - len(part)) for part in (a, b))
        return [left + right for left, right in zip(a, b, strict=True)]

    before, last = [Fraction(1)], t
    values = [before, last]
    for n in range(1, k):
        rising = times([Fraction(2 * n + 1, n + 1)], times(t, last))
        rising = plus(rising, times([Fraction(-n, n + 1)], before))
        before, last = last, rising
        values.append(last)
    return [Fraction(1)] if k == 0 else times(t, values[k - 1])


@pytest.mark.parametrize("degree", [1, 2, 5, 10])
def test_coefficients_in_powers_are_exact(degree):
    basis = PolynomialBasis(np.array([0.75]), np.array([1.5]), degree, False, True)
    coef, intercept = basis.convert(np.eye(degree), np.zeros(degree), basis.monomials())
    for k in range(1, degree + 1):
        exact = np.array([float(c) for c in exact_coefficients(k, 0.75, 1.5)])
        ours = np.concatenate([[intercept[k - 1]], coef[k - 1]])
        error = np.abs(ours[: k + 1] - exact)
        assert error.max() <= 1e-14 * np.abs(exact).max()
        assert not ours[k + 1 :].any()


def test_one_feature_is_a_numpy_polynomial():
    basis = bases(1, 5)[1]
    coef, intercept = RNG.normal(size=(1, 5)), RNG.normal(size=1)
    plain, constant = basis.convert(coef, intercept, basis.monomials())
    polynomial = Polynomial([constant[0], *plain[0]])
    x = np.linspace(-4.0, 5.0, 11)
    expected = terms_of(basis, x[:, None]) @ coef[0] + intercept[0]
    np.testing.assert_allclose(polynomial(x), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize(("n_features", "degree"), SHAPES)
def test_conversion_keeps_the_polynomial_there_and_back(n_features, degree, interaction_only):
    one = bases(n_features, degree, interaction_only=interaction_only)
    two = bases(n_features, degree, interaction_only=interaction_only)
    x = RNG.uniform(-2.0, 2.0, size=(9, n_features))
    n_terms = len(one[0].powers())
    coef, intercept = RNG.normal(size=(2, n_terms)), RNG.normal(size=2)
    for source in (*one, two[1]):
        values = terms_of(source, x) @ coef.T + intercept
        scale = np.abs(values).max()
        for target in (*one, two[1]):
            moved, constant = source.convert(coef, intercept, target)
            np.testing.assert_allclose(
                terms_of(target, x) @ moved.T + constant, values, rtol=0, atol=1e-9 * scale
            )
            back, constant = target.convert(moved, constant, source)
            np.testing.assert_allclose(back, coef, rtol=0, atol=1e-9 * np.abs(moved).max())
            np.testing.assert_allclose(constant, intercept, atol=1e-9 * np.abs(moved).max())


def test_conversion_to_the_same_basis_changes_nothing():
    coef, intercept = RNG.normal(size=(2, 9)), RNG.normal(size=2)
    for basis in bases(2, 3):
        for ours, before in zip(
            basis.convert(coef, intercept, basis), (coef, intercept), strict=True
        ):
            np.testing.assert_array_equal(ours, before)


@pytest.mark.parametrize("interaction_only", [False, True])
def test_a_lower_degree_is_a_leading_block(interaction_only):
    for high in bases(3, 3, interaction_only=interaction_only):
        low = high._replace(degree=2)
        n_terms = len(low.powers())
        np.testing.assert_array_equal(low.powers(), high.powers()[:n_terms])
        x = RNG.normal(size=(5, 3))
        wide = high.expand(x, np.empty((len(high.powers()), 5)))
        narrow = low.expand(x, np.empty((n_terms, 5)))
        np.testing.assert_allclose(wide[:n_terms], narrow, rtol=1e-14)
        # a polynomial of the lower degree has no higher terms in any basis
        coef = np.zeros((1, len(high.powers())))
        coef[0, :n_terms] = RNG.normal(size=n_terms)
        moved, _ = high.convert(
            coef, np.zeros(1), bases(3, 3, interaction_only=interaction_only)[1]
        )
        np.testing.assert_allclose(moved[0, n_terms:], 0.0, atol=1e-12)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, sparse.coo_matrix])
def test_values_are_computed_block_by_block(container):
    basis = bases(2, 3)[1]
    x = RNG.normal(size=(40_000, 2)) * (RNG.random((40_000, 2)) < 0.7)
    coef, intercept = RNG.normal(size=(2, 9)), RNG.normal(size=2)
    values = basis.evaluate(container(x), coef, intercept)
    rows = np.r_[:100, 29_000:29_300, 39_900:40_000]  # the end of a block among them
    expected = terms_of(basis, x[rows]) @ coef.T + intercept
    np.testing.assert_allclose(values[rows], expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_terms_of_low_degrees_are_left_out(as_tensor, interaction_only):
    x = np.random.default_rng(0).uniform(-2.0, 3.0, size=(20, 3))
    terms = monomial_basis(3, 3, interaction_only=interaction_only)._replace(min_degree=2)
    basis = well_conditioned_basis(terms, x.min(0), x.max(0), center=True)
    features = PolynomialFeatures((2, 3), interaction_only=interaction_only, include_bias=False)
    expected = features.fit_transform(x / np.abs(x).max(axis=0))
    out = np.empty((basis.n_expanded, 20))
    rows, out = (torch.from_numpy(x), torch.from_numpy(out)) if as_tensor else (x, out)
    np.testing.assert_allclose(np.asarray(basis.expand(rows, out)).T, expected, rtol=1e-14)
    np.testing.assert_array_equal(basis.powers(), features.powers_)
    coef, intercept = np.ones((2, basis.n_terms)), np.arange(2.0)
    plain, constant = basis.convert(coef, intercept, basis.monomials())
    predictions = features.transform(x) @ plain.T + constant
    np.testing.assert_allclose(predictions, expected @ coef.T + intercept, rtol=1e-13)
