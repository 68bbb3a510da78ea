"""The candidates against ParameterGrid, and the table against GridSearchCV's rules."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.model_selection import ParameterGrid

from sklearn_gd import GDLinearRegressorCV, GDPolynomialRegressorCV
from sklearn_gd._model_selection.candidates import Grid
from sklearn_gd._model_selection.results import SearchResults


@pytest.mark.parametrize("alphas", [(0.0,), (0.0, 0.1, 1.0), np.array([0.5, 0.25])])
@pytest.mark.parametrize("degrees", [None, (2,), range(1, 4)])
@pytest.mark.parametrize("lrs", [(0.1,), ("auto", 0.1), np.geomspace(0.01, 1.0, 3)])
def test_order_is_that_of_parameter_grid(lrs, degrees, alphas):
    search = GDLinearRegressorCV(lrs=lrs, alphas=alphas)
    axes = {"lr": list(lrs), "alpha": list(alphas)}
    if degrees is not None:
        search = GDPolynomialRegressorCV(lrs=lrs, alphas=alphas, degrees=degrees)
        axes["degree"] = list(degrees)
    grid = Grid.of(search)
    everything = list(ParameterGrid(axes))
    assert [grid.candidate(k) for k in range(len(everything))] == everything
    searched = {name: values for name, values in axes.items() if len(values) > 1}
    searched = searched or {"lr": axes["lr"]}
    assert grid.params == list(ParameterGrid(searched))
    for params in grid.params:  # as cv_results_ shows them
        assert all(type(value) in (float, int, str) for value in params.values())


def test_whether_a_faster_rate_was_tried():
    grid = Grid.of(GDLinearRegressorCV(lrs=(0.1, 0.01), alphas=(0.0, 1.0)))
    assert [grid.has_faster(k) for k in range(4)] == [False, True, False, True]
    grid = Grid.of(GDLinearRegressorCV(lrs=("auto", 0.01)))
    assert [grid.has_faster(k) for k in range(2)] == [False, True]


def results(scores):
    grid = Grid.of(GDLinearRegressorCV(lrs=[0.1 * (k + 1) for k in range(len(scores))]))
    found = SearchResults(grid, scores.shape[1], epochs=4)
    found.scores = {"score": scores}
    return found


def test_table_of_scores():
    scores = np.array([[1.0, 3.0], [2.0, 2.0], [5.0, 0.0], [0.0, 0.0]])
    table = results(scores).cv_results()
    np.testing.assert_array_equal(table["mean_test_score"], [2.0, 2.0, 2.5, 0.0])
    np.testing.assert_array_equal(table["std_test_score"], [1.0, 0.0, 2.5, 0.0])
    np.testing.assert_array_equal(table["rank_test_score"], [2, 2, 1, 4])
    np.testing.assert_array_equal(table["split1_test_score"], scores[:, 1])
    assert table["diverged"].tolist() == [0, 0, 0, 0]


def test_candidates_without_a_score_share_the_last_rank():
    scores = np.array([[np.nan, 1.0], [-5.0, -7.0], [np.nan, np.nan], [0.0, 1.0]])
    with pytest.warns(UserWarning, match="One or more of the test scores are non-finite"):
        table = results(scores).cv_results()
    known = np.nan_to_num(scores.mean(axis=1), nan=-np.inf)
    np.testing.assert_array_equal(table["rank_test_score"], rankdata(-known, method="min"))


def test_epochs_of_the_lowest_mean_test_loss():
    found = results(np.zeros((2, 2)))
    # the loss where epochs 0 to 3 began, and at the end
    found.test_curves = np.array([[[9, 5, 2, 3], [9, 5, 4, 1.0]], [[9, 8, 7, 6], [9, 8, 7, 6.0]]])
    found.test_losses = np.array([[4.0, 4.0], [5.0, 5.0]])
    # an epoch's loss is where it began: the mean 2.0 of epoch 3 is that after 3 epochs
    assert found.epochs_of_lowest_test_loss(0) == 3
    assert found.epochs_of_lowest_test_loss(1) == 4
    found.test_curves[0, 0, 3] = np.nan
    assert found.epochs_of_lowest_test_loss(0) == 2
