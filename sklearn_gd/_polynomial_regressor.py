"""The polynomial estimator."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.polynomial import Polynomial
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_gd import _params
from sklearn_gd._data import Data, check_rows
from sklearn_gd._docs import documented
from sklearn_gd._polynomial import Basis, basis_for, polynomial_features, raw_basis
from sklearn_gd._regressor import RULES, GDRegressor, as_targets, linear_regression

POLYNOMIAL_RULES = {"degree": _params.integer(1), "interaction_only": _params.boolean()}


@documented
class GDPolynomialRegressor(GDRegressor):
    """Polynomial regression by gradient descent.

    Expands the features into all products of up to `degree` of them, as
    `sklearn.preprocessing.PolynomialFeatures` does, and fits the coefficients like
    `GDLinearRegressor`. Inputs are mapped to [-1, 1] and expanded in a well-conditioned
    basis, block by block; coefficients are in the units of the data all the same.

    Parameters
    ----------
    degree : int, default=2
        Highest degree of the terms, at least 1.
    interaction_only : bool, default=False
        Leave out powers of a single feature above the first.
    {parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_output_features_,) or (n_targets, n_output_features_)
        Coefficients of the terms in the units of the data, in the order of
        PolynomialFeatures without the constant.
    powers_ : ndarray of shape (n_output_features_, n_features_in_)
        Exponents of the features in each term.
    n_output_features_ : int
        Number of terms.
    feature_names_out_ : ndarray of shape (n_output_features_,)
        Names of the terms, as PolynomialFeatures names them.
    {attributes}

    See Also
    --------
    GDLinearRegressor : The same without products of features.
    sklearn.preprocessing.PolynomialFeatures : The expansion.

    Notes
    -----
    Each feature is expanded in x P_{k-1}(x) for k >= 1, with P the Legendre polynomials
    and x mapped to [-1, 1] (only scaled if ``fit_intercept=False``, so that the terms
    span what the raw powers span). With ``precondition=None`` the raw powers of the raw
    features are used, as in a textbook.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_gd import GDPolynomialRegressor
    >>> x = np.random.default_rng(0).normal(0, 5, size=(20, 1))
    >>> y = x[:, 0] ** 2 + 2 * x[:, 0] + 3
    >>> model = GDPolynomialRegressor(degree=2, optimizer="nadam").fit(x, y)
    >>> model.equation()
    'y = 3 + 2 x0 + 1 x0^2'
    """

    __module__ = "sklearn_gd"
    _rules: ClassVar = {**POLYNOMIAL_RULES, **RULES}

    def __init__(
        self,
        *,
        degree: int = 2,
        interaction_only: bool = False,
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
        self.degree = degree
        self.interaction_only = interaction_only
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
        """Predict targets, in the basis of the fit and block by block.

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
        X = check_rows(self, X)
        *basis, coef, intercept = self._terms_
        values = Basis(*basis).values(X, coef, intercept)
        values = values.astype(np.result_type(X.dtype, self.coef_.dtype), copy=False)
        return values[:, 0] if self.coef_.ndim == 1 else values

    def to_polynomial(self) -> Polynomial:
        """The fitted polynomial of one feature and one target.

        Returns
        -------
        numpy.polynomial.Polynomial
            Its coefficients are the intercept and `coef_`.

        Raises
        ------
        ValueError
            If there are several features or targets.
        """
        check_is_fitted(self)
        if self.n_features_in_ != 1 or self.coef_.size != self.n_output_features_:
            raise ValueError(
                "to_polynomial needs one feature and one target, and this model has "
                f"n_features_in_={self.n_features_in_} and coef_ of shape {self.coef_.shape}. "
                "Use coef_ with powers_, or to_sklearn()."
            )
        coef, intercept = as_targets(self.coef_, self.intercept_)
        return Polynomial(np.concatenate([intercept, coef[0]]))

    def to_sklearn(self) -> Pipeline:
        """A fitted pipeline of PolynomialFeatures and LinearRegression, alike in effect."""
        check_is_fitted(self)
        _, _, degree, interaction_only, *_ = self._terms_
        expansion = polynomial_features(self.n_features_in_, degree, interaction_only)
        seen = {"n_features_in_": self.n_output_features_}
        if hasattr(self, "feature_names_in_"):
            expansion.feature_names_in_ = self.feature_names_in_
        return make_pipeline(expansion, linear_regression(self, self.coef_, seen))

    def _basis(self, data: Data) -> Basis:
        # a proximal step needs each coefficient to be a coordinate
        if self.precondition is None or self.positive or self.alpha * self.l1_ratio > 0:
            return raw_basis(
                data.x.shape[1], int(self.degree), interaction_only=bool(self.interaction_only)
            )
        return basis_for(
            *data.ranges(),
            int(self.degree),
            interaction_only=bool(self.interaction_only),
            center=self.fit_intercept,
        )

    def _fitted_basis(self) -> Basis:
        return Basis(*self._terms_[:-2])

    def _previous(self, basis: Any) -> tuple[np.ndarray, np.ndarray]:
        coef, intercept = self._terms_[-2:]
        before, now = self._fitted_basis(), basis
        if (before.degree, before.interaction_only) != (now.degree, now.interaction_only):
            raise ValueError(
                f"This continues from a fit with degree={before.degree} and "
                f"interaction_only={before.interaction_only}, but now they are {now.degree} and "
                f"{now.interaction_only}. Call fit with warm_start=False to start afresh."
            )
        return before.to_basis(coef, intercept, now)

    def _model(
        self, basis: Any, coef: np.ndarray, intercept: np.ndarray, checked: Any
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        expansion = polynomial_features(len(basis.center), basis.degree, basis.interaction_only)
        extra = {
            "powers_": expansion.powers_,
            "n_output_features_": len(expansion.powers_),
            "feature_names_out_": expansion.get_feature_names_out(
                getattr(checked, "feature_names_in_", None)
            ),
            "_terms_": (*basis, coef, intercept),
        }
        coef, intercept = basis.to_basis(coef, intercept, basis.raw())
        return coef, intercept, extra

    def _term_names(self) -> np.ndarray:
        return self.feature_names_out_
