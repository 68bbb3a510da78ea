"""Error bars from moments are those from the rows; what needs rows says so."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    Moments,
    inference,
)

NUMBERS = ["params", "bse", "tvalues", "pvalues", "cov_params", "scale", "rsquared"]
NUMBERS += ["rsquared_adj", "fvalue", "f_pvalue", "llf", "aic", "bic", "nobs", "df_resid"]


def data(targets=1, seed=0):
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    rng = np.random.default_rng(seed)
    y = np.column_stack([y + k * rng.normal(size=len(y)) for k in range(targets)])
    return X, y[:, 0] if targets == 1 else y, rng.uniform(0.2, 3.0, size=len(y))


def check(model, moments, *rows):
    result, expected = inference(model, moments), inference(model, *rows)
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(result, name), getattr(expected, name), rtol=1e-8)
    np.testing.assert_allclose(result.conf_int(), expected.conf_int(), rtol=1e-8)
    assert result.feature_names == expected.feature_names
    assert result.leverage is result.loo_residuals is result.loo_score is None
    assert "needs rows" in result.summary()
    assert result._repr_html_()


@pytest.mark.parametrize("targets", [1, 2])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_linear(targets, is_weighted, fit_intercept):
    X, y, weight = data(targets)
    rows = (X, y, weight) if is_weighted else (X, y)
    parts = [tuple(part[k::3] for part in rows) for k in range(3)]
    model = GDLinearRegressor(lr="auto", epochs=20, fit_intercept=fit_intercept).fit(*rows)
    check(model, sum(Moments.of(*part) for part in parts), *rows)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_polynomials(degree):
    X, y, weight = data()
    rows = X[["bmi", "bp"]], y, weight
    model = GDPolynomialRegressor(degree=degree, lr="auto", epochs=20).fit(*rows)
    check(model, Moments.of(*rows, degree=max(degree, 2)), *rows)


def test_weights_survive_json_sums_differences_and_factors():
    X, y, weight = data()
    whole, part = Moments.of(X, y, weight), Moments.of(X[:50], y[:50], weight[:50])
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X[50:], y[50:], weight[50:])
    rest = Moments.from_dict(json.loads(json.dumps((whole - part).to_dict())))
    check(model, rest, X[50:], y[50:], weight[50:])
    check(model, 2.5 * rest, X[50:], y[50:], 2.5 * weight[50:])


def test_a_search():
    X, y, _ = data()
    search = GDLinearRegressorCV(lrs=("auto",)).fit(X, y)
    assert "A search chose this model" in inference(search, Moments.of(X, y)).summary()


def test_dask_collections():
    dask_array = pytest.importorskip("dask.array")
    X, y, weight = data()
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X.to_numpy(), y, weight)
    lazy = [dask_array.from_array(np.asarray(part), chunks=100) for part in (X, y, weight)]
    result = inference(model, *lazy)
    np.testing.assert_allclose(result.bse, inference(model, X.to_numpy(), y, weight).bse, rtol=1e-8)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("y",), {}, "moments together with 'y'"),
        ((), {"cov_type": "HC3"}, "cov_type='HC3' of inference needs rows"),
    ],
)
def test_what_needs_rows_says_so(arguments, options, message):
    X, y, _ = data()
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
    arguments = [y for _ in arguments]
    with pytest.raises(ValueError, match=message):
        inference(model, Moments.of(X, y), *arguments, **options)


def test_other_moments():
    X, y, _ = data()
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
    with pytest.raises(ValueError, match="have 9 features"):
        inference(model, Moments.of(X.iloc[:, 1:], y))
    quadratic = GDPolynomialRegressor(lr="auto", epochs=20).fit(X[["bmi"]], y)
    with pytest.raises(ValueError, match="needs moments of this degree"):
        inference(quadratic, Moments.of(X[["bmi"]], y))
