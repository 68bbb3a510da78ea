"""Converted models, run by onnxruntime, predict what the models predict.

The oracle is the sum of terms in float64: PolynomialFeatures of the rows, times coef_.
"""

import sys

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import sklearn_gd.onnx
from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    GDPolynomialRegressorCV,
)
from tests.processes import python, run_command

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)) * [1.0, 5.0, 0.1] + [3.0, 0.0, 0.0]
TARGETS = np.column_stack([X.sum(axis=1), X[:, 0] ** 2]) + RNG.normal(size=(40, 2))
TOLERANCES = [(np.float32, 1e-6), (np.float64, 1e-12)]


def run(model, rows):
    """What onnxruntime predicts at rows with the converted model."""
    converted = skl2onnx.to_onnx(model, rows[:1]).SerializeToString()
    session = onnxruntime.InferenceSession(converted)
    if isinstance(rows, pd.DataFrame):
        inputs = {name: rows[[name]].to_numpy() for name in rows}
    else:
        inputs = {"X": rows}
    (predicted,) = session.run(None, inputs)
    return predicted


def sums_of_terms(model, rows):
    """Predictions (rows, targets), and the absolute value of their largest term."""
    degree, interaction_only = 1, False
    if hasattr(model, "powers_"):
        degree = int(model.powers_.sum(axis=1).max())
        interaction_only = model.interaction_only
    expansion = PolynomialFeatures(degree, interaction_only=interaction_only, include_bias=False)
    terms = expansion.fit_transform(rows.astype(np.float64))
    coef = np.atleast_2d(model.coef_).astype(np.float64)
    intercept = np.broadcast_to(model.intercept_, len(coef)).astype(np.float64)
    largest = np.abs(terms[:, None, :] * coef).max(axis=-1)
    return terms @ coef.T + intercept, np.maximum(largest, np.abs(intercept))


def assert_equal(model, rows, tolerance):
    predicted = run(model, rows)
    expected, largest = sums_of_terms(model, rows)
    assert predicted.shape == expected.shape
    assert predicted.dtype == (rows.dtype if rows.dtype.kind == "f" else np.float32)
    assert (np.abs(predicted - expected) <= tolerance * largest).all()


MODELS = {
    "linear": (GDLinearRegressor, {}),
    "linear search": (GDLinearRegressorCV, {"lrs": (0.1,), "cv": 2}),
    "search": (GDPolynomialRegressorCV, {"degrees": (1, 3), "lrs": (0.1,), "cv": 2}),
    "interactions": (GDPolynomialRegressor, {"degree": 3, "interaction_only": True}),
    **{f"degree {d}": (GDPolynomialRegressor, {"degree": d}) for d in range(1, 6)},
}


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("y", [TARGETS, TARGETS[:, 0]], ids=["two targets", "one target"])
@pytest.mark.parametrize("name", MODELS)
def test_predictions(name, y, fit_intercept, dtype, tolerance):
    kind, options = MODELS[name]
    model = kind(epochs=20, fit_intercept=fit_intercept, **options).fit(X, y)
    assert_equal(model, X.astype(dtype), tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
def test_units(kind, dtype, tolerance):
    scale = np.array([1e-10, 1.0, 1e10])
    model = kind(lr="auto", epochs=20).fit(X * scale, TARGETS)
    assert_equal(model, (X * scale).astype(dtype), tolerance)


def test_float32_model():
    model = GDPolynomialRegressor(lr="auto", epochs=20).fit(X.astype(np.float32), TARGETS)
    assert_equal(model, X.astype(np.float32), 1e-6)


def test_one_row_one_feature_and_fewer_rows_than_columns():
    rows = RNG.normal(size=(3, 7))
    assert_equal(GDLinearRegressor(lr="auto", epochs=20).fit(rows, rows[:, 0]), rows, 1e-12)
    model = GDPolynomialRegressor(lr="auto", epochs=20, degree=5).fit(X[:, :1], TARGETS[:, 0])
    assert_equal(model, X[:1, :1], 1e-12)


@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
def test_integers_are_computed_in_float32(kind):
    rows = np.arange(24).reshape(8, 3) ** 2 % 17
    assert_equal(kind(lr="auto", epochs=20).fit(rows, rows @ [1, 2, 3] + 1), rows, 1e-6)


@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
def test_in_a_pipeline_and_a_search(kind):
    search = GridSearchCV(kind(epochs=20), {"lr": [0.01, 0.1]}, cv=2)
    model = make_pipeline(StandardScaler(), search).fit(X, TARGETS[:, 0])
    np.testing.assert_allclose(run(model, X)[:, 0], model.predict(X), rtol=1e-12)


@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
def test_names_of_features(kind):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    scaled = ColumnTransformer([("scaled", StandardScaler(), ["a", "b"])], remainder="passthrough")
    for model in (kind(lr="auto", epochs=20), make_pipeline(scaled, kind(lr="auto", epochs=20))):
        model.fit(frame, TARGETS)
        np.testing.assert_allclose(run(model, frame), model.predict(frame), rtol=1e-10)


def test_among_voters():
    voters = [
        ("linear", GDLinearRegressor(lr="auto", epochs=20)),
        ("squares", GDPolynomialRegressor(lr="auto", epochs=20)),
    ]
    model = VotingRegressor(voters).fit(X, TARGETS[:, 0])
    np.testing.assert_allclose(run(model, X)[:, 0], model.predict(X), rtol=1e-12)


def test_conversion_leaves_the_model_as_it_is():
    model = GDLinearRegressor(fit_intercept=False, lr="auto", epochs=20).fit(X, TARGETS)
    run(model, X)
    assert model.intercept_ == 0.0
    assert model.to_sklearn().intercept_ == 0.0


def test_what_cannot_be_converted_is_told():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        skl2onnx.to_onnx(GDLinearRegressor(), X[:1])
    search = GDLinearRegressorCV(refit=False, cv=2).fit(X, TARGETS[:, 0])
    with pytest.raises(AttributeError, match="to_sklearn"):
        skl2onnx.to_onnx(search, X[:1])


def test_without_skl2onnx_the_error_says_what_to_install():
    code = "import sys; sys.modules['skl2onnx'] = None; import sklearn_gd.onnx"
    done = run_command([sys.executable, "-c", code])
    assert done.returncode == 1
    assert "Install it with `pip install skl2onnx`." in done.stderr


def test_importing_the_converters_imports_no_torch():
    code = "import sys, sklearn_gd.onnx; print('torch' in sys.modules)"
    assert python(code) == ["False"]


def test_nothing_is_exported():
    assert sklearn_gd.onnx.__all__ == []
    assert not hasattr(sklearn_gd, "skl2onnx")


def test_terms_of_low_degrees_that_are_left_out():
    model = GDPolynomialRegressor(degree=(2, 3), lr="auto", epochs=5).fit(X, TARGETS)
    np.testing.assert_allclose(run(model, X), model.predict(X), rtol=1e-10)
