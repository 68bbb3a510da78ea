"""``degree=(min, max)`` leaves out terms, as PolynomialFeatures does.

The oracle is PolynomialFeatures with the same pair, and least squares, Ridge or Lasso.
"""

import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import lsq_linear
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, Moments, inference

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3)) * [1.0, 2.0, 0.5] + [1.0, 0.0, 0.3]
TARGETS = np.column_stack([X[:, 0] ** 2 - X[:, 1], X[:, 2] * X[:, 1] ** 2])
TARGETS += RNG.normal(size=TARGETS.shape)
Y = TARGETS[:, 0]


def expansion(degree, rows=X, *, interaction_only=False):
    """PolynomialFeatures of the pair, fitted to these rows."""
    features = PolynomialFeatures(degree, interaction_only=interaction_only, include_bias=False)
    return features.fit(rows)


def assert_close(model, linear, rtol=1e-8):
    """The same coefficients and intercept, relative to the largest of them."""
    atol = rtol * np.abs(linear.coef_).max()
    np.testing.assert_allclose(model.coef_, linear.coef_, rtol=rtol, atol=atol)
    scale = max(np.abs(linear.intercept_).max(), 1.0)
    np.testing.assert_allclose(model.intercept_, linear.intercept_, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize("y", [Y, TARGETS], ids=["one target", "two targets"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    ("degree", "interaction_only"),
    [((0, 2), False), ((1, 3), False), ((2, 2), False), ((2, 4), False), ((2, 3), True)],
)
def test_least_squares(degree, interaction_only, fit_intercept, y):
    features = expansion(degree, interaction_only=interaction_only)
    linear = LinearRegression(fit_intercept=fit_intercept).fit(features.transform(X), y)
    model = GDPolynomialRegressor(
        degree=degree,
        interaction_only=interaction_only,
        fit_intercept=fit_intercept,
        lr="auto",
        epochs=5,
    ).fit(X, y)
    assert_close(model, linear)
    np.testing.assert_array_equal(model.powers_, features.powers_)
    np.testing.assert_array_equal(model.get_feature_names_out(), features.get_feature_names_out())
    np.testing.assert_array_equal(model.feature_names_out_, model.get_feature_names_out())
    assert model.n_output_features_ == len(features.powers_)
    expected = linear.predict(features.transform(X))
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(model.to_sklearn().predict(X), expected, rtol=1e-8, atol=1e-8)


def test_a_pair_from_one_or_zero_is_the_plain_degree():
    plain = GDPolynomialRegressor(degree=3, epochs=20).fit(X, Y)
    for low in (0, 1):
        np.testing.assert_array_equal(
            GDPolynomialRegressor(degree=(low, 3), epochs=20).fit(X, Y).coef_, plain.coef_
        )


@pytest.mark.parametrize("unit", [1e-10, 1e10])
def test_units(unit):
    rows = X * unit
    features = expansion((2, 3), rows)
    linear = LinearRegression().fit(expansion((2, 3)).transform(X), Y)
    model = GDPolynomialRegressor(degree=(2, 3), lr="auto", epochs=5).fit(rows, Y)
    in_unit = model.coef_ * unit ** features.powers_.sum(axis=1)
    np.testing.assert_allclose(in_unit, linear.coef_, rtol=1e-7, atol=1e-8)


def test_one_row_and_fewer_rows_than_terms():
    model = GDPolynomialRegressor(degree=(2, 3), lr="auto", epochs=5).fit(X[:1], Y[:1])
    np.testing.assert_array_equal(model.coef_, 0.0)
    assert model.intercept_ == pytest.approx(Y[0])
    few = X[:8] / np.abs(X[:8]).max(axis=0)  # the norm is that of powers of scaled features
    linear = LinearRegression().fit(expansion((2, 3)).transform(few), Y[:8])
    model = GDPolynomialRegressor(degree=(2, 3), lr="auto", epochs=5).fit(few, Y[:8])
    assert_close(model, linear, rtol=1e-6)


@pytest.mark.parametrize("n", [80, 10])
def test_ridge(n):
    rows, y = X[:n], Y[:n]
    linear = Ridge(alpha=0.3 * n / 2, solver="svd").fit(expansion((2, 3)).transform(rows), y)
    model = GDPolynomialRegressor(degree=(2, 3), alpha=0.3, lr="auto", epochs=5).fit(rows, y)
    assert_close(model, linear)


def test_lasso():
    features = expansion((2, 2))
    linear = Lasso(alpha=0.2, tol=1e-10, max_iter=100_000).fit(features.transform(X), Y)
    model = GDPolynomialRegressor(degree=(2, 2), alpha=0.4, l1_ratio=1.0, lr="auto", epochs=5)
    model.set_params(epochs=20_000, tol=1e-14).fit(X, Y)
    assert_close(model, linear, rtol=1e-4)
    np.testing.assert_array_equal(model.coef_ == 0, linear.coef_ == 0)


@pytest.mark.parametrize(
    "options",
    [{}, {"loss": "huber"}, {"batch_size": 40, "random_state": 0}, {"optimizer": "adam"}],
    ids=str,
)
def test_the_textbook_descends_on_the_powers(options):
    rows = X / np.abs(X).max(axis=0)
    shared = {"precondition": None, "epochs": 50, "lr": 0.05, **options}
    model = GDPolynomialRegressor(degree=(2, 3), **shared).fit(rows, Y)
    linear = GDLinearRegressor(**shared).fit(expansion((2, 3)).transform(rows), Y)
    np.testing.assert_allclose(model.coef_, linear.coef_, rtol=1e-10)
    np.testing.assert_allclose(model.loss_curve_, linear.loss_curve_, rtol=1e-10)


def test_one_feature():
    x = np.linspace(-2, 3, 30)
    model = GDPolynomialRegressor(degree=(2, 3), lr="auto", epochs=5).fit(
        x[:, None], x**3 - 2 * x**2 + 1
    )
    np.testing.assert_allclose(model.to_polynomial().coef, [1, 0, -2, 1], atol=1e-12)
    np.testing.assert_allclose(model.to_polynomial()(x), model.predict(x[:, None]))
    assert model.equation() == "y = 1 - 2 x0^2 + 1 x0^3"


@pytest.mark.parametrize("degree", [3, 4])
def test_moments_of_the_degree_or_a_higher_one(degree):
    moments = Moments.of(X, TARGETS, degree=degree)
    model = GDPolynomialRegressor(degree=(2, 3), epochs=100, lr=0.1)
    by_rows = model.fit(X, TARGETS)
    coef, score = by_rows.coef_, by_rows.score(X, TARGETS)
    assert by_rows.score(moments) == pytest.approx(score, rel=1e-9)
    model.fit(moments)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-7, atol=1e-9 * np.abs(coef).max())
    assert model.score(moments) == pytest.approx(score, rel=1e-9)


def test_parts_are_one_fit():
    stream = GDPolynomialRegressor(degree=(2, 3), lr="auto", epochs=50)
    for part in np.array_split(np.arange(80), 3):
        stream.partial_fit(X[part], Y[part])
    linear = LinearRegression().fit(expansion((2, 3)).transform(X), Y)
    assert_close(stream, linear)
    with pytest.raises(ValueError, match=r"with degree=\(2, 3\) .* but now they are 3"):
        stream.set_params(degree=3).partial_fit(X, Y)


def test_warm_start_goes_on():
    once = GDPolynomialRegressor(degree=(2, 3), lr=0.1, epochs=40).fit(X, Y)
    twice = GDPolynomialRegressor(degree=(2, 3), lr=0.1, epochs=20, warm_start=True)
    twice.fit(X, Y).fit(X, Y)
    np.testing.assert_allclose(twice.coef_, once.coef_, rtol=1e-9)
    loaded = pickle.loads(pickle.dumps(twice))
    np.testing.assert_array_equal(loaded.predict(X), twice.predict(X))


def test_inference_in_plain_powers():
    features = expansion((2, 3))
    expected = sm.OLS(Y, sm.add_constant(features.transform(X))).fit()
    model = GDPolynomialRegressor(degree=(2, 3), lr="auto", epochs=5).fit(X, Y)
    report = inference(model, X, Y)
    np.testing.assert_allclose(report.params, expected.params, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(report.bse, expected.bse, rtol=1e-6)
    by_moments = inference(model, Moments.of(X, Y, degree=4))
    np.testing.assert_allclose(by_moments.bse, expected.bse, rtol=1e-6)


def test_float32_and_names():
    frame = pd.DataFrame(X.astype(np.float32), columns=list("abc"))
    model = GDPolynomialRegressor(degree=(2, 2), lr="auto", epochs=5).fit(frame, Y)
    assert model.coef_.dtype == np.float32
    names = expansion((2, 2), frame).get_feature_names_out()
    np.testing.assert_array_equal(model.get_feature_names_out(), names)
    np.testing.assert_array_equal(model.get_feature_names_out(list("abc")), names)
    with pytest.raises(ValueError, match="not equal to feature_names_in_"):
        model.get_feature_names_out(list("xyz"))
    with pytest.raises(ValueError, match="should have length equal to number of features"):
        GDPolynomialRegressor().fit(X, Y).get_feature_names_out(["a"])


@pytest.mark.parametrize(
    "degree",
    [(3, 2), (0, 0), (-1, 2), (1.0, 2), (True, 2), (1, 2, 3), [1, 2], 0, "2", (1, float("inf"))],
    ids=str,
)
def test_what_is_no_degree(degree):
    words = r"'degree' parameter .* or a tuple \(min_degree, max_degree\) of ints"
    with pytest.raises(ValueError, match=words):
        GDPolynomialRegressor(degree=degree).fit(X, Y)


def test_no_terms_at_all():
    model = GDPolynomialRegressor(degree=(4, 5), interaction_only=True)
    with pytest.raises(ValueError, match=r"needs at least 4 features, and X has 3: .*no terms"):
        model.fit(X, Y)
    assert not hasattr(model, "coef_")


def test_bounds_of_terms_between_two_degrees():
    x = RNG.normal(size=(80, 2))
    y = x[:, 0] ** 2 - 2 * x[:, 1] ** 3
    model = GDPolynomialRegressor(
        degree=(2, 3),
        bounds=(-1, 0.5),
        lr="auto",
        optimizer_params={"momentum": 0.9},
        epochs=2000,
    ).fit(x, y)
    terms = PolynomialFeatures((2, 3), include_bias=False).fit_transform(x)
    expected = lsq_linear(terms - terms.mean(0), y - y.mean(), bounds=(-1, 0.5))
    np.testing.assert_allclose(model.coef_, expected.x, atol=1e-7)
    np.testing.assert_array_equal(model.coef_ == -1, expected.active_mask == -1)
    np.testing.assert_array_equal(model.coef_ == 0.5, expected.active_mask == 1)
    assert set(expected.active_mask) == {-1, 0, 1}
