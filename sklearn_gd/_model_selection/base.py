"""What the estimators that search share: all candidates on all folds as one batched descent."""

from __future__ import annotations

import copy
import time
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base.parameters import (
    Rule,
    boolean,
    check_params,
    choice,
    either,
    number,
    sequence,
)
from sklearn_gd._base.types import (
    BoundsLike,
    CrossValidation,
    LossLike,
    MatrixLike,
    OptimizerLike,
    Params,
    PositiveLike,
    RandomState,
    RefitLike,
    Results,
    SchedulerLike,
    Scorer,
    ScoringLike,
)
from sklearn_gd._data.array_api import check_same_namespace
from sklearn_gd._estimators.array_attributes import ArrayAttributesMixin, in_namespace
from sklearn_gd._estimators.base import GDRegressor
from sklearn_gd._estimators.callbacks import (
    CallbackSupportMixin,
    FitTask,
    with_callbacks,
    with_progress_bar,
)
from sklearn_gd._estimators.coefficient_bounds import adapt_to_terms
from sklearn_gd._estimators.fitted_state import (
    FittedState,
    is_fitted_name,
    replace_fitted_attributes,
    stacklevel_of_caller,
)
from sklearn_gd._estimators.parameter_rules import REGRESSOR_RULES
from sklearn_gd._estimators.saved_state import VersionedStateMixin
from sklearn_gd._model_selection.best_candidate import best_candidate
from sklearn_gd._model_selection.candidate_models import CandidateModels, with_score_request
from sklearn_gd._model_selection.candidates import Grid
from sklearn_gd._model_selection.find_source import find_source
from sklearn_gd._model_selection.results import SearchResults
from sklearn_gd._model_selection.score_warnings import ScoreWarnings
from sklearn_gd._model_selection.scoring import find_scorer, public_scorer
from sklearn_gd._moments.moments import Moments

if TYPE_CHECKING:
    import pandas as pd

    from sklearn_gd._model_selection.batched_fit import BatchedSearch, OnEpoch
    from sklearn_gd._training.result import FitResult

_REGRESSOR_ONLY = {"lr", "alpha", "early_stopping", "validation_fraction", "warm_start"}
SEARCH_RULES = {
    "lrs": sequence(REGRESSOR_RULES["lr"]),
    "alphas": sequence(REGRESSOR_RULES["alpha"]),
    "refit": either(
        boolean(),
        Rule("an instance of 'str'", lambda value: isinstance(value, str)),
        Rule("a callable", callable),
    ),
    "select_epochs": boolean(),
    "error_score": either(choice("raise"), number()),
    "return_train_score": boolean(),
    **{name: rule for name, rule in REGRESSOR_RULES.items() if name not in _REGRESSOR_ONLY},
}


def refits(search: GDRegressorCV) -> bool:
    """Whether the best candidate is fitted on all data. Raises an AttributeError if not."""
    if not search.refit:
        raise AttributeError(
            f"This {type(search).__name__} instance was initialized with `refit=False`. Set "
            "refit=True, or fit a plain estimator with best_params_."
        )
    return True


