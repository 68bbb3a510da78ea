"""The linear estimator."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base.types import MatrixLike
from sklearn_gd._data.dask_blocks import is_collection
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._data.validation import check_rows_to_predict
from sklearn_gd._estimators.base import GDRegressor, as_linear_regression
from sklearn_gd._estimators.docstrings import documented
from sklearn_gd._estimators.fit_inputs import FitInputs
from sklearn_gd._estimators.fitted_state import FittedState, with_target_axis
from sklearn_gd._moments.moments import Moments


@documented
class GDLinearRegressor(GDRegressor):
    """Linear regression by gradient descent.

    The estimator minimizes a mean loss, by default the squared error, with the autograd and
    the optimizers of torch. With squared error the descent runs on the moments of the data,
    so that an epoch costs the same for twenty rows and for a million. By default the
    coordinates of the descent are whitened. Then it converges at the same speed whatever the
    units and the correlations of the features are.

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
    A descent diverges if its objective is not finite, if the objective is above 1e8 times
    the larger of the first objective and the objective of zero coefficients, or if the
    objective ends above the first one. On data of deficient rank the whitened descent ends
    at the coefficients of minimum norm, as LinearRegression does.

    With array API dispatch of scikit-learn, fitted arrays and predictions are in the array
    library of X and on its device.

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

    A loss can be any callable:

    >>> absolute = GDLinearRegressor(loss=lambda prediction, target: (prediction - target).abs())
    >>> absolute.set_params(optimizer="adam", lr=0.02).fit(X, y).loss_ < 43.1
    True
    """

    __module__ = "sklearn_gd"

    def predict(self, X: MatrixLike) -> np.ndarray:
        """Predict targets.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe, Dask collection} of shape \
(n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions. For a Dask collection they are a lazy collection of its kind.

        Raises
        ------
        ValueError
            If X has other features than X of the fit, holds NaN or infinity, or, with array API
            dispatch, is of another array library or on another device than X of the fit.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressor
        >>> model = GDLinearRegressor(lr="auto").fit([[0.0], [1.0]], [1.0, 3.0])
        >>> model.predict([[2.0]]).round(6).tolist()
        [5.0]
        """
        check_is_fitted(self)
        if is_collection(X):
            return self._predict_lazily(X)
        X, namespace = check_rows_to_predict(self, X)
        coef, intercept = namespace.take(self.coef_), namespace.take(self.intercept_)
        return namespace.predict(X, coef, intercept)

    def to_sklearn(self) -> LinearRegression:
        """Convert to a fitted `sklearn.linear_model.LinearRegression`.

        Returns
        -------
        sklearn.linear_model.LinearRegression
            With the same coefficients and intercept, which makes the same predictions.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressor
        >>> model = GDLinearRegressor(lr="auto").fit([[0.0], [1.0]], [1.0, 3.0])
        >>> model.to_sklearn().predict([[2.0]]).round(6).tolist()
        [5.0]
        """
        check_is_fitted(self)
        return as_linear_regression(self, vars(self))

    def _terms(self) -> tuple[int, bool]:
        return 1, False

    def _basis(self, data: TrainingData | Moments) -> None:
        return None

    def _check_same_terms(self) -> None:
        pass

    def _fitted_basis(self) -> None:
        return None

    def _fitted_model(self, basis: PolynomialBasis | None) -> tuple[np.ndarray, np.ndarray]:
        return with_target_axis(self.coef_, self.intercept_)

    def _to_user_terms(
        self, inputs: FitInputs, coef: np.ndarray, intercept: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, FittedState]:
        return coef, intercept, {}

    def _term_names(self) -> np.ndarray:
        numbered = np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object)
        names: np.ndarray = getattr(self, "feature_names_in_", numbered)
        return names
