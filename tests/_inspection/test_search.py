"""Displays of a fitted search: what they read, draw and refuse."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressorCV,
    LearningRateDisplay,
    SearchDisplay,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, Y = load_diabetes(return_X_y=True)


@pytest.fixture(scope="module")
def search():
    # out of order on purpose
    return GDLinearRegressorCV(lrs=(0.1, 0.01, 5.0), alphas=(0.0, 0.1), epochs=60).fit(X, Y)


def test_heat_map_shows_the_table(search):
    display = SearchDisplay.from_estimator(search)
    assert (display.x_name, display.y_name, display.score_name) == ("lr", "alpha", "R²")
    assert display.x_values == [0.01, 0.1, 5.0]
    mean = search.cv_results_["mean_test_score"].reshape(2, 3)[:, [1, 0, 2]]
    np.testing.assert_array_equal(display.scores, mean)
    np.testing.assert_array_equal(display.image_.get_array(), mean)
    numbers = [float(text.get_text()) for text in display.texts_]
    np.testing.assert_allclose(numbers, mean.ravel(), rtol=0, atol=5e-4)  # the best is below 1
    row, column = np.unravel_index(mean.argmax(), mean.shape)
    assert display.best_mark_.get_xdata().min() == column
    assert display.best_mark_.get_ydata().min() == row
    assert display.diverged_marks_.get_xdata().astype(int).tolist() == [2, 2]
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["0.01", "0.1", "5"]
    assert display.ax_.get_xlabel() == "lr"
    display.figure_.canvas.draw()


def test_heat_map_takes_the_best_over_other_parameters():
    rows = X[:, :2]
    search = GDPolynomialRegressorCV(lrs=(0.01, 0.1), alphas=(0.0, 1.0), epochs=20, cv=3)
    search.fit(rows, Y)
    display = SearchDisplay.from_estimator(search, params=("degree", "lr"))
    mean = search.cv_results_["mean_test_score"].reshape(2, 3, 2)  # alpha, degree, lr
    np.testing.assert_array_equal(display.scores, mean.max(axis=0).T)


def test_heat_map_of_a_grid_search_and_of_several_scorers():
    grid = {"alpha": [0.1, 1.0, 10.0], "solver": ["svd", "cholesky"]}
    scoring = {"mse": "neg_mean_squared_error", "max": "neg_max_error"}
    search = GridSearchCV(Ridge(), grid, scoring=scoring, refit="max").fit(X, Y)
    display = SearchDisplay.from_estimator(search)
    assert display.score_name == "max"
    assert display.y_values == [0.1, 1.0, 10.0]
    assert display.diverged_marks_ is None
    assert SearchDisplay.from_estimator(search, metric="mse").score_name == "mse"
    with pytest.raises(ValueError, match="no scores of 'r2'"):
        SearchDisplay.from_estimator(search, metric="r2")


def test_a_few_bad_scores_do_not_take_all_colours():
    scores = np.array([[0.5, 0.51, 0.52], [0.53, 0.5, -1e9]])
    named = {"x_values": [1, 2, 3], "y_values": [1, 2], "x_name": "x", "y_name": "y"}
    display = SearchDisplay(scores=scores, **named).plot()
    assert display.image_.get_clim() == (0.5, 0.53)
    nothing = SearchDisplay(scores=np.full((2, 3), np.nan), **named).plot()
    assert nothing.best_mark_ is None


def heat_map(scores, **options):
    rows, columns = np.shape(scores)
    named = {"x_values": range(columns), "y_values": range(rows), "x_name": "x", "y_name": "y"}
    return SearchDisplay(scores=np.array(scores), **named).plot(**options)


@pytest.mark.parametrize(
    ("scores", "texts"),
    [
        ([[0.46312, -0.02871], [0.01072, 0.46012]], ["0.463", "-0.029", "0.011", "0.46"]),
        ([[-1.0412, -15.412], [-1.0712, -3.1888]], ["-1.04", "-15.4", "-1.07", "-3.19"]),
        ([[0.0, -0.00004]], ["0", "0"]),
        ([[1.5e-9, 2.5e12], [np.nan, 3e12]], ["0", "2.5e+12", "3e+12"]),
    ],
)
def test_scores_have_the_decimals_of_the_best(scores, texts):
    assert [text.get_text() for text in heat_map(scores).texts_] == texts


@pytest.mark.parametrize("shape", [(1, 30), (6, 10), (30, 2), (4, 4), (12, 5), (40, 1)])
@pytest.mark.parametrize("unit", [1.0, -1e11])
def test_scores_are_written_where_they_fit(shape, unit):
    display = heat_map(unit * np.random.default_rng(0).random(shape))
    display.figure_.canvas.draw()
    cell = display.ax_.bbox.width / shape[1], display.ax_.bbox.height / shape[0]
    for text in display.texts_:
        extent = text.get_window_extent()
        assert extent.width < cell[0]
        assert extent.height < 1.3 * cell[1]  # the extent has room above digits
    # "-9.36e+10" has eight letters or nine, "0.936" has five
    shown = {(30, 2), (4, 4), (12, 5), *([(6, 10)] if unit == 1.0 else [])}
    assert bool(display.texts_) == (shape in shown)


@pytest.mark.parametrize("cmap", ["cividis", "Greys", "viridis_r"])
def test_scores_are_readable_on_every_colour(cmap):
    display = heat_map(np.linspace(0, 1, 20).reshape(4, 5), image_kwargs={"cmap": cmap})
    display.figure_.canvas.draw()
    weights = np.array([0.2126, 0.7152, 0.0722])
    for text, face in zip(display.texts_, display.image_.get_facecolors(), strict=True):
        light = [weights @ np.power(to_rgb(color), 2.2) for color in (text.get_color(), face[:3])]
        assert (max(light) + 0.05) / (min(light) + 0.05) > 3.0  # the contrast of WCAG


def test_labels_of_long_values_do_not_overlap():
    options = [{"momentum": 0.9, "nesterov": True}, {"momentum": 0.5, "dampening": 0.1}, np.mean]
    display = SearchDisplay(
        scores=np.eye(3), x_values=options, y_values=[1, 2, 3], x_name="x", y_name="y"
    ).plot()
    labels = display.ax_.get_xticklabels()
    assert labels[2].get_text() == "mean"
    assert {label.get_rotation() for label in labels} == {45.0}


def test_heat_map_refusals(search):
    with pytest.raises(NotFittedError):
        SearchDisplay.from_estimator(GDLinearRegressorCV())
    with pytest.raises(ValueError, match="no parameter 'degree'"):
        SearchDisplay.from_estimator(search, params=("degree", "lr"))
    alone = GDLinearRegressorCV(epochs=2).fit(X, Y)
    with pytest.raises(ValueError, match="draws two parameters"):
        SearchDisplay.from_estimator(alone)


def test_learning_rates_of_a_search(search):
    display = LearningRateDisplay.from_estimator(search)
    assert display.lrs.tolist() == [0.01, 0.1, 5.0]
    assert display.diverged.tolist() == [False, False, True]
    first = 0 if search.alpha_ == 0.0 else 3
    curves = search.test_loss_curves_[first : first + 3].mean(axis=1)[[1, 0, 2]]
    np.testing.assert_array_equal(np.array(display.loss_curves), curves)
    assert display.axes_[0].get_ylabel() == "Final held-out loss"
    assert display.axes_[1].get_ylabel() == "Held-out loss"
    with pytest.raises(ValueError, match="lrs cannot be given"):
        LearningRateDisplay.from_estimator(search, lrs=(0.1,))
    with pytest.raises(TypeError, match="needs X and y"):
        LearningRateDisplay.from_estimator(GDLinearRegressor())


def test_the_labels_of_many_values_do_not_overlap():
    values = np.geomspace(1.234e-7, 9.8765, 20)
    display = SearchDisplay(
        scores=np.arange(400.0).reshape(20, 20),
        x_values=values.tolist(),
        y_values=(0.123456 + 1e-5 * np.arange(20)).tolist(),
        x_name="lr",
        y_name="alpha",
        diverged=np.eye(20, dtype=bool),
    ).plot()
    display.figure_.canvas.draw()
    up = [label for label in display.ax_.get_yticklabels() if label.get_text()]
    assert len({label.get_text() for label in up}) == len(up) == 10
    ends = [(box.y0, box.y1) for box in (label.get_window_extent() for label in up)]
    assert all(high < low for (_, high), (low, _) in pairwise(ends))
    # labels that are turned by 45 degrees end at their ticks, further apart than a line is high
    across = display.ax_.get_xticklabels()
    positions = [display.ax_.transData.transform((tick, 0))[0] for tick in display.ax_.get_xticks()]
    assert {label.get_horizontalalignment() for label in across} == {"right"}
    assert np.diff(positions).min() * np.sqrt(0.5) > across[0].get_fontsize()
    # a mark fits into its cell
    cell = np.diff(positions).min() / 2
    points = display.figure_.dpi / 72
    assert display.diverged_marks_.get_markersize() * points < cell
