"""What the estimators share: scikit-learn's face on one descent."""

from __future__ import annotations

import copy
import sys
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_gd import _params
from sklearn_gd._callbacks import (
    CallbackSupportMixin,
    FitTask,
    with_callbacks,
    with_progress_bar,
)
from sklearn_gd._data import Data, check_training_data, hold_out
from sklearn_gd._equation import equation
from sklearn_gd._polynomial import Basis

if TYPE_CHECKING:
    from sklearn_gd._training import Training

RULES = {
    "lr": _params.either(_params.real(0.0), _params.choice("auto")),
    "epochs": _params.integer(1),
    "optimizer_params": _params.either(_params.mapping(), _params.choice(None)),
    "device": _params.device(),
    "loss_params": _params.either(_params.mapping(), _params.choice(None)),
    "alpha": _params.real(0.0, closed="left"),
    "l1_ratio": _params.real(0.0, 1.0, closed="both"),
    "fit_intercept": _params.boolean(),
    "positive": _params.boolean(),
    "precondition": _params.choice("auto", "whiten", "standardize", None),
    "batch_size": _params.either(_params.integer(1), _params.choice(None)),
    "shuffle": _params.boolean(),
    "tol": _params.either(_params.real(0.0, closed="left"), _params.choice(None)),
    "n_iter_no_change": _params.integer(1),
    "early_stopping": _params.boolean(),
    "validation_fraction": _params.real(0.0, 1.0),
    "warm_start": _params.boolean(),
    "verbose": _params.either(_params.integer(0), _params.boolean()),
}


class _UnavailableError(AttributeError, ValueError):
    """A method that the parameters rule out: absent, and called all the same."""


class _NotInOnePass:
    """A method that is absent where the parameters need all rows at once."""

    def __init__(self, method: Callable[..., Any]):
        self.method = method
        self.__doc__ = method.__doc__

    def __get__(self, estimator: Any, owner: type) -> Any:
        if estimator is None:
            return self.method
        if estimator.early_stopping:
            raise _UnavailableError(
                "partial_fit does not support early_stopping=True, which needs rows to hold out. "
                "Set early_stopping=False."
            )
        if (
            estimator.optimizer == "lbfgs"
            or getattr(estimator.optimizer, "__name__", "") == "LBFGS"
        ):
            raise _UnavailableError(
                "partial_fit does not support optimizer='lbfgs', whose estimates of the curvature "
                "need the same rows every time. Use 'sgd' or 'adam', or fit."
            )
        return MethodType(self.method, estimator)


