"""Means, factor and residual against NumPy; merging is a law of sums."""

from fractions import Fraction
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
import torch

from sklearn_gd._moments.tensor_moments import (
    TensorMoments,
    column_norms,
    largest_entries,
    merge,
    weighted_mean,
)
from tests._moments.reference import assert_moments, expected_moments, moments_of, tensors

RNG = np.random.default_rng(0)
SHAPES = {
    "tall": (60, 4),
    "square": (5, 5),
    "wide": (4, 9),
    "one row": (1, 3),
    "one column": (9, 1),
}


def rows(shape="tall", *, weighted=True, targets=2):
    n, p = SHAPES[shape]
    X = RNG.normal(size=(n, p)) * RNG.uniform(0.1, 10.0, p) + RNG.normal(size=p)
    y = X[:, :1] + RNG.normal(size=(n, targets)) + [3.0]
    return X, y, RNG.uniform(0.2, 2.0, n) if weighted else None


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_means_factor_and_residual(shape, weighted, center):
    X, y, weight = rows(shape, weighted=weighted)
    moments = moments_of(X, y, weight, center=center)
    assert_moments(moments, expected_moments(X, y, weight, center=center))
    assert len(moments.factor) == len(moments.target) <= X.shape[1]
    np.testing.assert_array_equal(moments.abs_max, np.abs(X).max(axis=0))
    # the residual is what no coefficients explain, on the centred and weighted rows
    root = np.sqrt(np.ones(len(X)) if weight is None else weight)[:, None]
    table = (X - moments.x_mean.numpy()) * root
    goal = (y - moments.y_mean.numpy()) * root
    residual = goal - table @ np.linalg.lstsq(table, goal, rcond=None)[0]
    if len(X) > X.shape[1]:
        size = np.linalg.norm(residual, axis=0)
        np.testing.assert_allclose(moments.residual_norm, size, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("center", [True, False])
def test_deviations_are_those_of_numpy(center):
    X, y, weight = rows()
    x_deviation, y_deviation = moments_of(X, y, weight, center=center).deviations()
    for ours, part in ((x_deviation, X), (y_deviation, y)):
        mean = np.average(part, axis=0, weights=weight) if center else 0.0
        expected = np.sqrt(np.average((part - mean) ** 2, axis=0, weights=weight))
        np.testing.assert_allclose(ours, expected, rtol=1e-13)


PARTITIONS = {
    "halves": [0, 30, 60],
    "one row each": list(range(61)),
    "a single row": [0, 59, 60],
    "fewer rows than columns": [0, 2, 5, 7, 60],
    "whole": [0, 60],
}


@pytest.mark.parametrize("order", ["forward", "backward", "shuffled", "tree"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("partition", PARTITIONS)
def test_parts_in_any_order_are_the_whole(partition, center, order):
    X, y, weight = rows()
    expected = expected_moments(X, y, weight, center=center)
    edges = PARTITIONS[partition]
    parts = [moments_of(X[a:b], y[a:b], weight[a:b], center=center) for a, b in pairwise(edges)]
    if order == "backward":
        parts.reverse()
    if order == "shuffled":
        parts = [parts[k] for k in RNG.permutation(len(parts))]
    if order == "tree":
        while len(parts) > 1:
            parts = [merge(parts[k : k + 2]) for k in range(0, len(parts), 2)]
    whole = merge(parts)
    assert_moments(whole, expected)
    assert len(whole.factor) <= X.shape[1]
    np.testing.assert_array_equal(whole.abs_max, np.abs(X).max(axis=0))


def test_merging_is_associative_and_keeps_its_arguments():
    X, y, weight = rows()
    parts = [moments_of(X[k::3], y[k::3], weight[k::3]) for k in range(3)]
    before = [[tensor.clone() for tensor in part] for part in parts]
    left = reduce(lambda a, b: merge([a, b]), parts)
    right = merge([parts[0], merge(parts[1:])])
    for whole in (left, right, merge(parts)):
        assert_moments(whole, expected_moments(X, y, weight))
    for part, copies in zip(parts, before, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(part, copies, strict=True))


def test_parts_far_from_each_other_keep_their_digits():
    """The means differ by a million deviations, and the deviations within do not suffer."""
    X, y, _ = rows(weighted=False)
    X[30:] += 1e6
    parts = [moments_of(X[:30], y[:30]), moments_of(X[30:], y[30:])]
    whole = merge(parts)
    exact = expected_moments(X, y)
    coef = np.linalg.lstsq(X - X.mean(0), y - y.mean(0), rcond=None)[0]
    ours = np.linalg.lstsq(whole.factor.numpy(), whole.target.numpy(), rcond=None)[0]
    np.testing.assert_allclose(ours, coef, rtol=1e-7, atol=1e-7 * np.abs(coef).max())
    np.testing.assert_allclose(whole.x_mean, exact[1], rtol=1e-14)


@pytest.mark.parametrize("exponent", [-150, 150])
def test_units_that_cannot_be_squared(exponent):
    X, y, weight = rows()
    unit = 10.0**exponent
    moments = moments_of(X * unit, y / unit, weight)
    plain = moments_of(X, y, weight)
    merged = merge(
        [
            moments_of(X[:9] * unit, y[:9] / unit, weight[:9]),
            moments_of(X[9:] * unit, y[9:] / unit, weight[9:]),
        ]
    )
    for ours in (moments, merged):
        for name, factor in (("factor", unit), ("target", 1 / unit), ("residual_norm", 1 / unit)):
            value = getattr(ours, name).numpy() / factor
            np.testing.assert_allclose(value, getattr(plain, name).numpy(), rtol=1e-9)


@pytest.mark.parametrize("times", [1, 2, 7])
def test_weights_times_a_whole_number_are_every_row_several_times(times):
    X, y, weight = rows()
    ours = moments_of(X, y, weight).scaled(times)
    repeated = [np.repeat(part, times, axis=0) for part in (X, y, weight)]
    assert_moments(ours, expected_moments(*repeated))
    np.testing.assert_array_equal(ours.abs_max, np.abs(X).max(axis=0))


@pytest.mark.parametrize("factor", [1e-9, 0.3, 1e9])
def test_all_weights_may_be_multiplied(factor):
    X, y, weight = rows()
    ours = moments_of(X, y, weight).scaled(factor)
    assert_moments(ours, expected_moments(X, y, factor * weight))
    np.testing.assert_array_equal(ours.abs_max, np.abs(X).max(axis=0))


@pytest.mark.parametrize("shape", ["tall", "square", "wide"])
def test_further_rows_are_rows_of_the_mean_squared_error(shape):
    """Rows r add ‖r·w‖² to the mean over the rows of the data, as an L2 penalty does."""
    X, y, weight = rows(shape)
    extra = RNG.normal(size=(3, X.shape[1]))
    moments = moments_of(X, y, weight).with_rows(torch.from_numpy(extra))
    total, x_mean, y_mean, xx, xy, yy = expected_moments(X, y, weight)
    expected = total, x_mean, y_mean, xx + total * extra.T @ extra, xy, yy
    assert_moments(moments, expected)


def test_ridge_from_further_rows():
    X, y, weight = rows()
    alpha = 0.7
    extra = np.sqrt(alpha) * np.eye(4)
    moments = moments_of(X, y, weight).with_rows(torch.from_numpy(extra))
    total, _, _, xx, xy, _ = expected_moments(X, y, weight)
    coef = np.linalg.solve(xx + alpha * total * np.eye(4), xy)
    ours = np.linalg.lstsq(moments.factor.numpy(), moments.target.numpy(), rcond=None)[0]
    np.testing.assert_allclose(ours, coef, rtol=1e-12)


def test_triangles_have_a_diagonal_that_is_not_negative():
    X, y, weight = rows()
    factor = merge([moments_of(X, y, weight)]).factor
    assert (factor.diagonal() >= 0).all()
    assert not factor.tril(-1).any()


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_norms_of_columns_do_not_overflow(unit):
    columns = torch.tensor([[3.0, 0.0, 1e-3], [4.0, 0.0, -1e3]], dtype=torch.float64)
    norms = column_norms(columns * unit)
    expected = torch.tensor([5.0, 0.0, np.hypot(1e-3, 1e3)], dtype=torch.float64)
    torch.testing.assert_close(norms / unit, expected, rtol=1e-15, atol=0)
    torch.testing.assert_close(
        largest_entries(columns), torch.tensor([4.0, 0.0, 1e3], dtype=torch.float64)
    )


def test_means_are_taken_in_double_precision():
    values = np.full((300_000, 1), 1e8, dtype=np.float32)
    values[::2] += 8.0
    x, _, weight = tensors(values, values, np.ones(300_000))
    for given in (None, weight):
        mean = weighted_mean(x, given)
        assert mean.dtype == torch.float64
        assert mean.item() == pytest.approx(1e8 + 4.0, rel=1e-15)


@pytest.mark.parametrize("weighted", [True, False])
def test_means_are_correctly_rounded(weighted):
    """A sum of many large numbers is rounded by several units in the last place."""
    values = np.column_stack([np.full(163, 7.1), 1e6 + RNG.normal(size=(163, 9))])
    weight = RNG.integers(1, 3, size=163) * 1.0 if weighted else None
    moments = moments_of(values, values, weight)
    exact = [Fraction(w) for w in (np.ones(163) if weight is None else weight)]
    for j, column in enumerate(values.T):
        mean = sum(w * Fraction(v) for w, v in zip(exact, column, strict=True)) / sum(exact)
        assert moments.x_mean[j].item() == moments.y_mean[j].item() == float(mean)


def test_moments_have_names():
    assert TensorMoments._fields == (
        "weight",
        "x_mean",
        "y_mean",
        "factor",
        "target",
        "residual_norm",
        "abs_max",
        "x_mean_rest",
        "y_mean_rest",
    )
