"""Elementwise losses of a prediction and a target.

Each takes two torch tensors of equal shape and returns the loss of every element; the
caller averages. They serve as documentation of what the names in the ``loss`` parameter
mean, and as parts of your own losses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._base.parameters import InvalidParameterError, Rule, invalid, real
from sklearn_gd._base.types import LossLike, Params

__all__ = [
    "absolute_error",
    "epsilon_insensitive",
    "huber",
    "log_cosh",
    "quantile",
    "squared_epsilon_insensitive",
    "squared_error",
]


def squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared error r² of the residual r, in full, without a half.

    Parameters
    ----------
    prediction, target : torch.Tensor
        Tensors of equal shape.

    Returns
    -------
    torch.Tensor
        The loss of each element.

    Examples
    --------
    >>> import torch
    >>> from sklearn_gd import losses
    >>> losses.squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor([0., 4.])
    """
    return torch.nn.functional.mse_loss(prediction, target, reduction="none")


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Absolute error ``|r|``, whose optimum is the conditional median.

    Parameters
    ----------
    prediction, target : torch.Tensor
        Tensors of equal shape.

    Returns
    -------
    torch.Tensor
        The loss of each element.

    Examples
    --------
    >>> import torch
    >>> from sklearn_gd import losses
    >>> losses.absolute_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor([0., 2.])
    """
    return torch.nn.functional.l1_loss(prediction, target, reduction="none")


def huber(prediction: Tensor, target: Tensor, *, delta: float = 1.35) -> Tensor:
    """Huber's loss: ``r²/2`` up to ``|r| = delta``, then ``delta (|r| - delta/2)``.

    Parameters
    ----------
    prediction, target : torch.Tensor
        Tensors of equal shape.
    delta : float, default=1.35
        Where the parabola ends, in units of the target.

    Returns
    -------
    torch.Tensor
        The loss of each element.

    References
    ----------
    P. J. Huber, Robust Estimation of a Location Parameter, 1964.

    Examples
    --------
    >>> import torch
    >>> from sklearn_gd import losses
    >>> losses.huber(torch.tensor([1.0, 5.0]), torch.tensor([2.0, 2.0]), delta=2.0)
    tensor([0.5000, 4.0000])
    """
    return torch.nn.functional.huber_loss(prediction, target, reduction="none", delta=delta)


def quantile(prediction: Tensor, target: Tensor, *, quantile: float = 0.5) -> Tensor:
    """Pinball loss, whose optimum is the conditional quantile.

    Parameters
    ----------
    prediction, target : torch.Tensor
        Tensors of equal shape.
    quantile : float, default=0.5
        The quantile, between 0 and 1: what a target above its prediction costs.

    Returns
    -------
    torch.Tensor
        The loss of each element.

    References
    ----------
    R. Koenker and G. Bassett, Regression Quantiles, 1978.

    Examples
    --------
    >>> import torch
    >>> from sklearn_gd import losses
    >>> losses.quantile(torch.tensor([1.0, 3.0]), torch.tensor([2.0, 2.0]), quantile=0.75)
    tensor([0.7500, 0.2500])
    """
    residual = target - prediction
    return torch.maximum(quantile * residual, (quantile - 1.0) * residual)


def epsilon_insensitive(prediction: Tensor, target: Tensor, *, epsilon: float = 0.1) -> Tensor:
    """The loss of support vector regression, ``max(0, |r| - epsilon)``.

    Parameters
    ----------
    prediction, target : torch.Tensor
        Tensors of equal shape.
    epsilon : float, default=0.1
        Residuals up to this size cost nothing, in units of the target.

    Returns
    -------
    torch.Tensor
        The loss of each element.

    Examples
    --------
    >>> import torch
    >>> from sklearn_gd import losses
    >>> losses.epsilon_insensitive(torch.tensor([1.0, 3.0]), torch.tensor([1.5, 1.5]), epsilon=1)
    tensor([0.0000, 0.5000])
    """
    return ((prediction - target).abs() - epsilon).relu()


def squared_epsilon_insensitive(
    prediction: Tensor, target: Tensor, *, epsilon: float = 0.1
) -> Tensor:
    """The square of the epsilon-insensitive loss.

    Parameters
    ----------
    prediction, target : torch.Tensor
        Tensors of equal shape.
    epsilon : float, default=0.1
        Residuals up to this size cost nothing, in units of the target.

    Returns
    -------
    torch.Tensor
        The loss of each element.

    Examples
    --------
    >>> import torch
    >>> from sklearn_gd import losses
    >>> losses.squared_epsilon_insensitive(torch.tensor([3.0]), torch.tensor([0.0]), epsilon=1)
    tensor([4.])
    """
    return epsilon_insensitive(prediction, target, epsilon=epsilon).square()


def log_cosh(prediction: Tensor, target: Tensor) -> Tensor:
    """log(cosh r): r²/2 for small residuals, ``|r| - log 2`` for large ones, smooth.

    Parameters
    ----------
    prediction, target : torch.Tensor
        Tensors of equal shape.

    Returns
    -------
    torch.Tensor
        The loss of each element.

    Examples
    --------
    >>> import torch
    >>> from sklearn_gd import losses
    >>> losses.log_cosh(torch.tensor([1.0]), torch.tensor([0.0]))
    tensor([0.4338])
    """
    size = (prediction - target).abs()
    return size + torch.nn.functional.softplus(-2.0 * size) - 0.6931471805599453


class LossSpec(NamedTuple):
    """A loss, and what is known about it."""

    function: Callable[..., Tensor]
    power: int  # the loss grows like this power of the residual
    curvature: float | None  # the largest second derivative, if bounded
    options: Mapping[str, Rule] = {}


_EPSILON = {"epsilon": real(0.0, closed="left")}

SPECS = {
    "squared_error": LossSpec(squared_error, 2, 2.0),
    "huber": LossSpec(huber, 2, 1.0, {"delta": real(0.0)}),
    "absolute_error": LossSpec(absolute_error, 1, None),
    "quantile": LossSpec(quantile, 1, None, {"quantile": real(0.0, 1.0)}),
    "epsilon_insensitive": LossSpec(epsilon_insensitive, 1, None, _EPSILON),
    "squared_epsilon_insensitive": LossSpec(squared_epsilon_insensitive, 2, 2.0, _EPSILON),
    "log_cosh": LossSpec(log_cosh, 2, 1.0),
}


def find_loss(loss: LossLike, params: Params | None, owner: str) -> LossSpec:
    """The loss that ``loss`` names or is, with its options bound.

    Raises
    ------
    InvalidParameterError
        If there is no such loss or option, or a callable is not elementwise.
    """
    options = dict(params or {})
    if callable(loss):
        function = partial(loss, **options) if options else loss
        return _checked(LossSpec(function, 2, None), loss, owner)
    if not isinstance(loss, str) or loss not in SPECS:
        raise invalid(owner, "loss", f"one of {sorted(SPECS)} or a callable", loss)
    spec = SPECS[loss]
    for name, value in options.items():
        if name not in spec.options:
            known = sorted(spec.options) or "no options"
            raise invalid(owner, "loss_params", f"a dict of {known} for loss={loss!r}", params)
        if not spec.options[name].holds(value):
            words = f"a dict with {name} {spec.options[name].words}"
            raise invalid(owner, "loss_params", words, params)
    return spec._replace(function=partial(spec.function, **options)) if options else spec


def _checked(spec: LossSpec, loss: LossLike, owner: str) -> LossSpec:
    """A callable loss, after a trial on three samples of two targets."""
    prediction = torch.zeros(1, 3, 2, dtype=torch.float64, requires_grad=True)
    target = torch.ones(1, 3, 2, dtype=torch.float64)
    try:
        value = spec.function(prediction, target)
    except Exception as error:
        raise InvalidParameterError(
            f"The 'loss' parameter of {owner} failed on a prediction and a target of shape "
            f"(runs, samples, targets): {type(error).__name__}: {error}. It must be a callable "
            f"(prediction, target) -> elementwise loss, written in torch. Got {loss!r}."
        ) from error
    if not isinstance(value, Tensor) or value.shape != prediction.shape:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise InvalidParameterError(
            f"The 'loss' parameter of {owner} must return the loss of each element: for tensors "
            f"of shape (1, 3, 2) it returned {shape}. Do not average in it (a torch.nn loss "
            f"takes reduction='none'). Got {loss!r}."
        )
    if not value.requires_grad or value.dtype != prediction.dtype:
        raise InvalidParameterError(
            f"The 'loss' parameter of {owner} must return a tensor of the prediction's dtype, "
            f"{prediction.dtype}, computed from it by torch, so that it has a gradient. It "
            f"returned {value.dtype}, requires_grad={value.requires_grad}. Got {loss!r}."
        )
    return spec
