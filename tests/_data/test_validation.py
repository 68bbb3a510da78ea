"""Whatever container the data come in, the fit is the same."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy import sparse
from sklearn.linear_model import LinearRegression

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, GDPolynomialRegressor

rng = np.random.default_rng(0)
X = np.round(rng.normal(size=(40, 3)) * 8) / 4  # exact in float16 and float32 too
Y = np.round((X @ [1.0, -2.0, 0.5] + rng.normal(size=40)) * 4) / 4
NAMES = ["a", "b", "c"]


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


FEATURES = {
    "list": X.tolist(),
    "fortran": np.asfortranarray(X),
    "strided": np.repeat(X, 2, axis=0)[::2],
    "reversed": np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
    "read-only": read_only(X),
    "big-endian": X.astype(">f8"),
    "float16": X.astype(np.float16),
    "longdouble": X.astype(np.longdouble),
    "object": X.astype(object),
    "pandas": pd.DataFrame(X, columns=NAMES),
    "pandas nullable": pd.DataFrame(X, columns=NAMES).astype("Float64"),
    "pandas arrow": pd.DataFrame(X, columns=NAMES).astype("double[pyarrow]"),
    "polars": pl.DataFrame(X, schema=NAMES),
    "pyarrow": pa.table({name: X[:, i] for i, name in enumerate(NAMES)}),
    "torch": torch.tensor(X),
    "torch bfloat16": torch.tensor(X).to(torch.bfloat16),
    **{
        f"{kind.__name__} {form}": kind(X).asformat(form)
        for kind in (sparse.csr_matrix, sparse.csr_array)
        for form in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
    },
}


def wide_indices(values):
    matrix = sparse.csr_matrix(values)
    matrix.indices, matrix.indptr = matrix.indices.astype("i8"), matrix.indptr.astype("i8")
    return matrix


FEATURES["csr of 64-bit indices"] = wide_indices(X)

TARGETS = {
    "list": Y.tolist(),
    "float32": Y.astype(np.float32),
    "big-endian": Y.astype(">f8"),
    "reversed": Y[::-1].copy()[::-1],
    "object": Y.astype(object),
    "pandas": pd.Series(Y),
    "pandas nullable": pd.Series(Y, dtype="Float64"),
    "polars": pl.Series(Y),
    "pyarrow": pa.array(Y),
    "pyarrow chunked": pa.chunked_array([Y[:10], Y[10:]]),
    "torch": torch.tensor(Y),
}

MODELS = [GDLinearRegressor(epochs=50, lr="auto"), GDPolynomialRegressor(epochs=50, lr="auto")]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("container", FEATURES)
def test_features(container, model):
    expected = model.fit(X, Y).predict(X)
    values = FEATURES[container]
    predicted = model.fit(values, Y).predict(values)
    np.testing.assert_allclose(predicted, expected, rtol=1e-10, atol=1e-10)
    assert isinstance(predicted, np.ndarray)
    if container in ("pandas", "pandas nullable", "pandas arrow", "polars", "pyarrow"):
        assert list(model.feature_names_in_) == NAMES
    else:
        assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize("container", TARGETS)
def test_targets_and_weights(container):
    weight = np.abs(Y)
    expected = GDLinearRegressor().fit(X, Y, weight).coef_
    model = GDLinearRegressor().fit(X, TARGETS[container], weight)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-12)
    as_weight = {
        "pandas": pd.Series(weight),
        "polars": pl.Series(weight),
        "torch": torch.tensor(weight),
        "pyarrow": pa.array(weight),
    }.get(container, weight.tolist())
    model = GDLinearRegressor().fit(X, Y, as_weight)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", "u8", "bool"])
def test_integer_features(dtype):
    values = (np.abs(X) * 4 % 2).astype(dtype)
    expected = GDLinearRegressor().fit(values.astype(float), Y)
    model = GDLinearRegressor().fit(values, Y)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    assert model.coef_.dtype == np.float64


@pytest.mark.parametrize("model", MODELS)
def test_float32_in_float32_out(model):
    narrow = X.astype(np.float32)
    model.fit(narrow, Y)
    assert model.coef_.dtype == np.float32
    assert model.intercept_.dtype == np.float32
    assert model.predict(narrow).dtype == np.float32
    assert model.predict(X).dtype == np.float64


BAD = {
    "NaN": ((np.where(X[0, 0] == X, np.nan, X), Y), ValueError, "Input X contains NaN"),
    "infinity": ((np.where(X[0, 0] == X, np.inf, X), Y), ValueError, "Input X contains infinity"),
    "NaN target": ((X, np.where(Y[0] == Y, np.nan, Y)), ValueError, "Input y contains NaN"),
    "text": ((np.array([["a", "b"]] * 40), Y), ValueError, "could not convert string"),
    "complex": ((X + 1j, Y), ValueError, "Complex data not supported"),
    "lengths": ((X[:-1], Y), ValueError, "inconsistent numbers of samples"),
    "one dimension": ((X[:, 0], Y), ValueError, "Expected 2D array"),
    "empty": ((X[:0], Y[:0]), ValueError, "Found array with 0 sample"),
    "no features": ((X[:, :0], Y), ValueError, "0 feature"),
    "no target": ((X, None), ValueError, "requires y to be passed"),
    "negative weight": ((X, Y, -np.ones(40)), ValueError, "Negative values in.*sample_weight"),
    "zero weight": ((X, Y, np.zeros(40)), ValueError, "[Ww]eights"),
    "weights' length": ((X, Y, np.ones(39)), ValueError, "sample_weight.shape"),
    "sparse target": ((X, sparse.csr_matrix(Y).T), TypeError, "Sparse targets.*toarray"),
    "grad": ((torch.tensor(X, requires_grad=True), Y), TypeError, r"requires grad.*detach\(\)"),
    "sparse tensor": ((torch.tensor(X).to_sparse(), Y), TypeError, r"sparse torch.*to_dense\(\)"),
    "device": ((torch.tensor(X, device="meta"), Y), TypeError, r"on 'meta'.*\.cpu\(\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_are_refused_in_a_sentence(case):
    arguments, error, message = BAD[case]
    model = GDLinearRegressor()
    with pytest.raises(error, match=message):
        model.fit(*arguments)
    assert vars(model) == vars(GDLinearRegressor())


@pytest.mark.parametrize("model", MODELS)
def test_nan_in_large_data(model):
    large = np.zeros((70_000, 5))
    large[:, 0] = np.arange(70_000)
    large[40_000, 3] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.fit(large, large[:, 0])


def test_predicting_checks_the_features():
    model = GDLinearRegressor().fit(X, Y)
    with pytest.raises(ValueError, match="X has 2 features, but GDLinearRegressor is expecting 3"):
        model.predict(X[:, :2])
    model.fit(pd.DataFrame(X, columns=NAMES), Y)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(pd.DataFrame(X, columns=["a", "b", "d"]))


NO_ARRAYS = {
    "dict": lambda: {"a": [1.0, 2.0]},
    "values of a dict": lambda: {"a": 1.0}.values(),
    "set": lambda: {1.0, 2.0},
    "generator": lambda: (i for i in range(3)),
    "iterator": lambda: iter([1.0, 2.0]),
    "map": lambda: map(float, [1, 2]),
    "class": lambda: LinearRegression,
    "estimator": LinearRegression,
    "function": lambda: len,
    "object": object,
    "structured array": lambda: np.zeros(3, dtype=[("a", float), ("b", float)]),
    "record array": lambda: np.rec.array([(1, 2.0)] * 3, dtype=[("a", int), ("b", float)]),
    "number": lambda: 3.0,
    "text": lambda: "abc",
    "bytes": lambda: b"abc",
    "None": lambda: None,
}


@pytest.mark.parametrize("name", NO_ARRAYS)
def test_what_is_no_array_is_a_value_error_as_in_scikit_learn(name):
    for model in (
        LinearRegression(),
        GDLinearRegressor(),
        GDPolynomialRegressor(),
        GDLinearRegressorCV(),
    ):
        with pytest.raises(ValueError):
            model.fit(NO_ARRAYS[name](), [1.0, 2.0, 3.0])
        assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("model", [GDLinearRegressor, GDPolynomialRegressor])
def test_targets_below_the_range_of_float32(model):
    """Coefficients in float32 would all be 0, and the predictions too."""
    y = np.column_stack([Y, 1e-39 * Y / abs(Y).max()])
    with pytest.raises(ValueError, match="The targets are too small for coefficients in float32"):
        model().fit(X.astype(np.float32), y)
    found = model(lr="auto", epochs=50).fit(X, y)
    np.testing.assert_allclose(found.coef_[1], found.coef_[0] * 1e-39 / abs(Y).max(), rtol=1e-6)
    y[:, 1] = 0.0
    assert not model(lr="auto").fit(X.astype(np.float32), y).coef_[1].any()
