"""The estimators inside scikit-learn's tools, each used as its users use it."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import BaggingRegressor, StackingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

FRAME, TARGET = load_diabetes(return_X_y=True, as_frame=True)
BOTH = [GDLinearRegressor, GDPolynomialRegressor]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("kind", BOTH)
def test_grid_search_over_lr_in_a_pipeline_on_a_dataframe(kind):
    pipeline = make_pipeline(StandardScaler(), kind(epochs=20))
    name = pipeline.steps[1][0]
    search = GridSearchCV(pipeline, {f"{name}__lr": [0.001, 0.1, 1.5]}, cv=3)
    search.fit(FRAME[["bmi", "bp", "s5"]], TARGET)
    assert search.best_params_ == {f"{name}__lr": 0.1}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_halving_search_with_epochs_as_the_resource():
    search = HalvingGridSearchCV(
        GDLinearRegressor(),
        {"lr": [0.001, 0.01, 0.1]},
        resource="epochs",
        max_resources=180,
        min_resources=20,
        random_state=0,
    ).fit(FRAME, TARGET)
    assert search.best_params_["lr"] == 0.1


@pytest.mark.parametrize("kind", BOTH)
def test_cross_validation_in_two_processes(kind):
    model = kind(lr="auto", epochs=20)
    alone = cross_val_score(model, FRAME, TARGET, cv=3)
    np.testing.assert_allclose(cross_val_score(model, FRAME, TARGET, cv=3, n_jobs=2), alone)


def test_transformed_target():
    model = TransformedTargetRegressor(
        GDLinearRegressor(lr="auto", epochs=20), func=np.log, inverse_func=np.exp
    ).fit(FRAME, TARGET)
    expected = np.exp(LinearRegression().fit(FRAME, np.log(TARGET)).predict(FRAME))
    np.testing.assert_allclose(model.predict(FRAME), expected, rtol=1e-9)


@pytest.mark.parametrize("kind", BOTH)
def test_bagging(kind):
    options = {"n_estimators": 3, "random_state": 0}
    model = BaggingRegressor(kind(lr="auto", epochs=20), **options).fit(FRAME, TARGET)
    twin = BaggingRegressor(
        LinearRegression() if kind is GDLinearRegressor else kind(lr=0.4, epochs=60), **options
    )
    np.testing.assert_allclose(
        model.predict(FRAME), twin.fit(FRAME, TARGET).predict(FRAME), rtol=1e-8
    )


def test_stacking():
    model = StackingRegressor(
        [
            ("linear", GDLinearRegressor(lr=0.3, epochs=30)),
            ("squares", GDPolynomialRegressor(lr=0.3, epochs=30)),
        ],
        GDLinearRegressor(lr=0.3, epochs=30),
        cv=3,
    )
    assert model.fit(FRAME, TARGET).score(FRAME, TARGET) > 0.5


def test_feature_selection_by_coefficients():
    scaled = FRAME / FRAME.std()
    rfe = RFE(GDLinearRegressor(lr="auto", epochs=20), n_features_to_select=4).fit(scaled, TARGET)
    expected = RFE(LinearRegression(), n_features_to_select=4).fit(scaled, TARGET)
    np.testing.assert_array_equal(rfe.support_, expected.support_)
    chosen = SelectFromModel(GDLinearRegressor(lr="auto", epochs=20)).fit(scaled, TARGET)
    expected = SelectFromModel(LinearRegression()).fit(scaled, TARGET)
    np.testing.assert_array_equal(chosen.get_support(), expected.get_support())


@pytest.mark.parametrize("kind", BOTH)
def test_permutation_importance(kind):
    model = kind(lr="auto", epochs=20).fit(FRAME, TARGET)
    result = permutation_importance(model, FRAME, TARGET, n_repeats=2, random_state=0)
    assert FRAME.columns[np.argmax(result.importances_mean)] in ("s1", "s5", "bmi")


def test_column_transformer_and_set_output():
    frame = pd.DataFrame({"size": [1.0, 2, 3, 4, 5, 6], "kind": list("ababab")})
    y = frame["size"] * 2 + (frame["kind"] == "b")
    columns = ColumnTransformer(
        [("kind", OneHotEncoder(sparse_output=False), ["kind"])], remainder="passthrough"
    ).set_output(transform="pandas")
    model = make_pipeline(columns, GDLinearRegressor(lr="auto", epochs=20)).fit(frame, y)
    np.testing.assert_allclose(model.predict(frame), y)
    assert list(model[-1].feature_names_in_) == ["kind__kind_a", "kind__kind_b", "remainder__size"]


@pytest.mark.parametrize("kind", BOTH)
def test_metadata_routing_of_weights(kind):
    weight = np.random.default_rng(0).uniform(size=len(TARGET))
    with sklearn.config_context(enable_metadata_routing=True):
        model = kind(lr="auto").set_fit_request(sample_weight=True)
        pipeline = make_pipeline(FunctionTransformer(), model)
        pipeline.fit(FRAME, TARGET, sample_weight=weight)
    expected = kind(lr="auto").fit(FRAME, TARGET, weight)
    np.testing.assert_allclose(pipeline[-1].coef_, expected.coef_)
    score = expected.score(FRAME, TARGET, sample_weight=weight)
    assert score != expected.score(FRAME, TARGET)


def test_multi_output_wrapper_equals_own_targets():
    two = np.column_stack([TARGET, FRAME["bmi"]])
    rest = FRAME.drop(columns="bmi")
    wrapped = MultiOutputRegressor(GDLinearRegressor()).fit(rest, two)
    own = GDLinearRegressor().fit(rest, two)
    np.testing.assert_allclose(own.predict(rest), wrapped.predict(rest), rtol=1e-10)


@pytest.mark.parametrize("kind", BOTH)
def test_clone_and_persistence(kind, tmp_path):
    model = kind(lr=0.3, optimizer_params={"momentum": 0.5}).fit(FRAME, TARGET)
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(clone(model), "coef_")
    expected = model.predict(FRAME)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(FRAME), expected)
    joblib.dump(model, tmp_path / "model.joblib")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model.joblib").predict(FRAME), expected)
    stored = skops.io.dumps(model)
    trusted = skops.io.get_untrusted_types(data=stored)
    assert trusted == [f"sklearn_gd.{kind.__name__}"]
    np.testing.assert_array_equal(skops.io.loads(stored, trusted=trusted).predict(FRAME), expected)


@pytest.mark.parametrize("kind", BOTH)
def test_html_repr(kind):
    assert kind.__name__ in kind(lr=0.5)._repr_html_()
    assert "0.5" in kind(lr=0.5)._repr_html_()
