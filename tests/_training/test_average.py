"""``average``: the mean of the parameters after every step.

The oracles are a plain torch loop that records its iterates, SGDRegressor(average=...), and the
mean of fits that end after each epoch.
"""

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDRegressor

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    Moments,
    lr_report,
)
from tests._model_selection.reference import grid_search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3)) + np.array([1.0, 0.0, -1.0])
TWO = np.column_stack([X @ [1.0, -2.0, 0.5] + 3.0, X[:, 0] ** 2]) + RNG.normal(size=(50, 2))
Y = TWO[:, 0]
WEIGHT = RNG.integers(0, 3, 50).astype(float)


def iterates(batch_size, epochs, *, lr=0.01, momentum=0.0, weight=None):
    """The coefficients and intercepts (steps, 4) after every step of a bare torch loop."""
    used = slice(None) if weight is None else np.flatnonzero(weight)
    x, y = torch.tensor(X[used]), torch.tensor(Y[used])
    weights = torch.ones_like(y) if weight is None else torch.tensor(weight[used])
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    c = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer, points = torch.optim.SGD([w, c], lr=lr, momentum=momentum), []
    for _ in range(epochs):
        for rows in torch.arange(len(y)).split(batch_size):
            optimizer.zero_grad()
            square = (x[rows] @ w + c - y[rows]) ** 2
            (square @ weights[rows] / weights[rows].sum()).backward()
            optimizer.step()
            points.append([*w.tolist(), c.item()])
    return np.array(points)


def parameters(model):
    """The coefficients and the intercept."""
    return np.append(model.coef_, model.intercept_)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("batch_size", [1, 7, 50])
