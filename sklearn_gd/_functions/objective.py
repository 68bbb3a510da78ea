"""A user's function as an objective of the solver, with many runs.

A user's function is one problem with one target. Its runs differ in their learning rate. So
u has the shape (1, runs, 1, size). Where the function allows it, `torch.func.vmap` evaluates
all runs in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from sklearn_gd._base.torch_state import isolated
from sklearn_gd._base.types import Structure, TorchFunction
from sklearn_gd._functions.user_function import UserFunction
from sklearn_gd._solver.derivatives import gradient
from sklearn_gd._solver.objective import BatchObjective

ValueAt = Callable[[UserFunction, Tensor], Tensor]  # the scalar to minimize, at a flat vector


class FunctionObjective(NamedTuple):
    """A function of one flat vector as an objective of u (1, runs, 1, size)."""

    function: UserFunction
    value_at: ValueAt
    uses_vmap: bool  # whether vmap evaluates all runs in one call

    @classmethod
    def of(cls, function: UserFunction, value_at: ValueAt, runs: int) -> FunctionObjective:
        """Check what the function returns, and whether vmap can evaluate several runs.

        Raises
        ------
        InvalidParameterError
            If the function returns the wrong thing, or autograd cannot differentiate it.
        """
        one_by_one = cls(function, value_at, uses_vmap=False)
        u = function.start.expand(1, 2, 1, -1)
        value = one_by_one(u)  # an exception of the function goes on to the user
        try:
            expected = value, gradient(one_by_one, u)
        except RuntimeError as error:
            raise function.wrong_value("what autograd can differentiate", str(error)) from error
        if runs == 1:
            return one_by_one
        batched = cls(function, value_at, uses_vmap=True)
        try:
            found = batched(u), gradient(batched, u)
        except Exception:  # vmap, or the function inside of vmap, may raise anything
            return one_by_one
        is_equal = all(
            torch.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True)
            for a, b in zip(found, expected, strict=True)
        )
        return batched if is_equal else one_by_one

    def __call__(self, u: Tensor) -> Tensor:
        if not u.requires_grad:  # the function may differentiate something itself
            with torch.enable_grad():
                return self(u.detach().requires_grad_()).detach()
        points = u[0, :, 0]
        # the function is not called at points that are not finite, where it might raise
        is_finite = torch.isfinite(points).all(-1)
        points = torch.where(is_finite[:, None], points, self.function.start)
        values = vmap(self._value)(points) if self.uses_vmap else self._values_one_by_one(points)
        return torch.where(is_finite, values, torch.nan)[None, :, None]

    def batches(self, epoch: int) -> Iterable[tuple[BatchObjective, float]]:
        return ((self, 1.0),)

    def select(self, problem: int, target: int) -> FunctionObjective:
        return self._replace(uses_vmap=False)

    def _value(self, point: Tensor) -> Tensor:
        return self.value_at(self.function, point).to(torch.float64)

    def _values_one_by_one(self, points: Tensor) -> Tensor:
        values = [self._value(point) for point in points]
        if not all(value.requires_grad for value in values):
            raise self.function.wrong_value(
                "what it computed from its argument with torch", "a value without a gradient"
            )
        return torch.stack(values)


def values_at(fun: TorchFunction, x0: Structure, points: np.ndarray) -> np.ndarray:
    """``fun``, which takes what ``x0`` is, at flat points (n, size). NaN at points with NaN."""
    function = UserFunction.of(fun, x0, "minimize", "fun")
    with isolated():
        objective = FunctionObjective.of(function, scalar_value, len(points))
        values: np.ndarray = objective(torch.from_numpy(points)[None, :, None])[0, :, 0].numpy()
    return values


def scalar_value(function: UserFunction, point: Tensor) -> Tensor:
    """The value of a function that returns a scalar."""
    value = function(point)
    if not isinstance(value, Tensor):
        raise function.wrong_value("a torch tensor", type(value).__name__)
    if value.ndim:
        raise function.wrong_value("a scalar, a tensor of shape ()", f"shape {tuple(value.shape)}")
    _check_real(function, value)
    return value


def sum_of_squares(function: UserFunction, point: Tensor) -> Tensor:
    """The sum of the squared residuals of a system of equations."""
    return residual_vector(function, point).square().sum()


def residual_vector(function: UserFunction, point: Tensor) -> Tensor:
    """The residuals (n_equations,) of a function that returns a tensor or a sequence."""
    value = function(point)
    if isinstance(value, Tensor):
        residuals = value.reshape(-1)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        scalars = [_residual(function, item, point) for item in value]
        residuals = torch.stack(scalars) if scalars else point[:0]
    else:
        raise function.wrong_value("a torch tensor or a sequence of scalars", type(value).__name__)
    if not len(residuals):
        raise function.wrong_value("at least one residual", "an empty system")
    _check_real(function, residuals)
    return residuals.to(point.dtype)


def _residual(function: UserFunction, item: Any, point: Tensor) -> Tensor:
    """One residual of a sequence. A Python number is a constant residual."""
    if isinstance(item, Real):
        return point.new_tensor(float(item))
    if not isinstance(item, Tensor):
        raise function.wrong_value("tensors in its sequence", f"a {type(item).__name__}")
    if item.ndim:
        raise function.wrong_value("scalars in its sequence", f"one of shape {tuple(item.shape)}")
    _check_real(function, item)
    return item.to(point.dtype)


def _check_real(function: UserFunction, value: Tensor) -> None:
    """Raise for complex values."""
    if value.is_complex():
        raise function.wrong_value("real values", "complex ones")
