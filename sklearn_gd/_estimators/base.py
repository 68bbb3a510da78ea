"""What the linear and the polynomial regressor share."""

from __future__ import annotations

import copy
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base.parameters import Rule, check_params
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
from sklearn_gd._data.array_api import Namespace, to_numpy
from sklearn_gd._data.dask_blocks import map_rows
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._data.validation import follow
from sklearn_gd._estimators.array_attributes import ArrayAttributesMixin, in_namespace
from sklearn_gd._estimators.availability import AvailableInParts
from sklearn_gd._estimators.callbacks import (
    CallbackSupportMixin,
    FitTask,
    with_callbacks,
    with_progress_bar,
)
from sklearn_gd._estimators.equation import equation
from sklearn_gd._estimators.fit_inputs import FitInputs, fit_inputs, gathered
from sklearn_gd._estimators.fitted_state import (
    FittedState,
    replace_fitted_attributes,
    stacklevel_of_caller,
    with_target_axis,
)
from sklearn_gd._estimators.initial_model import initial_model, warm_start
from sklearn_gd._estimators.moments_input import (
    check_features,
    check_one_moments,
    check_takes_moments,
    check_terms,
)
from sklearn_gd._estimators.parameter_rules import (
    REGRESSOR_RULES,
)
from sklearn_gd._estimators.result_attributes import (
    curve_attributes,
    fitted_attributes,
    model_attributes,
)
from sklearn_gd._estimators.saved_state import VersionedStateMixin
from sklearn_gd._estimators.validation_set import ValidationSet
from sklearn_gd._moments.errors import mean_squared_errors, r2
from sklearn_gd._moments.moments import Moments

if TYPE_CHECKING:
    from sklearn_gd._training.result import FitResult


