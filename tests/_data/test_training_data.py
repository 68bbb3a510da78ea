"""Blocks, ranges, and the rows that are held out, against plain NumPy indexing."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.model_selection import train_test_split

from sklearn_gd._data.training_data import TrainingData, hold_out
from sklearn_gd._data.validation import as_numpy

RNG = np.random.default_rng(0)
X = RNG.normal(size=(23, 3))
Y = RNG.normal(size=(23, 2))
WEIGHT = RNG.uniform(0.1, 1.0, size=23)


def data(x=X, weight=None, check=lambda: None):
    return TrainingData(x, Y[: x.shape[0]], weight, 1.0, False, check)


def some_zeros(kept):
    weight = WEIGHT.copy()
    weight[[row for row in range(23) if row not in kept]] = 0.0
    return weight


WEIGHTS = {
    "none": None,
    "positive": WEIGHT,
    "every third": some_zeros(range(0, 23, 3)),
    "whole blocks of zeros": some_zeros([0, 1, 20]),
    "the last only": some_zeros([22]),
}


@pytest.mark.parametrize("rows", [1, 4, 5, 22, 23, 24, 1000])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sparse.csr_matrix])
def test_blocks_are_the_rows_of_positive_weight_in_order(container, weights, rows):
    weight = WEIGHTS[weights]
    blocks = list(data(container(X), weight).blocks(rows))
    kept = np.arange(23) if weight is None else np.flatnonzero(weight)
    for block in blocks:
        assert 0 < len(block.y) <= rows
        assert len(block.x) == len(block.y)
        assert (block.weight is None) == (weight is None)
    np.testing.assert_array_equal(np.concatenate([block.x for block in blocks]), X[kept])
    np.testing.assert_array_equal(np.concatenate([block.y for block in blocks]), Y[kept])
    if weight is not None:
        joined = np.concatenate([block.weight for block in blocks])
        np.testing.assert_array_equal(joined, weight[kept])
        assert (joined > 0).all()


def test_no_row_of_positive_weight_is_no_block():
    assert list(data(weight=np.zeros(23)).blocks(5)) == []


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_ranges(container, weights):
    weight = WEIGHTS[weights]
    spoiled = X.copy()
    if weight is not None:
        spoiled[weight == 0] = 1e6
    kept = slice(None) if weight is None else weight > 0
    low, high = data(container(spoiled), weight).ranges()
    np.testing.assert_array_equal(low, X[kept].min(axis=0))
    np.testing.assert_array_equal(high, X[kept].max(axis=0))


def test_ranges_of_sparse_columns_know_of_zeros():
    positive = sparse.csr_matrix(np.where(X > 0.5, X, 0.0))
    low, high = data(positive).ranges()
    np.testing.assert_array_equal(low, 0.0)
    np.testing.assert_array_equal(high, X.max(axis=0))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_ranges_that_are_not_finite_are_refused_by_the_check_of_all_data(bad):
    spoiled = X.copy()
    spoiled[7, 1] = bad

    def check():
        raise ValueError("Input X contains what it must not")

    with pytest.raises(ValueError, match="contains what it must not"):
        data(spoiled, check=check).ranges()


@pytest.mark.parametrize(
    ("rows", "is_copied"),
    [
        ([3, 4, 5, 6], False),
        ([22], False),
        (list(range(23)), False),
        ([3, 5, 6], True),
        ([6, 5, 4], True),
        ([3, 3, 4], True),
        ([3, 5, 4, 6], True),  # the ends are as far apart as those of four rows in order
        ([], True),
    ],
)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_take_is_indexing_and_copies_only_where_it_must(container, rows, is_copied):
    taken = data(container(X), WEIGHT).take(np.array(rows, dtype=int))
    x = taken.x.toarray() if sparse.issparse(taken.x) else taken.x
    np.testing.assert_array_equal(x, X[rows])
    np.testing.assert_array_equal(taken.y, Y[rows])
    np.testing.assert_array_equal(taken.weight, WEIGHT[rows])
    assert np.shares_memory(taken.y, Y) != is_copied
    assert data().take(np.array(rows, dtype=int)).weight is None


def test_weights_of_all_rows():
    factors = np.arange(23.0)
    np.testing.assert_array_equal(data().reweighted(factors).weight, factors)
    np.testing.assert_array_equal(data(weight=WEIGHT).reweighted(factors).weight, WEIGHT * factors)
    assert data().n_weighted == 23
    assert data().reweighted(factors).n_weighted == 22
    assert data(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("weighted", [True, False])
def test_rows_are_held_out_by_scikit_learns_split(weighted):
    given = data(weight=WEIGHT if weighted else None)
    train, held = hold_out(given, 0.3, np.random.RandomState(5), "test")
    expected = train_test_split(np.arange(23), test_size=0.3, random_state=np.random.RandomState(5))
    for part, rows in zip((train, held), expected, strict=True):
        np.testing.assert_array_equal(np.flatnonzero(part.weight), np.sort(rows))
        weight = WEIGHT if weighted else np.ones(23)
        np.testing.assert_array_equal(part.weight[rows], weight[rows])
        assert part.x is given.x


@pytest.mark.parametrize("kept", [[0], [3], []])
def test_a_part_without_weight_is_refused(kept):
    with pytest.raises(
        ValueError, match=r"early_stopping=True of test leaves no sample.*0\.3 of 23"
    ):
        hold_out(data(weight=some_zeros(kept)), 0.3, np.random.RandomState(5), "test")


def test_what_is_no_tensor_passes_as_it_is():
    for values in ([1.0], X, "text", None, sparse.csr_matrix(X)):
        assert as_numpy(values, "X") is values
