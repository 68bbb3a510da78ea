"""Moments in place of the rows: the same fits, and what needs rows."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import NotFittedError, UndefinedMetricWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import StandardScaler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, Moments, lr_report

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=(N, 3)) * [1.0, 10.0, 0.1] + [1.0, 0.0, -1.0]
Y = np.column_stack([X @ [1.0, -2.0, 0.5] + RNG.normal(size=N), np.sin(X[:, 0])])
WEIGHT = RNG.uniform(0.2, 2.0, N) * (np.arange(N) % 7 > 0)
KINDS = {"linear": (GDLinearRegressor, 1), "polynomial": (GDPolynomialRegressor, 2)}
OPTIONS = {
    "defaults": {},
    "auto": {"lr": "auto"},
    "momentum": {"optimizer_params": {"momentum": 0.9}},
    "adam": {"optimizer": "adam"},
    "lbfgs": {"optimizer": "lbfgs", "lr": "auto", "epochs": 20},
    "ridge": {"alpha": 0.3},
    "lasso": {"alpha": 0.3, "l1_ratio": 0.7, "lr": "auto"},
    "positive": {"positive": True, "lr": "auto"},
    "textbook": {"precondition": None, "lr": 1e-5},
    "standardize": {"precondition": "standardize"},
    "no intercept": {"fit_intercept": False},
    "no intercept, ridge": {"fit_intercept": False, "alpha": 0.3, "lr": "auto"},
    "no intercept, textbook": {"fit_intercept": False, "precondition": None, "lr": 1e-5},
    "tol": {"tol": 1e-4},
}


def assert_same_fit(ours, expected, rtol=1e-9):
    for name in ("coef_", "intercept_", "loss_curve_", "loss_", "max_stable_lr_"):
        a, b = getattr(ours, name), getattr(expected, name)
        if b is None:
            assert a is None
            continue
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max())
    assert ours.n_iter_ == expected.n_iter_
    assert ours.precondition_ == expected.precondition_
    assert ours.lr_ == pytest.approx(expected.lr_, rel=1e-12)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_of_moments_is_the_fit_of_their_rows(kind, options, weight):
    (make, degree), options = KINDS[kind], {"epochs": 20, **OPTIONS[options]}
    moments = Moments.of(X, Y, weight, degree=degree)
    expected = make(**options).fit(X, Y, weight)
    ours = make(**options).fit(moments)
    assert_same_fit(ours, expected)
    assert ours.n_features_in_ == 3
    # the moments may be of parts
    half = slice(25), slice(25, N)
    parts = (
        Moments.of(X[rows], Y[rows], None if weight is None else weight[rows], degree=degree)
        for rows in half
    )
    assert_same_fit(make(**options).fit(sum(parts)), expected, rtol=1e-8)


DESIGNS = {
    "wide": (RNG.normal(size=(12, 30)), RNG.normal(size=12)),
    "one row": (X[:1], Y[:1, 0]),
    "two rows": (X[:2], Y[:2, 0]),
    "units": (X * [1e-10, 1e10, 1.0], Y),
    "a constant": (np.column_stack([X, np.full(N, 7.0)]), Y),
    "dependent": (np.column_stack([X, X @ [1.0, 2.0, 3.0]]), Y),
    "one column": (X[:, :1], Y),
    "exact": (X, X @ [1.0, 2.0, 3.0]),
}


@pytest.mark.parametrize("options", [{}, {"alpha": 0.1}, {"fit_intercept": False}], ids=str)
@pytest.mark.parametrize("name", DESIGNS)
def test_designs(name, options):
    x, y = DESIGNS[name]
    expected = GDLinearRegressor(lr="auto", epochs=20, **options).fit(x, y)
    ours = GDLinearRegressor(lr="auto", epochs=20, **options).fit(Moments.of(x, y))
    size = np.abs(expected.predict(x)).max()
    np.testing.assert_allclose(ours.predict(x), expected.predict(x), rtol=0, atol=1e-9 * size)
    np.testing.assert_allclose(ours.coef_, expected.coef_, rtol=1e-7, atol=1e-12)
    assert ours.loss_ == pytest.approx(expected.loss_, rel=1e-9, abs=1e-20 * size**2)


def test_float32_and_one_target():
    moments = Moments.of(X.astype(np.float32), Y[:, 0])
    model = GDLinearRegressor(lr="auto", epochs=20).fit(moments)
    assert model.coef_.shape == (3,)
    assert np.ndim(model.intercept_) == 0
    expected = GDLinearRegressor(lr="auto", epochs=20).fit(X.astype(np.float32), Y[:, 0])
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-5)


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_moments_of_a_higher_degree(degree, fit_intercept):
    options = {"lr": "auto", "epochs": 40, "fit_intercept": fit_intercept}
    moments = Moments.of(X, Y, WEIGHT, degree=3)
    expected = GDPolynomialRegressor(degree=degree, **options).fit(X, Y, WEIGHT)
    ours = GDPolynomialRegressor(degree=degree, **options).fit(moments)
    np.testing.assert_allclose(ours.predict(X), expected.predict(X), rtol=0, atol=1e-8)
    if degree == 1:
        linear = GDLinearRegressor(**options).fit(moments)
        np.testing.assert_allclose(linear.predict(X), expected.predict(X), rtol=0, atol=1e-8)
        low = GDPolynomialRegressor(degree=1, **options).fit(Moments.of(X, Y, WEIGHT))
        np.testing.assert_allclose(low.predict(X), expected.predict(X), rtol=0, atol=1e-8)


def test_interactions():
    options = {"degree": 2, "interaction_only": True}
    expected = GDPolynomialRegressor(lr="auto", epochs=20, **options).fit(X, Y)
    ours = GDPolynomialRegressor(lr="auto", epochs=20, **options).fit(Moments.of(X, Y, **options))
    assert_same_fit(ours, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_score(kind):
    make, degree = KINDS[kind]
    model = make(lr="auto", epochs=9).fit(X, Y, WEIGHT)
    other = RNG.normal(size=(30, 3)) + X[:30], RNG.normal(size=(30, 2)) + Y[:30], WEIGHT[:30]
    for higher in (degree, 3):
        moments = Moments.of(*other, degree=higher)
        expected = r2_score(other[1], model.predict(other[0]), sample_weight=other[2])
        assert model.score(moments) == pytest.approx(expected, rel=1e-9)
    assert isinstance(model.score(moments), float)


def test_score_of_constant_targets_is_that_of_scikit_learn():
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, np.full(N, 2.0))
    for y in (np.full(N, 2.0), np.full(N, 3.0)):
        assert model.score(Moments.of(X, y)) == model.score(X, y)
    with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
        assert np.isnan(model.score(Moments.of(X[:1], Y[:1, 0])))
    with pytest.raises(NotFittedError):
        GDLinearRegressor().score(Moments.of(X, Y))


def test_score_checks_the_features():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = GDLinearRegressor(lr="auto", epochs=20).fit(Moments.of(frame, Y))
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    assert model.score(Moments.of(X, Y)) == pytest.approx(model.score(frame, Y))
    with pytest.raises(ValueError, match="have 2 features, but GDLinearRegressor is expecting 3"):
        model.score(Moments.of(X[:, :2], Y))
    with pytest.raises(ValueError, match="have 1 targets.*fitted to 2"):
        model.score(Moments.of(X, Y[:, 0]))
    with pytest.raises(ValueError, match="feature names of the moments should match"):
        model.score(Moments.of(frame.rename(columns={"a": "d"}), Y))
    # a fit without names forgets the names of the fit before
    assert not hasattr(model.fit(Moments.of(X, Y)), "feature_names_in_")


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fit_merges(kind):
    make, degree = KINDS[kind]
    options = {"lr": "auto", "epochs": 40}
    ours = make(**options)
    for a in range(0, N, 20):
        rows = slice(a, a + 20)
        ours.partial_fit(Moments.of(X[rows], Y[rows], WEIGHT[rows], degree=degree + (a == 20)))
    expected = make(**options).fit(X, Y, WEIGHT)
    np.testing.assert_allclose(ours.predict(X), expected.predict(X), rtol=0, atol=1e-8)
    # rows and moments are the same stream
    mixed = make(**options).partial_fit(X[:30], Y[:30], WEIGHT[:30])
    mixed = pickle.loads(pickle.dumps(mixed))
    mixed.partial_fit(Moments.of(X[30:], Y[30:], WEIGHT[30:], degree=degree))
    np.testing.assert_allclose(mixed.predict(X), expected.predict(X), rtol=0, atol=1e-8)
    with pytest.raises(ValueError, match="on 3 features, but y has 2 targets and X has 2 features"):
        mixed.partial_fit(Moments.of(X[:, :2], Y, degree=degree))


def test_a_stream_keeps_its_terms():
    model = GDPolynomialRegressor(degree=2, lr="auto", epochs=20).partial_fit(X, Y)
    with pytest.raises(ValueError, match="continues from a fit with degree=2"):
        model.set_params(degree=3).partial_fit(X, Y)


def test_warm_starts():
    rows, moments = (GDLinearRegressor(epochs=30, warm_start=True) for _ in range(2))
    for _ in range(2):
        rows.fit(X, Y)
        moments.fit(Moments.of(X, Y))
    assert_same_fit(moments, rows)
    assert moments.n_iter_ == 60
    with pytest.raises(ValueError, match="continues from a fit of 2 targets on 3 features"):
        moments.fit(Moments.of(X, Y[:, 0]))


def test_a_report_of_moments():
    model = GDLinearRegressor()
    ours, expected = lr_report(model, Moments.of(X, Y), None), lr_report(model, X, Y)
    assert ours.max_stable_lr == pytest.approx(expected.max_stable_lr)


REFUSED = {
    "y": ({}, {"y": Y}, ValueError, "together with 'y', but moments hold the targets"),
    "weights": ({}, {"sample_weight": WEIGHT}, ValueError, "together with 'sample_weight'"),
    "batches": ({"batch_size": 8}, {}, ValueError, "batch_size=8 .*hold no rows"),
    "early": ({"early_stopping": True}, {}, ValueError, "early_stopping=True .*hold no rows"),
    "loss": ({"loss": "huber"}, {}, ValueError, "loss='huber' .*moments are all that the squared"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_rows(name, method):
    params, arguments, error, message = REFUSED[name]
    if (name, method) == ("early", "partial_fit"):
        return  # there is no partial_fit then
    model = GDLinearRegressor(**params)
    with pytest.raises(error, match=message):
        getattr(model, method)(Moments.of(X, Y), **arguments)
    assert not hasattr(model, "coef_")


def test_arguments_of_score():
    model, moments = GDLinearRegressor(lr="auto", epochs=20).fit(X, Y), Moments.of(X, Y)
    with pytest.raises(ValueError, match="together with 'y'"):
        model.score(moments, Y)
    with pytest.raises(ValueError, match="together with 'sample_weight'"):
        model.score(moments, sample_weight=WEIGHT)


@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
def test_lists(method):
    model, moments = GDLinearRegressor(lr="auto", epochs=20).fit(X, Y), Moments.of(X, Y)
    if method == "partial_fit":
        model = GDLinearRegressor()
    call = getattr(model, method)
    with pytest.raises(TypeError, match=r"takes one Moments.*sum\(parts\).*RegressorCV"):
        call([moments, moments])
    with pytest.raises(TypeError, match="only some elements are moments"):
        call((moments, X))


def test_moments_of_other_terms():
    with pytest.raises(ValueError, match="degree=3 of GDPolynomialRegressor.*have degree 2"):
        GDPolynomialRegressor(degree=3).fit(Moments.of(X, Y, degree=2))
    moments = Moments.of(X, Y, degree=2, interaction_only=True)
    with pytest.raises(ValueError, match="interaction_only=False of GDPolynomialRegressor"):
        GDPolynomialRegressor(degree=2).fit(moments)
    GDPolynomialRegressor(degree=1, lr="auto", epochs=20).fit(moments)  # degree 1 has no powers


def test_without_y():
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        GDLinearRegressor().fit(X)
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        GDLinearRegressor().partial_fit(X)


def test_what_slices_rows_says_so():
    moments, message = Moments.of(X, Y[:, 0]), "Moments hold no rows.*GDLinearRegressorCV"
    model = GDLinearRegressor(lr="auto", epochs=20).fit(moments)
    calls = [
        lambda: model.predict(moments),
        lambda: GridSearchCV(GDLinearRegressor(), {"lr": [0.1]}).fit(moments),
        lambda: cross_val_score(GDLinearRegressor(), moments),
        lambda: StandardScaler().fit(moments),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=message):
            call()
    monitored = GDLinearRegressor().set_callbacks(ScoringMonitor(scoring="r2"))
    with pytest.raises(ValueError, match="ScoringMonitor has nothing to score"):
        monitored.fit(moments)


def test_a_stream_of_an_earlier_version_begins_anew():
    """Its moments have no number of samples. The model predicts as it did."""
    model = GDLinearRegressor(lr="auto", epochs=20).partial_fit(X, Y)
    for name in ("n_samples", "feature_names"):
        del model._partial_fit_state_[name]
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="Begin with partial_fit on a new estimator"):
        loaded.partial_fit(X, Y)
