"""The estimators: scikit-learn's face on one descent."""

from __future__ import annotations

import copy
import sys
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.polynomial import Polynomial
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_gd import _params
from sklearn_gd._callbacks import (
    CallbackSupportMixin,
    FitTask,
    with_callbacks,
    with_progress_bar,
)
from sklearn_gd._data import Data, check_rows, check_training_data, hold_out
from sklearn_gd._docs import documented
from sklearn_gd._equation import equation
from sklearn_gd._polynomial import Basis, basis_for, polynomial_features, raw_basis

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
POLYNOMIAL_RULES = {"degree": _params.integer(1), "interaction_only": _params.boolean()}


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


class _GDRegressor(
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


@documented
class GDLinearRegressor(_GDRegressor):
    """Linear regression by gradient descent.

    Minimizes a mean loss, by default the squared error, with torch's autograd and
    optimizers. With squared error the descent runs on the moments of the data, not on the
    data, so that an epoch costs the same for twenty rows and for a million, and by default
    in whitened coordinates, where it converges at the same speed whatever the units and
    correlations of the features.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients in the units of the data.
    {attributes}

    See Also
    --------
    GDPolynomialRegressor : The same with polynomial terms.
    sklearn.linear_model.LinearRegression : Least squares in closed form.
    sklearn.linear_model.SGDRegressor : Stochastic gradient descent, a sample at a time.

    Notes
    -----
    A descent is said to diverge when its objective is not finite, is above 1e8 times the
    larger of the first objective and the objective at zero coefficients, or ends above
    the first. On data of deficient rank the whitened descent lands on the coefficients
    of least norm, as LinearRegression does.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GDLinearRegressor().fit(X, y)
    >>> round(model.score(X, y), 4)
    0.5177
    >>> model.n_iter_, model.lr_, model.max_stable_lr_
    (1000, 0.01, 1.0)

    Any loss, in a line:

    >>> absolute = GDLinearRegressor(loss=lambda prediction, target: (prediction - target).abs())
    >>> absolute.set_params(optimizer="adam", lr=0.02).fit(X, y).loss_ < 43.1
    True
    """

    __module__ = "sklearn_gd"

    def __init__(
        self,
        *,
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
        """Predict targets.

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
        return check_rows(self, X) @ self.coef_.T + self.intercept_

    def to_sklearn(self) -> LinearRegression:
        """A fitted `sklearn.linear_model.LinearRegression` with the same coefficients."""
        check_is_fitted(self)
        return _linear_regression(self, self.coef_, dict(vars(self)))

    def _basis(self, data: Data) -> None:
        return None

    def _fitted_basis(self) -> None:
        return None

    def _previous(self, basis: Any) -> tuple[np.ndarray, np.ndarray]:
        return _as_targets(self.coef_, self.intercept_)

    def _model(
        self, basis: Any, coef: np.ndarray, intercept: np.ndarray, checked: Any
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        return coef, intercept, {}

    def _term_names(self) -> np.ndarray:
        numbered = np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object)
        return getattr(self, "feature_names_in_", numbered)


@documented
class GDPolynomialRegressor(_GDRegressor):
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
        coef, intercept = _as_targets(self.coef_, self.intercept_)
        return Polynomial(np.concatenate([intercept, coef[0]]))

    def to_sklearn(self) -> Pipeline:
        """A fitted pipeline of PolynomialFeatures and LinearRegression, alike in effect."""
        check_is_fitted(self)
        _, _, degree, interaction_only, *_ = self._terms_
        expansion = polynomial_features(self.n_features_in_, degree, interaction_only)
        seen = {"n_features_in_": self.n_output_features_}
        if hasattr(self, "feature_names_in_"):
            expansion.feature_names_in_ = self.feature_names_in_
        return make_pipeline(expansion, _linear_regression(self, self.coef_, seen))

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


def _as_targets(coef: np.ndarray, intercept: Any) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and intercepts in float64 with an axis of targets."""
    coef = np.atleast_2d(np.asarray(coef, dtype=np.float64))
    return coef, np.array(np.broadcast_to(intercept, len(coef)), dtype=np.float64)


def _linear_regression(model: Any, coef: np.ndarray, seen: dict[str, Any]) -> LinearRegression:
    """A fitted LinearRegression with the coefficients of ``model``."""
    linear = LinearRegression(fit_intercept=model.fit_intercept)
    linear.coef_, linear.intercept_ = coef.copy(), copy.copy(model.intercept_)
    for name in ("n_features_in_", "feature_names_in_"):
        if name in seen:
            setattr(linear, name, seen[name])
    return linear