class GDRegressor(
    ArrayAttributesMixin,
    VersionedStateMixin,
    CallbackSupportMixin,
    MultiOutputMixin,
    RegressorMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """The base class of the regressors that are trained by gradient descent."""

    _rules: ClassVar[Mapping[str, Rule]] = REGRESSOR_RULES

    coef_: np.ndarray
    intercept_: float | np.ndarray
    loss_curve_: np.ndarray
    loss_: float
    n_iter_: int
    lr_: float
    max_stable_lr_: float | None
    precondition_: str | None
    diverged_: bool
    validation_loss_curve_: np.ndarray
    best_epoch_: int
    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(
        self,
        *,
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
        self.bounds = bounds
        self.precondition = precondition
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.lr_scheduler = lr_scheduler
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.average = average
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: MatrixLike | Moments,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        coef_init: ArrayLike | None = None,
        intercept_init: ArrayLike | None = None,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the model by gradient descent.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features), or Moments
            Training data. float32 data give float32 coefficients, everything else
            float64; sums over the data are always float64. With squared error, all rows in a
            step and no early stopping, `Moments` can take the place of X, y and the weights.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Targets. Each target has a descent of its own. It is left out with moments only.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative weights of the samples. A row of weight zero has no influence.
        coef_init : array-like of the shape of `coef_`, default=None
            Coefficients at which the descent starts, in place of zeros or of the coefficients
            of a warm start. They are put into the bounds of `positive` and `bounds`.
        intercept_init : float or array-like of the shape of `intercept_`, default=None
            Intercept at which the descent starts. None starts where the mean prediction is the
            mean target, or at 0 with ``precondition=None``. Squared error uses it only with
            ``precondition=None``, because else the intercept follows from the coefficients.
        X_val : {array-like, sparse matrix, dataframe} of shape (n_val, n_features), default=None
            Rows for early stopping, in place of the rows that the fit would hold out. All rows
            of X are then trained on. This needs ``early_stopping=True``. A
            `sklearn.pipeline.Pipeline` with ``transform_input=["X_val"]`` transforms them as X.
        y_val : array-like of shape (n_val,) or (n_val, n_targets), default=None
            Targets of `X_val`.
        sample_weight_val : array-like of shape (n_val,) or float, default=None
            Non-negative weights of the rows of `X_val`.

        Returns
        -------
        self : object
            The fitted estimator. If `fit` raises an error, or is stopped by Ctrl-C, the
            estimator is as it was before. With ``warm_start=True`` Ctrl-C leaves it as it
            was after the last complete epoch.

        Raises
        ------
        ValueError
            If a parameter is outside its range, if the data hold NaN or infinity, if moments
            are given and something needs rows, if `coef_init` or `intercept_init` has another
            shape than `coef_` or `intercept_`, if `X_val` is given without `y_val` or without
            early stopping, or if `positive` or `bounds` name or count other coefficients or
            leave a coefficient no value.
        TypeError
            If X is a list of moments. Pass ``sum(parts)``.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            If the descent diverged, or was far from the optimum when the epochs ended.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressor
        >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
        >>> GDLinearRegressor(lr="auto").fit(X, y, sample_weight=[1.0, 2.0, 1.0]).n_iter_
        1000
        """
        return with_progress_bar(
            self,
            lambda: self._fit(
                X,
                y,
                sample_weight,
                coef_init,
                intercept_init,
                ValidationSet(X_val, y_val, sample_weight_val),
            ),
        )

    @with_callbacks
    def _fit(
        self,
        X: MatrixLike | Moments,
        y: ArrayLike | None,
        sample_weight: ArrayLike | None,
        coef_init: ArrayLike | None,
        intercept_init: ArrayLike | None,
        validation_set: ValidationSet,
    ) -> Self:
        """The fit, as a task that callbacks can follow."""
        from sklearn_gd._training.fit import fit_model

        random_state = self._check_params()
        if validation_set.is_given:
            validation_set.check_use(self, X)
        X, y, sample_weight = gathered(self, X, y, sample_weight)
        task = FitTask(self, X, y, sample_weight, int(self.epochs))
        holds_out = bool(self.early_stopping) and not validation_set.is_given
        inputs = fit_inputs(self, X, y, sample_weight, random_state, holds_out=holds_out)
        if validation_set.is_given:
            rows = validation_set.checked(inputs.checked, inputs.data)
            inputs = inputs._replace(validation=rows)
        self._warn_of_terms(inputs)
        goes_on = self.warm_start and hasattr(self, "coef_")
        start = warm_start(self, inputs) if goes_on else None
        if coef_init is not None or intercept_init is not None:
            start = initial_model(self, inputs, coef_init, intercept_init)

        def on_epoch(curve: np.ndarray, coef: np.ndarray, intercept: np.ndarray) -> bool:
            return task.epoch(
                lambda: in_namespace(
                    {
                        **model_attributes(self, inputs, coef, intercept),
                        **curve_attributes(self, curve, goes_on=goes_on),
                    },
                    inputs.data.namespace,
                )
            )

        result = fit_model(
            inputs.data,
            inputs.basis,
            inputs.options,
            moments=inputs.moments,
            validation=inputs.validation,
            start=start,
            seed=inputs.seed,
            on_epoch=on_epoch if task.is_watched else None,
        )
        if result.interrupted and not self.warm_start:
            raise KeyboardInterrupt
        state = fitted_attributes(self, inputs, result, goes_on=goes_on)
        self._become_fitted(state, result)
        if result.interrupted:
            raise KeyboardInterrupt
        task.end(state)
        return self

    @AvailableInParts
    def partial_fit(
        self,
        X: MatrixLike | Moments,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Continue the fit with more rows.

        With squared error and ``batch_size=None`` the fit is one of all rows seen so far. The
        moments of the new rows are merged with those of the earlier rows, and the descent
        continues from `coef_` for `epochs` epochs. No row is kept. `loss_curve_`, `n_iter_`
        and `loss_` describe the last call. A call that diverges keeps the coefficients
        before it.

        With `batch_size`, or with another loss, it is one pass over the given rows, in steps
        of `batch_size` rows. The first call fixes the means and the deviations by which all
        calls standardize the data, unless ``precondition=None``. The optimizer continues
        where the last call ended, and `loss_curve_` is longer by one.

        The first call fixes the number of features and of targets. `fit` starts afresh.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features), or Moments
            A part of the training data. `Moments` take the place of X, y and the weights
            where `fit` takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Targets. It is left out with moments only.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative weights of the samples.

        Returns
        -------
        self : object
            The estimator. If the call raises an error, or is stopped by Ctrl-C, the
            estimator is as it was before the call.

        Raises
        ------
        AttributeError, ValueError
            If ``early_stopping=True`` or ``optimizer="lbfgs"``. Both need all rows at once,
            so that the estimator has no `partial_fit`.
        ValueError
            If the number of targets changes, if `fit` was called before and no moments are
            known, or if more than 4096 rows and columns make the moments too large.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_gd import GDLinearRegressor
        >>> rng = np.random.default_rng(0)
        >>> model = GDLinearRegressor(lr="auto", epochs=10)
        >>> for _ in range(5):
        ...     X = rng.normal(size=(100, 2))
        ...     model = model.partial_fit(X, X @ [1.0, -2.0] + 3.0)
        >>> model.coef_.round(3).tolist(), round(float(model.intercept_), 3)
        ([1.0, -2.0], 3.0)
        """
        from sklearn_gd._training.mini_batch_pass import fit_pass
        from sklearn_gd._training.partial_fit import fit_on_moments

        random_state = self._check_params()
        X, y, sample_weight = gathered(self, X, y, sample_weight)
        goes_on = hasattr(self, "coef_")
        earlier = self._partial_fit_state()
        inputs = fit_inputs(
            self,
            X,
            y,
            sample_weight,
            random_state,
            holds_out=False,
            keeps_features=goes_on,
            merges=self._keeps_moments(),
            earlier=earlier,
        )
        start = warm_start(self, inputs) if goes_on else None
        if inputs.moments is not None:
            result = fit_on_moments(
                inputs.data, inputs.moments, inputs.basis, inputs.options, start=start
            )
            state = vars(inputs.moments).copy()
        else:
            seed = inputs.seed + getattr(self, "n_iter_", 0)
            result, state = fit_pass(
                inputs.data, inputs.basis, inputs.options, start=start, state=earlier, seed=seed
            )
        if result.interrupted:
            raise KeyboardInterrupt
        appends = goes_on and not self._keeps_moments()
        fitted = fitted_attributes(self, inputs, result, goes_on=appends)
        self._become_fitted({**fitted, "_partial_fit_state_": state}, result)
        return self

    def score(
        self,
        X: MatrixLike | Moments,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Compute the coefficient of determination, R², of the predictions.

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
            R², the mean over targets, as `sklearn.metrics.r2_score` computes it.

        Raises
        ------
        ValueError
            If y or weights are given together with moments, or if the moments are of other
            features.

        Examples
        --------
        >>> from sklearn_gd import GDLinearRegressor, Moments
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 8.0]
        >>> model = GDLinearRegressor(lr="auto").fit(X, y)
        >>> round(model.score(X, y), 4), round(model.score(Moments.of(X, y)), 4)
        (0.9888, 0.9888)
        """
        check_one_moments(self, X)
        check_is_fitted(self)
        X, y, sample_weight = gathered(self, X, y, sample_weight, is_fit=False)
        if not isinstance(X, Moments):
            namespace = Namespace.of(X)
            y = follow(y, "y", namespace)
            sample_weight = follow(sample_weight, "sample_weight", namespace)
            return float(super().score(X, y, sample_weight))
        check_takes_moments(self, y, sample_weight, needs_squared_error=False)
        return r2(X, self._errors(X))

    def _predict_lazily(self, X: Any) -> Any:
        """Predictions for a Dask collection, as a collection of its kind."""
        n_targets = None if self.coef_.ndim == 1 else self.coef_.shape[0]
        return map_rows(self.predict, X, n_targets)

    def _errors(self, moments: Moments) -> np.ndarray:
        """Mean squared errors (targets,) of the fitted model on the rows of moments."""
        check_features(self, moments)
        degree, interaction_only = self._terms()
        check_terms(type(self).__name__, moments, degree, interaction_only=interaction_only)
        basis = self._fitted_basis()
        return mean_squared_errors(moments, *self._fitted_model(basis), basis)

    def _keeps_moments(self) -> bool:
        """Whether `partial_fit` fits all rows seen so far, from their moments."""
        is_squared = isinstance(self.loss, str) and self.loss == "squared_error"
        return is_squared and self.batch_size is None

    def _partial_fit_state(self) -> FittedState | None:
        """The state of the earlier calls of `partial_fit`, if they were of the same kind."""
        state: FittedState | None = getattr(self, "_partial_fit_state_", None)
        is_usable = state is not None and ("factor" in state) == self._keeps_moments()
        return state if is_usable else None

    def equation(self, digits: int = 4) -> str:
        """Write the fitted model as text, one line for each target.

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
        >>> from sklearn_gd import GDLinearRegressor
        >>> GDLinearRegressor(lr="auto").fit([[0.0], [1.0]], [1.0, 3.0]).equation()
        'y = 1 + 2 x0'
        """
        check_is_fitted(self)
        coef, intercept = with_target_axis(self.coef_, self.intercept_)
        return equation(list(self._term_names()), coef, intercept, digits)

    @abstractmethod
    def _terms(self) -> tuple[int, bool]:
        """The degree of the terms, and whether they are of interactions only."""

    @abstractmethod
    def _basis(self, data: TrainingData | Moments) -> PolynomialBasis | None:
        """The basis in which the data are expanded, if they are."""

    @abstractmethod
    def _check_same_terms(self) -> None:
        """Raise unless the earlier fit had the terms of this one."""

    @abstractmethod
    def _fitted_basis(self) -> PolynomialBasis | None:
        """The basis of the earlier fit."""

    @abstractmethod
    def _fitted_model(self, basis: PolynomialBasis | None) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (targets, terms) and intercepts of the earlier fit, in ``basis``."""

    @abstractmethod
    def _to_user_terms(
        self, inputs: FitInputs, coef: np.ndarray, intercept: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, FittedState]:
        """Coefficients and intercepts in the terms of the user, and further attributes."""

    @abstractmethod
    def _term_names(self) -> np.ndarray:
        """A name for each coefficient."""

    def _warn_of_terms(self, inputs: FitInputs) -> None:
        """Warn where far more coefficients than samples are fitted without a penalty."""

    def _check_params(self) -> np.random.RandomState:
        """Raise for the first parameter outside its range. Returns the source of randomness."""
        check_params(type(self).__name__, self.get_params(deep=False), self._rules)
        return check_random_state(self.random_state)

    def _become_fitted(self, state: FittedState, result: FitResult) -> None:
        """Warn of what went wrong, and take over all fitted attributes."""
        message = result.warning(type(self).__name__)
        if message and not result.interrupted:
            warnings.warn(message, ConvergenceWarning, stacklevel=stacklevel_of_caller())
        replace_fitted_attributes(self, state)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.array_api_support = True
        return tags


def as_linear_regression(model: GDRegressor, features: Params) -> LinearRegression:
    """A fitted LinearRegression with the coefficients of ``model``, and these features."""
    linear = LinearRegression(fit_intercept=model.fit_intercept)
    coef, intercept = to_numpy(model.coef_), to_numpy(model.intercept_)
    linear.coef_, linear.intercept_ = coef.copy(), copy.copy(intercept)
    for name in ("n_features_in_", "feature_names_in_"):
        if name in features:
            setattr(linear, name, features[name])
    return linear
