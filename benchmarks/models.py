"""The models that are compared on the large data sets. The first model is ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

SHAPES = {"tall": (1_000_000, 50), "noise-free": (1_000_000, 50), "polynomial": (1_000_000, 10)}

_LINEAR: dict[str, Callable[[], Any]] = {
    "GDLinearRegressor": GDLinearRegressor,
    "LinearRegression": LinearRegression,
    "Ridge": Ridge,
}
MODELS: dict[str, dict[str, Callable[[], Any]]] = {
    "tall": _LINEAR,
    "noise-free": _LINEAR,
    "polynomial": {
        "GDPolynomialRegressor": lambda: GDPolynomialRegressor(degree=3),
        "PolynomialFeatures + LinearRegression": lambda: make_pipeline(
            PolynomialFeatures(3, include_bias=False), LinearRegression()
        ),
    },
}
