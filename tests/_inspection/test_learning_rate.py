"""Learning rates: what they hold, draw and label, and what they refuse."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.linear_model import LinearRegression

from sklearn_gd import (
    DescentPathDisplay,
    GDLinearRegressor,
    GDLinearRegressorCV,
    LearningRateDisplay,
)
from tests._inspection.reference import X, Y, bowl, legend, parabola, quietly


class TestLearningRate:
    def test_every_rate_equals_a_fit_of_its_own(self):
        lrs = [1.1, 0.01, 0.3]
        display = LearningRateDisplay.from_estimator(GDLinearRegressor(epochs=40), X, Y, lrs=lrs)
        np.testing.assert_array_equal(display.lrs, [0.01, 0.3, 1.1])
        for lr, curve, loss, bad in zip(
            display.lrs, display.loss_curves, display.final_losses, display.diverged, strict=True
        ):
            model = quietly(GDLinearRegressor(epochs=40, lr=lr).fit, X, Y)
            np.testing.assert_allclose(curve, model.loss_curve_, rtol=1e-9)
            np.testing.assert_allclose(loss, model.loss_, rtol=1e-9)
            assert bad == model.diverged_
        assert display.max_stable_lr == model.max_stable_lr_ == 1.0

    def test_what_is_drawn(self):
        display = LearningRateDisplay.from_estimator(
            GDLinearRegressor(precondition="standardize", epochs=50), X, Y
        )
        left, right = display.axes_
        assert (left.get_xlabel(), left.get_ylabel()) == ("Learning rate", "Final loss")
        assert (right.get_xlabel(), right.get_ylabel()) == ("Epoch", "Loss")
        assert left.get_xscale() == "log"
        assert display.stable_line_.get_xdata()[0] == display.max_stable_lr
        assert len(display.lines_) == len(display.lrs) == 12
        # the default looks at both sides of the bound
        np.testing.assert_array_equal(display.diverged, display.lrs > display.max_stable_lr)
        assert legend(left) == ["diverged", f"largest stable lr, {display.max_stable_lr:.4g}"]
        display.figure_.canvas.draw()
        (mark,) = (line for line in left.lines if line.get_label() == "diverged")
        extent = mark.get_window_extent()
        assert left.bbox.x0 < extent.x0 < extent.x1 < left.bbox.x1
        assert left.bbox.y0 < extent.y0 < extent.y1 < left.bbox.y1

    def test_diverged_runs_look_different_and_end_where_they_diverge(self):
        display = LearningRateDisplay.from_estimator(
            GDLinearRegressor(), X, Y, lrs=(0.1, 0.9, 1.1, 1.3)
        )
        styles = [(line.get_color(), line.get_linestyle()) for line in display.lines_]
        assert [style[1] for style in styles] == ["-", "-", "--", "--"]
        assert len({str(color) for color, _ in styles}) == 3
        np.testing.assert_array_less(0, np.diff(display.lines_[2].get_ydata()))

    def test_the_curve_of_a_search_ends_at_its_divergence(self):
        search = GDLinearRegressorCV(lrs=(0.1, 1.2), epochs=100, cv=3)
        display = LearningRateDisplay.from_estimator(quietly(search.fit, X, Y))
        assert display.diverged.tolist() == [False, True]
        curve, drawn = display.loss_curves[1], display.lines_[1].get_ydata()
        assert len(drawn) < len(curve) == 100
        assert drawn[-1] == curve.max()

    def test_the_distance_to_the_optimum(self):
        model = GDLinearRegressor(epochs=30)
        display = LearningRateDisplay.from_estimator(model, X, Y, lrs=(0.1,), above_optimum=True)
        optimum = np.mean((LinearRegression().fit(X, Y).predict(X) - Y) ** 2)
        np.testing.assert_allclose(display.optimum, optimum, rtol=1e-9)
        distance = display.lines_[0].get_ydata()
        np.testing.assert_allclose(distance[1:] / distance[:-1], 0.64, rtol=1e-6)
        assert display.axes_[1].get_ylabel() == "Loss above the optimum"
        huber = GDLinearRegressor(loss="huber", epochs=5)
        with pytest.raises(ValueError, match="above_optimum=True needs an optimum"):
            LearningRateDisplay.from_estimator(huber, X, Y, above_optimum=True)

    def test_five_panels_leave_no_empty_place(self):
        display = LearningRateDisplay.from_function(parabola, 7.0, epochs=3)
        display.figure_.canvas.draw()
        assert display.figure_.axes == list(display.axes_)
        top, bottom = display.axes_[:3], display.axes_[3:]
        middle = [np.mean([ax.bbox.x0 + ax.bbox.x1 for ax in row]) for row in (top, bottom)]
        assert abs(middle[0] - middle[1]) < 20  # pixels, twice the distance of the centres
        (legend,) = display.figure_.legends
        texts = [text.get_text() for text in legend.get_texts()]
        assert texts == ["steps", "start", "last step"]

    @pytest.mark.parametrize("lrs", [(0.1,), (1e-4, 1e-3), (3.0, 5.0)])
    def test_the_largest_stable_lr_is_in_sight(self, lrs):
        display = LearningRateDisplay.from_estimator(GDLinearRegressor(epochs=5), X, Y, lrs=lrs)
        low, high = display.axes_[0].get_xlim()
        assert low < min(*lrs, display.max_stable_lr)
        assert max(*lrs, display.max_stable_lr) < high

    @pytest.mark.parametrize("lrs", [(0.01,), (0.1, 0.12), (0.1, 0.5)])
    def test_the_labels_of_near_lrs_do_not_overlap(self, lrs):
        adam = GDLinearRegressor(optimizer="adam", epochs=5)
        display = LearningRateDisplay.from_estimator(adam, X, Y, lrs=lrs)
        display.figure_.canvas.draw()
        ax = display.axes_[0]
        labels = [*ax.get_xticklabels(), *ax.get_xticklabels(minor=True)]
        inside = [label.get_window_extent() for label in labels if label.get_text()]
        ends = sorted((box.x0, box.x1) for box in inside)
        assert len(ends) > 1
        assert all(high < low for (_, high), (low, _) in pairwise(ends))

    def test_one_epoch_is_a_point(self):
        display = LearningRateDisplay.from_estimator(GDLinearRegressor(epochs=1), X, Y, lrs=(0.1,))
        assert display.lines_[0].get_marker() == "o"

    @pytest.mark.parametrize("style", ["default", "dark_background", "ggplot"])
    def test_no_curve_has_the_colour_of_the_background(self, style):
        with plt.style.context(style):
            display = LearningRateDisplay.from_estimator(GDLinearRegressor(epochs=9), X, Y)
        background = to_rgb(display.axes_[1].get_facecolor())
        colors = np.array([to_rgb(line.get_color()) for line in display.lines_])
        assert np.linalg.norm(colors - background, axis=1).min() > 0.4

    def test_no_bound_no_line(self):
        display = LearningRateDisplay.from_estimator(
            GDLinearRegressor(optimizer="adam", epochs=5), X, Y
        )
        assert display.max_stable_lr is None
        assert display.stable_line_ is None
        assert display.axes_[0].get_legend() is None

    def test_the_estimator_is_only_read(self):
        model = GDLinearRegressor(lr=0.3).fit(X, Y)
        before = {name: np.copy(value) for name, value in vars(model).items()}
        for display in (LearningRateDisplay, DescentPathDisplay):
            display.from_estimator(model, X[:, :2], Y)
        assert vars(model).keys() == before.keys()
        for name, value in before.items():
            np.testing.assert_array_equal(vars(model)[name], value)

    def test_the_tutorials_five_pictures(self):
        display = LearningRateDisplay.from_function(parabola, 7.0)
        assert [ax.get_title() for ax in display.axes_] == [
            "lr = 0.01",
            "lr = 0.1",
            "lr = 0.3",
            "lr = 0.7",
            "lr = 1",
        ]
        steps = np.arange(101)
        for lr, line, ax in zip(display.lrs, display.lines_, display.axes_, strict=True):
            x = 2 + 5 * (1 - 2 * lr) ** steps
            np.testing.assert_allclose(line.get_xdata(), x, atol=1e-12)
            np.testing.assert_allclose(line.get_ydata(), (x - 2) ** 2 + 1, atol=1e-11)
            assert ax.get_xlim() == display.axes_[0].get_xlim()

    def test_functions_of_two_and_of_more_variables(self):
        two = LearningRateDisplay.from_function(bowl, [1.0, 1.0], lrs=(0.01, 0.2), epochs=20)
        assert [panel.contours_ is not None for panel in two.panels] == [True, True]
        assert two.axes_[1].get_title() == "lr = 0.2, diverged"
        many = LearningRateDisplay.from_function(
            lambda x: (x**2).sum(), np.ones(5), lrs=(0.01, 0.1), optimizer="adam"
        )
        assert not many.panels
        assert many.axes_[1].get_xlabel() == "Epoch"

    def test_axes_of_the_user(self):
        _, axes = plt.subplots(1, 2)
        model = GDLinearRegressor(epochs=5)
        display = LearningRateDisplay.from_estimator(model, X, Y, lrs=[0.1], ax=axes)
        assert list(display.axes_) == list(axes)
        with pytest.raises(ValueError, match="needs 2 axes here, and ax holds 1"):
            display.plot(axes[0])

    @pytest.mark.parametrize("lrs", [[], [0.1, -1], ["fast"], [True], np.nan])
    def test_errors(self, lrs):
        with pytest.raises(ValueError, match="'lrs' parameter of LearningRateDisplay must be"):
            LearningRateDisplay.from_estimator(GDLinearRegressor(), X, Y, lrs=lrs)
