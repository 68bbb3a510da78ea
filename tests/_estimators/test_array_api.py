"""With array API dispatch, results are in the namespace and on the device of X."""

import copy
import io
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
import torch
from sklearn.callback import ScoringMonitor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils._array_api import move_estimator_to

from sklearn_gd import SKOPS_TRUSTED_TYPES, GDLinearRegressor, GDPolynomialRegressor
from tests.array_namespaces import ON_DEVICE, array_attributes, back, place
from tests.processes import python

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = X @ [[1.0, 0.5], [-2.0, 0.0], [0.5, 3.0]] + rng.normal(size=(40, 2))
WEIGHT = rng.uniform(0.5, 2.0, size=40)
OTHER = ["torch", "strict"]

MODELS = {
    "linear": GDLinearRegressor(lr="auto", epochs=20),
    "no intercept": GDLinearRegressor(lr="auto", epochs=20, fit_intercept=False),
    "textbook": GDLinearRegressor(precondition=None, lr="auto", epochs=20),
    "early stopping": GDLinearRegressor(early_stopping=True, random_state=0, epochs=30),
    "batches": GDLinearRegressor(loss="huber", batch_size=8, epochs=30, random_state=0),
    "quadratic": GDPolynomialRegressor(lr="auto", epochs=20),
    "interactions": GDPolynomialRegressor(
        degree=3, interaction_only=True, lr="auto", epochs=20, alpha=0.1
    ),
    "pair of degrees": GDPolynomialRegressor(degree=(2, 3), lr="auto", epochs=20),
    "raw powers": GDPolynomialRegressor(precondition=None, lr="auto", epochs=20, alpha=1.0),
}
SHAPES = {
    "one target": (X, Y[:, 0], WEIGHT),
    "two targets": (X, Y, None),
    "wide": (X[:3].repeat(2, axis=1), Y[:3, 0], None),
    "one row": (X[:1], Y[:1, 0], None),
    "large units": (X * [1e10, 1e-10, 1.0], Y * 1e6, WEIGHT),
    "constant and dependent": (np.column_stack([X, X[:, 0] * 2, np.ones(40)]), Y[:, 0], None),
    "weights of zero": (X, Y[:, 0], np.where(np.arange(40) < 20, 0.0, WEIGHT)),
}

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:R.2 score is not well-defined"),
]


@pytest.fixture
def dispatch():
    with sklearn.config_context(array_api_dispatch=True):
        yield


def check_equal(model, features, targets, weight, to, tolerance=1e-10):
    """A fit on arrays made by ``to`` is the fit on NumPy, in their namespace."""
    expected = copy.copy(model).fit(features, targets, weight)
    moved = to(features)
    with sklearn.config_context(array_api_dispatch=True):
        fitted = copy.copy(model).fit(moved, to(targets), None if weight is None else to(weight))
        predicted, score = fitted.predict(moved), fitted.score(moved, to(targets))
    for name, value in {**array_attributes(expected), "intercept_": expected.intercept_}.items():
        found = getattr(fitted, name)
        if isinstance(value, float) and value == 0.0 and not expected.fit_intercept:
            assert found == 0.0
            continue
        assert place(found) == place(moved), name
        assert back(found).dtype == value.dtype
        np.testing.assert_allclose(back(found), value, rtol=tolerance, atol=1e-300, err_msg=name)
    assert place(predicted) == place(moved)
    wanted = expected.predict(features)
    assert back(predicted).dtype == wanted.dtype
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(back(predicted), wanted, rtol=tolerance, atol=tolerance * scale)
    assert type(score) is float
    if len(features) > 1:
        assert score == pytest.approx(expected.score(features, targets), abs=tolerance)


@pytest.mark.parametrize("namespace", ON_DEVICE)
@pytest.mark.parametrize("name", MODELS)
def test_the_fit_on_numpy_in_the_namespace_of_x(name, namespace):
    weight = None if name == "early stopping" else WEIGHT
    check_equal(MODELS[name], X, Y[:, 0], weight, ON_DEVICE[namespace])


@pytest.mark.parametrize("namespace", OTHER)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["linear", "quadratic"])
def test_shapes_of_data(name, shape, namespace):
    check_equal(MODELS[name], *SHAPES[shape], ON_DEVICE[namespace])


