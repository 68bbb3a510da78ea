"""What the parameters of the estimators must be."""

from __future__ import annotations

from sklearn.base import BaseEstimator

from sklearn_gd._base.parameters import (
    InvalidParameterError,
    boolean,
    choice,
    device,
    either,
    integer,
    interval,
    mapping,
    mapping_of,
    pair_of_degrees,
    real,
    sequence,
)
from sklearn_gd._estimators.coefficient_bounds import NO_BOUND, bounding_parameters

REGRESSOR_RULES = {
    "lr": either(real(0.0), choice("auto")),
    "epochs": integer(1),
    "optimizer_params": either(mapping(), choice(None)),
    "device": device(),
    "loss_params": either(mapping(), choice(None)),
    "alpha": real(0.0, closed="left"),
    "l1_ratio": real(0.0, 1.0, closed="both"),
    "fit_intercept": boolean(),
    "positive": either(boolean(), sequence(boolean()), mapping_of(boolean())),
    "bounds": either(choice(None), interval(), sequence(interval()), mapping_of(interval())),
    "precondition": choice("auto", "whiten", "standardize", None),
    "batch_size": either(integer(1), choice(None)),
    "shuffle": boolean(),
    "tol": either(real(0.0, closed="left"), choice("statistical", None)),
    "n_iter_no_change": integer(1),
    "average": either(boolean(), integer(0)),
    "early_stopping": boolean(),
    "validation_fraction": real(0.0, 1.0),
    "warm_start": boolean(),
    "verbose": either(integer(0), boolean()),
}
POLYNOMIAL_RULES = {
    "degree": either(integer(1), pair_of_degrees()),
    "interaction_only": boolean(),
}


def check_statistical_tol(owner: str, estimator: BaseEstimator) -> None:
    """Raise if ``tol="statistical"`` does not go with the other parameters."""
    reason = why_no_standard_errors(estimator)
    for name, needed, why in (
        ("batch_size", None, "an objective on all rows"),
        ("early_stopping", False, "the objective to decide, and not validation rows"),
        ("average", False, "the parameters after the last step"),
    ):
        value = getattr(estimator, name, needed)
        if value != needed:
            reason = f"it needs {why}, and {name}={value!r}. Set {name}={needed}."
    if reason:
        raise InvalidParameterError(
            f"tol='statistical' of {owner} is not possible: {reason} Or set tol to a number or "
            "None."
        )


def check_average(owner: str, estimator: BaseEstimator) -> None:
    """Raise if an average of the parameters does not go with the other parameters."""
    if getattr(estimator, "early_stopping", False):
        reason = "early_stopping=True keeps the parameters of one epoch. Set early_stopping=False."
    elif getattr(estimator, "alpha", 0.0) * getattr(estimator, "l1_ratio", 0.0) > 0:
        reason = (
            f"an L1 penalty (alpha={estimator.alpha!r}, l1_ratio={estimator.l1_ratio!r}) makes "
            "coefficients exactly zero, and their average is not. Set l1_ratio=0.0."
        )
    else:
        return
    raise InvalidParameterError(
        f"average={estimator.average!r} of {owner} is not possible: {reason} Or set average=False."
    )


def why_no_standard_errors(estimator: BaseEstimator) -> str | None:
    """Why standard errors are undefined with the parameters of an estimator, if they are."""
    loss = getattr(estimator, "loss", "squared_error")
    if not (isinstance(loss, str) and loss == "squared_error"):
        return (
            f"with loss={loss!r} the formulas of least squares do not hold. Set "
            "loss='squared_error'."
        )
    if getattr(estimator, "alpha", 0.0) > 0:
        return (
            f"alpha={estimator.alpha!r} is a penalty, which moves the coefficients away from least "
            "squares, so that their standard errors are undefined. Set alpha=0.0."
        )
    for name in bounding_parameters(estimator):
        return (
            f"{name}={getattr(estimator, name)!r} is a bound, beside which the errors of "
            "coefficients are not normal and their standard errors are undefined. Set "
            f"{name}={NO_BOUND[name]}."
        )
    return None
