"""A stream with squared error: the fit of all rows seen so far, whatever the parts."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd._training import coordinates, partial_fit

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=(N, 3)) * [1.0, 10.0, 0.1] + [1.0, 0.0, -1.0]
Y = X @ [1.0, -2.0, 0.5] + 3.0 + RNG.normal(size=N)
TWO = np.column_stack([Y, np.sin(X[:, 0])])
# the largest weights of the parts differ
WEIGHT = RNG.uniform(0.2, 2.0, N) * np.repeat([1.0, 100.0, 1e-3], 20)
BOTH = [GDLinearRegressor, GDPolynomialRegressor]
PARTS = {
    "all at once": [0, N],
    "three": [0, 20, 40, N],
    "a single row first": [0, 1, 30, N],
    "fewer rows than columns first": [0, 2, 5, N],
    "one row at a time": list(range(N + 1)),
}


def stream(model, edges, x=X, y=Y, weight=None):
    for a, b in pairwise(edges):
        model.partial_fit(x[a:b], y[a:b], None if weight is None else weight[a:b])
    return model


def assert_same(ours, expected, x=X, rtol=1e-9):
    size = np.abs(expected.predict(x)).max()
    np.testing.assert_allclose(ours.predict(x), expected.predict(x), rtol=0, atol=rtol * size)
    np.testing.assert_allclose(ours.coef_, expected.coef_, rtol=1e-7, atol=1e-9)
    assert ours.loss_ == pytest.approx(expected.loss_, rel=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("kind", BOTH)
def test_a_stream_ends_where_fit_ends(kind, weighted, parts):
    weight, options = WEIGHT if weighted else None, {"lr": "auto", "epochs": 40}
    ours = stream(kind(**options), PARTS[parts], y=TWO, weight=weight)
    expected = kind(**options).fit(X, TWO, weight)
    assert_same(ours, expected)
    # what is reported is of the last call, on all rows
    error = np.average((ours.predict(X) - TWO) ** 2, axis=0, weights=weight)
    assert ours.loss_ == pytest.approx(error.mean(), rel=1e-9)
    assert ours.n_iter_ == len(ours.loss_curve_) == 40


def test_a_long_stream_does_not_grow():
    """The model keeps its size, and its coefficients are those of NumPy for all rows."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 3)) + 100.0
    y = x @ [1.0, -2.0, 0.5] + rng.normal(size=400)
    model = GDLinearRegressor(lr="auto", tol=1e-12)
    parts = [slice(k, k + 40) for k in range(0, 400, 40)]
    sizes = [len(pickle.dumps(model.partial_fit(x[part], y[part]))) for part in parts]
    assert sizes[-1] <= sizes[3] + 4  # the number of rows has more bytes
    expected = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(), rcond=None)[0]
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", BOTH)
def test_a_stream_of_ridge(kind, fit_intercept):
    options = {"lr": "auto", "epochs": 40, "alpha": 0.3, "fit_intercept": fit_intercept}
    ours = stream(kind(**options), PARTS["three"])
    assert_same(ours, kind(**options).fit(X, Y))
    if kind is GDLinearRegressor:
        reference = Ridge(0.15 * N, fit_intercept=fit_intercept).fit(X, Y)
        np.testing.assert_allclose(ours.coef_, reference.coef_, rtol=1e-9)