class GDRegressorCV(
    ArrayAttributesMixin,
    VersionedStateMixin,
    CallbackSupportMixin,
    MultiOutputMixin,
    RegressorMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """The base class of the estimators that search."""

    _rules: ClassVar[Mapping[str, Rule]] = SEARCH_RULES

    best_estimator_: GDRegressor
    best_index_: int
    best_score_: float
    best_params_: Results
    lr_: float
    alpha_: float
    epochs_: int
    cv_results_: Results
    test_loss_curves_: np.ndarray
    refit_time_: float
    n_splits_: int
    multimetric_: bool
    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(
        self,
        *,
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
        self.lrs = lrs
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.select_epochs = select_epochs
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.epochs = epochs
        self.optimizer = optimizer
        self.optimizer_params = optimizer_params
        self.device = device
        self.loss = loss
        self.loss_params = loss_params
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.bounds = bounds
        self.precondition = precondition
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.lr_scheduler = lr_scheduler
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.average = average
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: MatrixLike | Sequence[Moments],
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Fit every candidate on every fold, and the best one on all data.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features), or list
            Training data. With squared error, all rows in a step and R² or the mean squared
            error as score, a list or tuple of two or more `Moments` can take the place of X,
            y, the weights and the splits: each part is a fold.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Targets. Each target has a descent of its own. It is left out with moments only.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative weights of the samples, in training and in the scorers that take
            weights.
        **params : dict
            ``groups``, for the splitter. With metadata routing enabled, whatever the
            splitter and the scorers request.

        Returns
        -------
        self : object
            The fitted estimator. If `fit` raises an error, or is stopped by Ctrl-C, the
            estimator is as it was before.

        Raises
        ------
        ValueError
            If a parameter is outside its range, the data hold NaN or infinity, a split
            leaves no sample of positive weight on one of its sides, or moments are given and
            something needs rows.
        TypeError
            If only some elements of X are moments.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            Once for all descents that diverged, and if the final fit diverged, or was far
            from the optimum when the epochs ended and no larger learning rate was tried.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_gd import GDLinearRegressorCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> GDLinearRegressorCV(lrs=(0.01, 0.1), cv=3).fit(X, y).best_params_
        {'lr': 0.01}
        """
        return with_progress_bar(self, lambda: self._fit(X, y, sample_weight, params))

    @with_callbacks
    def _fit(
        self,
        X: MatrixLike | Sequence[Moments],
        y: ArrayLike | None,
        sample_weight: ArrayLike | None,
        params: Params,
    ) -> Self:
        """The search, as a task that callbacks can follow."""
        from sklearn_gd._model_selection.batched_fit import BatchedSearch

        owner, epochs = type(self).__name__, int(self.epochs)
        _refuse_validation_set(owner, params)
        check_params(owner, self.get_params(deep=False), self._rules)
        grid = Grid.of(self)
        regressors = [self._regressor(spec, grid) for spec in grid.specs]
        seed = int(regressors[0]._check_params().randint(2**31 - 1))
        checked = copy.copy(self)
        source, scoring, X, y = find_source(self, checked, X, y, sample_weight, params, regressors)
        adapt_to_terms(regressors, checked, owner)
        n_splits = source.n_splits
        models = CandidateModels(regressors, grid.lrs, checked, source, owner)
        self._warn_of_terms(models)
        does_refit = bool(self.refit)
        scores_training = bool(self.return_train_score)
        search = BatchedSearch(
            source,
            models.specs(),
            grid.lrs,
            refits=does_refit,
            scores_training=scores_training,
            seed=seed,
        )
        may_refit = does_refit and (self.select_epochs or not search.refits)
        task = FitTask(self, X, y, sample_weight, (search.n_descents + may_refit) * epochs)
        on_epoch = task.epoch if task.is_watched else None
        results = SearchResults(grid, n_splits, epochs, self.error_score)
        score_warnings = ScoreWarnings(grid.params)
        begin = time.perf_counter()
        for found in search.run(on_epoch):
            if found.fold == n_splits:
                results.add_fits_on_all_data(found)
                continue
            start = time.perf_counter()
            to_score = found, scoring, X, y, score_warnings
            results.add(
                found,
                models.score(*to_score),
                models.score(*to_score, on_training=True) if scores_training else None,
            )
            results.score_seconds += time.perf_counter() - start
        results.seconds = time.perf_counter() - begin
        score_warnings.give(stacklevel_of_caller())
        state = {
            "test_loss_curves_": results.test_curves,
            **best_candidate(self, results),
            "n_splits_": n_splits,
            "n_features_in_": checked.n_features_in_,
        }
        if hasattr(checked, "feature_names_in_"):
            state["feature_names_in_"] = checked.feature_names_in_
        messages = [results.warning(owner, self.precondition)]
        if does_refit:
            refitted, result = self._refit(state, results, models, search, on_epoch)
            state |= refitted
            if state["epochs_"] < epochs or grid.has_faster(state["best_index_"]):
                # the number of epochs was chosen, or larger learning rates were worse
                result = result._replace(is_far_from_optimum=False)
            messages.append(result.warning(owner))
        for message in filter(None, messages):
            warnings.warn(message, ConvergenceWarning, stacklevel=stacklevel_of_caller())
        state = in_namespace(state, source.data.namespace)
        replace_fitted_attributes(self, state)
        task.end(state)
        return self

    @property
    def scorer_(self) -> Scorer | dict[str, Scorer]:
        """The scorer, or a dict of several by name."""
        check_is_fitted(self)
        return public_scorer(self, with_score_request(self._regressor_type()))

    @available_if(refits)
    def predict(self, X: MatrixLike) -> np.ndarray:
        """Predict targets with the best candidate, fitted on all data.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions.

        Raises
        ------
        ValueError
            If X has other features than X of the fit, holds NaN or infinity, or, with array API
            dispatch, is of another array library or on another device than X of the fit.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressorCV
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
        >>> search = GDLinearRegressorCV(lrs=("auto",), cv=2).fit(X, y)
        >>> search.predict([[4.0]]).round(6).tolist()
        [9.0]
        """
        best_estimator = self._best_estimator()
        check_same_namespace(self, X)
        return best_estimator.predict(X)

    @available_if(refits)
    def score(
        self,
        X: MatrixLike | Moments,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Compute the coefficient of determination, R², of the best candidate.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features), or Moments
            Samples, or the moments of samples and their targets.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Targets. It is left out with moments only.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative weights of the samples.

        Returns
        -------
        float
            R², the mean over targets, whatever `scoring` is.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressorCV
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
        >>> round(GDLinearRegressorCV(lrs=("auto",), cv=2).fit(X, y).score(X, y), 4)
        1.0
        """
        return self._best_estimator().score(X, y, sample_weight)

    @available_if(refits)
    def equation(self, digits: int = 4) -> str:
        """Write the best candidate as text, one line for each target.

        Parameters
        ----------
        digits : int, default=4
            Significant digits of the coefficients.

        Returns
        -------
        str
            Such as ``"y = 3 + 2 x0 + 1 x0^2"``.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressorCV
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
        >>> GDLinearRegressorCV(lrs=("auto",), cv=2).fit(X, y).equation()
        'y = 1 + 2 x0'
        """
        return self._best_estimator().equation(digits)

    def to_frame(self) -> pd.DataFrame:
        """Convert `cv_results_` to a table.

        Returns
        -------
        pandas.DataFrame
            A row for each candidate.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_gd import GDLinearRegressorCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> search = GDLinearRegressorCV(lrs=(0.01, 0.1), cv=3).fit(X, y)
        >>> search.to_frame()[["param_lr", "rank_test_score"]]
           param_lr  rank_test_score
        0      0.01                1
        1      0.10                2
        """
        import pandas as pd

        check_is_fitted(self)
        return pd.DataFrame(self.cv_results_)

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell which metadata of `fit` the splitter and the scorers request.

        Returns
        -------
        routing : MetadataRouter
            The routing information.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressorCV
        >>> router = GDLinearRegressorCV().get_metadata_routing()
        >>> sorted(name for name, _ in router)
        ['$self_request', 'scorer', 'splitter']
        """
        score = find_scorer(self, with_score_request(self._regressor_type()))
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(
            splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split")
        )
        return router.add(
            scorer=score, method_mapping=MethodMapping().add(caller="fit", callee="score")
        )

    @property
    @abstractmethod
    def _regressor_type(self) -> type[GDRegressor]:
        """The class of the plain estimator."""

    def _warn_of_terms(self, models: CandidateModels) -> None:
        """Warn where candidates have far more coefficients than samples and no penalty."""

    def _regressor(self, spec: Params, grid: Grid) -> GDRegressor:
        """The plain estimator of all candidates with some values of the other axes."""
        regressor = self._regressor_type(lr=grid.lrs[0])
        shared = {
            name: getattr(self, name)
            for name in regressor.get_params(deep=False)
            if name not in _REGRESSOR_ONLY and hasattr(self, name)
        }
        return with_score_request(regressor.set_params(**shared, **spec))

    def _refit(
        self,
        state: FittedState,
        results: SearchResults,
        models: CandidateModels,
        search: BatchedSearch,
        on_epoch: OnEpoch | None,
    ) -> tuple[FittedState, FitResult]:
        """The best candidate on all data: its fitted attributes, and the result of its fit."""
        best, epochs = state["best_index_"], state["epochs_"]
        begin = time.perf_counter()
        if best in results.fits_on_all_data and epochs == self.epochs:
            result = results.fits_on_all_data[best]()  # all data were one more fold
        else:
            result = models.fit_on_all_data(best, min(epochs, search.epochs), search.seed, on_epoch)
        if result.interrupted:
            raise KeyboardInterrupt
        result.check_finite(type(self).__name__)
        best_estimator = models.fitted(best, models.basis_of_all_data(best), result)
        best_estimator.set_params(epochs=epochs)
        fitted = {
            name: value
            for name, value in vars(best_estimator).items()
            if is_fitted_name(name) and not name.startswith("_")
        }
        times = {"refit_time_": time.perf_counter() - begin}
        return {**fitted, "best_estimator_": best_estimator, **times}, result

    def _best_estimator(self) -> GDRegressor:
        """The best candidate, fitted on all data."""
        check_is_fitted(self)
        return self.best_estimator_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.array_api_support = True
        return tags


def _refuse_validation_set(owner: str, params: Params) -> None:
    """Raise if rows for early stopping are given, which a search does not have."""
    given = [name for name in ("X_val", "y_val", "sample_weight_val") if name in params]
    if given:
        raise TypeError(
            f"{owner}.fit() got an unexpected keyword argument {given[0]!r}. A search has no "
            "early stopping: its folds are validation sets. Leave it out; select_epochs=True "
            "chooses the number of epochs."
        )
