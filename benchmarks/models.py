"""The models that are compared on the large data sets. The first model is ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, Moments, inference

SHAPES = {
    "tall": (1_000_000, 50),
    "noise-free": (1_000_000, 50),
    "polynomial": (1_000_000, 10),
    "error-bars": (1_000_000, 50),
    "10,000 x 3,000": (10_000, 3_000),
    "2,000 x 20,000": (2_000, 20_000),
    "500 x 5,000 L2": (500, 5_000),
    "100 x 20,000 L2": (100, 20_000),
}

_LINEAR: dict[str, Callable[[], Any]] = {
    "GDLinearRegressor": GDLinearRegressor,
    "LinearRegression": LinearRegression,
    "Ridge": Ridge,
}
# Ridge has a little penalty where ours has none, because its default solver needs one
_WIDE: dict[str, Callable[[], Any]] = {
    "GDLinearRegressor": GDLinearRegressor,
    "Ridge": lambda: Ridge(alpha=1e-6),
}
_WIDE_L2: dict[str, Callable[[], Any]] = {
    "GDLinearRegressor": lambda: GDLinearRegressor(alpha=1.0),
    "Ridge": Ridge,
}


class MomentsTable:
    """Moments in one pass, a fit of them, and the table of the coefficients."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        """Print nothing, but make the text."""
        moments = Moments.of(X, y)
        inference(GDLinearRegressor().fit(moments), moments).summary()


class StatsmodelsTable:
    """The table of statsmodels."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        """Print nothing, but make the text."""
        from statsmodels.api import OLS, add_constant

        OLS(y, add_constant(X)).fit().summary()


MODELS: dict[str, dict[str, Callable[[], Any]]] = {
    "10,000 x 3,000": _WIDE,
    "2,000 x 20,000": _WIDE,
    "500 x 5,000 L2": _WIDE_L2,
    "100 x 20,000 L2": _WIDE_L2,
    "error-bars": {
        "GDLinearRegressor": GDLinearRegressor,
        "Moments, GDLinearRegressor and inference": MomentsTable,
        "statsmodels": StatsmodelsTable,
    },
    "tall": _LINEAR,
    "noise-free": _LINEAR,
    "polynomial": {
        "GDPolynomialRegressor": lambda: GDPolynomialRegressor(degree=3),
        "PolynomialFeatures + LinearRegression": lambda: make_pipeline(
            PolynomialFeatures(3, include_bias=False), LinearRegression()
        ),
    },
}
