"""Which columns count as combinations of others."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LinearRegression

from sklearn_gd import GDLinearRegressor
from sklearn_gd._moments.rank import UnitColumns, independent_columns
from sklearn_gd._moments.tensor_moments import merge
from tests._moments.reference import moments_of


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("offset", [1.0, 10.0, 1e3, 1e4])
@pytest.mark.parametrize("shape", [(10, 15), (26, 45), (40, 40)])
def test_rounding_of_large_means_is_no_rank(shape, offset):
    """As many columns as rows, or more: centring leaves one direction less than rows."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=shape), rng.normal(size=shape[0])
        X[:, : shape[1] // 2] += offset
        coef = np.linalg.pinv(X - X.mean(axis=0), rcond=1e-8) @ (y - y.mean())
        model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
        np.testing.assert_allclose(model.coef_, coef, rtol=0, atol=1e-9 * np.abs(coef).max())
        robust = GDLinearRegressor(loss="huber", epochs=100).fit(X, y)
        assert np.abs(robust.coef_).max() < 10 * np.abs(coef).max()


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6, 1e-8])
def test_columns_that_nearly_agree_count(gap):
    """Many pairs, next to each other or far apart; the targets live on the differences."""
    rng = np.random.default_rng(0)
    base, difference = rng.normal(size=(2, 500, 10))
    y = difference.sum(axis=1)
    for X in (
        np.stack([base, base + gap * difference], 2).reshape(500, 20),
        np.hstack([base, base + gap * difference]),
    ):
        assert GDLinearRegressor(lr="auto", epochs=20).fit(X, y).score(X, y) > 1 - 1e-8


def decide(X, *, weight=None):
    """The decision on the columns of X: basis, columns, inverse, and the unit columns."""
    X = np.asarray(X, dtype=np.float64)
    moments = merge([moments_of(X, np.zeros((len(X), 1)), weight)])
    unit = UnitColumns.of(moments)
    return independent_columns(unit), unit


def exact_rank(X):
    """The rank of centred integer columns, by elimination on fractions."""
    means = [Fraction(int(sum(column)), len(column)) for column in X.T]
    table = [[Fraction(int(v)) - m for v, m in zip(row, means, strict=True)] for row in X]
    rank = 0
    for j in range(X.shape[1]):
        pivot = next((i for i in range(rank, len(table)) if table[i][j]), None)
        if pivot is None:
            continue
        table[rank], table[pivot] = table[pivot], table[rank]
        for i in range(rank + 1, len(table)):
            factor = table[i][j] / table[rank][j]
            table[i] = [a - factor * b for a, b in zip(table[i], table[rank], strict=True)]
        rank += 1
    return rank


def designs():
    """Integer designs of known rank, by name."""
    rng = np.random.default_rng(0)
    base = rng.integers(-9, 10, size=(30, 5))
    yield "full", base
    yield "duplicate", np.hstack([base, base[:, [2]]])
    yield "sum", np.hstack([base, base[:, [0]] + base[:, [1]]])
    yield "sum first", np.hstack([base[:, [0]] + base[:, [1]], base])
    yield "difference of near columns", np.hstack([base, 1000 * base[:, [0]] + base[:, [1]]])
    yield "constant", np.hstack([base, np.full((30, 1), 7)])
    yield "zeros", np.hstack([np.zeros((30, 1)), base])
    yield "indicators", np.eye(4)[rng.integers(0, 4, 30)]
    yield "constant only", np.full((30, 3), 3)
    yield "low rank", rng.integers(-3, 4, (30, 3)) @ rng.integers(-3, 4, (3, 8))
    yield "wide", rng.integers(-9, 10, size=(6, 11))
    yield "square", rng.integers(-9, 10, size=(8, 8))
    yield "one row", rng.integers(-9, 10, size=(1, 4))
    yield "wide of low rank", rng.integers(-3, 4, (8, 2)) @ rng.integers(-3, 4, (2, 15))


DESIGNS = dict(designs())


@pytest.mark.parametrize("units", [False, True])
@pytest.mark.parametrize("name", DESIGNS)
def test_rank_is_that_of_exact_arithmetic(name, units):
    X = DESIGNS[name]
    rank = exact_rank(X)
    scale = 10.0 ** np.resize([0, 7, -8, 3], X.shape[1]) if units else 1.0
    found, unit = decide(X * scale)
    assert len(found.columns) == rank
    assert len(set(found.columns.tolist())) == rank
    assert exact_rank(X[:, found.columns.numpy()]) == rank
    np.testing.assert_array_equal(unit.is_varying, X.max(axis=0) > X.min(axis=0))


@pytest.mark.parametrize("name", DESIGNS)
def test_the_factorization_of_the_columns_taken(name):
    found, unit = decide(DESIGNS[name])
    factor, rank = unit.take(slice(None)).numpy(), len(found.columns)
    norms = np.linalg.norm(factor, axis=0)
    np.testing.assert_allclose(norms[unit.is_varying.numpy()], 1.0, rtol=1e-14)
    taken, inverse = factor[:, found.columns.numpy()], found.inverse.numpy()
    assert inverse.shape == (rank, rank)
    assert not np.tril(inverse, -1).any()
    if found.basis is None:  # the factor is the triangle itself
        np.testing.assert_allclose(taken @ inverse, np.eye(rank), atol=1e-12)
        return
    basis = found.basis.numpy()
    np.testing.assert_allclose(basis.T @ basis, np.eye(rank), atol=1e-13)
    np.testing.assert_allclose(taken @ inverse, basis, atol=1e-12)
    rest = factor - basis @ (basis.T @ factor)  # the other columns are combinations of these
    assert np.linalg.norm(rest[:, unit.is_varying.numpy()], axis=0).max(initial=0.0) < 1e-12


