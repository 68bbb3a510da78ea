"""What the linear and the polynomial regressor share."""

from __future__ import annotations

import copy
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base.parameters import Rule, check_params
from sklearn_gd._base.types import (
    LossLike,
    MatrixLike,
    OptimizerLike,
    Params,
    RandomState,
    SchedulerLike,
)
from sklearn_gd._data.polynomial import PolynomialBasis
from sklearn_gd._data.training_data import TrainingData, hold_out
from sklearn_gd._data.validation import check_training_data
from sklearn_gd._estimators.availability import AvailableInParts
from sklearn_gd._estimators.callbacks import (
    CallbackSupportMixin,
    FitTask,
    with_callbacks,
    with_progress_bar,
)
from sklearn_gd._estimators.equation import equation
from sklearn_gd._estimators.fitted_state import (
    FittedState,
    replace_fitted_attributes,
    stacklevel_of_caller,
)
from sklearn_gd._estimators.parameter_rules import REGRESSOR_RULES
from sklearn_gd._estimators.saved_state import upgrade

if TYPE_CHECKING:
    from sklearn_gd._training.options import FitOptions
    from sklearn_gd._training.result import FitResult


class FitInputs(NamedTuple):
    """What a fit needs of an estimator and its data, checked."""

    checked: BaseEstimator  # a copy of the estimator that knows the features
    data: TrainingData
    validation: TrainingData | None
    basis: PolynomialBasis | None
    options: FitOptions
    seed: int