@pytest.mark.parametrize("average", [True, 1, 30, 61, 90])
def test_a_bare_loop(average, batch_size, weight):
    n_rows = 50 if weight is None else int(np.count_nonzero(weight))
    batch_size = min(batch_size, n_rows)
    points = iterates(batch_size, 3, momentum=0.5, weight=weight)
    per_epoch = -(-n_rows // batch_size)
    seen = [
        epoch * n_rows + min((step + 1) * batch_size, n_rows)
        for epoch in range(3)
        for step in range(per_epoch)
    ]
    expected = points[np.array(seen) >= average].mean(axis=0)
    model = GDLinearRegressor(
        average=average,
        batch_size=batch_size,
        epochs=3,
        shuffle=False,
        precondition=None,
        optimizer_params={"momentum": 0.5},
    ).fit(X, Y, weight)
    np.testing.assert_allclose(parameters(model), expected, rtol=1e-9)
    loss = np.average((model.predict(X) - Y) ** 2, weights=weight)
    assert model.loss_ == pytest.approx(loss, rel=1e-10)
    raw = clone(model).set_params(average=False).fit(X, Y, weight)
    np.testing.assert_allclose(parameters(raw), points[-1], rtol=1e-9)
    np.testing.assert_array_equal(model.loss_curve_, raw.loss_curve_)


@pytest.mark.parametrize("average", [True, 20, 130, 10_000])
def test_sgd_regressor(average):
    options = {"penalty": None, "learning_rate": "constant", "shuffle": False, "tol": None}
    theirs = SGDRegressor(average=average, eta0=0.02, max_iter=4, **options).fit(X, Y)
    ours = GDLinearRegressor(
        average=average, batch_size=1, epochs=4, shuffle=False, precondition=None, lr=0.01
    ).fit(X, Y)
    np.testing.assert_allclose(parameters(ours), parameters(theirs), rtol=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "adam"},
        {"optimizer": "lbfgs"},
        {"optimizer": "rprop"},
        {"loss": "huber"},
        {"loss": "absolute_error", "precondition": "standardize"},
        {"alpha": 0.5},
        {"positive": True},
        {"fit_intercept": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("y", [Y, TWO], ids=["one target", "two targets"])
def test_the_mean_of_fits_of_every_length(options, y):
    model = GDLinearRegressor(lr=0.05, epochs=6, **options)
    fits = [clone(model).set_params(epochs=t + 1).fit(X, y) for t in range(6)]
    averaged = clone(model).set_params(average=True).fit(X, y)
    expected = np.mean([fit.coef_ for fit in fits], axis=0)
    np.testing.assert_allclose(averaged.coef_, expected, rtol=1e-9, atol=1e-12)
    intercept = np.mean([fit.intercept_ for fit in fits], axis=0)
    np.testing.assert_allclose(averaged.intercept_, intercept, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(averaged.loss_curve_, fits[-1].loss_curve_)


def test_polynomials_moments_and_float32():
    model = GDPolynomialRegressor(lr=0.05, epochs=6, average=True)
    fits = [GDPolynomialRegressor(lr=0.05, epochs=t + 1).fit(X, Y) for t in range(6)]
    expected = np.mean([fit.coef_ for fit in fits], axis=0)
    np.testing.assert_allclose(model.fit(X, Y).coef_, expected, rtol=1e-8)
    by_moments = clone(model).fit(Moments.of(X, Y, degree=2))
    np.testing.assert_allclose(by_moments.coef_, expected, rtol=1e-8)
    single = clone(model).fit(X.astype(np.float32), Y)
    np.testing.assert_allclose(single.coef_, expected, rtol=1e-4)


def test_many_epochs_in_chunks_and_an_end_before_the_last():
    """The monitor looks at many epochs together, and the average ends where the descent ends."""
    model = GDLinearRegressor(lr=0.05, epochs=500, tol=1e-6, average=70)
    model.fit(X, Y)
    n_iter = model.n_iter_
    assert 64 < n_iter < 500
    points = []
    GDLinearRegressor(lr=0.05, epochs=n_iter).set_callbacks(Recorder(points)).fit(X, Y)
    np.testing.assert_allclose(parameters(model), np.mean(points[1:], axis=0), rtol=1e-9)


class Recorder:
    """Keeps the parameters that a callback is shown after every epoch."""

    def __init__(self, points, interrupt_at=None):
        self.points, self.interrupt_at = points, interrupt_at

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch":
            self.points.append(parameters(fitted_estimator))
            if len(self.points) == self.interrupt_at:
                raise KeyboardInterrupt


def test_callbacks_are_shown_the_average():
    points, raw = [], []
    model = GDLinearRegressor(lr=0.05, epochs=5, average=True)
    model.set_callbacks(Recorder(points)).fit(X, Y)
    GDLinearRegressor(lr=0.05, epochs=5).set_callbacks(Recorder(raw)).fit(X, Y)
    means = np.cumsum(raw, axis=0) / np.arange(1, 6)[:, None]
    np.testing.assert_allclose(points, means, rtol=1e-10)
    np.testing.assert_allclose(parameters(model), means[-1], rtol=1e-10)


def test_an_interruption_leaves_the_average_of_complete_epochs():
    model = GDLinearRegressor(lr=0.05, epochs=9, average=True, warm_start=True)
    with pytest.raises(KeyboardInterrupt):
        model.set_callbacks(Recorder([], interrupt_at=4)).fit(X, Y)
    expected = GDLinearRegressor(lr=0.05, epochs=4, average=True).fit(X, Y)
    np.testing.assert_allclose(parameters(model), parameters(expected), rtol=1e-10)


def test_a_target_that_diverges_keeps_its_lowest_point():
    model = GDLinearRegressor(lr=1.5, epochs=200, average=True)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X, Y)
    raw = GDLinearRegressor(lr=1.5, epochs=200).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, raw.coef_)
    assert model.diverged_


def test_an_average_is_not_far_from_the_optimum_by_itself():
    """A step that overshoots for ever has the optimum in its middle."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = GDLinearRegressor(lr=1.0 - 1e-9, epochs=1000, average=True).fit(X, Y)
    optimum = GDLinearRegressor(lr="auto", epochs=20).fit(X, Y)
    np.testing.assert_allclose(model.coef_, optimum.coef_, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "huber"},
        {"optimizer": "rprop"},
        {"tol": 1e-3},
        {"batch_size": 40, "epochs": 10},
    ],
    ids=str,
)
@pytest.mark.parametrize("average", [True, 200])
def test_searches_average_every_candidate(average, options):
    """With 50 rows and 3 folds the 200th row is seen in different epochs."""
    search = GDLinearRegressorCV(
        **{"lrs": (0.01, 0.2, 1.5), "epochs": 20, "cv": 3, "random_state": 0, **options},
        average=average,
    )
    search.fit(X, Y)
    oracle = grid_search(search, X=X, y=Y)
    for key in ("split0_test_score", "split2_test_score", "mean_test_score"):
        np.testing.assert_allclose(search.cv_results_[key], oracle.cv_results_[key], rtol=1e-7)
    np.testing.assert_allclose(search.coef_, oracle.best_estimator_.coef_, rtol=1e-8)


def test_test_curves_and_the_choice_of_epochs_are_those_of_the_average():
    splits = [(np.arange(30), np.arange(30, 50))]
    search = GDLinearRegressorCV(lrs=(0.05,), epochs=12, cv=splits, average=True)
    search.fit(X, Y)
    curve = []
    for epochs in range(1, 12):
        plain = GDLinearRegressor(lr=0.05, epochs=epochs, average=True).fit(X[:30], Y[:30])
        curve.append(np.mean((plain.predict(X[30:]) - Y[30:]) ** 2))
    np.testing.assert_allclose(search.test_loss_curves_[0, 0, 1:], curve, rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"early_stopping": True}, "average=True of GDLinearRegressor is not possible: early_stop"),
        ({"alpha": 0.1, "l1_ratio": 0.5}, "is not possible: an L1 penalty .* Set l1_ratio=0.0"),
        ({"tol": "statistical"}, "tol='statistical' .* needs the parameters after the last step"),
        ({"average": -1}, "The 'average' parameter"),
        ({"average": 1.5}, "The 'average' parameter"),
        ({"average": None}, "The 'average' parameter"),
    ],
    ids=str,
)
def test_what_does_not_go_with_an_average(options, message):
    with pytest.raises(ValueError, match=message):
        GDLinearRegressor(**{"average": True, **options}).fit(X, Y)


@pytest.mark.parametrize("average", [True, 30, 57])
def test_the_average_goes_on_over_parts(average):
    parts = [slice(0, 20), slice(20, 35), slice(35, 50)]
    options = {"batch_size": 4, "shuffle": False, "precondition": None}
    stream = GDLinearRegressor(average=average, **options)
    theirs = SGDRegressor(
        average=average, eta0=0.02, penalty=None, learning_rate="constant", shuffle=False
    )
    one_by_one = GDLinearRegressor(average=average, **{**options, "batch_size": 1})
    raw = GDLinearRegressor(**options)
    for part in parts + parts:
        stream.partial_fit(X[part], Y[part])
        raw.partial_fit(X[part], Y[part])
        theirs.partial_fit(X[part], Y[part])
        one_by_one.partial_fit(X[part], Y[part])
        np.testing.assert_allclose(parameters(one_by_one), parameters(theirs), rtol=1e-9)
    np.testing.assert_array_equal(stream.loss_curve_, raw.loss_curve_)
    points, seen = [], []
    w, n = np.zeros(4), 0
    for part in parts + parts:
        rows = np.column_stack([X[part], np.ones(len(X[part]))])
        for start in range(0, len(rows), 4):
            x, y = rows[start : start + 4], Y[part][start : start + 4]
            w = w - 0.01 * 2 * x.T @ (x @ w - y) / len(x)
            n += len(x)
            points.append(w)
            seen.append(n)
    expected = np.mean([w for w, n in zip(points, seen, strict=True) if n >= average], axis=0)
    np.testing.assert_allclose(parameters(stream), expected, rtol=1e-9)


def test_an_average_that_is_saved_goes_on():
    stream = GDLinearRegressor(average=True, batch_size=5, random_state=0, optimizer="adam")
    stream.partial_fit(X, Y)
    loaded = pickle.loads(pickle.dumps(stream))
    np.testing.assert_array_equal(loaded.partial_fit(X, Y).coef_, stream.partial_fit(X, Y).coef_)
    before = stream.coef_.copy()
    stream.set_params(average=False).partial_fit(X, Y)
    assert (stream.coef_ != before).all()


def test_no_partial_fit_of_moments_with_an_average():
    assert not hasattr(GDLinearRegressor(average=True), "partial_fit")
    with pytest.raises(AttributeError, match="Set 'batch_size' for an average"):
        GDLinearRegressor(average=10).partial_fit(X, Y)
    assert hasattr(GDLinearRegressor(average=0), "partial_fit")


def test_the_report_of_an_average_from_moments():
    model = GDLinearRegressor(average=3)
    assert str(lr_report(model, Moments.of(X, Y), None)) == str(lr_report(model, X, Y))
