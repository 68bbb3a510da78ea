"""A function that the user wrote, called at a flat vector.

A descent moves a flat vector of coordinates. The user's function takes a scalar, an array or
several named arrays. A `Layout` is the map between the two, and a `UserFunction` calls the
function through this map.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from sklearn_gd._base.parameters import InvalidParameterError, invalid
from sklearn_gd._base.torch_state import isolated
from sklearn_gd._base.types import Structure
from sklearn_gd._data.validation import as_numpy


class Layout(NamedTuple):
    """Where each argument of the user's function stands in a flat vector."""

    names: tuple[str, ...] | None  # None: the function has one argument without a name
    shapes: tuple[tuple[int, ...], ...]  # one shape for each argument

    def unpack(self, flat: Any) -> Structure:
        """The arguments in the last axis of ``flat``, a tensor or an array, as ``x0`` has them.

        The leading axes of ``flat`` are the leading axes of every argument.
        """
        arguments, first = [], 0
        for shape in self.shapes:
            last = first + math.prod(shape)
            arguments.append(flat[..., first:last].reshape((*flat.shape[:-1], *shape)))
            first = last
        if self.names is None:
            return arguments[0]
        return dict(zip(self.names, arguments, strict=True))


class UserFunction(NamedTuple):
    """The user's function of a flat vector, and where its descent starts."""

    function: Callable[..., Structure]
    start: Tensor  # (size,)
    layout: Layout
    owner: str  # `minimize` or `solve`, for messages
    parameter: str  # the name of the parameter that the function is, for messages
    default_dtype: torch.dtype  # torch's when the user called; the function sees it too

    @classmethod
    def of(
        cls, function: Callable[..., Structure], x0: ArrayLike, owner: str, parameter: str
    ) -> UserFunction:
        """Check the start and the signature of the function.

        Raises
        ------
        InvalidParameterError
            If ``x0`` is not made of finite real numbers, or the function does not take it.
        """
        names = tuple(x0) if isinstance(x0, Mapping) else None
        if names is not None and not all(isinstance(name, str) for name in names):
            raise invalid(owner, "x0", "a dict with names of arguments as keys", x0)
        starts = [x0] if names is None else x0.values()
        arguments = [_check_start(start, owner) for start in starts]
        flat = np.concatenate([np.empty(0), *(argument.ravel() for argument in arguments)])
        if not len(flat):
            raise invalid(owner, "x0", "at least one number", x0)
        _check_signature(function, names, owner, parameter)
        layout = Layout(names, tuple(argument.shape for argument in arguments))
        dtype = torch.get_default_dtype()
        with isolated():  # a tensor that is made in inference_mode cannot be differentiated
            flat_start = torch.from_numpy(flat)
        return cls(function, flat_start, layout, owner, parameter, dtype)

    def __call__(self, flat: Tensor) -> Structure:
        # a copy, because the function may change its argument in place
        arguments = self.layout.unpack(flat.clone())
        dtype = torch.get_default_dtype()
        if dtype == self.default_dtype:
            return self._call(arguments)
        torch.set_default_dtype(self.default_dtype)
        try:
            return self._call(arguments)
        finally:
            torch.set_default_dtype(dtype)

    def _call(self, arguments: Any) -> Structure:
        if self.layout.names is None:
            return self.function(arguments)
        return self.function(**arguments)

    def wrong_value(self, expected: str, got: str) -> InvalidParameterError:
        """The error for what the function returned."""
        return InvalidParameterError(
            f"The {self.parameter!r} parameter of {self.owner} must return {expected}. "
            f"Got {got} instead."
        )


def _check_start(x0: ArrayLike, owner: str) -> np.ndarray:
    """The start of one argument as a float64 array."""
    try:
        array = np.asarray(as_numpy(x0, "x0"))
    except (ValueError, RuntimeError) as error:  # ragged, or a list of tensors with gradients
        raise invalid(owner, "x0", "a number, an array or a dict of these", x0) from error
    if array.dtype.kind not in "iuf":
        raise invalid(owner, "x0", "real numbers", x0)
    if not np.isfinite(array).all():
        raise invalid(owner, "x0", "finite", x0)
    return np.array(array, dtype=np.float64)


def _check_signature(
    function: Callable[..., Structure], names: tuple[str, ...] | None, owner: str, parameter: str
) -> None:
    """Raise unless the function can be called with one argument, or with the names."""
    if not callable(function):
        raise invalid(owner, parameter, "callable", function)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins have no signature
        return
    positional = [None] if names is None else []
    try:
        signature.bind(*positional, **dict.fromkeys(names or ()))
    except TypeError as error:
        expected = "one argument" if names is None else f"the names of x0, {list(names)},"
        raise InvalidParameterError(
            f"The {parameter!r} parameter of {owner} must take {expected} and no more. Got a "
            f"function of {signature} instead ({error})."
        ) from error
