"""The linear estimator that searches."""

from __future__ import annotations

from sklearn.linear_model import LinearRegression
from sklearn.utils.metaestimators import available_if

from sklearn_gd._estimators.docstrings import documented
from sklearn_gd._estimators.linear import GDLinearRegressor
from sklearn_gd._model_selection.base import GDRegressorCV, refits


@documented
class GDLinearRegressorCV(GDRegressorCV):
    """Linear regression by gradient descent, with the learning rate chosen by folds.

    Learning rates, penalties and folds are axes of one tensor, and one descent fits them all.
    The moments of all folds are computed in one pass over the data. So a search costs about
    as much as a few fits. The results are those of GridSearchCV over `GDLinearRegressor`.

    Parameters
    ----------
    {search_parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients of the best candidate in the units of the data.
    {search_attributes}

    See Also
    --------
    GDLinearRegressor : The plain estimator.
    sklearn.model_selection.GridSearchCV : The same results, a fit for each candidate and fold.

    Notes
    -----
    {search_notes}

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = GDLinearRegressorCV(lrs=(0.01, 0.1, 0.5), alphas=(0.0, 0.01, 0.1)).fit(X, y)
    >>> search.best_params_
    {'alpha': 0.0, 'lr': 0.01}
    >>> search.test_loss_curves_.shape
    (9, 5, 1000)
    """

    __module__ = "sklearn_gd"

    @property
    def _regressor_type(self) -> type[GDLinearRegressor]:
        return GDLinearRegressor

    @available_if(refits)
    def to_sklearn(self) -> LinearRegression:
        """Convert the best candidate to a fitted `sklearn.linear_model.LinearRegression`.

        Returns
        -------
        sklearn.linear_model.LinearRegression
            With the same coefficients and intercept, which makes the same predictions.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressorCV
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
        >>> linear = GDLinearRegressorCV(lrs=("auto",), cv=2).fit(X, y).to_sklearn()
        >>> linear.predict([[4.0]]).round(6).tolist()
        [9.0]
        """
        return self._best_estimator().to_sklearn()
