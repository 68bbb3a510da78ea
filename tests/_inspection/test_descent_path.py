"""The displays: what they hold, draw and label, and what they refuse."""

import builtins
import inspect
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline

import sklearn_gd
from sklearn_gd import (
    DescentPathDisplay,
    FitDisplay,
    GDLinearRegressor,
    GDPolynomialRegressor,
    LearningRateDisplay,
    LossCurveDisplay,
    minimize,
)

mpl.use("agg")
plt = pytest.importorskip("matplotlib.pyplot")

DISPLAYS = [LossCurveDisplay, LearningRateDisplay, DescentPathDisplay, FitDisplay]
RNG = np.random.default_rng(0)
X = RNG.normal([1.0, 5.0, -2.0], [1.0, 2.0, 0.5], size=(60, 3))
Y = X @ [2.0, -1.0, 0.5] + 3 + RNG.normal(0, 0.1, 60)
LINE, LINE_Y = X[:, :1], 2 * X[:, 0] - 1


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")


def quietly(fit, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit(*args)


def parabola(x):
    return x**2 - 4 * x + 5


def bowl(x):
    return x[0] ** 2 + 10 * x[1] ** 2


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("display", DISPLAYS)
class TestConventions:
    def test_names(self, display):
        assert display.__module__ == "sklearn_gd"
        assert display.__name__ in sklearn_gd.__all__
        parameters = list(inspect.signature(display).parameters.values())
        assert all(p.kind is p.KEYWORD_ONLY for p in parameters)
        for name, method in inspect.getmembers(display, inspect.isroutine):
            if name.startswith("from_") or name == "plot":
                assert inspect.signature(method).parameters["ax"].default is None
                assert method.__doc__

    def test_init_only_stores(self, display):
        sentinels = {name: object() for name in inspect.signature(display).parameters}
        assert vars(display(**sentinels)) == sentinels


def test_without_matplotlib_a_sentence(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **options):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install sklearn_gd\[plot\]"):
        LossCurveDisplay.from_curves([3.0, 2.0])


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
        assert both.diverged_marks_["bad"].get_ydata() == [both.ax_.get_ylim()[1]]

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
        animation.save(tmp_path / "descent.gif", writer="pillow")
        assert (tmp_path / "descent.gif").read_bytes()[:6] == b"GIF89a"
        # the last frame is the whole path
        np.testing.assert_array_equal(display.line_.get_xdata(), display.path[:, 0])
        animation._func(3)
        np.testing.assert_array_equal(display.line_.get_xdata(), display.path[:3, 0])
        assert display.end_.get_xdata() == [display.path[2, 0]]

    @pytest.mark.parametrize(
        "features", [(0,), (0, 0), (0, -3), (0, 3), ("a", 0), (0, 1, 2), (0.5, 1)]
    )
    def test_features_that_are_none(self, features):
        with pytest.raises(ValueError, match=r"'features' parameter.*names among \['x0', 'x1'"):
            DescentPathDisplay.from_estimator(GDLinearRegressor(), X, Y, features=features)

    def test_errors(self):
        with pytest.raises(ValueError, match="draws one run, and this result holds 2"):
            DescentPathDisplay.from_function(parabola, minimize(parabola, 7.0, lr=[0.1, 0.2]))
        result = minimize(lambda x: (x**2).sum(), np.ones(3), epochs=2)
        with pytest.raises(ValueError, match="one variable or two, and the path has 3"):
            DescentPathDisplay.from_function(lambda x: (x**2).sum(), result)


def torch_log(x):
    return x.log()


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

    @pytest.mark.parametrize("epochs", [[], [2000], ["last"], [1.5], [True]])
    def test_errors(self, epochs):
        with pytest.raises(ValueError, match="'epochs' parameter of FitDisplay must be"):
            FitDisplay.from_estimator(GDLinearRegressor(), X, Y, epochs=epochs)


@pytest.mark.parametrize("display", [LearningRateDisplay, DescentPathDisplay, FitDisplay])
class TestEstimators:
    def test_others_are_refused(self, display):
        with pytest.raises(TypeError, match=f"{display.__name__} looks at the descent of a GDL"):
            display.from_estimator(LinearRegression(), X, Y)

    def test_bad_parameters_and_data(self, display):
        with pytest.raises(ValueError, match="'lr' parameter of GDLinearRegressor must be"):
            display.from_estimator(GDLinearRegressor(lr=-1), X, Y)
        with pytest.raises(ValueError, match="contains NaN"):
            display.from_estimator(GDLinearRegressor(), np.where(X > 5, np.nan, X), Y)

    def test_several_targets(self, display):
        both = np.column_stack([Y, Y**2])
        if display is LearningRateDisplay:
            shown = display.from_estimator(GDLinearRegressor(epochs=5), X, both, lrs=[0.1])
            model = quietly(GDLinearRegressor(epochs=5, lr=0.1).fit, X, both)
            np.testing.assert_allclose(shown.loss_curves[0], model.loss_curve_)
        else:
            with pytest.raises(ValueError, match="draws one target, and y has 2"):
                display.from_estimator(GDLinearRegressor(), X, both)
