"""Solve a system of equations that the user wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult
from torch import Tensor
from torch.optim import Optimizer

from sklearn_gd._base.torch_state import isolated
from sklearn_gd._base.types import Params, SchedulerLike
from sklearn_gd._functions.descent import FunctionOptions, descend_function
from sklearn_gd._functions.objective import sum_of_squares
from sklearn_gd._functions.result import (
    CONVERGED,
    DIVERGED,
    OUT_OF_EPOCHS,
    STOPPED_BY_TOL,
    select_run,
)
from sklearn_gd._functions.solution import Judgement, Linearization
from sklearn_gd._functions.user_function import UserFunction

_SOLVED, _CONTRADICTORY = CONVERGED, 4
_MESSAGES = {  # where the message of the descent does not tell
    _SOLVED: "Solved: the residuals are small against the terms of their equations.",
    OUT_OF_EPOCHS: (
        "Not solved: the gradient has fallen to a thousandth of that at x0, but the residuals are "
        "not small against the terms of their equations after all epochs. Raise epochs, or choose "
        "another lr or optimizer."
    ),
    STOPPED_BY_TOL: (
        "Not solved: the sum of squares no longer fell by tol, but the residuals are not small "
        "against the terms of their equations. Lower tol, or choose another lr or optimizer."
    ),
    _CONTRADICTORY: (
        "Not solved: the equations contradict each other at x, which is a least-squares point: "
        "near x no point has smaller residuals. If the equations are not linear, there may be a "
        "solution elsewhere: choose another x0."
    ),
}


def solve(
    residuals: Callable[..., Tensor | Sequence[Tensor]],
    x0: ArrayLike,
    *,
    lr: float | Sequence[float] = 0.01,
    epochs: int = 1000,
    optimizer: str | Callable[..., Optimizer] = "sgd",
    optimizer_params: Params | None = None,
    lr_scheduler: SchedulerLike = None,
    tol: float | None = None,
    device: str = "cpu",
) -> OptimizeResult:
    """Solve a system of equations by gradient descent on the sum of squared residuals.

    Parameters
    ----------
    residuals : callable
        The residuals, written in torch. `residuals` is given a float64 tensor of the shape
        of `x0` and returns a tensor, or a sequence of scalars, that is zero at a solution.
    x0 : float, array-like or dict of str to float or array-like
        Where the descent starts. Integers become float64. With a dict, `residuals` is
        called with the keys as names of arguments.
    lr : float or sequence of float, default=0.01
        Learning rate. With a sequence, the descents with all learning rates run at once,
        and every field of the result has a leading axis of runs.
    epochs : int, default=1000
        Number of steps.
    optimizer : str, class or callable, default="sgd"
        Lower-case name of a `torch.optim` class, such a class, or a callable that is given
        the list of parameters and returns a `torch.optim.Optimizer`.
    optimizer_params : dict, default=None
        Options of the optimizer, such as ``{"momentum": 0.9}``.
    lr_scheduler : class or callable, default=None
        A `torch.optim.lr_scheduler` class, or a callable that is given the optimizer and
        returns a scheduler. The scheduler is stepped once in every epoch.
    tol : float, default=None
        The descent stops when the lowest sum of squares has not fallen by `tol` times the
        sum at `x0` for ten epochs in a row. None takes all steps.
    device : str, default="cpu"
        The device of the computation: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"auto"``
        (CUDA if there is a CUDA device).

    Returns
    -------
    scipy.optimize.OptimizeResult
        The fields are those of `minimize`, for the sum of squared residuals, and

        - ``success`` : bool, whether ``x`` solves the equations (see Notes);
        - ``status`` : int, 0 solved, 1 out of epochs, 2 diverged, 3 stopped by `tol` before
          the equations were solved, 4 the equations contradict each other and ``x`` is a
          least-squares point;
        - ``residuals`` : ndarray of shape (n_equations,), the residuals at ``x``;
        - ``rank`` : int, the rank of the Jacobian of the residuals at ``x``, in units of the
          equations and of the unknowns;
        - ``unique`` : bool, whether the rank is the number of unknowns, so that no other
          solution is near ``x``. If not, ``message`` says that the solution is one of many.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range, or if the function returns no residuals, or
        anything but real numbers that depend on its argument. An exception that
        `residuals` raises is passed on.

    See Also
    --------
    minimize : The same for one function.
    scipy.optimize.root : Newton's method and its relatives.

    Notes
    -----
    Whether ``x`` solves the equations does not depend on units. The scale of an equation is the
    sum of the magnitudes of its terms: of the constant term and of the derivative by each
    unknown times the unknown. The equations are solved if no residual is above 1e-4 times
    the scale of its equation, at ``x`` or at `x0`, and if a change of the unknowns can remove
    the residuals to first order. What such a change cannot remove must be below a hundredth of
    the residuals or below 1e-6 times the scale. So ``1e-12 * x - 1e-12`` is not solved by 0,
    and the equations ``x - 1`` and ``x - 3`` are not solved by 2.

    Examples
    --------
    The solutions of this puzzle form a line. From zeros the descent finds the shortest one:

    >>> from sklearn_gd import solve
    >>> def puzzle(A, B, C, D):
    ...     return A + B - 9, C - D - 1, A + C - 8, B - D - 2
    >>> result = solve(puzzle, dict.fromkeys("ABCD", 0.0))
    >>> {name: round(float(value), 6) for name, value in result.x.items()}
    {'A': 6.0, 'B': 3.0, 'C': 2.0, 'D': 1.0}
    >>> result.rank, result.unique
    (3, False)

    Equations that contradict each other have a least-squares point and no solution:

    >>> result = solve(lambda x: [x - 1, x - 3], 0.0, lr=0.1)
    >>> round(float(result.x), 6), result.success, result.status
    (2.0, False, 4)
    """
    options = FunctionOptions(lr, epochs, optimizer, optimizer_params, lr_scheduler, tol, device)
    function = UserFunction.of(residuals, x0, "solve", "residuals")
    result, points = descend_function(function, sum_of_squares, options)
    with isolated():
        start = Linearization.at(function, function.start.to(points.device))
        ends = [Linearization.at(function, point) for point in points]
    judgements = [Judgement.of(start, end) for end in ends]
    n_unknowns = points.shape[1]
    result.residuals = np.array([end.residuals for end in ends])
    result.rank = np.array([judgement.rank for judgement in judgements])
    result.unique = result.rank == n_unknowns
    before = result.status
    result.status = np.array(
        [
            _status(judgement, status, is_early=n_iter < options.epochs)
            for judgement, status, n_iter in zip(judgements, before, result.nit, strict=True)
        ]
    )
    result.success = result.status == _SOLVED
    result.message = [
        (message if status == old and status != _SOLVED else _MESSAGES[status])
        + _describe_point(vector, rank, status, n_unknowns)
        for message, old, status, vector, rank in zip(
            result.message, before, result.status, result.residuals, result.rank, strict=True
        )
    ]
    return result if options.has_several_lrs else select_run(result, 0)


def _status(judgement: Judgement, status: int, *, is_early: bool) -> int:
    """The status of a run, which had ``status`` as the descent of a function."""
    if status == DIVERGED:
        return DIVERGED
    if judgement.is_solution:
        return _SOLVED
    if judgement.is_least_squares_point:
        return _CONTRADICTORY
    return STOPPED_BY_TOL if is_early else OUT_OF_EPOCHS


def _describe_point(residuals: np.ndarray, rank: int, status: int, n_unknowns: int) -> str:
    """What the message says of the point where a run ended."""
    size = f" The largest residual is {np.abs(residuals).max():.2g}."
    if rank == n_unknowns:
        return size
    name = "least-squares point" if status == _CONTRADICTORY else "solution"
    return (
        f"{size} The {name} is one of many: the rank of the Jacobian is {rank} for "
        f"{n_unknowns} unknowns."
    )


solve.__module__ = "sklearn_gd"
