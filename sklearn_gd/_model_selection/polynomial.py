"""The polynomial estimator that searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from numpy.polynomial import Polynomial
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if

from sklearn_gd._base import parameters as _params
from sklearn_gd._estimators.docstrings import documented
from sklearn_gd._estimators.polynomial import POLYNOMIAL_RULES, GDPolynomialRegressor
from sklearn_gd._model_selection.base import SEARCH_RULES, GDSearch, refits


@documented
class GDPolynomialRegressorCV(GDSearch):
    """Polynomial regression by gradient descent, with the degree chosen by folds.

    Degrees, learning rates, strengths of the penalty and folds are axes of one tensor that
    descends once. The features are expanded once, for the highest degree: the terms of
    lower ones are its leading columns. The results are those of GridSearchCV over
    `GDPolynomialRegressor`.

    Parameters
    ----------
    degrees : sequence of int, default=(1, 2, 3)
        Degrees to try.
    interaction_only : bool, default=False
        Leave out powers of a single feature above the first.
    {search_parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_output_features_,) or (n_targets, n_output_features_)
        Coefficients of the best candidate's terms in the units of the data, in the order
        of PolynomialFeatures without the constant.
    degree_ : int
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
    _rules: ClassVar = {
        "degrees": _params.sequence(POLYNOMIAL_RULES["degree"]),
        "interaction_only": POLYNOMIAL_RULES["interaction_only"],
        **SEARCH_RULES,
    }

    def __init__(
        self,
        *,
        degrees: Sequence[int] = (1, 2, 3),
        interaction_only: bool = False,
        lrs: Sequence[float | str] = (0.001, 0.01, 0.1),
        alphas: Sequence[float] = (0.0,),
        cv: Any = None,
        scoring: Any = None,
        refit: Any = True,
        select_epochs: bool = False,
        epochs: int = 1000,
        optimizer: Any = "sgd",
        optimizer_params: dict[str, Any] | None = None,
        device: str = "cpu",
        loss: Any = "squared_error",
        loss_params: dict[str, Any] | None = None,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        positive: bool = False,
        precondition: str | None = "auto",
        batch_size: int | None = None,
        shuffle: bool = True,
        lr_scheduler: Any = None,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.degrees = degrees
        self.interaction_only = interaction_only
        self.lrs = lrs
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.select_epochs = select_epochs
        self.epochs = epochs
        self.optimizer = optimizer
        self.optimizer_params = optimizer_params
        self.device = device
        self.loss = loss
        self.loss_params = loss_params
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.precondition = precondition
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.lr_scheduler = lr_scheduler
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _plain_type(self) -> type[GDPolynomialRegressor]:
        return GDPolynomialRegressor

    @available_if(refits)
    def to_polynomial(self) -> Polynomial:
        """The fitted polynomial of one feature and one target."""
        return self._best_estimator().to_polynomial()

    @available_if(refits)
    def to_sklearn(self) -> Pipeline:
        """A fitted pipeline of PolynomialFeatures and LinearRegression, alike in effect."""
        return self._best_estimator().to_sklearn()
