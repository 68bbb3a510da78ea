"""Estimators of other packages, as their documentation recommends.

- scikit-learn: `Ridge` is not advised with ``alpha=0``, so it has a penalty that changes nothing.
  The Gram matrix of `Lasso` is computed once (``precompute=True``), since rows are many.
- scikit-learn, skglm, glum and statsmodels copy arrays that are not Fortran-contiguous where they
  want columns. Coordinate descent gets Fortran-contiguous arrays.
- glum: no penalty is ``alpha=0``; `gradient_tol` is lowered until the answer is right.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

Maker = Callable[[], Any]
OPTIONAL = ("glum", "statsmodels", "skglm", "skorch")


def missing() -> list[str]:
    """The optional packages that are not installed."""
    return [name for name in OPTIONAL if find_spec(name) is None]


def if_installed(package: str, name: str, make: Maker) -> dict[str, Maker]:
    """A dict with one model, or an empty dict if its package is not installed."""
    return {} if find_spec(package) is None else {name: make}


def glum(alpha: float = 0.0, l1_ratio: float = 0.0) -> Any:
    """Least squares by glum. Its objective is half of the mean squared error, plus the penalty."""
    from glum import GeneralizedLinearRegressor

    return GeneralizedLinearRegressor(
        family="normal", alpha=alpha, l1_ratio=l1_ratio, gradient_tol=1e-9
    )


def glum_cv(alphas: np.ndarray, l1_ratio: float, folds: int) -> Any:
    """The search of glum over given penalties."""
    from glum import GeneralizedLinearRegressorCV

    return GeneralizedLinearRegressorCV(
        family="normal", alphas=list(alphas), l1_ratio=l1_ratio, cv=folds, gradient_tol=1e-7
    )


def skglm_lasso(alpha: float) -> Any:
    """The Lasso of skglm."""
    from skglm import Lasso

    return Lasso(alpha=alpha, tol=1e-6)


class StatsmodelsOLS:
    """`OLS` of statsmodels: coefficients, and their standard errors with ``summary=True``."""

    def __init__(self, *, summary: bool = False):
        self.summary = summary

    def fit(self, X: np.ndarray, y: np.ndarray) -> StatsmodelsOLS:
        """Fit, and make the text of the table."""
        from statsmodels.api import OLS, add_constant

        result = OLS(y, add_constant(X)).fit()
        self.intercept_, self.coef_ = result.params[0], result.params[1:]
        if self.summary:
            result.summary()
            self.bse_ = result.bse
        return self


def skorch_regressor(p: int, **params: Any) -> Any:
    """A skorch regressor with one linear layer and no validation split."""
    from skorch import NeuralNetRegressor

    return NeuralNetRegressor(
        torch.nn.Linear,
        module__in_features=p,
        module__out_features=1,
        train_split=None,
        verbose=0,
        **params,
    )
