"""What displays, reports and inference say of models fitted on tensors is said of NumPy."""

import numpy as np
import pytest
import sklearn

from sklearn_gd import (
    CoefficientDisplay,
    DescentPathDisplay,
    FitDisplay,
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    LearningRateDisplay,
    LossCurveDisplay,
    Moments,
    SearchDisplay,
    inference,
    lr_report,
)
from tests.array_namespaces import ON_DEVICE

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 2))
Y = X @ [1.0, -2.0] + rng.normal(size=40)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def dispatch():
    with sklearn.config_context(array_api_dispatch=True):
        yield


@pytest.mark.parametrize("namespace", ["torch", "strict"])
@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
def test_inference(kind, namespace, dispatch):
    to = ON_DEVICE[namespace]
    expected = inference(kind(lr="auto", epochs=20).fit(X, Y), X, Y)
    model = kind(lr="auto", epochs=20).fit(to(X), to(Y))
    found = inference(model, to(X), to(Y))
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-10)
    np.testing.assert_allclose(found.distance, expected.distance, atol=1e-9)
    np.testing.assert_allclose(
        np.asarray(found.predict(to(X[:3]))), np.asarray(expected.predict(X[:3])), rtol=1e-9
    )
    moments = Moments.of(to(X), to(Y), degree=2)
    assert model.score(moments) == pytest.approx(model.score(to(X), to(Y)), abs=1e-12)
    np.testing.assert_allclose(inference(model, moments).bse, expected.bse, rtol=1e-8)


@pytest.mark.parametrize("namespace", ["torch", "strict"])
def test_displays_and_report(namespace, dispatch):
    to = ON_DEVICE[namespace]
    fitted = GDLinearRegressor(epochs=5, early_stopping=True, random_state=0).fit(to(X), to(Y))
    expected = GDLinearRegressor(epochs=5, early_stopping=True, random_state=0).fit(X, Y)
    curve = LossCurveDisplay.from_estimator(fitted)
    np.testing.assert_allclose(next(iter(curve.curves.values())), expected.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(
        next(iter(curve.validation_curves.values())), expected.validation_loss_curve_, rtol=1e-12
    )
    LossCurveDisplay.from_curves(fitted.loss_curve_)
    model = GDLinearRegressor(epochs=5, lr=0.1)
    for display in (CoefficientDisplay, DescentPathDisplay, LearningRateDisplay):
        display.from_estimator(model, to(X), to(Y))
    FitDisplay.from_estimator(model, to(X[:, :1]), to(Y))
    search = GDLinearRegressorCV(lrs=(0.01, 0.1), alphas=(0.0, 1.0), epochs=5, cv=2)
    search.fit(to(X), to(Y))
    SearchDisplay.from_estimator(search)
    LearningRateDisplay.from_estimator(search)
    found, wanted = lr_report(model, to(X), to(Y)), lr_report(model, X, Y)
    assert str(found) == str(wanted)
