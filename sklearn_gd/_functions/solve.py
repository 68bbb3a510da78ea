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
from sklearn_gd._functions.objective import residual_vector, sum_of_squares
from sklearn_gd._functions.result import select_run
from sklearn_gd._functions.user_function import UserFunction
from sklearn_gd._solver.derivatives import jacobian


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

        - ``residuals`` : ndarray of shape (n_equations,), the residuals at ``x``;
        - ``rank`` : int, the rank of the Jacobian of the residuals at ``x``;
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
    """
    options = FunctionOptions(lr, epochs, optimizer, optimizer_params, lr_scheduler, tol, device)
    function = UserFunction.of(residuals, x0, "solve", "residuals")
    result, points = descend_function(function, sum_of_squares, options)
    with isolated():
        vectors, jacobians = zip(*(_linearize(function, point) for point in points), strict=True)
    n_unknowns = points.shape[1]
    result.residuals = np.array(vectors)
    result.rank = np.array([np.linalg.matrix_rank(matrix) for matrix in jacobians])
    result.unique = result.rank == n_unknowns
    result.message = [
        message + _describe_solution(vector, rank, n_unknowns)
        for message, vector, rank in zip(result.message, vectors, result.rank, strict=True)
    ]
    return result if options.has_several_lrs else select_run(result, 0)


def _linearize(function: UserFunction, point: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The residuals (n_equations,) at a flat point, and their Jacobian (n_equations, size)."""
    vector = residual_vector(function, point.detach().clone().requires_grad_())
    matrix = jacobian(lambda x: residual_vector(function, x), point)
    return vector.detach().cpu().numpy(), matrix.cpu().numpy()


def _describe_solution(residuals: np.ndarray, rank: int, n_unknowns: int) -> str:
    """What the message says of a solution."""
    size = f" The largest residual is {np.abs(residuals).max():.2g}."
    if rank == n_unknowns:
        return size
    return (
        f"{size} The solution is one of many: the rank of the Jacobian is {rank} for "
        f"{n_unknowns} unknowns."
    )


solve.__module__ = "sklearn_gd"