@pytest.mark.parametrize("namespace", OTHER)
@pytest.mark.parametrize("name", ["linear", "quadratic"])
def test_float32_in_float32_out(name, namespace, dispatch):
    to = ON_DEVICE[namespace]
    narrow = X.astype(np.float32)
    with sklearn.config_context(array_api_dispatch=False):
        check_equal(MODELS[name], narrow, Y.astype(np.float32), None, to, tolerance=1e-5)
    model = copy.copy(MODELS[name]).fit(to(narrow), to(Y))
    assert back(model.predict(to(narrow))).dtype == np.float32
    assert back(model.predict(to(X))).dtype == np.float64  # as with NumPy
    wide = copy.copy(MODELS[name]).fit(to(X), to(Y))
    assert back(wide.predict(to(narrow))).dtype == np.float64


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ["linear", "quadratic"])
def test_other_dtypes_of_tensors(name, dtype, dispatch):
    values = torch.tensor(np.abs(X) * 4 % 2).to(getattr(torch, dtype))
    model = copy.copy(MODELS[name]).fit(values, torch.tensor(Y))
    expected = copy.copy(MODELS[name]).fit(values.double().numpy(), Y)
    predicted = model.predict(values)
    assert predicted.dtype == model.coef_.dtype == torch.float64
    np.testing.assert_allclose(predicted, expected.predict(values.double().numpy()), rtol=1e-10)


ELSEWHERE = {
    "list": list,
    "numpy": np.array,
    "read-only": lambda values: pd.Series(values).to_numpy(),
    "pandas": pd.Series,
    "torch": ON_DEVICE["torch"],
    "strict": ON_DEVICE["strict"],
}


@pytest.mark.parametrize("kind", ELSEWHERE)
@pytest.mark.parametrize("namespace", ON_DEVICE)
def test_y_and_weights_may_come_from_elsewhere(namespace, kind, dispatch):
    moved, make = ON_DEVICE[namespace](X), ELSEWHERE[kind]
    y, weight = make(Y[:, 0]), make(WEIGHT)
    model = GDLinearRegressor(lr="auto", epochs=20).fit(moved, y, weight)
    oracle = LinearRegression().fit(X, Y[:, 0], WEIGHT)
    assert place(model.coef_) == place(moved)
    np.testing.assert_allclose(back(model.coef_), oracle.coef_, rtol=1e-9)
    score = model.score(moved, y, weight)
    assert type(score) is float
    assert score == pytest.approx(oracle.score(X, Y[:, 0], WEIGHT), abs=1e-10)


def test_ridge_is_an_oracle_in_the_namespace(dispatch):
    tensor, y = torch.tensor(X), torch.tensor(Y)
    ridge = Ridge(alpha=2.0, solver="svd").fit(tensor, y)
    model = GDLinearRegressor(lr="auto", epochs=20, alpha=2 * 2.0 / 40).fit(tensor, y)
    torch.testing.assert_close(model.predict(tensor), ridge.predict(tensor), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["linear", "quadratic"])
def test_another_namespace_than_that_of_the_fit(name, dispatch):
    owner = type(MODELS[name]).__name__
    on_torch = copy.copy(MODELS[name]).fit(torch.tensor(X), Y)
    on_numpy = copy.copy(MODELS[name]).fit(X, Y)
    on_strict = copy.copy(MODELS[name]).fit(ON_DEVICE["strict"](X), Y)
    message = rf"passed to {owner}\.predict\(\) must use the same namespace"
    for model, rows in [
        (on_torch, X),
        (on_torch, X.tolist()),
        (on_torch, pd.DataFrame(X)),
        (on_numpy, torch.tensor(X)),
        (on_strict, torch.tensor(X)),
    ]:
        with pytest.raises(ValueError, match=message):
            model.predict(rows)
        with pytest.raises(ValueError, match=message):
            model.score(rows, Y)


def test_move_estimator_to_is_the_remedy_that_the_message_names(dispatch):
    model = copy.copy(MODELS["quadratic"]).fit(X, Y)
    expected = model.predict(X)
    for namespace in (*OTHER, "numpy"):
        to = ON_DEVICE[namespace]
        xp, device = sklearn.utils._array_api.get_namespace_and_device(to(X))[::2]
        model = move_estimator_to(model, xp, device)
        predicted = model.predict(to(X))
        assert place(predicted) == place(to(X)) == place(model.powers_)
        np.testing.assert_allclose(back(predicted), expected, rtol=1e-12)


