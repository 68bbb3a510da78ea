"""What all displays have in common."""

import builtins
import inspect

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import sklearn_gd
from sklearn_gd import (
    CoefficientDisplay,
    DescentPathDisplay,
    FitDisplay,
    GDLinearRegressor,
    LearningRateDisplay,
    LossCurveDisplay,
)
from tests._inspection.reference import X, Y, quietly

DISPLAYS = [
    LossCurveDisplay,
    LearningRateDisplay,
    DescentPathDisplay,
    FitDisplay,
    CoefficientDisplay,
]


@pytest.mark.parametrize("display", DISPLAYS)
class TestConventions:
    def test_names(self, display):
        assert display.__module__ == "sklearn_gd"
        assert display.__name__ in sklearn_gd.__all__
        parameters = list(inspect.signature(display).parameters.values())
        assert all(p.kind is p.KEYWORD_ONLY for p in parameters)
        for name, method in inspect.getmembers(display, inspect.isroutine):
            if name.startswith("from_") or name == "plot":
                assert inspect.signature(method).parameters["ax"].default is None
                assert method.__doc__

    def test_init_only_stores(self, display):
        sentinels = {name: object() for name in inspect.signature(display).parameters}
        assert vars(display(**sentinels)) == sentinels


def test_without_matplotlib_a_sentence(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **options):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install sklearn_gd\[plot\]"):
        LossCurveDisplay.from_curves([3.0, 2.0])


@pytest.mark.parametrize(
    "display", [LearningRateDisplay, DescentPathDisplay, FitDisplay, CoefficientDisplay]
)
class TestEstimators:
    def test_others_are_refused(self, display):
        with pytest.raises(TypeError, match=f"{display.__name__} looks at the descent of a GDL"):
            display.from_estimator(LinearRegression(), X, Y)

    def test_bad_parameters_and_data(self, display):
        with pytest.raises(ValueError, match="'lr' parameter of GDLinearRegressor must be"):
            display.from_estimator(GDLinearRegressor(lr=-1), X, Y)
        with pytest.raises(ValueError, match="contains NaN"):
            display.from_estimator(GDLinearRegressor(), np.where(X > 5, np.nan, X), Y)

    def test_several_targets(self, display):
        both = np.column_stack([Y, Y**2])
        if display is LearningRateDisplay:
            shown = display.from_estimator(GDLinearRegressor(epochs=5), X, both, lrs=[0.1])
            model = quietly(GDLinearRegressor(epochs=5, lr=0.1).fit, X, both)
            np.testing.assert_allclose(shown.loss_curves[0], model.loss_curve_)
        else:
            with pytest.raises(ValueError, match="draws one target, and y has 2"):
                display.from_estimator(GDLinearRegressor(), X, both)
