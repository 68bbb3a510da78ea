"""A function of one point, as the user wrote it, as an objective of many runs.

`Caller` calls the user's function at a flat point, `Layout` is the map between that and
the user's scalar, array or named arrays, and `Function` is what the descent needs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from sklearn_gd._data.validation import as_numpy
from sklearn_gd._solver.loop import gradient
from sklearn_gd._problem.empirical_risk import Part
from sklearn_gd._base.parameters import InvalidParameterError, invalid
from sklearn_gd._base.torch_state import isolated


class Layout(NamedTuple):
    """How a flat point is the user's scalar, array or dict of these."""

    names: tuple[str, ...] | None  # None is a single, nameless part
    shapes: tuple[tuple[int, ...], ...]

    def unpack(self, flat: Any) -> Any:
        """Parts of the last axis of a tensor or an array, in their shapes."""
        parts, at = [], 0
        for shape in self.shapes:
            size = int(np.prod(shape))
            parts.append(flat[..., at : at + size].reshape((*flat.shape[:-1], *shape)))
            at += size
        return parts[0] if self.names is None else dict(zip(self.names, parts, strict=True))


class Caller(NamedTuple):
    """The user's function of a flat point."""

    function: Callable[..., Any]
    start: Tensor  # (size,)
    layout: Layout
    owner: str
    name: str  # of the parameter that is the function
    dtype: torch.dtype  # the caller's default dtype, which the function expects to find

    @classmethod
    def of(cls, function: Any, x0: Any, owner: str, name: str) -> Caller:
        """Check the function's signature and where it starts."""
        names = tuple(x0) if isinstance(x0, Mapping) else None
        if names is not None and not all(isinstance(part, str) for part in names):
            raise invalid(owner, "x0", "a dict with names of arguments as keys", x0)
        parts = [_start(x, owner) for x in (x0.values() if names is not None else [x0])]
        flat = np.concatenate([part.ravel() for part in parts]) if parts else np.empty(0)
        if not len(flat):
            raise invalid(owner, "x0", "at least one number", x0)
        _check_signature(function, names, owner, name)
        layout = Layout(names, tuple(part.shape for part in parts))
        return cls(function, torch.from_numpy(flat), layout, owner, name, torch.get_default_dtype())

    def __call__(self, flat: Tensor) -> Any:
        # a copy, so that a function that works in place spoils only its own
        parts = self.layout.unpack(flat.clone())
        if self.dtype == torch.get_default_dtype():
            return self._call(parts)
        before = torch.get_default_dtype()
        torch.set_default_dtype(self.dtype)
        try:
            return self._call(parts)
        finally:
            torch.set_default_dtype(before)

    def _call(self, parts: Any) -> Any:
        return self.function(parts) if self.layout.names is None else self.function(**parts)

    def bad(self, must: str, got: str) -> InvalidParameterError:
        """The error for what the function returned."""
        return InvalidParameterError(
            f"The {self.name!r} parameter of {self.owner} must return {must}. Got {got} instead."
        )


Value = Callable[[Caller, Tensor], Tensor]