def test_without_dispatch_everything_is_numpy():
    tensor = torch.tensor(X)
    model = GDPolynomialRegressor(lr="auto", epochs=20).fit(tensor, torch.tensor(Y))
    assert {type(value) for value in array_attributes(model).values()} == {np.ndarray}
    assert isinstance(model.predict(tensor), np.ndarray)
    for kind in (GDLinearRegressor, GDPolynomialRegressor):
        with sklearn.config_context(array_api_dispatch=True):
            model = kind(lr="auto", epochs=20).fit(tensor, torch.tensor(Y))
        expected = kind(lr="auto", epochs=20).fit(X, Y).predict(X)
        for rows in (tensor, X, X.tolist()):
            predicted = model.predict(rows)
            assert isinstance(predicted, np.ndarray)
            np.testing.assert_allclose(predicted, expected, rtol=1e-12)


SAVED = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "skops": lambda model: skops.io.loads(skops.io.dumps(model), trusted=SKOPS_TRUSTED_TYPES),
    "to_sklearn": lambda model: model.to_sklearn(),
}


def through_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


SAVED["joblib"] = through_joblib


@pytest.mark.parametrize("namespace", OTHER)
@pytest.mark.parametrize("save", SAVED)
@pytest.mark.parametrize("name", ["linear", "no intercept", "quadratic"])
def test_saved_models_are_numpy(name, save, namespace, dispatch):
    to = ON_DEVICE[namespace]
    model = copy.copy(MODELS[name]).fit(to(X), to(Y[:, 0]))
    loaded = SAVED[save](model)
    expected = copy.copy(MODELS[name]).fit(X, Y[:, 0])
    np.testing.assert_allclose(loaded.predict(X), expected.predict(X), rtol=1e-10)
    if save != "to_sklearn":
        assert array_attributes(loaded).keys() == array_attributes(expected).keys()
        assert type(loaded.intercept_) is type(expected.intercept_)
    assert place(model.coef_) == place(to(X))  # as it was


def test_a_loaded_model_needs_no_torch(tmp_path):
    with sklearn.config_context(array_api_dispatch=True):
        model = GDPolynomialRegressor(lr="auto", epochs=20).fit(torch.tensor(X), torch.tensor(Y))
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps(model))
    code = (
        "import pickle, sys; model = pickle.load(open(sys.argv[1], 'rb'));"
        "print(model.predict([[1.0, 2.0, 3.0]]).tolist(), 'torch' in sys.modules)"
    )
    printed = " ".join(python(code, path))
    assert printed == f"{model.predict([[1.0, 2.0, 3.0]]).tolist()} False"


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_copies_keep_the_namespace(make, dispatch):
    tensor = torch.tensor(X)
    model = GDPolynomialRegressor(lr="auto", epochs=20).fit(tensor, Y)
    copied = make(model)
    assert type(copied.coef_) is torch.Tensor
    torch.testing.assert_close(copied.predict(tensor), model.predict(tensor))
    assert (copied.coef_ is model.coef_) == (make is copy.copy)


@pytest.mark.parametrize("namespace", OTHER)
@pytest.mark.parametrize("name", ["linear", "quadratic", "batches"])
def test_partial_fit_goes_on_in_the_namespace_of_the_last_x(name, namespace, dispatch):
    to = ON_DEVICE[namespace]
    model, expected = copy.copy(MODELS[name]), copy.copy(MODELS[name])
    for rows in (slice(0, 25), slice(25, 40)):
        model.partial_fit(to(X[rows]), to(Y[rows]))
        expected.partial_fit(X[rows], Y[rows])
    assert place(model.coef_) == place(model.loss_curve_) == place(to(X))
    np.testing.assert_allclose(back(model.coef_), expected.coef_, rtol=1e-10)
    model.partial_fit(X, Y)
    assert place(model.coef_) == place(X)
    np.testing.assert_allclose(model.coef_, expected.partial_fit(X, Y).coef_, rtol=1e-10)


