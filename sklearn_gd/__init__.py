"""Gradient descent for scikit-learn users.

`GDLinearRegressor` and `GDPolynomialRegressor` are scikit-learn estimators that are trained by
a torch autograd loop. An estimator (`_estimators`) checks its data (`_data`). Training
(`_training`) reduces the data to moments (`_moments`), builds a problem of them (`_problem`)
and gives it to the loop (`_solver`). The searches (`_model_selection`) give many problems to
the same loop at once. `minimize` and `solve` (`_functions`) give it any function. The displays
and `lr_report` (`_inspection`) show what the loop did. Start reading at `_solver/loop.py`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sklearn_gd._base.version import __version__ as __version__
from sklearn_gd._estimators.linear import GDLinearRegressor
from sklearn_gd._estimators.polynomial import GDPolynomialRegressor
from sklearn_gd._inspection.loss_curve import LossCurveDisplay
from sklearn_gd._inspection.search import SearchDisplay
from sklearn_gd._model_selection.linear import GDLinearRegressorCV
from sklearn_gd._model_selection.polynomial import GDPolynomialRegressorCV
from sklearn_gd._moments.moments import Moments

if TYPE_CHECKING:
    from sklearn_gd import losses
    from sklearn_gd._functions.minimize import minimize
    from sklearn_gd._functions.solve import solve
    from sklearn_gd._inspection.coefficients import CoefficientDisplay
    from sklearn_gd._inspection.descent_path import DescentPathDisplay
    from sklearn_gd._inspection.fit import FitDisplay
    from sklearn_gd._inspection.infer import inference
    from sklearn_gd._inspection.inference import Inference
    from sklearn_gd._inspection.learning_rate import LearningRateDisplay
    from sklearn_gd._inspection.lr_report import lr_report

__all__ = [
    "SKOPS_TRUSTED_TYPES",
    "CoefficientDisplay",
    "DescentPathDisplay",
    "FitDisplay",
    "GDLinearRegressor",
    "GDLinearRegressorCV",
    "GDPolynomialRegressor",
    "GDPolynomialRegressorCV",
    "Inference",
    "LearningRateDisplay",
    "LossCurveDisplay",
    "Moments",
    "SearchDisplay",
    "inference",
    "losses",
    "lr_report",
    "minimize",
    "solve",
]

# what skops must be told to trust, to load a model whose parameters are text and numbers
SKOPS_TRUSTED_TYPES = [
    "sklearn_gd.GDLinearRegressor",
    "sklearn_gd.GDLinearRegressorCV",
    "sklearn_gd.GDPolynomialRegressor",
    "sklearn_gd.GDPolynomialRegressorCV",
]

# what needs torch is imported when somebody asks for it
_LAZY = {
    "CoefficientDisplay": "_inspection.coefficients",
    "DescentPathDisplay": "_inspection.descent_path",
    "FitDisplay": "_inspection.fit",
    "Inference": "_inspection.inference",
    "LearningRateDisplay": "_inspection.learning_rate",
    "inference": "_inspection.infer",
    "losses": "losses",
    "lr_report": "_inspection.lr_report",
    "minimize": "_functions.minimize",
    "solve": "_functions.solve",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_LAZY[name]}")
    value = module if _LAZY[name] == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
