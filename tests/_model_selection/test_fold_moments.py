"""The moments of training sets and test sets against NumPy on their rows."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import (
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._model_selection import fold_moments as module
from sklearn_gd._model_selection.fold_moments import fold_moments
from sklearn_gd._moments.tensor_data import TensorData
from tests._moments.reference import assert_moments, expected_moments

RNG = np.random.default_rng(0)
N = 30
X, Y = RNG.normal(size=(N, 3)) + 2.0, RNG.normal(size=(N, 2))
WEIGHT = np.where(RNG.random(N) < 0.8, RNG.uniform(0.1, 1.0, N), 0.0)


def drawn_with_repetition():
    for seed in range(3):
        train = np.random.default_rng(seed).integers(0, N, N)
        yield train, np.setdiff1d(np.arange(N), train)


SPLITS = {
    "k-fold": list(KFold(4).split(X)),
    "shuffled": list(KFold(3, shuffle=True, random_state=0).split(X)),
    "leave one out": list(LeaveOneOut().split(X)),
    "some rows are never held out": list(PredefinedSplit(np.arange(N) % 4 - 1).split()),
    "repeated": list(RepeatedKFold(n_splits=3, n_repeats=2, random_state=0).split(X)),
    "overlapping": list(ShuffleSplit(3, test_size=0.3, random_state=0).split(X)),
    "time series": list(TimeSeriesSplit(4).split(X)),
    "repeated rows": list(drawn_with_repetition()),
    "a single split": [(np.arange(20), np.arange(20, N))],
    "trained on what is held out": [(np.arange(N), np.arange(10))],
    "the same row twice": [(np.array([0, 0, 1, 2, 3]), np.array([4, 4, 5]))],
    "rows that are used by no split": [(np.arange(5, 15), np.arange(15, 20))],
}


def data(weight=None):
    training = TrainingData(X, Y, weight, 1.0, False, lambda: None)
    return TensorData(training, None, torch.device("cpu"))


@pytest.mark.parametrize("max_merges", [64, 0])  # groups of rows, or every set by itself
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("name", SPLITS)
def test_moments_are_those_of_the_rows(name, weight, center, max_merges, monkeypatch):
    monkeypatch.setattr(module, "_MAX_MERGES_PER_SET", max_merges)
    splits = SPLITS[name]
    if weight is not None:  # a set without weight is refused before
        splits = [(train, test) for train, test in splits if weight[test].any()]
    folds = fold_moments(data(weight), splits, center=center, with_all=True)
    assert len(folds) == len(splits) + 1
    assert folds[-1][1] is None
    sides = [*(rows for split in splits for rows in split), np.arange(N)]
    found = [moments for fold in folds for moments in fold][:-1]
    for rows, moments in zip(sides, found, strict=True):
        own = None if weight is None else weight[rows]
        expected = expected_moments(X[rows], Y[rows], own, center=center)
        assert_moments(moments, expected, rtol=1e-11)
    without = fold_moments(data(weight), splits, center=center, with_all=False)
    assert len(without) == len(splits)


def test_rows_of_a_partition_are_read_once():
    """However many training sets they are part of."""
    read = []

    class Counted(TensorData):
        def with_data(self, data):
            read.append(len(data.y))
            return super().with_data(data)

    training = TrainingData(X, Y, None, 1.0, False, lambda: None)
    fold_moments(
        Counted(training, None, torch.device("cpu")), SPLITS["k-fold"], center=True, with_all=True
    )
    assert sum(read) == N
    assert len(read) == 4
