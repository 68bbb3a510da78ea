"""When a fit ends, and what it warns of."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

from sklearn_gd import GDLinearRegressor

X, Y = load_diabetes(return_X_y=True)


def test_divergence_keeps_the_lowest_point():
    with pytest.warns(
        ConvergenceWarning, match=r"GDLinearRegressor diverged in epoch 14 with"
    ) as w:
        model = GDLinearRegressor(lr=1.5).fit(X, Y)
    assert w[0].filename == __file__
    assert "largest stable lr is 1 " in str(w[0].message)
    assert model.diverged_
    assert model.n_iter_ == len(model.loss_curve_) == 14
    # whitened, the distance from the optimum doubles in every epoch
    best = np.mean((Y - GDLinearRegressor(lr="auto", epochs=20).fit(X, Y).predict(X)) ** 2)
    np.testing.assert_allclose(
        model.loss_curve_, best + (Y.var() - best) * 4.0 ** np.arange(14), rtol=1e-9
    )
    assert model.loss_curve_[-1] <= 1e8 * Y.var() < best + (Y.var() - best) * 4.0**14
    assert model.loss_ == pytest.approx(Y.var())
    np.testing.assert_allclose(model.coef_, 0.0)


def test_a_run_that_ends_above_its_start_has_diverged():
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 5"):
        model = GDLinearRegressor(lr=1.1, epochs=5).fit(X, Y)
    assert model.diverged_
    assert model.n_iter_ == 5


def test_overflow_is_divergence():
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model = GDLinearRegressor(lr=1e200, epochs=20).fit(X, Y)
    assert model.diverged_
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.loss_curve_).all()


def test_a_descent_that_cannot_begin_is_an_error():
    with pytest.raises(ValueError, match="loss of GDLinearRegressor is not finite where"):
        GDLinearRegressor().fit(X, Y * 1e305)
    with pytest.raises(ValueError, match=r"not finite.*check the 'loss'"):
        GDLinearRegressor(loss=lambda p, t: (p - t).log()).fit(X, Y)


def test_unfinished():
    with pytest.warns(ConvergenceWarning, match="far from the optimum at epoch 20 with lr=0.01"):
        model = GDLinearRegressor(epochs=20).fit(X, Y)
    assert not model.diverged_


def test_tol_stops_exactly():
    model = GDLinearRegressor(tol=1e-4, n_iter_no_change=3, lr=0.1, epochs=500).fit(X, Y)
    curve = GDLinearRegressor(lr=0.1, epochs=500).fit(X, Y).loss_curve_
    falls = -np.diff(curve)
    slow = falls < 1e-4 * curve[0]
    expected = next(t for t in range(3, 500) if slow[t - 3 : t].all()) + 1
    assert model.n_iter_ == expected
    np.testing.assert_array_equal(model.loss_curve_, curve[:expected])
    again = GDLinearRegressor(lr=0.1, epochs=expected).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, again.coef_)


@pytest.mark.parametrize("n_iter_no_change", [1, 7, 64, 65, 200])
def test_tol_does_not_depend_on_when_the_loop_looks(n_iter_no_change):
    options = {"optimizer": "adam", "lr": 0.1, "epochs": 600}
    model = GDLinearRegressor(tol=1e-3, n_iter_no_change=n_iter_no_change, **options).fit(X, Y)
    best, quiet = np.inf, 0
    curve = GDLinearRegressor(**options).fit(X, Y).loss_curve_
    for epoch, value in enumerate(curve):  # noqa: B007
        quiet = 0 if best - value >= 1e-3 * curve[0] else quiet + 1
        best = min(best, value)
        if quiet == n_iter_no_change:
            break
    assert model.n_iter_ == epoch + 1 < 600