@pytest.mark.parametrize(("second", "first"), [(0, 1), (1, 0)])
def test_of_two_columns_that_nearly_agree_the_smaller_is_taken_last(first, second):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(40, 4))
    X = np.hstack([base[:, [0]], base[:, [0]] + 1e-5 * base[:, [1]], base[:, [2]], base[:, [3]]])
    X[:, first] *= 2.0
    found, _ = decide(np.hstack([X, 0.5 * X[:, [2]]]))
    by_size = np.argsort(-X.std(axis=0)).tolist()
    by_size.remove(second)
    assert found.columns.tolist() == [*by_size, second]


def test_independent_columns_are_taken_in_their_order():
    rng = np.random.default_rng(0)
    for units in (np.arange(5.0), -np.arange(5.0)):
        found, _ = decide(rng.normal(size=(40, 5)) * 10.0**units)
        assert found.columns.tolist() == [0, 1, 2, 3, 4]


def test_rows_of_weight_zero_have_no_rank():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    X[:20, 2] = X[:20, 0] - X[:20, 1]
    weight = np.r_[np.full(20, 0.5), np.zeros(10)]
    kept = weight > 0
    assert len(decide(X)[0].columns) == 3
    assert len(decide(X[kept], weight=weight[kept])[0].columns) == 2


@pytest.mark.parametrize("offset", [0.1, 1e3, 1e9])
def test_a_constant_column_is_no_more_than_its_rounding(offset):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=500), np.full(500, offset / 3)])
    assert decide(X)[1].is_varying.tolist() == [True, False]
    X[:, 1] += 1e-12 * offset * rng.normal(size=500)  # ten thousand roundings
    assert decide(X)[1].is_varying.tolist() == [True, True]


def test_order_of_rows_and_blocks_decides_nothing():
    rng = np.random.default_rng(0)
    X = DESIGNS["low rank"].astype(float) * 10.0 ** np.arange(8)
    whole, _ = decide(X)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(30)
        other, _ = decide(X[order])
        assert other.columns.tolist() == whole.columns.tolist()
    parts = [moments_of(X[k::3], rng.normal(size=(10, 1))) for k in range(3)]
    merged = merge(parts)
    found = independent_columns(UnitColumns.of(merged))
    assert found.columns.tolist() == whole.columns.tolist()


def float32_designs():
    """Designs in float32 and their rank before they were rounded."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(40, 6))
    yield "well conditioned", base, 6
    yield "sum", np.hstack([base, base[:, [0]] + base[:, [1]]]), 6
    yield "sum far from zero", np.hstack([base, base[:, [0]] + base[:, [1]]]) + 1e3, 6
    yield "many", base @ rng.normal(size=(6, 15)), 6
    yield "far from zero", base + 1e5, 6
    yield "nearly agree", np.hstack([base, base + 1e-5 * rng.normal(size=(40, 6))]), 12
    yield "more columns than rows", base[:, :3] @ rng.normal(size=(3, 60)), 3
    integers = rng.integers(-3, 4, size=(40, 2))  # float32 can tell these apart
    yield "integers", 2.0**23 + np.hstack([integers, integers[:, [0]] + (base[:, [1]] > 1)]), 3


FLOAT32_DESIGNS = {name: design for name, *design in float32_designs()}


@pytest.mark.parametrize("units", [False, True])
@pytest.mark.parametrize("name", FLOAT32_DESIGNS)
def test_the_rank_of_float32_is_that_before_rounding(name, units):
    X, rank = FLOAT32_DESIGNS[name]
    if units and name != "integers":  # in other units they would be integers no more
        X = X * 2.0 ** np.resize([0, 40, -40], X.shape[1])
    unit = UnitColumns.of(merge([moments_of(X.astype(np.float32), np.zeros((len(X), 1)))]))
    assert unit.is_varying.all()
    assert len(independent_columns(unit).columns) == rank


def test_float32_coefficients_are_those_of_scikit_learn():
    """Redundant features are combinations of others up to the rounding of float32."""
    X, y = make_classification(n_samples=30, n_features=10, random_state=42)
    X = X.astype(np.float32)
    model = GDLinearRegressor(lr="auto", epochs=60).fit(X, y)
    expected = LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-5)
    loss = np.mean((model.predict(X).astype(np.float64) - y) ** 2)
    assert model.loss_ == pytest.approx(loss, rel=1e-5)


def test_a_residual_of_exactly_zero_is_a_dependence():
    """The second column leaves a zero on the diagonal of the factor, not rounding."""
    X, y = [[2.0, 2.0], [0.0, 0.0], [0.0, 0.0]], [3.0, 1.0, 1.0]
    independent, _ = decide([[2.0, 2.0], [0.0, 0.0]])
    assert len(independent.columns) == 1
    model = GDLinearRegressor(lr="auto", fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(model.coef_, [0.75, 0.75], rtol=1e-12)
    np.testing.assert_allclose(model.loss_, 2 / 3, rtol=1e-12)
