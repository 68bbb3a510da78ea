"""The linear estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._data import Data, check_rows
from sklearn_gd._docs import documented
from sklearn_gd._regressor import GDRegressor, as_targets, linear_regression


@documented
class GDLinearRegressor(GDRegressor):
    """Linear regression by gradient descent.

    Minimizes a mean loss, by default the squared error, with torch's autograd and
    optimizers. With squared error the descent runs on the moments of the data, not on the
    data, so that an epoch costs the same for twenty rows and for a million, and by default
    in whitened coordinates, where it converges at the same speed whatever the units and
    correlations of the features.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients in the units of the data.
    {attributes}

    See Also
    --------
    GDPolynomialRegressor : The same with polynomial terms.
    sklearn.linear_model.LinearRegression : Least squares in closed form.
    sklearn.linear_model.SGDRegressor : Stochastic gradient descent, a sample at a time.

    Notes
    -----
    A descent is said to diverge when its objective is not finite, is above 1e8 times the
    larger of the first objective and the objective at zero coefficients, or ends above
    the first. On data of deficient rank the whitened descent lands on the coefficients
    of least norm, as LinearRegression does.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GDLinearRegressor().fit(X, y)
    >>> round(model.score(X, y), 4)
    0.5177
    >>> model.n_iter_, model.lr_, model.max_stable_lr_
    (1000, 0.01, 1.0)

    Any loss, in a line:

    >>> absolute = GDLinearRegressor(loss=lambda prediction, target: (prediction - target).abs())
    >>> absolute.set_params(optimizer="adam", lr=0.02).fit(X, y).loss_ < 43.1
    True
    """

    __module__ = "sklearn_gd"

    def __init__(
        self,
        *,
        lr: float | str = 0.01,
        epochs: int = 1000,
        optimizer: Any = "sgd",
        optimizer_params: dict[str, Any] | None = None,
        device: str = "cpu",
        loss: Any = "squared_error",
        loss_params: dict[str, Any] | None = None,
        alpha: float = 0.0,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        positive: bool = False,
        precondition: str | None = "auto",
        batch_size: int | None = None,
        shuffle: bool = True,
        lr_scheduler: Any = None,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.lr = lr
        self.epochs = epochs
        self.optimizer = optimizer
        self.optimizer_params = optimizer_params
        self.device = device
        self.loss = loss
        self.loss_params = loss_params
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.precondition = precondition
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.lr_scheduler = lr_scheduler
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, X: Any) -> np.ndarray:
        """Predict targets.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions.
        """
        check_is_fitted(self)
        return check_rows(self, X) @ self.coef_.T + self.intercept_

    def to_sklearn(self) -> LinearRegression:
        """A fitted `sklearn.linear_model.LinearRegression` with the same coefficients."""
        check_is_fitted(self)
        return linear_regression(self, self.coef_, dict(vars(self)))

    def _basis(self, data: Data) -> None:
        return None

    def _fitted_basis(self) -> None:
        return None

    def _previous(self, basis: Any) -> tuple[np.ndarray, np.ndarray]:
        return as_targets(self.coef_, self.intercept_)

    def _model(
        self, basis: Any, coef: np.ndarray, intercept: np.ndarray, checked: Any
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        return coef, intercept, {}

    def _term_names(self) -> np.ndarray:
        numbered = np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object)
        return getattr(self, "feature_names_in_", numbered)
