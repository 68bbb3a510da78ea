"""Standard errors, intervals and tests: statsmodels, NIST and refits say the same."""

import pickle
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import polars
import pytest
import statsmodels.api as sm
import torch
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, LeaveOneOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    GDPolynomialRegressorCV,
    Inference,
    inference,
)
from tests.processes import python
from tests.reference import correct_digits, nist

COV_TYPES = ["nonrobust", "HC0", "HC1", "HC2", "HC3"]
FIELDS = [
    "params", "bse", "tvalues", "pvalues", "scale", "rsquared", "rsquared_adj", "fvalue",
    "f_pvalue", "llf", "aic", "bic", "df_model", "df_resid", "nobs",
]  # fmt: skip
LINEAR, POLYNOMIAL = (
    GDLinearRegressor(lr="auto", epochs=20),
    GDPolynomialRegressor(lr="auto", epochs=20),
)


def designs():
    """Name -> (X, y): data of statsmodels and of scikit-learn, and ten random designs."""
    found = {"diabetes": load_diabetes(return_X_y=True, scaled=False)}
    for name in ("longley", "stackloss", "engel"):
        data = getattr(sm.datasets, name).load_pandas()
        found[name] = data.exog.to_numpy(), data.endog.to_numpy()
    for seed in range(10):
        rng = np.random.default_rng(seed)
        p = int(rng.integers(1, 9))
        n = p + 2 + int(rng.integers(0, 60)) ** (1 + seed % 2)
        X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + rng.normal(0, 3, p)
        y = X @ rng.normal(size=p) + rng.normal(0, 2, n) * (1 + np.abs(X[:, 0]))
        found[f"random {seed}"] = X, y
    return found


DESIGNS = designs()


def close(ours, theirs, name, rtol=1e-8):
    np.testing.assert_allclose(ours, theirs, rtol=rtol, err_msg=name)


@pytest.mark.parametrize("is_weighted", [False, True], ids=["OLS", "WLS"])
@pytest.mark.parametrize("name", DESIGNS)
class TestStatsmodels:
    def pair(self, name, is_weighted, cov_type, fit_intercept=True):
        X, y = DESIGNS[name]
        weight = np.random.default_rng(1).uniform(0.2, 5.0, len(y)) if is_weighted else None
        table = sm.add_constant(X) if fit_intercept else X
        theirs = sm.WLS(y, table, weights=1.0 if weight is None else weight)
        model = GDLinearRegressor(lr="auto", epochs=20, fit_intercept=fit_intercept)
        ours = inference(model.fit(X, y, weight), X, y, weight, cov_type=cov_type)
        return X, ours, theirs.fit(method="pinv", cov_type=cov_type)

    @pytest.mark.parametrize("cov_type", COV_TYPES)
    def test_every_field(self, name, is_weighted, cov_type):
        X, ours, theirs = self.pair(name, is_weighted, cov_type)
        # with the condition number of longley statsmodels loses 8 digits: see test_exact
        rtol = 1e-6 if name == "longley" and cov_type != "nonrobust" else 1e-8
        for field in FIELDS:
            close(getattr(ours, field), getattr(theirs, field), field, rtol)
        close(ours.cov_params, theirs.cov_params(), "cov_params", 10 * rtol)
        close(ours.conf_int(), theirs.conf_int(), "conf_int", 10 * rtol)
        rows = X[:5] * 1.1
        expected = theirs.get_prediction(sm.add_constant(rows, has_constant="add")).summary_frame()
        predicted = ours.predict(rows)
        assert list(predicted.columns) == list(expected.columns)
        for column in predicted:
            close(predicted[column], expected[column], column, rtol)

    def test_leverage_and_left_out_residuals(self, name, is_weighted):
        _, ours, theirs = self.pair(name, is_weighted, "nonrobust")
        whitened = sm.OLS(theirs.model.wendog, theirs.model.wexog).fit(method="pinv")
        influence = whitened.get_influence()
        close(ours.leverage, influence.hat_matrix_diag, "leverage")
        assert ours.leverage.sum() == pytest.approx(len(ours.params))
        weight = np.broadcast_to(theirs.model.weights, len(ours.leverage))
        close(ours.loo_residuals * weight**0.5, influence.resid_press, "loo_residuals")

    def test_condition_number(self, name, is_weighted):
        _, ours, theirs = self.pair(name, is_weighted, "nonrobust")
        # statsmodels squares the condition number
        expected = np.linalg.cond(theirs.model.wexog)
        assert ours.condition_number == pytest.approx(expected, rel=1e-8 + 1e-16 * expected)

    def test_without_intercept(self, name, is_weighted):
        _, ours, theirs = self.pair(name, is_weighted, "HC1", fit_intercept=False)
        if theirs.model.k_constant:
            pytest.skip("statsmodels takes a combination of these columns as an intercept")
        for field in FIELDS:
            rtol = 1e-6 if name == "longley" else 1e-8
            close(getattr(ours, field), getattr(theirs, field), field, rtol)
        assert ours.feature_names[0] == "x0"


