"""What `inference` returns: standard errors, intervals, tests and predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_gd._base.types import MatrixLike
from sklearn_gd._data.validation import check_rows
from sklearn_gd._inspection.inference_text import summary_html, summary_text
from sklearn_gd._inspection.user_terms import UserEstimate

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("params", "bse", "tvalues", "pvalues", "ci_lower", "ci_upper", "distance")
_PREDICTED = (
    "mean",
    "mean_se",
    "mean_ci_lower",
    "mean_ci_upper",
    "obs_ci_lower",
    "obs_ci_upper",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Inference:
    """Standard errors, intervals and tests of the least-squares optimum of a model.

    `inference` makes it. The names are those of statsmodels. k is the number of coefficients,
    the intercept included, which is the first one and is called ``"const"``. With
    one-dimensional y the shapes are those below. With y of shape (n_samples, n_targets) each
    target has a table of its own: an axis of targets comes first, as in `coef_`, but
    `loo_residuals` have the shape of y.

    Parameters
    ----------
    params : ndarray of shape (k,)
        The coefficients of the optimum, in units of the data. A polynomial has those of
        plain powers.
    bse : ndarray of shape (k,)
        Standard errors of the coefficients.
    cov_params : ndarray of shape (k, k)
        The covariance of the coefficients.
    scale : float
        The residual variance s² of a sample of weight 1, with n − k degrees of freedom.
    nobs : int
        Number of samples of positive weight.
    df_model : int
        Number of coefficients without the intercept.
    df_resid : int
        Number of samples less the number of coefficients.
    rsquared : float
        R², around the mean if there is an intercept. NaN if the target is constant.
    rsquared_adj : float
        R², adjusted for the degrees of freedom.
    fvalue : float
        The F statistic of the hypothesis that all coefficients but the intercept are zero.
        With a robust `cov_type` it is Wald's.
    f_pvalue : float
        Its p-value.
    llf : float
        The log-likelihood of normal errors.
    aic : float
        Akaike's information criterion.
    bic : float
        The Bayesian information criterion.
    leverage : ndarray of shape (n_samples,) or None
        How much a sample moves its own prediction, from 0 to 1. The sum is k. This and the
        next two are None if moments took the place of the rows.
    loo_residuals : ndarray of shape (n_samples,) or None
        Each target less its prediction by a fit without this sample. They are exact, and
        no fit is repeated. NaN where the leverage is 1, because the other samples do not
        determine the prediction.
    loo_score : float or None
        R² of the predictions without the sample itself (leave-one-out cross-validation).
    condition_number : float
        The largest singular value of the table of all terms, with the column of the
        intercept and the roots of the weights, divided by the smallest.
    distance : ndarray of shape (k,)
        How far each coefficient of the model is from the optimum, in standard errors. NaN
        where the standard error is rounding: with `is_exact`, and with ``"HC0"`` and
        ``"HC1"`` for a coefficient that one sample alone determines.
    is_exact : bool
        Whether the residuals are rounding. Then so are the standard errors, and tests and
        intervals have no meaning.
    cov_type : str
        The covariance that was asked for.
    confidence : float
        The confidence of the intervals.
    feature_names : list of str
        A name for each coefficient.
    target_names : list of str
        A name for each target.
    is_weighted : bool
        Whether the samples have weights.
    is_search : bool
        Whether a search chose the model on the same data.
    model : estimator
        A copy of the model.
    estimate : object
        What predictions are made of.

    See Also
    --------
    inference : Make it.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor, inference
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> result = inference(GDLinearRegressor().fit(X, y), X, y)
    >>> result.conf_int()[:2].round(3).tolist()
    [[147.071, 157.196], [-127.446, 107.426]]
    """

    __module__ = "sklearn_gd"

    params: np.ndarray
    bse: np.ndarray
    cov_params: np.ndarray
    scale: float | np.ndarray
    nobs: int
    df_model: int
    df_resid: int
    rsquared: float | np.ndarray
    rsquared_adj: float | np.ndarray
    fvalue: float | np.ndarray
    f_pvalue: float | np.ndarray
    llf: float | np.ndarray
    aic: float | np.ndarray
    bic: float | np.ndarray
    leverage: np.ndarray | None
    loo_residuals: np.ndarray | None
    loo_score: float | np.ndarray | None
    condition_number: float
    distance: np.ndarray
    is_exact: bool | np.ndarray
    cov_type: str
    confidence: float
    feature_names: list[str]
    target_names: list[str]
    is_weighted: bool
    is_search: bool
    model: BaseEstimator
    estimate: UserEstimate

    @property
    def tvalues(self) -> np.ndarray:
        """The coefficients in units of their standard errors, of the shape of `params`."""
        with np.errstate(divide="ignore", invalid="ignore"):  # of a perfect fit
            ratio: np.ndarray = self.params / self.bse
        return ratio

    @property
    def pvalues(self) -> np.ndarray:
        """Two-sided p-values of the hypotheses that a coefficient is zero."""
        return self.estimate.p_values(self.tvalues)

    def conf_int(self) -> np.ndarray:
        """Intervals that cover the true coefficients with probability `confidence`.

        Returns
        -------
        ndarray of shape (k, 2) or (n_targets, k, 2)
            Lower and upper ends.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressor, inference
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 3.0, 4.0]
        >>> inference(GDLinearRegressor(lr="auto").fit(X, y), X, y).conf_int().round(2).tolist()
        [[-1.24, 1.04], [0.79, 2.01]]
        """
        ends = self.estimate.interval(self.params, self.bse, self.confidence)
        return np.stack(ends, axis=-1)

    def predict(self, X: MatrixLike) -> pd.DataFrame:
        """Predict by the optimum, with standard errors and intervals.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        pandas.DataFrame
            A row for each sample, with the columns of ``get_prediction().summary_frame()``
            of statsmodels. ``mean`` and ``mean_se`` are the prediction and its standard
            error, ``mean_ci_lower`` and ``mean_ci_upper`` the confidence interval of the
            mean, and ``obs_ci_lower`` and ``obs_ci_upper`` the prediction interval of a new
            target of weight 1. With several targets the columns have two levels, the name
            of the target first.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressor, inference
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 3.0, 4.0]
        >>> result = inference(GDLinearRegressor(lr="auto").fit(X, y), X, y)
        >>> result.predict([[4.0]]).round(2).iloc[0].to_dict()
        {'mean': 5.5, 'mean_se': 0.39, 'mean_ci_lower': 3.83, 'mean_ci_upper': 7.17,
         'obs_ci_lower': 3.35, 'obs_ci_upper': 7.65}
        """
        import pandas as pd

        index = X.index if isinstance(X, pd.DataFrame) else None
        mean, error = self.estimate.predict(check_rows(self.model, X))
        errors = error, np.sqrt(error**2 + self.scale)  # of the mean, of a new target
        ends = [self.estimate.interval(mean, each, self.confidence) for each in errors]
        table = np.stack([mean, error, *ends[0], *ends[1]], axis=-1).reshape(len(mean), -1)
        if self.params.ndim == 1:
            return pd.DataFrame(table, index, list(_PREDICTED))
        columns = pd.MultiIndex.from_product([self.target_names, _PREDICTED])
        return pd.DataFrame(table, index, columns)

    def summary(self) -> str:
        """Write all numbers as text, in the layout of statsmodels.

        Returns
        -------
        str
            A table for each target, and notes.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressor, inference
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 3.0, 4.0]
        >>> print(inference(GDLinearRegressor(lr="auto").fit(X, y), X, y).summary())
                                    OLS Regression Results
        ==============================================================================
        Dep. Variable:                      y   R-squared:                       0.980
        ...
        """
        return summary_text(self)

    def to_frame(self) -> pd.DataFrame:
        """Convert the table of coefficients to a data frame.

        Returns
        -------
        pandas.DataFrame
            A row for each coefficient, with the columns ``params``, ``bse``, ``tvalues``,
            ``pvalues``, ``ci_lower``, ``ci_upper`` and ``distance``. With several targets
            the index has two levels, the name of the target first.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressor, inference
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 3.0, 4.0]
        >>> result = inference(GDLinearRegressor(lr="auto").fit(X, y), X, y)
        >>> result.to_frame()["params"].round(6).to_dict()
        {'const': -0.1, 'x0': 1.4}
        """
        import pandas as pd

        values = np.stack(
            [
                self.params,
                self.bse,
                self.tvalues,
                self.pvalues,
                *np.moveaxis(self.conf_int(), -1, 0),
                self.distance,
            ],
            axis=-1,
        )
        table = values.reshape(-1, len(_COLUMNS))
        if self.params.ndim == 1:
            return pd.DataFrame(table, self.feature_names, list(_COLUMNS))
        index = pd.MultiIndex.from_product([self.target_names, self.feature_names])
        return pd.DataFrame(table, index, list(_COLUMNS))

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return summary_html(self)
