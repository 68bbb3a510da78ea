"""Paths: what they hold, draw and label, and what they refuse."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sklearn_gd import DescentPathDisplay, GDLinearRegressor, GDPolynomialRegressor, minimize
from tests._inspection.reference import (
    LINE,
    LINE_Y,
    X,
    Y,
    bowl,
    legend,
    parabola,
    quietly,
    torch_log,
)


class TestDescentPath:
    def test_slope_and_intercept_of_the_textbook(self):
        model = GDLinearRegressor(precondition=None, lr=0.1, epochs=50)
        display = DescentPathDisplay.from_estimator(model, LINE, LINE_Y)
        slope = intercept = 0.0
        for point in display.path:
            np.testing.assert_allclose(point, [slope, intercept], atol=1e-10)
            error = slope * LINE[:, 0] + intercept - LINE_Y
            slope -= 0.1 * 2 * np.mean(error * LINE[:, 0])
            intercept -= 0.1 * 2 * np.mean(error)
        assert display.ax_.get_xlabel() == "Coefficient of x0"
        assert display.ax_.get_ylabel() == "Intercept"
        assert legend(display.ax_) == ["steps", "start", "step 50"]

    @pytest.mark.parametrize("precondition", [None, "standardize", "whiten"])
    def test_contours_are_the_mean_squared_error(self, precondition):
        model = GDLinearRegressor(precondition=precondition, epochs=20)
        display = DescentPathDisplay.from_estimator(model, LINE, LINE_Y)
        slopes, intercepts = display.grid
        for i, j in [(0, 0), (17, 80), (119, 60)]:
            error = slopes[i] * LINE[:, 0] + intercepts[j] - LINE_Y
            np.testing.assert_allclose(display.surface[i, j], np.mean(error**2), rtol=1e-10)

    @pytest.mark.parametrize("precondition", [None, "standardize", "whiten"])
    def test_two_of_several_coefficients(self, precondition):
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        model = GDLinearRegressor(precondition=precondition, lr=0.01, epochs=400)
        display = DescentPathDisplay.from_estimator(model, frame, Y, features=("c", 0))
        fitted = quietly(model.fit, frame, Y)
        np.testing.assert_allclose(display.path[-1], fitted.coef_[[2, 0]], rtol=1e-9)
        np.testing.assert_allclose(display.values[:-1], fitted.loss_curve_, rtol=1e-9)
        np.testing.assert_allclose(display.values[-1], fitted.loss_, rtol=1e-9)
        assert display.labels == ["Coefficient of c", "Coefficient of a"]
        # the others stay at the end; the intercept follows where the descent lets it
        for i, j in [(0, 0), (40, 99)]:
            coef = np.array([display.grid[1][j], fitted.coef_[1], display.grid[0][i]])
            error = X @ coef - Y
            error = error + fitted.intercept_ if precondition is None else error - error.mean()
            np.testing.assert_allclose(display.surface[i, j], np.mean(error**2), rtol=1e-9)

    def test_a_polynomial_in_the_users_terms(self):
        y = LINE[:, 0] ** 2 + 2 * LINE[:, 0] + 3
        model = GDPolynomialRegressor(lr=0.3)
        display = DescentPathDisplay.from_estimator(model, LINE, y, features=("x0^2", "x0"))
        np.testing.assert_allclose(display.path[-1], [1, 2], atol=1e-8)
        i, j = 30, 100
        error = display.grid[0][i] * LINE[:, 0] ** 2 + display.grid[1][j] * LINE[:, 0] - y
        np.testing.assert_allclose(display.surface[i, j], np.var(error), rtol=1e-8)

    def test_one_parameter_is_a_curve(self):
        model = GDLinearRegressor(fit_intercept=False, lr=0.1, epochs=20)
        display = DescentPathDisplay.from_estimator(model, LINE, LINE_Y)
        assert display.contours_ is None
        assert display.ax_.get_ylabel() == "Loss"
        slopes, losses = display.curve_.get_data()
        expected = ((slopes[:, None] * LINE[:, 0] - LINE_Y) ** 2).mean(1)
        np.testing.assert_allclose(losses, expected, rtol=1e-10)

    def test_functions(self):
        one = DescentPathDisplay.from_function(parabola, minimize(parabola, 7.0, lr=0.1))
        x, y = one.curve_.get_data()
        np.testing.assert_allclose(y, (x - 2) ** 2 + 1)
        assert x[0] < 2 < 7 < x[-1]
        assert (one.ax_.get_xlabel(), one.ax_.get_ylabel()) == ("x", "f(x)")
        two = DescentPathDisplay.from_function(bowl, minimize(bowl, [3.0, 1.0], epochs=10))
        np.testing.assert_allclose(
            two.surface, two.grid[0][:, None] ** 2 + 10 * two.grid[1] ** 2, atol=1e-12
        )
        assert (two.ax_.get_xlabel(), two.ax_.get_ylabel()) == ("x[0]", "x[1]")

        def named(a, b):
            return a**2 + b**4

        result = minimize(named, {"a": 3.0, "b": 1.0}, epochs=10)
        display = DescentPathDisplay.from_function(named, result)
        assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("a", "b")
        assert display.value_label == "f(a, b)"

    def test_a_diverged_run_stays_in_sight(self):
        def quartic(x):
            return x**4

        display = DescentPathDisplay.from_function(quartic, minimize(quartic, 7.0, lr=0.03))
        assert display.diverged
        assert legend(display.ax_)[-1].startswith("diverged, step")
        model = GDLinearRegressor(precondition=None, lr=0.5)
        assert DescentPathDisplay.from_estimator(model, LINE, LINE_Y).diverged
        nan = DescentPathDisplay.from_function(torch_log, minimize(torch_log, 2.0, lr=1.0))
        assert nan.diverged

    def test_the_mark_of_a_diverged_run_is_inside_of_the_frame(self):
        display = DescentPathDisplay.from_estimator(
            GDLinearRegressor(precondition=None, lr=0.9), LINE, LINE_Y
        )
        # the value of the last point is that of the point, not of the one that a fit keeps
        slope, intercept = display.path[-1]
        error = slope * LINE[:, 0] + intercept - LINE_Y
        np.testing.assert_allclose(display.values[-1], np.mean(error**2), rtol=1e-9)
        display.figure_.canvas.draw()
        extent, frame = display.end_.get_window_extent(), display.ax_.bbox
        assert frame.x0 < extent.x0 < extent.x1 < frame.x1
        assert frame.y0 < extent.y0 < extent.y1 < frame.y1
        nan = DescentPathDisplay.from_function(torch_log, minimize(torch_log, 2.0, lr=1.0))
        assert np.isfinite(nan.end_.get_xydata()).all()

    def test_a_start_under_the_end_is_seen(self):
        display = DescentPathDisplay.from_function(parabola, minimize(parabola, 7.0, lr=1.0))
        np.testing.assert_allclose(display.end_.get_xydata(), display.start_.get_xydata())
        assert display.start_.get_markersize() > display.end_.get_markersize() + 2

    def test_long_names_are_not_cut_off(self):
        names = ["the mean annual household income of the district in 2015 US $ or $ of today", "b"]
        frame = pd.DataFrame(X[:, :2], columns=names)
        for features in ((0, 1), (1, 0)):
            display = DescentPathDisplay.from_estimator(
                GDLinearRegressor(epochs=5), frame, Y, features=features
            )
            display.figure_.canvas.draw()
            for label in (display.ax_.xaxis.label, display.ax_.yaxis.label):
                extent, page = label.get_window_extent(), display.figure_.bbox
                assert page.x0 <= extent.x0 < extent.x1 <= page.x1
                assert page.y0 <= extent.y0 < extent.y1 <= page.y1

    def test_the_labels_of_a_colour_bar_differ(self):
        def flat(x):
            return 6.98 + 1e-6 * (x[0] ** 2 + x[1] ** 2)

        display = DescentPathDisplay.from_function(flat, minimize(flat, [1.0, 2.0], epochs=2))
        bar = display.contours_.colorbar
        texts = [label.get_text() for label in bar.ax.get_yticklabels()]
        assert len(set(texts)) == len(texts) == 8
        np.testing.assert_allclose([float(text) for text in texts], bar.get_ticks(), rtol=1e-6)

    def test_contours_of_a_diverged_run_hold_what_a_fit_keeps(self):
        model = GDLinearRegressor(lr=1.2)
        display = DescentPathDisplay.from_estimator(model, X, Y)
        fitted = quietly(model.fit, X, Y)
        assert fitted.diverged_
        coef = np.array([display.grid[0][5], display.grid[1][70], fitted.coef_[2]])
        np.testing.assert_allclose(display.surface[5, 70], np.var(X @ coef - Y), rtol=1e-9)

    def test_a_function_that_is_finite_nowhere(self):
        with pytest.raises(ValueError, match="the function is finite nowhere around the path"):
            DescentPathDisplay.from_function(torch_log, minimize(torch_log, -9.0))

    def test_animation_grows_and_saves(self, tmp_path):
        display = DescentPathDisplay.from_function(parabola, minimize(parabola, 7.0, epochs=40))
        animation = display.animate(frames=5)
        assert display.line_.get_xdata().tolist() == [7.0]
        assert legend(display.ax_) == ["steps", "start", "step 0"]
        animation.save(tmp_path / "descent.gif", writer="pillow")
        assert (tmp_path / "descent.gif").read_bytes()[:6] == b"GIF89a"
        # the last frame is the whole path
        np.testing.assert_array_equal(display.line_.get_xdata(), display.path[:, 0])
        animation._func(3)
        np.testing.assert_array_equal(display.line_.get_xdata(), display.path[:3, 0])
        assert display.end_.get_xdata() == [display.path[2, 0]]
        assert legend(display.ax_)[-1] == "step 2"

    def test_an_animation_leaves_no_figure_in_a_notebook(self, monkeypatch):
        display = DescentPathDisplay.from_function(parabola, minimize(parabola, 7.0, epochs=9))
        plt.close("all")
        display.animate(frames=2)._draw_was_started = True
        assert len(plt.get_fignums()) == 1
        monkeypatch.setattr("matplotlib.get_backend", lambda: "inline")
        display.animate(frames=2)._draw_was_started = True
        assert len(plt.get_fignums()) == 1

    @pytest.mark.parametrize(
        "features", [(0,), (0, 0), (0, -3), (0, 3), ("a", 0), (0, 1, 2), (0.5, 1)]
    )
    def test_features_that_are_none(self, features):
        with pytest.raises(ValueError, match=r"'features' parameter.*names among \['x0', 'x1'"):
            DescentPathDisplay.from_estimator(
                GDLinearRegressor(lr="auto", epochs=5), X, Y, features=features
            )

    def test_errors(self):
        with pytest.raises(ValueError, match="draws one run, and this result holds 2"):
            DescentPathDisplay.from_function(parabola, minimize(parabola, 7.0, lr=[0.1, 0.2]))
        result = minimize(lambda x: (x**2).sum(), np.ones(3), epochs=2)
        with pytest.raises(ValueError, match="one variable or two, and the path has 3"):
            DescentPathDisplay.from_function(lambda x: (x**2).sum(), result)