class Function(NamedTuple):
    """A function of one point as an objective of many runs."""

    caller: Caller
    value: Value
    together: bool  # whether vmap can call it for all runs at once

    @classmethod
    def of(cls, caller: Caller, value: Value, runs: int) -> Function:
        """Check what the function returns and whether vmap can call it."""
        alone = cls(caller, value, together=False)
        u = caller.start.expand(2, 1, -1)
        value_at_start = alone(u)  # what the function raises is the caller's
        try:
            expected = value_at_start, gradient(alone, u)
        except RuntimeError as error:
            raise caller.bad("what autograd can differentiate", str(error)) from error
        if runs == 1:
            return alone
        together = cls(caller, value, together=True)
        try:
            seen = together(u), gradient(together, u)
        except Exception:  # whatever vmap or a function that cannot take it raises
            return alone
        same = all(
            torch.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True)
            for a, b in zip(seen, expected, strict=True)
        )
        return together if same else alone

    def __call__(self, u: Tensor) -> Tensor:
        if not u.requires_grad:  # the function may differentiate something itself
            with torch.enable_grad():
                return self(u.detach().requires_grad_()).detach()
        points = u[:, 0]
        # a function may not survive NaN, and does not have to
        finite = torch.isfinite(points).all(-1)
        points = torch.where(finite[:, None], points, self.caller.start)
        if self.together:
            values = vmap(self._at)(points)
        else:
            own = [self._at(point) for point in points]
            if not all(value.requires_grad for value in own):
                raise self.caller.bad(
                    "what it computed from its argument with torch", "a value without a gradient"
                )
            values = torch.stack(own)
        return torch.where(finite, values, torch.nan)[:, None]

    def parts(self, epoch: int) -> Iterable[Part]:
        return ((self, 1.0),)

    def cell(self, run: int, runs: int, target: int) -> Function:
        return self._replace(together=False)

    def _at(self, point: Tensor) -> Tensor:
        return self.value(self.caller, point).to(torch.float64)


def values_at(fun: Callable[..., Tensor], x0: Any, points: np.ndarray) -> np.ndarray:
    """``fun`` of the kind that ``x0`` starts at flat points (n, size); NaN if not finite."""
    caller = Caller.of(fun, x0, "minimize", "fun")
    with isolated():
        function = Function.of(caller, scalar, len(points))
        return function(torch.from_numpy(points)[:, None])[:, 0].numpy()


def scalar(caller: Caller, point: Tensor) -> Tensor:
    """The function's value, checked."""
    value = caller(point)
    if not isinstance(value, Tensor):
        raise caller.bad("a torch tensor", f"{type(value).__name__}")
    if value.ndim:
        raise caller.bad("a scalar, a tensor of shape ()", f"shape {tuple(value.shape)}")
    _check_real(caller, value)
    return value


def sum_of_squares(caller: Caller, point: Tensor) -> Tensor:
    """What is minimized to solve a system."""
    return residual_vector(caller, point).square().sum()


def residual_vector(caller: Caller, point: Tensor) -> Tensor:
    """The residuals as one vector, checked."""
    value = caller(point)
    if isinstance(value, Tensor):
        vector = value.reshape(-1)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        parts = [_residual(caller, part, point) for part in value]
        vector = torch.stack(parts) if parts else point[:0]
    else:
        raise caller.bad("a torch tensor or a sequence of scalars", f"{type(value).__name__}")
    if not len(vector):
        raise caller.bad("at least one residual", "an empty system")
    _check_real(caller, vector)
    return vector.to(point.dtype)


def _residual(caller: Caller, part: Any, point: Tensor) -> Tensor:
    """One residual of a sequence; a plain number is a constant one."""
    if isinstance(part, Real):
        return point.new_tensor(float(part))
    if not isinstance(part, Tensor):
        raise caller.bad("tensors in its sequence", f"a {type(part).__name__}")
    if part.ndim:
        raise caller.bad("scalars in its sequence", f"one of shape {tuple(part.shape)}")
    _check_real(caller, part)
    return part.to(point.dtype)


def _check_real(caller: Caller, value: Tensor) -> None:
    """A sentence for complex values."""
    if value.is_complex():
        raise caller.bad("real values", "complex ones")


def _start(x0: Any, owner: str) -> np.ndarray:
    """A part of x0 as a float64 array."""
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
    function: Any, names: tuple[str, ...] | None, owner: str, parameter: str
) -> None:
    """A sentence unless the function can be called with one point, or with the names."""
    if not callable(function):
        raise invalid(owner, parameter, "callable", function)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # builtins have none
        return
    try:
        signature.bind(*([None] if names is None else []), **dict.fromkeys(names or ()))
    except TypeError as error:
        takes = "one argument" if names is None else f"the names of x0, {list(names)},"
        raise InvalidParameterError(
            f"The {parameter!r} parameter of {owner} must take {takes} and no more. Got a "
            f"function of {signature} instead ({error})."
        ) from error