class GDRegressor(
    CallbackSupportMixin, MultiOutputMixin, RegressorMixin, BaseEstimator, metaclass=ABCMeta
):
    """What the linear and the polynomial regressor share."""

    _rules: ClassVar = RULES

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model by gradient descent.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Training data. float32 data give float32 coefficients, everything else
            float64; sums over the data are always float64.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets. Each target descends on its own.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative weights of the samples. A row of weight zero counts for nothing.

        Returns
        -------
        self : object
            The fitted estimator. If `fit` raises, Ctrl-C included, the estimator is as
            it was before; only with ``warm_start=True`` Ctrl-C leaves it as after the
            last complete epoch.

        Raises
        ------
        ValueError
            If a parameter is outside its range, or the data hold NaN or infinity.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            If the descent diverged, or was far from the optimum when the epochs ended.
        """
        return with_progress_bar(self, lambda: self._fit(X, y, sample_weight))

    @with_callbacks
    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        """The fit, as a task that callbacks can follow."""
        from sklearn_gd._training import Settings, train

        random_state = self._check_params()
        task = FitTask(self, X, y, sample_weight, int(self.epochs))
        checked = copy.copy(self)
        data, held = check_training_data(checked, X, y, sample_weight), None
        if self.early_stopping:
            owner = type(self).__name__
            data, held = hold_out(data, self.validation_fraction, random_state, owner)
        basis = self._basis(data)
        goes_on = self.warm_start and hasattr(self, "coef_")

        def after(curve: np.ndarray, coef: np.ndarray, intercept: np.ndarray) -> bool:
            return task.epoch(
                lambda: {
                    **self._model_state(checked, data, basis, coef, intercept),
                    **self._curve_state(curve, goes_on=goes_on),
                }
            )

        training = train(
            data,
            basis,
            Settings.of(self),
            held=held,
            start=self._start(data, basis) if goes_on else None,
            seed=int(random_state.randint(2**31 - 1)),
            after=after if task.is_watched else None,
        )
        if training.interrupted and not self.warm_start:
            raise KeyboardInterrupt
        state = self._state(checked, data, basis, training, goes_on=goes_on)
        self._keep(state, training)
        if training.interrupted:
            raise KeyboardInterrupt
        task.end(state)
        return self

    @_NotInOnePass
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Make one pass over the given rows, in steps of `batch_size` rows.

        The first call fixes the number of features and targets, and the means and
        deviations by which all calls standardize (nothing is, if ``precondition=None``).
        The optimizer goes on where the last call left it. A later `fit` starts afresh
        unless ``warm_start=True``.

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
            The estimator; `loss_curve_` is longer by one. If the call raises, Ctrl-C
            included, the estimator is as after the call before.

        Raises
        ------
        AttributeError, ValueError
            If ``early_stopping=True`` or ``optimizer="lbfgs"``, which need all rows at
            once: the estimator then has no `partial_fit`.
        ValueError
            If the number of targets changes.
        """
        from sklearn_gd._streaming import train_on_part
        from sklearn_gd._training import Settings

        random_state = self._check_params()
        checked = copy.copy(self)
        goes_on = hasattr(self, "coef_")
        data = check_training_data(checked, X, y, sample_weight, reset=not goes_on)
        stream = getattr(self, "_stream_", None)
        basis = self._basis(data) if stream is None else self._fitted_basis()
        training, stream = train_on_part(
            data,
            basis,
            Settings.of(self),
            start=self._start(data, basis) if goes_on else None,
            stream=stream,
            seed=int(random_state.randint(2**31 - 1)) + getattr(self, "n_iter_", 0),
        )
        if training.interrupted:
            raise KeyboardInterrupt
        state = self._state(checked, data, basis, training, goes_on=goes_on)
        self._keep({**state, "_stream_": stream}, training)
        return self

    def equation(self, digits: int = 4) -> str:
        """The fitted model as text, one line for each target.

        Parameters
        ----------
        digits : int, default=4
            Significant digits of the coefficients.

        Returns
        -------
        str
            Such as ``"y = 3 + 2 x0 + 1 x0^2"``.
        """
        check_is_fitted(self)
        coef = np.atleast_2d(self.coef_)
        intercept = np.broadcast_to(self.intercept_, (len(coef),))
        return equation(list(self._term_names()), coef, intercept, digits)

    @abstractmethod
    def _basis(self, data: Data) -> Basis | None:
        """The basis in which the data are expanded, if they are."""

    @abstractmethod
    def _fitted_basis(self) -> Basis | None:
        """The basis of the earlier fit."""

    @abstractmethod
    def _previous(self, basis: Any) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (targets, terms) and intercepts of the earlier fit, in ``basis``."""

    @abstractmethod
    def _model(
        self, basis: Any, coef: np.ndarray, intercept: np.ndarray, checked: Any
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        """Coefficients and intercepts in the user's terms, and further fitted attributes."""

    @abstractmethod
    def _term_names(self) -> np.ndarray:
        """A name for each coefficient."""

    def _check_params(self) -> np.random.RandomState:
        """Raise for the first parameter outside its range; the source of randomness."""
        _params.check_params(type(self).__name__, self.get_params(deep=False), self._rules)
        return check_random_state(self.random_state)

    def _start(self, data: Data, basis: Any) -> tuple[np.ndarray, np.ndarray]:
        """Where a warm start begins; a sentence if the shapes have changed."""
        targets, features = data.y.shape[1], data.x.shape[1]
        before = self.coef_.size // self.coef_.shape[-1], self.n_features_in_
        if before != (targets, features):
            raise ValueError(
                f"This continues from a fit of {before[0]} targets on {before[1]} features, but y "
                f"has {targets} targets and X has {features} features. Call fit with "
                "warm_start=False to start afresh."
            )
        return self._previous(basis)

    def _model_state(
        self, checked: Any, data: Data, basis: Any, coef: np.ndarray, intercept: np.ndarray
    ) -> dict[str, Any]:
        """The fitted attributes that predicting needs."""
        coef, intercept, extra = self._model(basis, coef, intercept, checked)
        coef, intercept = coef.astype(data.dtype), intercept.astype(data.dtype)
        names = ("n_features_in_", "feature_names_in_")
        own: Any = intercept[0] if data.single else intercept
        return {
            **{name: getattr(checked, name) for name in names if hasattr(checked, name)},
            **extra,
            "coef_": coef[0] if data.single else coef,
            "intercept_": own if self.fit_intercept else 0.0,
        }

    def _curve_state(self, curve: np.ndarray, *, goes_on: bool) -> dict[str, Any]:
        """The fitted attributes that count epochs, over all calls."""
        curve = np.concatenate([self.loss_curve_, curve]) if goes_on else curve
        return {"loss_curve_": curve, "n_iter_": len(curve)}

    def _state(
        self, checked: Any, data: Data, basis: Any, training: Training, *, goes_on: bool
    ) -> dict[str, Any]:
        """All fitted attributes."""
        state = {
            **self._model_state(checked, data, basis, training.coef, training.intercept),
            **self._curve_state(training.loss_curve, goes_on=goes_on),
            "loss_": training.loss,
            "lr_": training.lr,
            "max_stable_lr_": training.max_stable_lr,
            "precondition_": training.precondition,
            "diverged_": training.diverged,
        }
        if training.held_out_curve is not None:
            earlier = getattr(self, "validation_loss_curve_", []) if goes_on else []
            state["validation_loss_curve_"] = np.concatenate([earlier, training.held_out_curve])
            before = state["n_iter_"] - len(training.loss_curve)
            state["best_epoch_"] = before + training.best_epoch
        return state

    def _keep(self, state: dict[str, Any], training: Training) -> None:
        """Warn of what went wrong, then become fitted."""
        message = training.warning(type(self).__name__)
        if message and not training.interrupted:
            warnings.warn(message, ConvergenceWarning, stacklevel=outside())
        kept = {name: value for name, value in vars(self).items() if not is_fitted_name(name)}
        self.__dict__ = kept | state  # all at once: a fit is whole or has not been

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def outside() -> int:
    """The stack level of the code that called into this package."""
    frame, level = sys._getframe(1), 1
    inside = ("sklearn_gd.", "sklearn.callback.")
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(inside):
        frame, level = frame.f_back, level + 1
    return level


def is_fitted_name(name: str) -> bool:
    """Whether an attribute of this name comes from a fit."""
    return name.endswith("_") and not name.startswith("__")


def as_targets(coef: np.ndarray, intercept: Any) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and intercepts in float64 with an axis of targets."""
    coef = np.atleast_2d(np.asarray(coef, dtype=np.float64))
    return coef, np.array(np.broadcast_to(intercept, len(coef)), dtype=np.float64)


def linear_regression(model: Any, coef: np.ndarray, seen: dict[str, Any]) -> LinearRegression:
    """A fitted LinearRegression with the coefficients of ``model``."""
    linear = LinearRegression(fit_intercept=model.fit_intercept)
    linear.coef_, linear.intercept_ = coef.copy(), copy.copy(model.intercept_)
    for name in ("n_features_in_", "feature_names_in_"):
        if name in seen:
            setattr(linear, name, seen[name])
    return linear