class GDRegressor(
    CallbackSupportMixin, MultiOutputMixin, RegressorMixin, BaseEstimator, metaclass=ABCMeta
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
        positive: bool = False,
        precondition: str | None = "auto",
        batch_size: int | None = None,
        shuffle: bool = True,
        lr_scheduler: SchedulerLike = None,
        tol: float | None = None,
        n_iter_no_change: int = 10,
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

    def fit(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model by gradient descent.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Training data. float32 data give float32 coefficients, everything else
            float64; sums over the data are always float64.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets. Each target has a descent of its own.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative weights of the samples. A row of weight zero has no influence.

        Returns
        -------
        self : object
            The fitted estimator. If `fit` raises an error, or is stopped by Ctrl-C, the
            estimator is as it was before. With ``warm_start=True`` Ctrl-C leaves it as it
            was after the last complete epoch.

        Raises
        ------
        ValueError
            If a parameter is outside its range, or the data hold NaN or infinity.

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
        return with_progress_bar(self, lambda: self._fit(X, y, sample_weight))

    @with_callbacks
    def _fit(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None) -> Self:
        """The fit, as a task that callbacks can follow."""
        from sklearn_gd._training.fit import fit_model

        random_state = self._check_params()
        task = FitTask(self, X, y, sample_weight, int(self.epochs))
        inputs = self._fit_inputs(
            X, y, sample_weight, random_state, holds_out=bool(self.early_stopping)
        )
        self._warn_of_terms(inputs)
        goes_on = self.warm_start and hasattr(self, "coef_")

        def on_epoch(curve: np.ndarray, coef: np.ndarray, intercept: np.ndarray) -> bool:
            return task.epoch(
                lambda: {
                    **self._model_state(inputs, coef, intercept),
                    **self._curve_state(curve, goes_on=goes_on),
                }
            )

        result = fit_model(
            inputs.data,
            inputs.basis,
            inputs.options,
            validation=inputs.validation,
            start=self._start(inputs) if goes_on else None,
            seed=inputs.seed,
            on_epoch=on_epoch if task.is_watched else None,
        )
        if result.interrupted and not self.warm_start:
            raise KeyboardInterrupt
        state = self._fitted_state(inputs, result, goes_on=goes_on)
        self._become_fitted(state, result)
        if result.interrupted:
            raise KeyboardInterrupt
        task.end(state)
        return self

    @AvailableInParts
    def partial_fit(
        self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None
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
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            A part of the training data.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
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
        goes_on = hasattr(self, "coef_")
        earlier = self._partial_fit_state()
        inputs = self._fit_inputs(
            X,
            y,
            sample_weight,
            random_state,
            holds_out=False,
            keeps_features=goes_on,
            earlier_basis=None if earlier is None else self._fitted_basis(),
        )
        start = self._start(inputs) if goes_on else None
        if self._keeps_moments():
            result, state = fit_on_moments(
                inputs.data,
                inputs.basis,
                inputs.options,
                start=start,
                state=earlier,
                state_basis=self._fitted_basis() if earlier else None,
            )
        else:
            seed = inputs.seed + getattr(self, "n_iter_", 0)
            result, state = fit_pass(
                inputs.data, inputs.basis, inputs.options, start=start, state=earlier, seed=seed
            )
        if result.interrupted:
            raise KeyboardInterrupt
        appends = goes_on and not self._keeps_moments()
        fitted = self._fitted_state(inputs, result, goes_on=appends)
        self._become_fitted({**fitted, "_partial_fit_state_": state}, result)
        return self

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
        coef = np.atleast_2d(self.coef_)
        intercept = np.broadcast_to(self.intercept_, (len(coef),))
        return equation(list(self._term_names()), coef, intercept, digits)

    @abstractmethod
    def _basis(self, data: TrainingData) -> PolynomialBasis | None:
        """The basis in which the data are expanded, if they are."""

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

    def _fit_inputs(
        self,
        X: MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        random_state: np.random.RandomState,
        *,
        holds_out: bool,
        keeps_features: bool = False,
        earlier_basis: PolynomialBasis | None = None,
    ) -> FitInputs:
        """Check the data, and put together what a fit needs of them.

        ``holds_out`` says whether rows may be held out for validation, ``keeps_features``
        whether the features must be those of the earlier fit. ``earlier_basis`` is the basis
        of the earlier rows, where a stream goes on.
        """
        checked = copy.copy(self)
        data = check_training_data(checked, X, y, sample_weight, reset=not keeps_features)
        validation = None
        if holds_out:
            owner = type(self).__name__
            data, validation = hold_out(data, self.validation_fraction, random_state, owner)
        if earlier_basis is None:
            basis = self._basis(data)
        elif self._keeps_moments():  # the inputs of all rows
            basis = earlier_basis.united(*data.ranges(), center=bool(self.fit_intercept))
        else:
            basis = earlier_basis
        seed = int(random_state.randint(2**31 - 1))
        return FitInputs(checked, data, validation, basis, self._fit_options(), seed)

    def _fit_options(self, owner: str | None = None) -> FitOptions:
        """The checked parameters that training reads."""
        from sklearn_gd._training.options import FitOptions

        return FitOptions(
            owner=owner or type(self).__name__,
            lr=self.lr,
            epochs=int(self.epochs),
            optimizer=self.optimizer,
            optimizer_params=self.optimizer_params,
            device=str(self.device),
            loss=self.loss,
            loss_params=self.loss_params,
            alpha=self.alpha,
            l1_ratio=self.l1_ratio,
            positive=bool(self.positive),
            fit_intercept=bool(self.fit_intercept),
            precondition=self.precondition,
            batch_size=self.batch_size,
            shuffle=bool(self.shuffle),
            lr_scheduler=self.lr_scheduler,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
        )

    def _start(self, inputs: FitInputs) -> tuple[np.ndarray, np.ndarray]:
        """Where a warm start begins. Raises if the shapes have changed."""
        targets, features = inputs.data.y.shape[1], inputs.data.x.shape[1]
        # coefficients may have been set by hand, without a fit
        n_features = getattr(self, "n_features_in_", features)
        before = self.coef_.size // self.coef_.shape[-1], n_features
        if before != (targets, features):
            raise ValueError(
                f"This continues from a fit of {before[0]} targets on {before[1]} features, but y "
                f"has {targets} targets and X has {features} features. Call fit with "
                "warm_start=False to start afresh."
            )
        n_terms = features if inputs.basis is None else inputs.basis.n_terms
        if not hasattr(self, "n_features_in_") and self.coef_.shape[-1] != n_terms:
            raise ValueError(
                f"coef_ of {type(self).__name__} has {self.coef_.shape[-1]} coefficients, and this "
                f"fit has {n_terms}. Set coef_ to that many, or call fit with warm_start=False."
            )
        return self._fitted_model(inputs.basis)

    def _model_state(
        self, inputs: FitInputs, coef: np.ndarray, intercept: np.ndarray
    ) -> FittedState:
        """The fitted attributes that `predict` needs."""
        data, checked = inputs.data, inputs.checked
        coef, intercept, further = self._to_user_terms(inputs, coef, intercept)
        with np.errstate(over="ignore"):
            coef, intercept = coef.astype(data.dtype), intercept.astype(data.dtype)
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise ValueError(
                f"The coefficients of {type(self).__name__} in the units of X overflow "
                f"{data.dtype}. Pass X as float64, or bring X and y to a moderate scale."
            )
        names = ("n_features_in_", "feature_names_in_")
        fitted_intercept: float | np.ndarray = intercept[0] if data.has_single_target else intercept
        return {
            **{name: getattr(checked, name) for name in names if hasattr(checked, name)},
            **further,
            "coef_": coef[0] if data.has_single_target else coef,
            "intercept_": fitted_intercept if self.fit_intercept else 0.0,
        }

    def _curve_state(self, curve: np.ndarray, *, goes_on: bool) -> FittedState:
        """The fitted attributes that count epochs, over all calls."""
        if goes_on and hasattr(self, "loss_curve_"):
            curve = np.concatenate([self.loss_curve_, curve])
        return {"loss_curve_": curve, "n_iter_": len(curve)}

    def _fitted_state(self, inputs: FitInputs, result: FitResult, *, goes_on: bool) -> FittedState:
        """All fitted attributes."""
        state = {
            **self._model_state(inputs, result.coef, result.intercept),
            **self._curve_state(result.loss_curve, goes_on=goes_on),
            "loss_": result.loss,
            "lr_": result.lr,
            "max_stable_lr_": result.max_stable_lr,
            "precondition_": result.precondition,
            "diverged_": result.diverged,
        }
        if result.validation_curve is not None:
            earlier = getattr(self, "validation_loss_curve_", []) if goes_on else []
            state["validation_loss_curve_"] = np.concatenate([earlier, result.validation_curve])
            before = state["n_iter_"] - len(result.loss_curve)
            state["best_epoch_"] = before + result.best_epoch
        return state

    def _become_fitted(self, state: FittedState, result: FitResult) -> None:
        """Warn of what went wrong, and take over all fitted attributes."""
        message = result.warning(type(self).__name__)
        if message and not result.interrupted:
            warnings.warn(message, ConvergenceWarning, stacklevel=stacklevel_of_caller())
        replace_fitted_attributes(self, state)

    def __setstate__(self, state: FittedState) -> None:
        super().__setstate__(upgrade(state))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def as_linear_regression(model: GDRegressor, features: Params) -> LinearRegression:
    """A fitted LinearRegression with the coefficients of ``model``, and these features."""
    linear = LinearRegression(fit_intercept=model.fit_intercept)
    linear.coef_, linear.intercept_ = model.coef_.copy(), copy.copy(model.intercept_)
    for name in ("n_features_in_", "feature_names_in_"):
        if name in features:
            setattr(linear, name, features[name])
    return linear
