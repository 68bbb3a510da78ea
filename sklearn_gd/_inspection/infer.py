"""Standard errors for a fitted model: from the model and its data to an `Inference`."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base.parameters import check_params, choice, real
from sklearn_gd._base.types import MatrixLike
from sklearn_gd._data.array_api import to_numpy
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._data.validation import check_training_data
from sklearn_gd._estimators.base import GDRegressor
from sklearn_gd._estimators.fit_inputs import gathered
from sklearn_gd._estimators.fitted_state import stacklevel_of_caller
from sklearn_gd._estimators.moments_input import (
    check_features,
    check_takes_moments,
    check_terms,
    without_rows,
)
from sklearn_gd._inspection.estimation import Estimation, estimate_terms
from sklearn_gd._inspection.inference import Inference
from sklearn_gd._moments.moments import Moments
from sklearn_gd._moments.tensor_data import to_tensor
from sklearn_gd._moments.tensor_moments import mean_of_targets

_RULES = {
    "cov_type": choice("nonrobust", "HC0", "HC1", "HC2", "HC3"),
    "confidence": real(0.0, 1.0),
}
_FAR = 0.1  # standard errors
_ROUNDING = 1e-8  # of a robust standard error, in units of the usual one


def inference(
    model: BaseEstimator,
    X: MatrixLike | Moments,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    cov_type: str = "nonrobust",
    confidence: float = 0.95,
) -> Inference:
    """Compute standard errors, intervals and tests for the coefficients of a model.

    The numbers describe the least-squares optimum, in closed form, and not the end of the
    descent. `Inference.distance` tells how far each coefficient of the model still is from
    the optimum. Below 0.01 standard errors the descent has found all that the data can tell.

    Parameters
    ----------
    model : GDLinearRegressor, GDPolynomialRegressor, or a search over them
        The fitted model, with squared error and without penalty and bounds. It is only read.
        Of a search, `best_estimator_` is used.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features), or Moments
        The training data. `Moments` or a Dask collection tell nothing of single rows: leverage
        and leave-one-out residuals are then None, and `cov_type` must be "nonrobust".
    y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
        The targets. They are left out with moments only.
    sample_weight : array-like of shape (n_samples,) or float, default=None
        Weights as in the WLS of statsmodels: the variance of the error of a sample is
        inversely proportional to its weight. A sample of weight 2 is not two samples. A
        sample of weight zero is absent. It does not count in `Inference.nobs`, where
        statsmodels counts it.
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3"}, default="nonrobust"
        The covariance of the coefficients. ``"nonrobust"`` takes all errors to have one
        variance (divided by the weight). The others are robust to errors of different
        variances [1]_. Their intervals and p-values use the normal distribution in place of
        Student's t, as in statsmodels.
    confidence : float, default=0.95
        The probability that an interval is to cover the true value, between 0 and 1.

    Returns
    -------
    Inference
        The numbers, with methods for a table, intervals and predictions.

    Raises
    ------
    TypeError
        If `model` is not a regressor of this package or a search over one.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If standard errors are undefined: with a penalty, bounds or another loss, if columns
        depend on each other, or if there are no more samples than coefficients. Also if a
        parameter is outside its range, or X has other columns than the model.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If a coefficient is more than 0.1 standard errors from the optimum.

    See Also
    --------
    Inference : What is returned.
    sklearn_gd.CoefficientDisplay : Draw coefficients with their intervals.

    Notes
    -----
    Polynomials are estimated in the well-conditioned basis of the fit, and then expressed in
    plain powers of the features. So the standard errors have 13 digits on the regressions of
    NIST, where the condition numbers go up to 1e15.

    References
    ----------
    .. [1] J. G. MacKinnon and H. White (1985), "Some heteroskedasticity-consistent covariance
       matrix estimators with improved finite sample properties", Journal of Econometrics 29.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor, inference
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = GDLinearRegressor().fit(X, y)
    >>> result = inference(model, X, y)
    >>> result.to_frame().loc[["const", "bmi"], ["params", "bse", "tvalues"]].round(3)
            params     bse  tvalues
    const  152.133   2.576   59.061
    bmi    519.846  66.533    7.813
    >>> bool(result.distance.max() < 0.01)
    True
    """
    rules = {"cov_type": cov_type, "confidence": confidence}
    check_params("inference", rules, _RULES)
    regressor, is_search = _find_regressor(model)
    target_names = None if y is None else _target_names(y)
    X, y, sample_weight = gathered(regressor, X, y, sample_weight, is_fit=False)
    moments = None
    if isinstance(X, Moments):
        moments = _check_moments(regressor, X, y, sample_weight, cov_type)
        data = without_rows(moments)
    else:
        data = _check_data(regressor, X, y, sample_weight)
    names = list(regressor._term_names())
    terms = regressor._fitted_basis()
    found = estimate_terms(
        regressor, data, terms, names, cov_type=cov_type, owner="inference", moments=moments
    )
    result = _make_inference(
        found,
        regressor,
        data,
        names,
        target_names or _numbered_targets(data.y.shape[1]),
        is_search=is_search,
        is_weighted=_is_weighted(data if moments is None else moments),
        cov_type=cov_type,
        confidence=float(confidence),
    )
    _warn_if_far(result)
    return result


inference.__module__ = "sklearn_gd"


def _find_regressor(model: BaseEstimator) -> tuple[GDRegressor, bool]:
    """The fitted regressor, and whether a search chose it."""
    is_search = not isinstance(model, GDRegressor) and hasattr(model, "refit")
    regressor = model
    if is_search:
        check_is_fitted(model)
        regressor = getattr(model, "best_estimator_", None)
        if regressor is None:
            raise ValueError(
                f"inference needs the best_estimator_ of {type(model).__name__}, which has "
                "refit=False. Set refit=True, or fit a plain estimator with best_params_."
            )
    if not isinstance(regressor, GDRegressor):
        raise TypeError(
            "inference needs a GDLinearRegressor, a GDPolynomialRegressor or a search over one, "
            f"and {type(regressor).__name__} is neither. Of a pipeline pass its last step, with "
            "the X that this step was given."
        )
    check_is_fitted(regressor)
    return regressor, is_search


def _check_data(
    regressor: GDRegressor, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None
) -> TrainingData:
    """The checked data, whose columns are those of the fit."""
    data = check_training_data(copy.copy(regressor), X, y, sample_weight, reset=False)
    n_targets = len(np.atleast_2d(to_numpy(regressor.coef_)))
    if data.y.shape[1] != n_targets:
        raise ValueError(
            f"y has {data.y.shape[1]} targets, and {type(regressor).__name__} was fitted with "
            f"{n_targets}. Pass the y of the fit."
        )
    return data


def _make_inference(
    found: Estimation,
    regressor: GDRegressor,
    data: TrainingData,
    names: list[str],
    target_names: list[str],
    *,
    is_search: bool,
    is_weighted: bool,
    cov_type: str,
    confidence: float,
) -> Inference:
    """The result. With one-dimensional y it has no axis of targets."""
    user = found.estimate
    estimate, root, bse = user.estimate, user.root(), user.bse()
    difference = np.abs(user.difference(*regressor._fitted_model(user.basis)))
    # in units of a standard error that is rounding, a distance has no meaning
    usual = user._replace(covariance=estimate.covariance()).bse()
    is_rounding = estimate.is_exact[:, None] | (bse <= _ROUNDING * usual)
    distance = np.where(is_rounding, np.nan, difference / np.where(is_rounding, 1.0, bse))
    fvalue, f_pvalue = estimate.f_test(user.covariance)
    n_estimated = estimate.df_model + int(estimate.has_intercept)
    fields = {
        "params": user.params(),
        "bse": bse,
        "cov_params": root @ root.swapaxes(-1, -2),
        "scale": estimate.scale,
        "rsquared": estimate.rsquared,
        "rsquared_adj": estimate.rsquared_adj,
        "fvalue": fvalue,
        "f_pvalue": f_pvalue,
        "llf": estimate.llf,
        "aic": -2.0 * estimate.llf + 2.0 * n_estimated,
        "bic": -2.0 * estimate.llf + np.log(estimate.n_rows) * n_estimated,
        "distance": distance,
        "is_exact": estimate.is_exact,
    }
    loo_residuals, loo_score = found.loo_residuals, None
    if loo_residuals is not None:
        loo_score = _loo_score(loo_residuals, data, centered=estimate.has_intercept)
    if data.has_single_target:
        fields = {name: value[0] for name, value in fields.items()}
        loo_residuals = None if loo_residuals is None else loo_residuals[:, 0]
        loo_score = None if loo_score is None else loo_score[0]
    return Inference(
        **fields,
        loo_residuals=loo_residuals,
        loo_score=loo_score,
        leverage=found.leverage,
        nobs=estimate.n_rows,
        df_model=estimate.df_model,
        df_resid=estimate.df_resid,
        condition_number=user.condition_number(),
        cov_type=cov_type,
        confidence=confidence,
        feature_names=["const", *names] if estimate.has_intercept else names,
        target_names=target_names,
        is_weighted=is_weighted,
        is_search=is_search,
        model=copy.copy(regressor),
        estimate=user,
    )


def _loo_score(residuals: np.ndarray, data: TrainingData, *, centered: bool) -> np.ndarray:
    """R² (targets,) of the predictions of each row by the others."""
    weight = np.ones(len(data.y)) if data.weight is None else data.weight
    cpu = torch.device("cpu")
    mean = mean_of_targets(to_tensor(data.y, cpu), to_tensor(weight, cpu)).numpy() * int(centered)
    with np.errstate(divide="ignore", invalid="ignore"):
        score: np.ndarray = 1.0 - weight @ residuals**2 / (weight @ (data.y - mean) ** 2)
    return score


def _check_moments(
    regressor: GDRegressor, moments: Moments, y: object, sample_weight: object, cov_type: str
) -> Moments:
    """Moments in place of the rows. Raises if something needs rows, or other terms."""
    check_takes_moments(regressor, y, sample_weight, needs_squared_error=False)
    check_features(regressor, moments)
    degree, interaction_only = regressor._terms()
    check_terms(type(regressor).__name__, moments, degree, interaction_only=interaction_only)
    if cov_type != "nonrobust":
        raise ValueError(
            f"cov_type={cov_type!r} of inference needs rows, and moments hold no rows. Set "
            "cov_type='nonrobust', or pass X and y."
        )
    return moments


def _is_weighted(data: TrainingData | Moments) -> bool:
    """Whether the rows have weights."""
    if isinstance(data, Moments):
        return data.weight != data.n_samples or data.log_weight != 0.0
    return data.weight is not None


def _target_names(y: ArrayLike) -> list[str] | None:
    """The name of a series or the names of columns; None if there are none."""
    columns, name = getattr(y, "columns", None), getattr(y, "name", None)
    if columns is not None:
        return [str(column) for column in columns]
    return [str(name)] if isinstance(name, str | int) else None


def _numbered_targets(n_targets: int) -> list[str]:
    """Names for targets without names."""
    return ["y"] if n_targets == 1 else [f"y{target}" for target in range(n_targets)]


def _warn_if_far(result: Inference) -> None:
    """Warn if the model is too far from the optimum that the numbers describe."""
    distances = np.atleast_2d(result.distance)
    target, j = np.unravel_index(np.argmax(np.nan_to_num(distances)), distances.shape)
    distance = distances[target, j]
    if distance > _FAR:
        model = result.model
        remedies = ["lr='auto'"] if model.lr != "auto" else []
        remedies += ["precondition='auto'"] if model.precondition is None else []
        advice = f", or set {' or '.join(remedies)}" if remedies else ""
        of_target = "" if len(distances) == 1 else f" of target {result.target_names[target]!r}"
        warnings.warn(
            f"The coefficient {result.feature_names[j]!r}{of_target} of "
            f"{type(result.model).__name__} is {distance:.2g} standard errors from the "
            "least-squares optimum, which inference describes. Pass the data of the fit, or raise "
            f"epochs{advice}.",
            ConvergenceWarning,
            stacklevel=stacklevel_of_caller(),
        )
