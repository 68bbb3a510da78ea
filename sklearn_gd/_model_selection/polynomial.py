"""The polynomial estimator that searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if

from sklearn_gd._base.parameters import Rule, sequence
from sklearn_gd._base.types import (
    BoundsLike,
    CrossValidation,
    LossLike,
    OptimizerLike,
    Params,
    PositiveLike,
    RandomState,
    RefitLike,
    SchedulerLike,
    ScoringLike,
)
from sklearn_gd._estimators.docstrings import documented
from sklearn_gd._estimators.parameter_rules import POLYNOMIAL_RULES
from sklearn_gd._estimators.polynomial import GDPolynomialRegressor, warn_of_many_terms
from sklearn_gd._model_selection.base import SEARCH_RULES, GDRegressorCV, refits
from sklearn_gd._model_selection.candidate_models import CandidateModels


@documented
class GDPolynomialRegressorCV(GDRegressorCV):
    """Polynomial regression by gradient descent, with the degree chosen by folds.

    Degrees, learning rates, penalties and folds are axes of one tensor, and one descent fits
    them all. The features are expanded once, for the highest degree. The terms of lower
    degrees are its leading columns. The results are those of GridSearchCV over
    `GDPolynomialRegressor`.

    Parameters
    ----------
    degrees : sequence of int or tuple, default=(1, 2, 3)
        Degrees to try, each as `degree` of the plain estimator. ``((2, 3),)`` is one pair
        (min_degree, max_degree), and ``(2, 3)`` are two degrees.
    interaction_only : bool, default=False
        Leave out powers of a single feature above the first.
    {search_parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_output_features_,) or (n_targets, n_output_features_)
        Coefficients of the best candidate's terms in the units of the data, in the order
        of PolynomialFeatures without the constant.
    degree_ : int or tuple
        The best degree.
    powers_, n_output_features_, feature_names_out_ : ndarray, int, ndarray
        The terms, as of `GDPolynomialRegressor`.
    {search_attributes}

    See Also
    --------
    GDPolynomialRegressor : The plain estimator.
    sklearn.model_selection.GridSearchCV : The same results, a fit for each candidate and fold.

    Notes
    -----
    {search_notes}

    `fit` gives a UserWarning if candidates without a penalty have more than 1000 terms, and more
    than 10 terms for each sample.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_gd import GDPolynomialRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 1))
    >>> y = x[:, 0] ** 3 - 2 * x[:, 0] + rng.normal(scale=0.1, size=60)
    >>> search = GDPolynomialRegressorCV(degrees=range(1, 7), lrs=(0.1,)).fit(x, y)
    >>> search.degree_
    3
    """

    __module__ = "sklearn_gd"

    best_estimator_: GDPolynomialRegressor
    _rules: ClassVar[Mapping[str, Rule]] = {
        "degrees": sequence(POLYNOMIAL_RULES["degree"]),
        "interaction_only": POLYNOMIAL_RULES["interaction_only"],
        **SEARCH_RULES,
    }

    def __init__(
        self,
        *,
        degrees: Sequence[int | tuple[int, int]] = (1, 2, 3),
        interaction_only: bool = False,
        lrs: Sequence[float | str] = (0.001, 0.01, 0.1),
        alphas: Sequence[float] = (0.0,),
        cv: CrossValidation = None,
        scoring: ScoringLike = None,
        refit: RefitLike = True,
        select_epochs: bool = False,
        error_score: float | str = "raise",
        return_train_score: bool = False,
        epochs: int = 1000,
        optimizer: OptimizerLike = "sgd",
        optimizer_params: Params | None = None,
        device: str = "cpu",
        loss: LossLike = "squared_error",
        loss_params: Params | None = None,
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
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        super().__init__(
            lrs=lrs,
            alphas=alphas,
            cv=cv,
            scoring=scoring,
            refit=refit,
            select_epochs=select_epochs,
            error_score=error_score,
            return_train_score=return_train_score,
            epochs=epochs,
            optimizer=optimizer,
            optimizer_params=optimizer_params,
            device=device,
            loss=loss,
            loss_params=loss_params,
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
            random_state=random_state,
            verbose=verbose,
        )
        self.degrees = degrees
        self.interaction_only = interaction_only

    @property
    def _regressor_type(self) -> type[GDPolynomialRegressor]:
        return GDPolynomialRegressor

    def _warn_of_terms(self, models: CandidateModels) -> None:
        highest = max(models.regressors, key=lambda each: each._degrees()[1])
        if min(float(alpha) for alpha in self.alphas) == 0:
            warn_of_many_terms(
                f"{type(self).__name__} has candidates with",
                highest._monomials(models.checked.n_features_in_),
                models.source.n_rows,
                "Leave out high degrees, or take alphas above 0.",
            )

    @property
    def feature_names_out_(self) -> np.ndarray:
        """Names of the terms of the best candidate."""
        return self.best_estimator_.feature_names_out_

    @available_if(refits)
    def to_polynomial(self) -> Polynomial:
        """Convert the best candidate to a polynomial of NumPy, for one feature and one target.

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
        >>> import numpy as np
        >>> from sklearn_gd import GDPolynomialRegressorCV
        >>> x = np.linspace(-1, 1, 12)
        >>> search = GDPolynomialRegressorCV(lrs=("auto",), cv=3).fit(x[:, None], x**2 + 1)
        >>> round(float(search.to_polynomial()(2.0)), 6)
        5.0
        """
        return self._best_estimator().to_polynomial()

    @available_if(refits)
    def to_sklearn(self) -> Pipeline:
        """Convert the best candidate to a pipeline of PolynomialFeatures and LinearRegression.

        Returns
        -------
        sklearn.pipeline.Pipeline
            With the same terms, coefficients and intercept. Its predictions are equal up to
            the rounding of plain powers.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import GDPolynomialRegressorCV
        >>> x = np.linspace(-1, 1, 12)
        >>> search = GDPolynomialRegressorCV(lrs=("auto",), cv=3).fit(x[:, None], x**2 + 1)
        >>> search.to_sklearn().predict([[2.0]]).round(6).tolist()
        [5.0]
        """
        return self._best_estimator().to_sklearn()

    @available_if(refits)
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Name the terms of the best candidate, as PolynomialFeatures names them.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features_in_,), default=None
            Names of the features, as of `GDPolynomialRegressor`.

        Returns
        -------
        ndarray of shape (n_output_features_,)
            A name for each coefficient.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import GDPolynomialRegressorCV
        >>> x = np.linspace(-1, 1, 12)
        >>> search = GDPolynomialRegressorCV(lrs=("auto",), degrees=(2,), cv=3)
        >>> search.fit(x[:, None], x**2 + 1).get_feature_names_out().tolist()
        ['x0', 'x0^2']
        """
        return self._best_estimator().get_feature_names_out(input_features)