@pytest.mark.parametrize("name", ["linear", "early stopping", "quadratic"])
def test_warm_start_goes_on_from_any_namespace(name, dispatch):
    model = copy.copy(MODELS[name]).set_params(warm_start=True, epochs=5, lr=0.1)
    expected = copy.copy(model)
    for namespace in ("torch", "numpy", "strict"):
        to = ON_DEVICE[namespace]
        model.fit(to(X), to(Y))
        expected.fit(X, Y)
        assert place(model.loss_curve_) == place(model.coef_) == place(to(X))
        np.testing.assert_allclose(back(model.coef_), expected.coef_, rtol=1e-12)
        np.testing.assert_allclose(back(model.loss_curve_), expected.loss_curve_, rtol=1e-12)


def test_a_start_of_any_namespace(dispatch):
    start = {"coef_init": np.ones((2, 3)), "intercept_init": np.ones(2)}
    model = GDLinearRegressor(precondition=None, epochs=3)
    expected = copy.copy(model).fit(X, Y, **start).coef_
    moved = {name: ON_DEVICE["strict"](value) for name, value in start.items()}
    model.fit(torch.tensor(X), Y, **moved)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-12)


def test_tensors_that_cannot_be_used(dispatch):
    tensor, y = torch.tensor(X), torch.tensor(Y)
    model = GDLinearRegressor(epochs=5).fit(tensor, y)
    before = dict(vars(model))
    for bad, message in [
        (torch.tensor(X, requires_grad=True), r"requires grad.*X\.detach\(\)"),
        (tensor.to_sparse(), r"sparse torch tensor.*X\.to_dense\(\)"),
    ]:
        with pytest.raises(TypeError, match=message):
            model.predict(bad)
        with pytest.raises(TypeError, match=message):
            model.fit(bad, y)
    missing = tensor.clone()
    missing[0, 0] = torch.nan
    for bad, message in [
        (missing, "contains NaN"),
        (tensor[:, :2], "X has 2 features, but GDLinearRegressor is expecting 3"),
        (tensor[:, 0], "Expected 2D array"),
        (tensor + 1j, "Complex data not supported"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.predict(bad)
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(missing, y)
    assert vars(model) == before


def test_what_is_said_of_a_model_is_said_by_numpy(dispatch):
    tensor = torch.tensor(X[:, :1])
    y = tensor[:, 0] ** 2 + 2.0 * tensor[:, 0] + 3.0
    model = GDPolynomialRegressor(lr="auto", epochs=20).fit(tensor, y)
    assert model.equation() == "y = 3 + 2 x0 + 1 x0^2"
    assert model.feature_names_out_.tolist() == ["x0", "x0^2"]
    np.testing.assert_allclose(model.to_polynomial().coef, [3.0, 2.0, 1.0], rtol=1e-9)


@pytest.mark.parametrize("namespace", OTHER)
def test_callbacks_score_in_the_namespace(namespace, dispatch):
    monitor, to = ScoringMonitor(scoring="r2"), ON_DEVICE[namespace]
    expected = GDLinearRegressor(epochs=3).fit(X, Y).score(X, Y)
    model = GDLinearRegressor(epochs=3).set_callbacks(monitor).fit(to(X), to(Y))
    log = monitor.get_logs().data_as_pandas
    assert log["r2"].iloc[-1] == pytest.approx(expected, abs=1e-10)
    assert place(model.coef_) == place(to(X))


def test_pipeline_and_grid_search_of_tensors(dispatch):
    tensor, y = torch.tensor(X), torch.tensor(Y[:, 0])
    pipeline = make_pipeline(
        StandardScaler(),
        PolynomialFeatures(2, include_bias=False),
        GDLinearRegressor(lr="auto", epochs=20),
    )
    predicted = pipeline.fit(tensor, y).predict(tensor)
    assert place(predicted) == place(tensor)
    expected = LinearRegression().fit(PolynomialFeatures(2).fit_transform(X), Y[:, 0])
    np.testing.assert_allclose(
        predicted, expected.predict(PolynomialFeatures(2).fit_transform(X)), rtol=1e-8
    )
    grid = {"gdlinearregressor__alpha": [0.0, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(tensor, y)
    with sklearn.config_context(array_api_dispatch=False):
        wanted = GridSearchCV(pipeline, grid, cv=3).fit(X, Y[:, 0])
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], wanted.cv_results_["mean_test_score"], rtol=1e-9
    )
    assert place(search.predict(tensor)) == place(tensor)
