"""Conversion of fitted models to ONNX.

``import sklearn_gd.onnx`` registers the estimators of this package with skl2onnx. Then
``skl2onnx.to_onnx(model, X[:1])`` converts a fitted model, alone, in a pipeline, or in another
estimator that skl2onnx supports. ONNX runtimes predict with the converted model, and need
neither scikit-learn nor torch.

Notes
-----
The graph is the one that skl2onnx makes of ``model.to_sklearn()``. The type of the data that
are given to `to_onnx` is the type in which the runtime computes: float32 or float64. Integers
are computed in float32. A polynomial is computed in plain powers. In float32 its error is
about 1e-7 times its largest term. Give float64 data to `to_onnx` where terms cancel.

Examples
--------
>>> import numpy as np
>>> import onnxruntime
>>> import skl2onnx
>>> import sklearn_gd.onnx
>>> from sklearn_gd import GDPolynomialRegressor
>>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
>>> model = GDPolynomialRegressor(lr="auto").fit(X, X[:, 0] ** 2 + 1)
>>> converted = skl2onnx.to_onnx(model, X[:1])
>>> session = onnxruntime.InferenceSession(converted.SerializeToString())
>>> session.run(None, {"X": np.array([[4.0]])})[0].round(6).tolist()
[[17.0]]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression

from sklearn_gd._estimators.linear import GDLinearRegressor
from sklearn_gd._estimators.polynomial import GDPolynomialRegressor
from sklearn_gd._model_selection.linear import GDLinearRegressorCV
from sklearn_gd._model_selection.polynomial import GDPolynomialRegressorCV

try:
    from skl2onnx import get_model_alias, update_registered_converter
    from skl2onnx.common.data_types import FloatTensorType, guess_proto_type
    from skl2onnx.common.shape_calculator import calculate_linear_regressor_output_shapes
except ImportError as error:
    raise ImportError(
        "sklearn_gd.onnx needs the package skl2onnx, which cannot be imported "
        f"({error}). Install it with `pip install skl2onnx`."
    ) from error

__all__: list[str] = []  # the import registers converters, and there is nothing to call


def _parse(scope: Any, model: Any, inputs: list[Any], custom_parsers: object = None) -> list[Any]:
    """Declare the operator of a model. The columns of a data frame are one input each."""
    if len(inputs) > 1:
        inputs = _declare(scope, "SklearnConcat", None, inputs, FloatTensorType())
    return _declare(scope, get_model_alias(type(model)), model, inputs, FloatTensorType())


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Write the graph of the estimator that `to_sklearn` gives."""
    variables, (output,) = operator.inputs, operator.outputs
    number = type(output.type)  # float32 or float64
    if not isinstance(variables[0].type, number):  # integers and booleans
        cast = scope.declare_local_variable("cast", number(variables[0].type.shape))
        to = guess_proto_type(cast.type)
        container.add_node("Cast", variables[0].full_name, cast.full_name, to=to)
        variables = [cast]
    for step in _steps(operator.raw_operator):
        variables = _declare(scope, get_model_alias(type(step)), step, variables, number())
    container.add_node("Identity", variables[0].full_name, output.full_name)


def _declare(scope: Any, alias: str, model: Any, inputs: list[Any], kind: Any) -> list[Any]:
    """Declare an operator with one output. Returns the output."""
    operator = scope.declare_local_operator(alias, model)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("variable", kind))
    return [operator.outputs[0]]


def _steps(model: Any) -> list[Any]:
    """The fitted scikit-learn estimators of which a model consists."""
    converted = model.to_sklearn()
    steps = [converted] if isinstance(converted, LinearRegression) else list(converted)
    linear = steps[-1]
    # skl2onnx wants an array with a number for each target, also without an intercept
    linear.intercept_ = np.broadcast_to(linear.intercept_, len(np.atleast_2d(linear.coef_)))
    return steps


for _kind in (
    GDLinearRegressor,
    GDPolynomialRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressorCV,
):
    update_registered_converter(
        _kind,
        f"Sklearn{_kind.__name__}",
        calculate_linear_regressor_output_shapes,
        _convert,
        parser=_parse,
    )
