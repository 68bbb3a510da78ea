"""Coefficients with intervals: what they hold, draw and label, and what they refuse."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from sklearn_gd import CoefficientDisplay, GDLinearRegressor, GDPolynomialRegressor
from tests._inspection.reference import X, Y, legend, quietly

NOISE = np.random.default_rng(5).normal(0, 3.0, len(Y))
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
MODEL = GDLinearRegressor(epochs=300)


def labels(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


class TestIntervals:
    @pytest.mark.parametrize("cov_type", ["nonrobust", "HC3"])
    def test_are_those_of_statsmodels(self, cov_type):
        y = Y + NOISE
        display = CoefficientDisplay.from_estimator(
            MODEL, FRAME, y, confidence=0.9, cov_type=cov_type
        )
        theirs = sm.OLS(y, sm.add_constant(X)).fit(cov_type=cov_type)
        ends = np.array([segment[:, 0] for segment in display.intervals_.get_segments()])
        np.testing.assert_allclose(ends, theirs.conf_int(alpha=0.1)[1:], rtol=1e-8)
        points, rows = display.points_.get_data()
        np.testing.assert_allclose(points, MODEL.fit(FRAME, y).coef_, rtol=1e-9)
        np.testing.assert_array_equal(rows, [0, 1, 2])
        assert labels(display.ax_) == ["a", "b", "c"]
        low, high = display.ax_.get_ylim()
        assert low > high  # the first coefficient is at the top
        assert "90% interval" in legend(display.ax_)
        assert display.lines_ == {}

    def test_intervals_with_zero_are_grey(self):
        y = X @ [5.0, 0.0, 0.0] + 2 * NOISE
        holds_zero = np.prod(sm.OLS(y, sm.add_constant(X)).fit().conf_int()[1:], axis=1) < 0
        assert set(holds_zero) == {True, False}
        display = CoefficientDisplay.from_estimator(MODEL, FRAME, y)
        assert sum("interval" in text for text in legend(display.ax_)) == 2
        is_grey = [len(set(color[:3])) == 1 for color in display.intervals_.get_colors()]
        np.testing.assert_array_equal(is_grey, holds_zero)

    def test_in_units_of_the_target(self):
        display = CoefficientDisplay.from_estimator(MODEL, FRAME, Y + NOISE, standardize=True)
        scaled = (X - X.mean(axis=0)) / X.std(axis=0)
        theirs = sm.OLS(Y + NOISE, sm.add_constant(scaled)).fit()
        np.testing.assert_allclose(display.optimum, theirs.params[1:], rtol=1e-8)
        np.testing.assert_allclose(display.errors, theirs.bse[1:], rtol=1e-8)
        polynomial = GDPolynomialRegressor(lr="auto", epochs=20, fit_intercept=False)
        display = CoefficientDisplay.from_estimator(
            polynomial, X[:, :1], Y + NOISE, standardize=True
        )
        terms = X[:, :1] ** [1, 2]
        scaled = terms / np.sqrt((terms**2).mean(axis=0))
        np.testing.assert_allclose(
            display.optimum, sm.OLS(Y + NOISE, scaled).fit().params, rtol=1e-8
        )

    def test_many_terms(self):
        y = Y + NOISE
        model = GDPolynomialRegressor(degree=3, lr=0.1)
        display = CoefficientDisplay.from_estimator(model, FRAME, y, max_terms=5)
        assert len(labels(display.ax_)) == 5
        t = np.abs(display.optimum / display.errors)
        assert set(display.shown_) == set(np.argsort(-t)[:5])
        assert (np.diff(display.shown_) > 0).all()
        assert "the 5 of 19 coefficients with the largest |t|" in display.ax_.get_xlabel()

    def test_long_names(self):
        names = [f"the price of {thing} in the first week of the year" for thing in "abc"]
        names[2] = "a word of 80 letters" + "x" * 80
        frame = FRAME.set_axis(names, axis=1)
        display = CoefficientDisplay.from_estimator(MODEL, frame, Y + NOISE)
        shown = labels(display.ax_)
        assert all(len(line) <= 32 for text in shown for line in text.splitlines())
        assert all(text.count("\n") == 1 for text in shown)
        frame = FRAME.set_axis(["$a", "b$", "c"], axis=1)  # no formula
        display = CoefficientDisplay.from_estimator(MODEL, frame, Y + NOISE)
        display.figure_.canvas.draw()
        assert labels(display.ax_)[0] == r"\$a"


class TestEpochs:
    def test_distances_in_standard_errors(self):
        y = Y + NOISE
        display = CoefficientDisplay.from_estimator(MODEL, FRAME, y, kind="epochs")
        theirs = sm.OLS(y, sm.add_constant(X)).fit()
        assert list(display.lines_) != []
        for j, name in enumerate("abc"):
            epochs, distance = display.lines_[name].get_data()
            assert len(epochs) == 301
            np.testing.assert_allclose(
                distance[0], -theirs.params[1 + j] / theirs.bse[1 + j], rtol=1e-8
            )
            after = quietly(GDLinearRegressor(epochs=7).fit, X, y).coef_[j]
            expected = (after - theirs.params[1 + j]) / theirs.bse[1 + j]
            np.testing.assert_allclose(distance[7], expected, rtol=1e-8)
            # from this epoch on it is inside of the interval
            quantile = display.quantile
            entry = int(np.flatnonzero(np.abs(distance) > quantile).max(initial=-1)) + 1
            when = f"from epoch {entry}" if entry else "from the start"
            assert f"{name}, {when}" in legend(display.ax_)
        low, high = display.band_.get_y(), display.band_.get_y() + display.band_.get_height()
        np.testing.assert_allclose([low, high], [-quantile, quantile])
        assert display.intervals_ is None
        assert display.points_ is None

    def test_the_legend_is_inside_of_the_axes_of_the_user(self):
        figure, ax = plt.subplots()
        CoefficientDisplay.from_estimator(GDLinearRegressor(), FRAME, Y, kind="epochs", ax=ax)
        figure.canvas.draw()
        extent = ax.get_legend().get_window_extent()
        assert ax.bbox.x0 < extent.x0 < extent.x1 < ax.bbox.x1

    def test_few_epochs(self):
        display = CoefficientDisplay.from_estimator(
            GDLinearRegressor(epochs=3), FRAME, Y, kind="epochs"
        )
        assert any(text.endswith("not yet") for text in legend(display.ax_))

    def test_many_terms_are_grey(self):
        model = GDPolynomialRegressor(degree=3, lr=0.1)
        display = CoefficientDisplay.from_estimator(model, FRAME, Y + NOISE, kind="epochs")
        assert len(display.lines_) == 19
        assert len(legend(display.ax_)) == 8
        assert legend(display.ax_)[-1].startswith("12 others, from ")

    def test_of_a_divergence_the_kept_point_is_the_end(self):
        model = GDLinearRegressor(lr=1.01, epochs=50)
        display = CoefficientDisplay.from_estimator(model, FRAME, Y + NOISE)
        kept = quietly(model.fit, FRAME, Y + NOISE).coef_
        np.testing.assert_allclose(display.points_.get_xdata(), kept, atol=1e-12)


def test_axes_and_styles_of_the_user():
    _, ax = plt.subplots()
    display = CoefficientDisplay.from_estimator(
        MODEL, FRAME, Y, ax=ax, point_kwargs={"ms": 9}, line_kwargs={"linewidth": 2}
    )
    assert display.ax_ is ax
    assert display.points_.get_markersize() == 9
    assert display.intervals_.get_linewidth()[0] == 2
    display.plot(kind="epochs", line_kwargs={"lw": 5})
    assert display.lines_["a"].get_linewidth() == 5
    assert len(plt.get_fignums()) == 2


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"kind": "path"}, "'kind' parameter of CoefficientDisplay must be one of"),
            ({"max_terms": 0}, "'max_terms' parameter of CoefficientDisplay must be an int"),
            ({"confidence": 1.0}, "'confidence' parameter of CoefficientDisplay must be a float"),
            ({"cov_type": "HC9"}, "'cov_type' parameter of CoefficientDisplay must be one of"),
            ({"standardize": 3}, "'standardize' parameter of CoefficientDisplay must be an inst"),
        ],
    )
    def test_options(self, options, message):
        with pytest.raises(ValueError, match=message):
            CoefficientDisplay.from_estimator(MODEL, FRAME, Y, **options)

    def test_undefined(self):
        with pytest.raises(
            ValueError, match="CoefficientDisplay on GDLinearRegressor is not possib"
        ):
            CoefficientDisplay.from_estimator(GDLinearRegressor(alpha=1.0), FRAME, Y)
        with pytest.raises(ValueError, match="the residuals of this fit are rounding"):
            CoefficientDisplay.from_estimator(MODEL, FRAME, X @ [1.0, 2.0, 3.0])