@pytest.mark.parametrize("options", [{"alpha": 0.3, "l1_ratio": 0.5}, {"positive": True}])
def test_a_stream_with_a_proximal_step(options):
    options = {**options, "lr": "auto", "epochs": 400}
    assert_same(
        stream(GDLinearRegressor(**options), PARTS["three"]), GDLinearRegressor(**options).fit(X, Y)
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_inputs_of_a_polynomial_may_reach_further_in_later_parts(fit_intercept):
    x = np.sort(RNG.uniform(-2.0, 30.0, size=(N, 1)), axis=0)
    y = x[:, 0] ** 3 - 20 * x[:, 0] ** 2 + RNG.normal(size=N)
    options = {"degree": 4, "lr": "auto", "epochs": 40, "fit_intercept": fit_intercept}
    ours = stream(GDPolynomialRegressor(**options), PARTS["three"], x, y)
    expected = GDPolynomialRegressor(**options).fit(x, y)
    np.testing.assert_allclose(
        ours.predict(x), expected.predict(x), rtol=0, atol=1e-8 * np.abs(y).max()
    )


def test_a_wide_stream_has_the_minimum_norm():
    x, y = RNG.normal(size=(12, 40)), RNG.normal(size=12)
    ours = stream(GDLinearRegressor(lr="auto", epochs=40), [0, 1, 4, 12], x, y)
    coef = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(), rcond=None)[0]
    np.testing.assert_allclose(ours.coef_, coef, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_stream_goes_on_from_where_it_was():
    """Whitened, an epoch takes the distance to the optimum times 1 - 2·lr."""
    model = GDLinearRegressor(lr=0.1, epochs=3)
    for _ in range(4):  # rows given twice count twice, which does not move the optimum
        model.partial_fit(X, Y)
    distance = model.loss_ - GDLinearRegressor(lr="auto", epochs=20).fit(X, Y).loss_
    start = np.var(Y) - GDLinearRegressor(lr="auto", epochs=20).fit(X, Y).loss_
    assert distance == pytest.approx(start * 0.8**24, rel=1e-9)
    assert model.n_iter_ == len(model.loss_curve_) == 3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_rows_given_twice_count_twice():
    ours = GDLinearRegressor(lr="auto", epochs=40).partial_fit(X, Y).partial_fit(X[:9], Y[:9])
    weight = 1.0 + (np.arange(N) < 9)
    assert_same(ours, GDLinearRegressor(lr="auto", epochs=40).fit(X, Y, weight))


@pytest.mark.parametrize("kind", BOTH)
def test_a_saved_model_goes_on_and_does_not_grow(kind):
    whole = broken = kind(lr="auto", epochs=5)
    whole, sizes = kind(lr="auto", epochs=5), []
    for a in range(0, N, 20):
        rows = slice(a, a + 20)
        whole.partial_fit(X[rows], TWO[rows])
        saved = pickle.dumps(broken.partial_fit(X[rows], TWO[rows]))
        sizes.append(len(saved))
        broken = pickle.loads(saved)
    np.testing.assert_array_equal(broken.coef_, whole.coef_)
    assert max(sizes[1:]) < 1.01 * min(sizes[1:])


def test_a_wide_stream_keeps_no_more_rows_than_it_has_seen():
    model = GDLinearRegressor(lr="auto", epochs=5)
    x, y = RNG.normal(size=(10, 50)), RNG.normal(size=10)
    for n in range(10):
        model.partial_fit(x[n : n + 1], y[n : n + 1])
        assert len(model._partial_fit_state_["factor"]) <= n + 1


def test_after_fit_there_are_two_remedies():
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, Y)
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="Begin with partial_fit.*or set 'batch_size'"):
        model.partial_fit(X, Y)
    assert pickle.dumps(model) == before
    # the first remedy
    assert GDLinearRegressor(lr="auto", epochs=20).partial_fit(X, Y).partial_fit(X, Y).n_iter_ == 20
    # the second: a pass from coef_
    coef = model.coef_
    model.set_params(batch_size=N, lr=1e-9, precondition=None).partial_fit(X, Y)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-6)
    assert model.n_iter_ == 21
    # and fit forgets the stream
    streamed = GDLinearRegressor(lr="auto", epochs=20).partial_fit(X, Y).fit(X, Y)
    with pytest.raises(ValueError, match="Begin with partial_fit"):
        streamed.partial_fit(X, Y)


def test_a_call_that_diverges_keeps_the_coefficients_and_the_rows():
    model = GDLinearRegressor(lr="auto", epochs=40).partial_fit(X[:30], TWO[:30])
    coef = model.coef_.copy()
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.set_params(lr=3.0).partial_fit(X[30:], TWO[30:])
    assert model.diverged_
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-10)
    # the intercept is not descended: it is the best one for all rows
    intercept = TWO.mean(axis=0) - coef @ X.mean(axis=0)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-10)
    assert model.loss_ == pytest.approx(((model.predict(X) - TWO) ** 2).mean(), rel=1e-9)
    assert np.isfinite(model.loss_curve_).all()
    # the moments have been merged all the same: the third part completes the fit
    model.set_params(lr="auto").partial_fit(X[:5], TWO[:5])
    weight = 1.0 + (np.arange(N) < 5)
    assert_same(model, GDLinearRegressor(lr="auto", epochs=40).fit(X, TWO, weight))


def test_a_factor_that_is_too_large_names_batch_size(monkeypatch):
    monkeypatch.setattr(partial_fit, "_MAX_FACTOR", 8)
    x, y = RNG.normal(size=(12, 20)), RNG.normal(size=12)
    model = GDLinearRegressor(lr="auto", epochs=5).partial_fit(x[:6], y[:6])
    with pytest.raises(ValueError, match="'batch_size'"):
        model.partial_fit(x[6:], y[6:])
    assert model.predict(x).shape == (12,)


def test_a_stream_of_wide_sparse_rows_is_of_all_rows(monkeypatch):
    rows = sparse.random(40, 12, density=0.4, random_state=0, format="csr")
    y = rows @ np.arange(12.0) + RNG.normal(size=40)
    monkeypatch.setattr(coordinates, "_MAX_FACTOR_ENTRIES", 1)
    momentum = {"momentum": 0.9, "nesterov": True}
    options = {"lr": "auto", "epochs": 400, "optimizer_params": momentum}
    ours = GDLinearRegressor(**options).partial_fit(rows[:20], y[:20])
    ours.partial_fit(rows[20:], y[20:])
    expected = GDLinearRegressor(**options).fit(rows, y)
    np.testing.assert_allclose(ours.coef_, expected.coef_, rtol=1e-5)
    assert ours.loss_ == pytest.approx(np.mean((ours.predict(rows) - y) ** 2), rel=1e-9)
