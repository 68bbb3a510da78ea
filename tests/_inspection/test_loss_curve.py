"""Loss curves: what they hold, draw and label, and what they refuse."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline

from sklearn_gd import GDLinearRegressor, LossCurveDisplay
from tests._inspection.reference import X, Y, legend, quietly


class TestLossCurve:
    def test_an_estimator(self):
        model = quietly(GDLinearRegressor(epochs=30).fit, X, Y)
        display = LossCurveDisplay.from_estimator(model)
        np.testing.assert_array_equal(
            display.lines_["GDLinearRegressor"].get_ydata(), model.loss_curve_
        )
        assert display.ax_.get_xlabel() == "Epoch"
        assert display.ax_.get_ylabel() == "Loss"
        assert display.figure_ is display.ax_.figure
        assert legend(display.ax_) == ["GDLinearRegressor"]

    def test_several_and_a_network(self):
        network = quietly(MLPRegressor(max_iter=20, random_state=0).fit, X, Y)
        line = GDLinearRegressor(lr=0.3).fit(X, Y)
        display = LossCurveDisplay.from_estimators({"network": network, "line": line})
        assert legend(display.ax_) == ["network", "line"]
        colors = {line.get_color() for line in display.lines_.values()}
        assert len(colors) == 2
        assert not display.diverged_marks_

    @pytest.mark.parametrize("style", ["default", "dark_background"])
    def test_no_curve_has_the_colour_of_the_background(self, style):
        with plt.style.context(style):
            display = LossCurveDisplay.from_curves({str(i): np.arange(3) + i for i in range(9)})
        background = to_rgb(display.ax_.get_facecolor())
        colors = np.array([to_rgb(line.get_color()) for line in display.lines_.values()])
        assert np.linalg.norm(colors - background, axis=1).min() > 0.4

    def test_a_transparent_figure_is_light(self):
        with plt.rc_context({"figure.facecolor": "none", "axes.facecolor": "none"}):
            display = LossCurveDisplay.from_curves({str(i): [1, 2] for i in range(7)})
        assert to_rgb(display.lines_["6"].get_color()) == (0.0, 0.0, 0.0)

    def test_one_epoch_is_a_point(self):
        display = LossCurveDisplay.from_curves({"one": [2.0], "two": [2.0, 1.0]})
        assert [line.get_marker() for line in display.lines_.values()] == ["o", "None"]

    def test_validation_and_best_epoch(self):
        model = quietly(GDLinearRegressor(epochs=30).fit, X, Y)
        model.validation_loss_curve_ = model.loss_curve_ + 1
        model.best_epoch_ = 12
        display = LossCurveDisplay.from_estimator(model, name="early")
        np.testing.assert_array_equal(
            display.validation_lines_["early"].get_ydata(), model.validation_loss_curve_
        )
        assert list(display.best_lines_["early"].get_xdata()) == [12, 12]
        assert legend(display.ax_) == ["early", "early, validation", "early, best epoch 12"]

    def test_a_diverged_run_is_marked_and_does_not_hide_the_others(self):
        bad = quietly(GDLinearRegressor(lr=1.5).fit, X, Y)
        good = GDLinearRegressor(lr=0.3).fit(X, Y)
        alone = LossCurveDisplay.from_estimator(bad, name="bad")
        mark = alone.diverged_marks_["bad"]
        assert mark.get_xdata() == [bad.n_iter_ - 1]
        assert mark.get_ydata() == [bad.loss_curve_[-1]]
        assert legend(alone.ax_) == ["bad", "bad, diverged"]
        both = LossCurveDisplay.from_estimators({"bad": bad, "good": good})
        assert both.ax_.get_ylim()[1] < 100 * good.loss_curve_[0]
        mark = both.diverged_marks_["bad"]
        assert mark.get_ydata() == [both.ax_.get_ylim()[1]]
        both.figure_.canvas.draw()
        assert both.ax_.bbox.containsy(mark.get_window_extent().y1)  # not cut by the frame

    def test_nine_curves_differ(self):
        curves = {str(i): np.linspace(i + 1, 1, 5) for i in range(20)}
        lines = LossCurveDisplay.from_curves(curves).lines_.values()
        assert len({(line.get_color(), line.get_marker()) for line in lines}) == 20

    def test_the_halved_loss_of_a_network_is_doubled(self):
        # a step of zero length keeps the start, whose loss is in the curve
        network = MLPRegressor(
            hidden_layer_sizes=(3,),
            alpha=0.0,
            max_iter=1,
            solver="sgd",
            learning_rate_init=1e-300,
            batch_size=len(X),
            random_state=0,
        )
        quietly(network.fit, X, Y)
        display = LossCurveDisplay.from_estimator(network, name="network")
        expected = np.mean((network.predict(X) - Y) ** 2)
        np.testing.assert_allclose(display.lines_["network"].get_ydata(), [expected])

    def test_the_distance_to_the_optimum(self):
        model = quietly(GDLinearRegressor(lr=0.1, epochs=60).fit, X, Y)
        exact = LinearRegression().fit(X, Y)
        optimum = np.mean((exact.predict(X) - Y) ** 2)
        display = LossCurveDisplay.from_estimator(model, optimum=optimum)
        distance = display.lines_["GDLinearRegressor"].get_ydata()
        # whitened, every epoch of lr 0.1 leaves 0.8 of the way, and 0.64 of the loss
        expected = (model.loss_curve_[0] - optimum) * 0.64 ** np.arange(60)
        np.testing.assert_allclose(distance[:40], expected[:40], rtol=1e-6)
        assert display.ax_.get_yscale() == "log"
        assert display.ax_.get_ylabel() == "Loss above the optimum"
        with pytest.raises(ValueError, match="'optimum' parameter of LossCurveDisplay must be"):
            LossCurveDisplay.from_estimator(model, optimum=np.nan)

    def test_log_scale_where_it_helps(self):
        def scale(*curves, **options):
            named = {str(i): curve for i, curve in enumerate(curves)}
            return LossCurveDisplay.from_curves(named, **options).ax_.get_yscale()

        assert scale(np.geomspace(1e3, 1e-3, 20)) == "log"
        assert scale(np.linspace(3, 2, 20)) == "linear"
        assert scale(np.geomspace(1e3, 1e-3, 20), [1.0, -1.0]) == "linear"
        assert scale([100.0, 1.0, 0.0]) == "linear"
        assert scale([3.0, 2.0], log_scale=True) == "log"
        assert scale([1e6, 1.0], log_scale=False) == "linear"

    def test_curves_that_are_not_finite(self):
        display = LossCurveDisplay.from_curves({"run": [4.0, 16.0, np.inf]})
        assert display.diverged_marks_["run"].get_xdata() == [1]
        nothing = LossCurveDisplay.from_curves({"run": [np.nan]})
        assert len(nothing.diverged_marks_["run"].get_xdata()) == 0

    def test_style_and_axes_of_the_user(self):
        figure, (left, right) = plt.subplots(1, 2)
        display = LossCurveDisplay.from_curves([3.0, 2.0], ax=right, curve_kwargs={"c": "k"})
        assert display.ax_ is right
        assert display.figure_ is figure
        assert display.lines_["loss"].get_color() == "k"
        assert not left.lines
        assert plt.get_fignums() == [figure.number]

    def test_errors(self):
        with pytest.raises(NotFittedError):
            LossCurveDisplay.from_estimator(GDLinearRegressor())
        with pytest.raises(TypeError, match="a loss_curve_, and LinearRegression has none"):
            LossCurveDisplay.from_estimator(LinearRegression().fit(X, Y))
        model = make_pipeline(GDLinearRegressor(lr=0.3)).fit(X, Y)
        with pytest.raises(TypeError, match=r"such as pipeline\[-1\]"):
            LossCurveDisplay.from_estimator(model)
        with pytest.raises(ValueError, match="nothing to draw: estimators is empty"):
            LossCurveDisplay.from_estimators({})
        with pytest.raises(ValueError, match="nothing to draw: curves is empty"):
            LossCurveDisplay.from_curves({})
        with pytest.raises(TypeError, match="names of curves must be str, and 3 is not"):
            LossCurveDisplay.from_curves({3: [1.0]})
        with pytest.raises(ValueError, match=r"'loss' has shape \(2, 2\)"):
            LossCurveDisplay.from_curves([[1.0, 2.0], [1.0, 2.0]])