def exact_inverse(matrix):
    """The inverse of a matrix of fractions, by Gauss and Jordan."""
    k = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(k))] for i, row in enumerate(matrix)]
    for i in range(k):
        pivot = next(j for j in range(i, k) if rows[j][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(k):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return np.array([row[k:] for row in rows])


@pytest.mark.parametrize("cov_type", COV_TYPES)
def test_exact_on_longley(cov_type):
    X, y = DESIGNS["longley"]
    ours = inference(LINEAR.fit(X, y), X, y, cov_type=cov_type)
    fractions = np.vectorize(Fraction, otypes=[object])
    table, target = fractions(sm.add_constant(X)), fractions(y)
    inverse = exact_inverse(table.T @ table)
    params = inverse @ (table.T @ target)
    residual = target - table @ params
    rest = 1 - ((table @ inverse) * table).sum(axis=1)
    n, k = table.shape
    square = residual**2 / {"HC2": rest, "HC3": rest**2}.get(cov_type, 1)
    if cov_type == "nonrobust":
        covariance = inverse * (residual @ residual) / (n - k)
    else:
        covariance = inverse @ (table.T * square @ table) @ inverse
        covariance = covariance * (Fraction(n, n - k) if cov_type == "HC1" else 1)
    wald = params[1:] @ exact_inverse(covariance[1:, 1:]) @ params[1:] / (k - 1)
    bse = np.sqrt(np.diag(covariance).astype(float))
    np.testing.assert_allclose(ours.params, params.astype(float), rtol=1e-11)
    np.testing.assert_allclose(ours.bse, bse, rtol=1e-11)
    np.testing.assert_allclose(ours.cov_params, covariance.astype(float), rtol=1e-11)
    np.testing.assert_allclose(ours.leverage, 1 - rest.astype(float), rtol=1e-10)
    assert ours.fvalue == pytest.approx(float(wald), rel=1e-11)


@pytest.mark.parametrize("name", [name for name in nist() if name not in ("wampler1", "wampler2")])
def test_nist_certified_standard_deviations(name):
    X, y, certified = nist()[name]
    degree, fit_intercept = certified["degree"], certified["fit_intercept"]
    model = GDLinearRegressor(lr="auto", epochs=20, fit_intercept=fit_intercept)
    if degree > 1:
        model = GDPolynomialRegressor(
            degree=degree, lr="auto", epochs=20, fit_intercept=fit_intercept
        )
    result = inference(model.fit(X, y), X, y)
    assert correct_digits(result.bse, certified["standard_deviations"]) > 12
    assert correct_digits(result.scale**0.5, certified["residual_standard_deviation"]) > 12
    assert correct_digits(result.params, certified["coefficients"]) > 7
    assert correct_digits(result.rsquared, certified["r2"]) > 12
    assert result.distance.max() < 1e-6


@pytest.mark.parametrize("name", ["wampler1", "wampler2"])
def test_a_perfect_fit_is_told(name):
    X, y, _ = nist()[name]
    result = inference(GDPolynomialRegressor(degree=5, lr="auto", epochs=20).fit(X, y), X, y)
    assert result.is_exact
    assert np.isnan(result.distance).all()
    assert "The residuals are rounding" in result.summary()
    assert "undefined" in result.summary()
    assert (result.bse < 1e-7 * np.abs(result.params)).all()


class TestLeftOut:
    def test_equals_442_refits(self):
        X, y = load_diabetes(return_X_y=True)
        result = inference(LINEAR.fit(X, y), X, y)
        refits = cross_val_predict(LinearRegression(), X, y, cv=LeaveOneOut())
        np.testing.assert_allclose(result.loo_residuals, y - refits, rtol=1e-8, atol=1e-9)
        assert result.loo_score == pytest.approx(r2_score(y, refits), rel=1e-10)

    def test_weighted_and_of_weight_zero(self):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(25, 3)), rng.normal(size=25)
        weight = rng.uniform(0.1, 2.0, 25) * (rng.uniform(size=25) > 0.3)
        result = inference(LINEAR.fit(X, y, weight), X, y, weight)
        for i in range(25):
            others = np.arange(25) != i
            refit = LinearRegression().fit(X[others], y[others], weight[others])
            assert result.loo_residuals[i] == pytest.approx(y[i] - refit.predict(X[[i]])[0])
        kept = weight > 0
        assert (result.leverage[~kept] == 0).all()
        assert result.nobs == kept.sum()
        theirs = sm.WLS(y[kept], sm.add_constant(X[kept]), weights=weight[kept]).fit()
        for field in FIELDS:
            close(getattr(result, field), getattr(theirs, field), field)

    def test_of_a_constant_target_has_no_score(self):
        for n in range(10, 31):  # rounding of the mean would make a score for some of these
            X, y = np.random.default_rng(n).normal(size=(n, 2)), np.full(n, 0.1)
            for weight in (None, X[:, 0] ** 2):
                result = inference(LINEAR.fit(X, y, weight), X, y, weight)
                assert np.isnan(result.loo_score)
                assert np.isnan(result.rsquared)

    def test_full_leverage(self):
        X = np.eye(6)[:, :2]
        X[2:, 1] = [0.0, 1.0, 2.0, 3.0]
        y = np.array([5.0, 1.0, 2.0, 4.0, 3.0, 6.0])
        model = LINEAR.fit(X, y)
        result = inference(model, X, y)
        assert result.leverage[0] == pytest.approx(1.0)
        assert np.isnan(result.loo_residuals[0])
        assert np.isfinite(result.loo_residuals[1:]).all()
        with pytest.raises(ValueError, match="cov_type='HC3' is undefined, because sample 0 has"):
            inference(model, X, y, cov_type="HC3")
        assert np.isfinite(inference(model, X, y, cov_type="HC1").bse).all()

    def test_a_coefficient_that_one_sample_determines(self):
        X = np.column_stack([np.eye(9)[:, 0], np.arange(9.0)])
        y = np.array([5.0, 1.0, 2.0, 4.0, 3.0, 6.0, 5.0, 8.0, 7.0])
        model = GDLinearRegressor(fit_intercept=False, lr=0.3, epochs=30).fit(X, y)
        result = inference(model, X, y, cov_type="HC0")  # without a warning
        theirs = sm.OLS(y, X).fit(cov_type="HC0")
        np.testing.assert_allclose(result.bse, theirs.bse, rtol=1e-8, atol=1e-12)
        assert np.isnan(result.distance[0])
        assert result.distance[1] < 1e-6
        assert "x1" in result.summary()


class TestPolynomials:
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @pytest.mark.parametrize("interaction_only", [True, False])
    @pytest.mark.parametrize("precondition", ["auto", None])
    def test_in_plain_powers(self, fit_intercept, interaction_only, precondition):
        rng = np.random.default_rng(2)
        X = rng.normal([1.0, -3.0, 0.5], [1.0, 0.5, 2.0], size=(60, 3))
        y = X[:, 0] * X[:, 1] + rng.normal(size=60)
        model = GDPolynomialRegressor(
            degree=3,
            interaction_only=interaction_only,
            fit_intercept=fit_intercept,
            precondition=precondition,
            lr="auto",
            epochs=20,
        )
        terms = PolynomialFeatures(3, interaction_only=interaction_only, include_bias=fit_intercept)
        table = terms.fit_transform(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            ours = inference(model.fit(X, y), X, y, cov_type="HC2")
        theirs = sm.OLS(y, table).fit(cov_type="HC2")
        assert ours.feature_names[fit_intercept:] == model.feature_names_out_.tolist()
        for field in FIELDS:
            close(getattr(ours, field), getattr(theirs, field), field, 1e-7)
        assert ours.condition_number == pytest.approx(np.linalg.cond(table), rel=1e-8)
        expected = theirs.get_prediction(table[:4]).summary_frame()
        np.testing.assert_allclose(ours.predict(X[:4]), expected, rtol=1e-7)
        distance = np.abs(np.r_[[model.intercept_] * fit_intercept, model.coef_] - theirs.params)
        np.testing.assert_allclose(ours.distance, distance / theirs.bse, rtol=1e-5, atol=1e-7)


class TestTargets:
    def test_a_table_for_each(self):
        X, y = DESIGNS["stackloss"]
        both = pd.DataFrame({"a": y, "b": np.sqrt(y)})
        result = inference(LINEAR.fit(X, both), X, both, cov_type="HC3")
        assert result.params.shape == (2, 4)
        assert result.conf_int().shape == (2, 4, 2)
        assert result.loo_residuals.shape == both.shape
        frame, predicted = result.to_frame(), result.predict(X[:2])
        assert result.summary().count("Dep. Variable:") == 2
        for k, name in enumerate(both):
            one = inference(LINEAR.fit(X, both[name]), X, both[name], cov_type="HC3")
            for field in ("params", "bse", "pvalues", "llf", "f_pvalue", "cov_params", "distance"):
                np.testing.assert_allclose(
                    getattr(result, field)[k], getattr(one, field), rtol=1e-9, atol=1e-12
                )
            pd.testing.assert_frame_equal(frame.loc[name], one.to_frame(), atol=1e-9)
            pd.testing.assert_frame_equal(predicted[name], one.predict(X[:2]))
            assert one.target_names == [name]

    def test_a_column_keeps_its_axis(self):
        X, y = DESIGNS["stackloss"]
        result = inference(LINEAR.fit(X, y[:, None]), X, y[:, None])
        assert result.params.shape == (1, 4)
        assert result.loo_residuals.shape == (21, 1)


class TestData:
    @pytest.mark.parametrize("unit", [1e-10, 1e10])
    def test_units(self, unit):
        X, y = DESIGNS["stackloss"]
        before = inference(LINEAR.fit(X, y), X, y)
        scaled = X * [unit, 1.0, 1 / unit]
        result = inference(LINEAR.fit(scaled, y * unit), scaled, y * unit)
        np.testing.assert_allclose(result.tvalues, before.tvalues, rtol=1e-8)
        np.testing.assert_allclose(result.bse[1], before.bse[1], rtol=1e-8)
        np.testing.assert_allclose(result.leverage, before.leverage, rtol=1e-8)
        assert result.fvalue == pytest.approx(before.fvalue, rel=1e-8)

    @pytest.mark.parametrize("unit", [1e-160, 1e160])
    def test_beyond_the_range_of_squares(self, unit):
        X, y = DESIGNS["stackloss"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LINEAR.fit(X * unit, y)
        with pytest.raises(ValueError, match="squares of standard errors are beyond the range"):
            inference(model, X * unit, y)

    def test_the_unit_of_weights_is_not_read_from_them(self):
        X, y = DESIGNS["stackloss"]
        weight = np.random.default_rng(0).uniform(0.1, 1.0, len(y))
        results = [inference(LINEAR.fit(X, y, w), X, y, w) for w in (weight, 1000 * weight)]
        np.testing.assert_allclose(*(result.bse for result in results), rtol=1e-10)
        assert results[1].scale == pytest.approx(1000 * results[0].scale)
        assert results[1].llf == pytest.approx(results[0].llf)

    @pytest.mark.parametrize("convert", [sparse.csr_array, np.float32, pd.DataFrame])
    def test_containers(self, convert):
        X, y = DESIGNS["stackloss"]
        result = inference(LINEAR.fit(convert(X), y), convert(X), y)
        np.testing.assert_allclose(result.bse, sm.OLS(y, sm.add_constant(X)).fit().bse, rtol=1e-9)
        assert result.distance.max() < 1e-4
        assert len(result.predict(convert(X))) == len(y)

    def test_names(self):
        frame = sm.datasets.stackloss.load_pandas()
        result = inference(LINEAR.fit(frame.exog, frame.endog), frame.exog, frame.endog)
        assert result.feature_names == ["const", *frame.exog.columns]
        assert result.target_names == ["STACKLOSS"]
        rows = frame.exog.set_axis(range(100, 121))
        assert list(result.predict(rows).index) == list(range(100, 121))
        with pytest.raises(ValueError, match="feature names"):
            result.predict(frame.exog[["ACIDCONC", "AIRFLOW", "WATERTEMP"]])

    @pytest.mark.parametrize(
        ("convert", "names"),
        [
            (torch.tensor, ["y"]),
            (lambda y: polars.Series("price", y), ["price"]),
            (lambda y: polars.DataFrame({"a": y, "b": -y}), ["a", "b"]),
            (lambda y: pd.Series(y, name=3), ["3"]),
            (lambda y: np.column_stack([y, y**2]), ["y0", "y1"]),
        ],
    )
    def test_names_of_targets(self, convert, names):
        X, y = DESIGNS["stackloss"]
        y = convert(y)
        assert inference(LINEAR.fit(X, y), X, y).target_names == names

    def test_a_constant_target(self):
        X = DESIGNS["stackloss"][0]
        result = inference(LINEAR.fit(X, np.full(21, 3.0)), X, np.full(21, 3.0))
        assert result.is_exact
        assert np.isnan(result.rsquared)
        assert "undefined" in result.summary()

    def test_many_rows_in_blocks(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(60_000, 12))
        y = X.sum(axis=1) + rng.normal(size=60_000)
        ours = inference(LINEAR.fit(X, y), X, y, cov_type="HC2")
        theirs = sm.OLS(y, sm.add_constant(X)).fit(cov_type="HC2")
        for field in FIELDS:
            close(getattr(ours, field), getattr(theirs, field), field)


def test_coverage_of_2000_simulated_intervals():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 2))
    truth, sets = np.array([1.0, -2.0]), 2000
    y = (X @ truth + 0.5)[:, None] + rng.normal(0, 3.0, size=(12, sets))  # a target for each set
    row = np.array([[1.0, 2.0]])
    result = inference(GDLinearRegressor(lr=0.5, epochs=2).fit(X, y), X, y)
    interval = result.conf_int()
    expected = np.array([0.5, *truth])
    covered = (interval[..., 0] < expected) & (expected < interval[..., 1])
    assert ((covered.mean(axis=0) > 0.94) & (covered.mean(axis=0) < 0.96)).all()
    predicted = result.predict(row).to_numpy().reshape(sets, 6)
    lower, upper = predicted[:, 4:].T
    new = float(row[0] @ truth) + 0.5 + rng.normal(0, 3.0, sets)
    assert 0.94 < ((lower < new) & (new < upper)).mean() < 0.96


class TestModel:
    def test_distance_at_every_epoch_of_a_slow_descent(self):
        X, y = load_diabetes(return_X_y=True)
        design = np.column_stack([np.ones(len(y)), X])
        best = np.linalg.lstsq(design, y, rcond=None)[0]
        variance = ((y - design @ best) ** 2).sum() / (len(y) - design.shape[1])
        bse = np.sqrt(variance * np.linalg.inv(design.T @ design).diagonal())
        model = GDLinearRegressor(lr=0.05, epochs=1, warm_start=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(40):
                model.fit(X, y)
                coef = np.r_[model.intercept_, model.coef_]
                distance = inference(model, X, y).distance
                np.testing.assert_allclose(
                    distance, np.abs(coef - best) / bse, rtol=1e-6, atol=1e-9
                )

    def test_distance(self):
        X, y = load_diabetes(return_X_y=True)
        model = GDLinearRegressor(epochs=250).fit(X, y)
        ours = inference(model, X, y)
        theirs = sm.OLS(y, sm.add_constant(X)).fit()
        expected = np.abs(np.r_[model.intercept_, model.coef_] - theirs.params) / theirs.bse
        np.testing.assert_allclose(ours.distance, expected, rtol=1e-6, atol=1e-12)
        assert f"Largest distance:{f'{expected.max():.2g} std err':>20}" in ours.summary()

    def test_far_from_the_optimum_is_a_warning(self):
        X, y = load_diabetes(return_X_y=True, as_frame=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = GDLinearRegressor(epochs=50).fit(X, y)
        with pytest.warns(ConvergenceWarning, match=r"'bmi' of GDLinearRegressor is .* standard e"):
            inference(model, X, y)

    def test_the_model_is_only_read(self):
        X, y = DESIGNS["stackloss"]
        model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
        before = dict(vars(model))
        result = inference(model, X, y)
        assert vars(model) == before
        model.fit(X[:, :1], y)
        assert len(result.predict(X)) == 21

    @pytest.mark.parametrize(
        "search",
        [
            GDLinearRegressorCV(lrs=(0.1, 0.2), cv=3, epochs=50),
            GDPolynomialRegressorCV(degrees=(1,), lrs=(0.2,), cv=3, epochs=50),
            GridSearchCV(GDLinearRegressor(epochs=50), {"lr": [0.2, 0.3]}, cv=2),
        ],
        ids=lambda search: type(search).__name__,
    )
    def test_a_search_is_told(self, search):
        X, y = DESIGNS["stackloss"]
        result = inference(search.fit(X, y), X, y)
        np.testing.assert_allclose(result.bse, sm.OLS(y, sm.add_constant(X)).fit().bse, rtol=1e-9)
        assert "p-values ignore the selection" in " ".join(result.summary().split())
        assert "ignore the selection" in result._repr_html_()
        assert "selection" not in inference(LINEAR.fit(X, y), X, y).summary()

    def test_saved_and_read_without_torch(self, tmp_path):
        X, y = DESIGNS["stackloss"]
        result = inference(POLYNOMIAL.fit(X, y), X, y)
        path = tmp_path / "result.pickle"
        path.write_bytes(pickle.dumps((result, X)))
        code = (
            "import pickle, sys\n"
            "result, X = pickle.load(open(sys.argv[1], 'rb'))\n"
            "print(result.predict(X)['mean'].sum(), result.summary()[:0], 'torch' in sys.modules)"
        )
        total, torch_is_loaded = python(code, path)
        assert float(total) == pytest.approx(y.sum())
        assert torch_is_loaded == "False"


class TestText:
    def test_layout_of_statsmodels(self):
        X, y = load_diabetes(return_X_y=True, as_frame=True)
        ours = inference(LINEAR.fit(X, y), X, y).summary().splitlines()
        theirs = sm.OLS(y, sm.add_constant(X)).fit().summary().as_text().splitlines()
        assert ours[0].split() == theirs[0].split()
        assert max(map(len, ours)) == 78
        assert "coef    std err" in "\n".join(ours)
        for line in theirs[12:23]:  # the coefficients
            assert any(line.split() == own.split() for own in ours)

    @pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
    def test_numbers_never_touch(self, unit):
        X, y = DESIGNS["stackloss"]
        frame = pd.DataFrame(X * unit, columns=["a", "a name " * 8, "b < c"])
        result = inference(LINEAR.fit(frame, y * -1e5), frame, y * -1e5)
        lines = result.summary().splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("const"))
        for j, name in enumerate(result.feature_names):
            assert lines[first + j].startswith(name)
            assert len(lines[first + j][len(name) :].split()) == 6
        assert "b &lt; c" in result._repr_html_()
        assert repr(result) == result.summary()

    def test_frame(self):
        X, y = DESIGNS["stackloss"]
        result = inference(LINEAR.fit(X, y), X, y)
        frame = result.to_frame()
        assert list(frame.index) == ["const", "x0", "x1", "x2"]
        np.testing.assert_array_equal(frame[["ci_lower", "ci_upper"]], result.conf_int())


class TestRefusals:
    X = np.random.default_rng(0).normal(size=(20, 3))
    Y = X.sum(axis=1) + np.random.default_rng(1).normal(size=20)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"alpha": 0.5}, r"alpha=0.5 is a penalty.*Set alpha=0\.0"),
            ({"positive": True}, r"positive=True is a bound.*Set positive=False"),
            ({"bounds": (None, 1)}, r"bounds=\(None, 1\) is a bound.*Set bounds=None"),
            ({"loss": "huber"}, r"with loss='huber' the formulas.*Set loss='squared_error'"),
        ],
    )
    def test_parameters(self, params, message):
        model = GDLinearRegressor(lr="auto", epochs=200, **params).fit(self.X, self.Y)
        with pytest.raises(ValueError, match=f"inference on GDLinearRegressor is not.*{message}"):
            inference(model, self.X, self.Y)

    @pytest.mark.parametrize(
        ("columns", "rows", "message"),
        [
            ([0, 1, 1], 20, r"the columns have rank 2 and not 3.*are 'x[12]'\. Leave them out\."),
            ([0, 1, 2], 4, r"there are 4 samples of positive weight for 4 coefficients"),
            ([0, 1, 2], 2, r"there are 2 samples"),
        ],
    )
    def test_data(self, columns, rows, message):
        X, y = self.X[:rows, columns], self.Y[:rows]
        with pytest.raises(ValueError, match=f"inference on GDLinearRegressor is not.*{message}"):
            inference(LINEAR.fit(X, y), X, y)

    @pytest.mark.parametrize("make", [GDLinearRegressor, GDLinearRegressorCV])
    def test_unfitted(self, make):
        with pytest.raises(NotFittedError):
            inference(make(), self.X, self.Y)

    def test_models(self):
        with pytest.raises(
            TypeError, match="needs a GDLinearRegressor, .* and LinearRegression is"
        ):
            inference(LinearRegression().fit(self.X, self.Y), self.X, self.Y)
        pipeline = make_pipeline(StandardScaler(), GDLinearRegressor(lr="auto", epochs=20))
        with pytest.raises(TypeError, match="Of a pipeline pass its last step"):
            inference(pipeline.fit(self.X, self.Y), self.X, self.Y)
        search = GDLinearRegressorCV(lrs=(0.1, 0.2), refit=False, cv=3).fit(self.X, self.Y)
        with pytest.raises(
            ValueError, match="best_estimator_ of GDLinearRegressorCV, which has ref"
        ):
            inference(search, self.X, self.Y)

    def test_other_columns(self):
        frame = pd.DataFrame(self.X, columns=list("abc"))
        model = LINEAR.fit(frame, self.Y)
        with pytest.raises(ValueError, match="feature names should match"):
            inference(model, frame.rename(columns={"a": "z"}), self.Y)
        with pytest.raises(
            ValueError, match="X has 2 features, but GDLinearRegressor is expecting"
        ):
            inference(LINEAR.fit(self.X, self.Y), self.X[:, :2], self.Y)
        with pytest.raises(ValueError, match="y has 2 targets, and GDLinearRegressor was fitted"):
            inference(LINEAR, self.X, np.column_stack([self.Y, self.Y]))
        with pytest.raises(ValueError, match="contains NaN"):
            inference(LINEAR, np.where(self.X > 1, np.nan, self.X), self.Y)

    @pytest.mark.parametrize("cov_type", ["HC4", None, 1])
    def test_cov_type(self, cov_type):
        with pytest.raises(ValueError, match="'cov_type' parameter of inference must be one of"):
            inference(LINEAR.fit(self.X, self.Y), self.X, self.Y, cov_type=cov_type)

    @pytest.mark.parametrize("confidence", [0.0, 1.0, 95, True, "0.9", np.nan])
    def test_confidence(self, confidence):
        with pytest.raises(
            ValueError, match=r"'confidence' parameter of inference must be a float"
        ):
            inference(LINEAR.fit(self.X, self.Y), self.X, self.Y, confidence=confidence)


def test_the_class_is_what_the_function_returns():
    X, y = DESIGNS["stackloss"]
    result = inference(LINEAR.fit(X, y), X, y, confidence=0.8)
    assert isinstance(result, Inference)
    theirs = sm.OLS(y, sm.add_constant(X)).fit()
    np.testing.assert_allclose(result.conf_int(), theirs.conf_int(alpha=0.2), rtol=1e-9)
