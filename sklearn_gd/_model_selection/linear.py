"""The linear estimator that searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.linear_model import LinearRegression
from sklearn.utils.metaestimators import available_if

from sklearn_gd._estimators.docstrings import documented
from sklearn_gd._estimators.linear import GDLinearRegressor
from sklearn_gd._model_selection.base import GDSearch, refits


@documented
class GDLinearRegressorCV(GDSearch):
    """Linear regression by gradient descent, with the learning rate chosen by folds.

    Learning rates, strengths of the penalty and folds are axes of one tensor that descends
    once: the moments of every fold are computed in one pass over the data, and the whole
    search costs about as much as a few fits. The results are those of GridSearchCV over
    `GDLinearRegressor`.

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

    def __init__(
        self,
        *,
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
    def _plain_type(self) -> type[GDLinearRegressor]:
        return GDLinearRegressor

    @available_if(refits)
    def to_sklearn(self) -> LinearRegression:
        """A fitted `sklearn.linear_model.LinearRegression` with the same coefficients."""
        return self._best_estimator().to_sklearn()
