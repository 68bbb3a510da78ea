"""The polynomial estimator."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base.parameters import Rule
from sklearn_gd._base.types import (
    BoundsLike,
    LossLike,
    MatrixLike,
    OptimizerLike,
    Params,
    PositiveLike,
    RandomState,
    SchedulerLike,
)
from sklearn_gd._data.dask_blocks import is_collection
from sklearn_gd._data.polynomial import (
    PolynomialBasis,
    monomial_basis,
    polynomial_features,
    well_conditioned_basis,
)
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._data.validation import check_rows_to_predict
from sklearn_gd._estimators.base import GDRegressor, as_linear_regression
from sklearn_gd._estimators.coefficient_bounds import bounding_parameters
from sklearn_gd._estimators.docstrings import documented
from sklearn_gd._estimators.fit_inputs import FitInputs
from sklearn_gd._estimators.fitted_state import (
    FittedState,
    stacklevel_of_caller,
    with_target_axis,
)
from sklearn_gd._estimators.parameter_rules import POLYNOMIAL_RULES, REGRESSOR_RULES
from sklearn_gd._moments.moments import Moments

_MANY_TERMS, _MANY_TERMS_PER_ROW = 1000, 10
_MAX_DIGITS_LOST, _MAX_TERMS_OF_MATRIX = 4, 500


@documented
class GDPolynomialRegressor(GDRegressor):
    """Polynomial regression by gradient descent.

    The features are expanded into all products of up to `degree` of them, as
    `sklearn.preprocessing.PolynomialFeatures` does. The coefficients are fitted as by
    `GDLinearRegressor`. Inputs are mapped to [-1, 1] and expanded in a well-conditioned
    basis, block by block. The fitted coefficients are those of plain powers, in the units of
    the data.

    Parameters
    ----------
    degree : int or tuple (min_degree, max_degree), default=2
        Highest degree of the terms, at least 1. A tuple leaves out the terms of degrees below
        `min_degree`, as in PolynomialFeatures. The intercept is a matter of `fit_intercept`.
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
    and x mapped to [-1, 1]. With ``fit_intercept=False`` the map only scales, so that the
    span of the terms is the span of the plain powers. With ``precondition=None`` the terms
    are plain powers of the features as they are, as in a textbook. Where ``degree`` is a tuple
    that leaves out terms, the terms are powers of the features that are scaled without a shift.

    With array API dispatch of scikit-learn, fitted arrays and predictions are in the array
    library of X and on its device.

    `fit` gives a UserWarning if there are more than 1000 terms and more than 10 terms for each
    sample, and no penalty.

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
    _rules: ClassVar[Mapping[str, Rule]] = {**POLYNOMIAL_RULES, **REGRESSOR_RULES}

    powers_: np.ndarray
    n_output_features_: int

    def __init__(
        self,
        *,
        degree: int | tuple[int, int] = 2,
        interaction_only: bool = False,
        lr: float | str = 0.01,
        epochs: int = 1000,
        optimizer: OptimizerLike = "sgd",
        optimizer_params: Params | None = None,
        device: str = "cpu",
        loss: LossLike = "squared_error",
        loss_params: Params | None = None,
        alpha: float = 0.0,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        positive: PositiveLike = False,
        bounds: BoundsLike = None,
        precondition: str | None = "auto",
        batch_size: int | None = None,
        shuffle: bool = True,
        lr_scheduler: SchedulerLike = None,
        tol: float | str | None = None,
        n_iter_no_change: int = 10,
        average: bool | int = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        super().__init__(
            lr=lr,
            epochs=epochs,
            optimizer=optimizer,
            optimizer_params=optimizer_params,
            device=device,
            loss=loss,
            loss_params=loss_params,
            alpha=alpha,
            l1_ratio=l1_ratio,
            fit_intercept=fit_intercept,
            positive=positive,
            bounds=bounds,
            precondition=precondition,
            batch_size=batch_size,
            shuffle=shuffle,
            lr_scheduler=lr_scheduler,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            average=average,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.degree = degree
        self.interaction_only = interaction_only

    @property
    def feature_names_out_(self) -> np.ndarray:
        """Names of the terms. They are text, which is in no array namespace, and not stored."""
        if not hasattr(self, "_expansion_"):
            raise AttributeError(f"This {type(self).__name__} is not fitted, and has no terms yet.")
        return self._term_names()

    def predict(self, X: MatrixLike) -> np.ndarray:
        """Predict targets, in the basis of the fit and block by block.

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
            dispatch, is of another array library or on another device than X of the fit, or if
            the predictions overflow.

        Examples
        --------
        >>> from sklearn_gd import GDPolynomialRegressor
        >>> model = GDPolynomialRegressor(lr="auto").fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
        >>> model.predict([[3.0]]).round(6).tolist()
        [9.0]
        """
        check_is_fitted(self)
        if is_collection(X):
            return self._predict_lazily(X)
        X, namespace = check_rows_to_predict(self, X)
        coef, intercept = (namespace.take(self._expansion_[name]) for name in ("coef", "intercept"))
        dtype = namespace.xp.result_type(X.dtype, namespace.take(self.coef_).dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            values = self._fitted_basis().evaluate(X, coef, intercept, namespace)
            values = namespace.as_type(values, dtype)
        if not namespace.xp.all(namespace.xp.isfinite(values)):
            raise ValueError(
                f"Predictions of {type(self).__name__} overflow {dtype}, because X is too far from "
                "the values that the model was fitted to. Bring X to a moderate scale."
            )
        return values[:, 0] if self.coef_.ndim == 1 else values

    def to_polynomial(self) -> Polynomial:
        """Convert to a polynomial of NumPy, for one feature and one target.

        Returns
        -------
        numpy.polynomial.Polynomial
            Its coefficients are the intercept and `coef_`.

        Raises
        ------
        ValueError
            If there are several features or targets.

        Examples
        --------
        >>> from sklearn_gd import GDPolynomialRegressor
        >>> model = GDPolynomialRegressor(lr="auto").fit([[0.0], [1.0], [2.0]], [1.0, 4.0, 9.0])
        >>> model.to_polynomial().coef.round(6).tolist()
        [1.0, 2.0, 1.0]
        """
        check_is_fitted(self)
        coef, intercept = with_target_axis(self.coef_, self.intercept_)
        if self.n_features_in_ != 1 or len(coef) != 1:
            raise ValueError(
                "to_polynomial needs one feature and one target, and this model has "
                f"n_features_in_={self.n_features_in_} and coef_ of shape "
                f"{tuple(self.coef_.shape)}. Use coef_ with powers_, or to_sklearn()."
            )
        left_out = np.zeros(self._fitted_basis().n_left_out)
        return Polynomial(np.concatenate([intercept, left_out, coef[0]]))

    def to_sklearn(self) -> Pipeline:
        """Convert to a fitted pipeline of PolynomialFeatures and LinearRegression.

        Returns
        -------
        sklearn.pipeline.Pipeline
            With the same terms, coefficients and intercept. Its predictions are equal up to
            the rounding of plain powers.

        Examples
        --------
        >>> from sklearn_gd import GDPolynomialRegressor
        >>> model = GDPolynomialRegressor(lr="auto").fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
        >>> model.to_sklearn().predict([[3.0]]).round(6).tolist()
        [9.0]
        """
        check_is_fitted(self)
        linear = as_linear_regression(self, {"n_features_in_": self.n_output_features_})
        return make_pipeline(self._polynomial_features(), linear)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Name the terms, as PolynomialFeatures names them.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features_in_,), default=None
            Names of the features. None takes `feature_names_in_`, or else ``"x0"``, ``"x1"``,
            and so on. If there are `feature_names_in_`, other names are refused.

        Returns
        -------
        ndarray of shape (n_output_features_,)
            A name for each coefficient. Without `input_features` it is `feature_names_out_`.

        Raises
        ------
        ValueError
            If `input_features` has another length than `n_features_in_`, or differs from
            `feature_names_in_`.

        Examples
        --------
        >>> from sklearn_gd import GDPolynomialRegressor
        >>> model = GDPolynomialRegressor(lr="auto").fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
        >>> model.get_feature_names_out(["width"]).tolist()
        ['width', 'width^2']
        """
        check_is_fitted(self)
        names: np.ndarray = self._polynomial_features().get_feature_names_out(input_features)
        return names

    def _polynomial_features(self) -> PolynomialFeatures:
        """scikit-learn's expansion with the terms of the fit and the names of the features."""
        basis = self._fitted_basis()
        expansion = polynomial_features(
            len(basis.center), basis.degree, basis.interaction_only, basis.min_degree
        )
        if hasattr(self, "feature_names_in_"):
            expansion.feature_names_in_ = self.feature_names_in_
        return expansion

    def _terms(self) -> tuple[int, bool]:
        return self._degrees()[1], bool(self.interaction_only)

    def _degrees(self) -> tuple[int, int]:
        """The lowest degree of the terms, at least 1, and the highest."""
        low, high = self.degree if isinstance(self.degree, tuple) else (1, self.degree)
        return max(int(low), 1), int(high)

    def _monomials(self, n_features: int) -> PolynomialBasis:
        """Plain powers of the features. Raises if there are none."""
        min_degree, degree = self._degrees()
        if self.interaction_only and min_degree > n_features:
            raise ValueError(
                f"degree={self.degree} of {type(self).__name__} with interaction_only=True needs "
                f"at least {min_degree} features, and X has {n_features}: there are no terms. "
                "Lower degree, or set interaction_only=False."
            )
        monomials = monomial_basis(n_features, degree, interaction_only=bool(self.interaction_only))
        return monomials._replace(min_degree=min_degree)

    def _basis(self, data: TrainingData | Moments) -> PolynomialBasis:
        if isinstance(data, Moments):
            n_features, n_rows = data.n_features, data.n_samples
        else:
            n_features, n_rows = data.x.shape[1], data.n_weighted
        monomials = self._monomials(n_features)
        # a proximal step needs each coefficient to be a coordinate
        is_proximal = self.alpha * self.l1_ratio > 0 or bool(bounding_parameters(self))
        if self.precondition is None or is_proximal:
            return monomials
        low, high = (data.x_low, data.x_high) if isinstance(data, Moments) else data.ranges()
        if low is None or high is None:  # moments of degree 1, which are centred anyway
            return monomials
        basis = well_conditioned_basis(monomials, low, high, center=self.fit_intercept)
        if self.alpha > 0 and n_rows < basis.n_terms:
            # In another basis than plain powers an L2 penalty is a matrix of terms x terms. Where
            # the rows are fewer, nothing else is that large.
            needs_matrix = basis.digits_lost_by_powers > _MAX_DIGITS_LOST
            return basis if needs_matrix and basis.n_terms <= _MAX_TERMS_OF_MATRIX else monomials
        return basis

    def _warn_of_terms(self, inputs: FitInputs) -> None:
        assert inputs.basis is not None
        if self.alpha == 0:
            warn_of_many_terms(
                f"{type(self).__name__} has",
                inputs.basis,
                inputs.n_rows,
                "Lower degree, or set alpha above 0.",
            )

    def _fitted_basis(self) -> PolynomialBasis:
        expansion = self._expansion_
        # models of version 0.1.0 before its release have no min_degree
        names = [name for name in PolynomialBasis._fields if name in expansion]
        return PolynomialBasis(**{name: expansion[name] for name in names})

    def _fitted_model(self, basis: PolynomialBasis | None) -> tuple[np.ndarray, np.ndarray]:
        assert basis is not None
        if not hasattr(self, "_expansion_"):  # coefficients that were set by hand
            coef, intercept = with_target_axis(self.coef_, self.intercept_)
            return basis.monomials().convert(coef, intercept, basis)
        self._check_same_terms()
        expansion = self._expansion_
        return self._fitted_basis().convert(expansion["coef"], expansion["intercept"], basis)

    def _check_same_terms(self) -> None:
        basis, interaction_only = self._fitted_basis(), bool(self.interaction_only)
        degrees = basis.min_degree, basis.degree
        if (degrees, basis.interaction_only) != (self._degrees(), interaction_only):
            before = basis.degree if basis.min_degree == 1 else degrees
            raise ValueError(
                f"This continues from a fit with degree={before} and "
                f"interaction_only={basis.interaction_only}, but now they are {self.degree} and "
                f"{interaction_only}. Call fit with warm_start=False to start afresh."
            )

    def _to_user_terms(
        self, inputs: FitInputs, coef: np.ndarray, intercept: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, FittedState]:
        basis = inputs.basis
        assert basis is not None
        expansion = polynomial_features(
            len(basis.center), basis.degree, basis.interaction_only, basis.min_degree
        )
        further = {
            "powers_": expansion.powers_,
            "n_output_features_": len(expansion.powers_),
            # predictions are made in the basis of the fit, where they are accurate
            "_expansion_": {**basis._asdict(), "coef": coef, "intercept": intercept},
        }
        coef, intercept = basis.convert(coef, intercept, basis.monomials())
        return coef, intercept, further

    def _term_names(self) -> np.ndarray:
        names: np.ndarray = self._polynomial_features().get_feature_names_out()
        return names


def warn_of_many_terms(who_has: str, basis: PolynomialBasis, n_rows: int, remedy: str) -> None:
    """Warn of far more terms than samples, for coefficients without a penalty."""
    if basis.n_terms > max(_MANY_TERMS, _MANY_TERMS_PER_ROW * n_rows):
        warnings.warn(
            f"{who_has} {basis.n_terms} terms of degree {basis.degree} and only {n_rows} samples, "
            f"which do not determine the coefficients. {remedy}",
            UserWarning,
            stacklevel=stacklevel_of_caller(),
        )
