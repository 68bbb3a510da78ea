"""The table of results, the choice of epochs, and the warnings."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, GDPolynomialRegressorCV
from tests._model_selection.reference import MSE, X, Y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_epochs_are_chosen_by_the_mean_held_out_curve():
    few, labels = X[:40], Y[:40]  # so few rows that long descents overfit
    search = GDLinearRegressorCV(lrs=(0.1,), epochs=60, select_epochs=True, cv=4)
    search.fit(few, labels)
    means = []
    for epochs in range(1, 13):
        plain = GDLinearRegressor(lr=0.1, epochs=epochs)
        means.append(cross_val_score(plain, few, labels, cv=4, scoring=MSE).mean())
    assert search.epochs_ == np.argmax(means) + 1 < 12
    assert search.n_iter_ == search.epochs_
    plain = GDLinearRegressor(lr=0.1, epochs=search.epochs_).fit(few, labels)
    np.testing.assert_allclose(search.coef_, plain.coef_, rtol=1e-10)


def test_divergence_is_counted_and_warned_of_once():
    search = GDLinearRegressorCV(lrs=(0.1, 1.5, 50.0), epochs=100, cv=4)
    with pytest.warns(ConvergenceWarning) as caught:
        search.fit(X, Y)
    assert [str(w.message) for w in caught if "diverged" in str(w.message)] == [
        "8 of 12 descents of GDLinearRegressorCV diverged, those of (lr=1.5), (lr=50.0); they "
        "are scored at their lowest loss. cv_results_['diverged'] counts them. Leave out large "
        "values of lrs."
    ]
    with pytest.warns(ConvergenceWarning, match=r"values of lrs, or set precondition='auto'\."):
        GDLinearRegressorCV(lrs=(50.0, 0.01), precondition=None, epochs=20, cv=4).fit(X, Y)
    assert caught[0].filename == __file__
    assert search.cv_results_["diverged"].tolist() == [0, 4, 4]
    assert not search.diverged_
    alone = GDLinearRegressorCV(lrs=(0.1,), epochs=100, cv=4).fit(X, Y)
    np.testing.assert_allclose(alone.test_loss_curves_[0], search.test_loss_curves_[0], rtol=1e-12)


def test_no_warning_of_fits_in_folds():
    search = GDLinearRegressorCV(lrs=(1e-6, 0.5), epochs=30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="GDLinearRegressorCV was still far"):
        search.set_params(lrs=(1e-6,)).fit(X, Y)


def test_a_slow_descent_may_be_the_best():
    """Few steps are a penalty: the larger rates were tried, and no warning asks for them."""
    search = GDLinearRegressorCV(lrs=(0.0015, 0.5), cv=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.fit(X, Y)
    assert search.lr_ == 0.0015
    with pytest.warns(ConvergenceWarning, match="GDLinearRegressor was still far"):
        GDLinearRegressor(lr=search.lr_).fit(X, Y)


def test_axes_of_one_value_are_left_out_of_params():
    search = GDLinearRegressorCV(lrs=(0.1,), alphas=(0.0, 1.0), epochs=2).fit(X, Y)
    assert search.cv_results_["params"] == [{"alpha": 0.0}, {"alpha": 1.0}]
    assert search.best_params_ == {"alpha": search.alpha_}
    search = GDLinearRegressorCV(lrs=(0.1,), epochs=2).fit(X, Y)
    assert search.cv_results_["params"] == [{"lr": 0.1}]
    search = GDPolynomialRegressorCV(degrees=(1, 2), alphas=(0.0, 1.0), epochs=2, cv=2)
    params = search.fit(X[:, :2], Y).cv_results_["params"]
    assert params[3] == {"alpha": 0.0, "degree": 2, "lr": 0.001}
    assert list(params[0]) == ["alpha", "degree", "lr"]
    assert len(search.to_frame()) == len(params) == 12
