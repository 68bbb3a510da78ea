"""Fitted models: what they hold, draw and label, and what they refuse."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from sklearn_gd import FitDisplay, GDLinearRegressor, GDPolynomialRegressor
from tests._inspection.reference import LINE, LINE_Y, X, Y, legend, quietly


class TestFit:
    @pytest.mark.parametrize("precondition", [None, "whiten"])
    def test_a_line_at_several_epochs(self, precondition):
        model = GDLinearRegressor(precondition=precondition, lr=0.05, epochs=30)
        display = FitDisplay.from_estimator(model, LINE, LINE_Y)
        assert list(display.lines_) == [0, 1, 10, 30]
        for epoch, line in display.lines_.items():
            if epoch:
                model.set_params(epochs=epoch)
                expected = quietly(model.fit, LINE, LINE_Y).predict(line.get_xdata()[:, None])
                np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-9)
        start = 0.0 if precondition is None else LINE_Y.mean()
        np.testing.assert_allclose(display.lines_[0].get_ydata(), start, rtol=1e-12)
        np.testing.assert_array_equal(display.data_.get_xdata(), LINE[:, 0])
        assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("x0", "Target")
        assert legend(display.ax_) == ["data", "epoch 0", "epoch 1", "epoch 10", "epoch 30"]

    def test_a_polynomial(self):
        y = LINE[:, 0] ** 3
        model = GDPolynomialRegressor(degree=3, lr=0.3)
        display = FitDisplay.from_estimator(model, LINE, y, epochs=[-1])
        x, curve = display.lines_[1000].get_data()
        np.testing.assert_allclose(curve, x**3, atol=1e-8)

    def test_several_features_predicted_against_true(self):
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        model = GDLinearRegressor(lr=0.1)
        display = FitDisplay.from_estimator(model, frame, Y, epochs=(0, -1))
        np.testing.assert_array_equal(display.lines_[1000].get_xdata(), Y)
        np.testing.assert_allclose(
            display.lines_[1000].get_ydata(), model.fit(frame, Y).predict(frame), rtol=1e-9
        )
        assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == (
            "True target",
            "Prediction",
        )
        assert legend(display.ax_)[0] == "prediction = target"

    def test_many_rows_hide_neither_epochs_nor_the_diagonal(self):
        x = np.random.default_rng(0).normal(size=(20_001, 2))
        y = x.sum(axis=1)
        display = FitDisplay.from_estimator(GDLinearRegressor(epochs=5), x, y, epochs=(0, -1))
        line = display.lines_[5]
        assert len(line.get_xdata()) == 20_001
        assert 400 < len(line.get_xdata()[:: line.get_markevery()]) <= 500
        assert display.data_.get_zorder() > line.get_zorder()
        few = FitDisplay.from_estimator(GDLinearRegressor(epochs=5), X, Y)
        assert few.lines_[5].get_markevery() == 1

    def test_a_divergence_goes_out_of_sight(self):
        display = FitDisplay.from_estimator(GDLinearRegressor(lr=1.5), LINE, LINE_Y)
        low, high = display.ax_.get_ylim()
        assert high - low < 3 * np.ptp(LINE_Y)

    def test_axes_of_the_user(self):
        figure, ax = plt.subplots()
        model = GDLinearRegressor(epochs=5)
        display = FitDisplay.from_estimator(model, LINE, LINE_Y, ax=ax, line_kwargs={"lw": 5})
        assert display.ax_ is ax
        assert display.lines_[5].get_linewidth() == 5
        assert plt.get_fignums() == [figure.number]

    @pytest.mark.parametrize("epochs", [[], [2000], ["last"], [1.5], [True], 5])
    def test_errors(self, epochs):
        with pytest.raises(ValueError, match="'epochs' parameter of FitDisplay must be"):
            FitDisplay.from_estimator(GDLinearRegressor(lr="auto", epochs=5), X, Y, epochs=epochs)


class TestInterval:
    @pytest.mark.parametrize("interval", ["confidence", "prediction"])
    @pytest.mark.parametrize("degree", [1, 3])
    def test_a_band_around_the_optimum(self, interval, degree):
        x, y = LINE, LINE_Y + np.random.default_rng(0).normal(size=len(LINE))
        display = FitDisplay.from_estimator(
            GDPolynomialRegressor(degree=degree, lr="auto", epochs=20),
            x,
            y,
            interval=interval,
            confidence=0.8,
        )
        terms = sm.add_constant(x ** np.arange(1, degree + 1))
        rows = sm.add_constant(display.curve_x[:, None] ** np.arange(1, degree + 1))
        frame = sm.OLS(y, terms).fit().get_prediction(rows).summary_frame(alpha=0.2)
        name = {"confidence": "mean_ci", "prediction": "obs_ci"}[interval]
        expected = frame[[f"{name}_lower", f"{name}_upper"]].to_numpy().T
        np.testing.assert_allclose(display.band, expected, rtol=1e-8, atol=1e-9)
        low, high = display.band_.get_datalim(display.ax_.transData).intervaly
        np.testing.assert_allclose([low, high], [expected.min(), expected.max()])
        assert f"80% {interval} interval" in legend(display.ax_)

    def test_several_features(self):
        display = FitDisplay.from_estimator(
            GDLinearRegressor(lr="auto", epochs=20), X, Y, interval="confidence"
        )
        frame = sm.OLS(Y, sm.add_constant(X)).fit().get_prediction().summary_frame()
        ends = np.array([segment[:, 1] for segment in display.band_.get_segments()])
        np.testing.assert_allclose(ends, frame[["mean_ci_lower", "mean_ci_upper"]], rtol=1e-8)

    def test_no_band(self):
        display = FitDisplay.from_estimator(GDLinearRegressor(), LINE, LINE_Y)
        assert display.band is None
        assert display.band_ is None

    def test_refusals(self):
        with pytest.raises(ValueError, match="'interval' parameter of FitDisplay must be one of"):
            FitDisplay.from_estimator(GDLinearRegressor(), X, Y, interval="tolerance")
        with pytest.raises(
            ValueError, match="FitDisplay with an interval on GDLinearRegressor is no"
        ):
            FitDisplay.from_estimator(GDLinearRegressor(alpha=1.0), X, Y, interval="confidence")
