"""Minimize a function that the user wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult
from torch import Tensor
from torch.optim import Optimizer

from sklearn_gd._base.types import Params, SchedulerLike
from sklearn_gd._functions.descent import FunctionOptions, descend_function
from sklearn_gd._functions.objective import scalar_value
from sklearn_gd._functions.result import select_run
from sklearn_gd._functions.user_function import UserFunction


def minimize(
    fun: Callable[..., Tensor],
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
    """Minimize a function by gradient descent.

    Parameters
    ----------
    fun : callable
        The function, written in torch. `fun` is given a float64 tensor of the shape of
        `x0` and returns a tensor of shape (). `fun` is never called at a point that is not
        finite.
    x0 : float, array-like or dict of str to float or array-like
        Where the descent starts. Integers become float64. With a dict, `fun` is called
        with the keys as names of arguments.
    lr : float or sequence of float, default=0.01
        Learning rate. With a sequence, the descents with all learning rates run at once,
        and every field of the result has a leading axis of runs.
    epochs : int, default=1000
        Number of steps.
    optimizer : str, class or callable, default="sgd"
        Lower-case name of a `torch.optim` class, such a class, or a callable that is given
        the list of parameters and returns a `torch.optim.Optimizer`. ``"sgd"`` without
        momentum is gradient descent. With ``"lbfgs"`` an epoch is one iteration.
    optimizer_params : dict, default=None
        Options of the optimizer, such as ``{"momentum": 0.9}``.
    lr_scheduler : class or callable, default=None
        A `torch.optim.lr_scheduler` class, or a callable that is given the optimizer and
        returns a scheduler. The scheduler is stepped once in every epoch.
        `functools.partial` sets the options of a class:
        ``partial(ExponentialLR, gamma=0.99)``.
    tol : float, default=None
        The descent stops when the lowest value has not fallen by `tol` times the absolute
        value of `fun` at `x0` for ten epochs in a row. None takes all steps.
    device : str, default="cpu"
        The device of the computation: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"auto"``
        (CUDA if there is a CUDA device).

    Returns
    -------
    scipy.optimize.OptimizeResult
        The result has the following fields. With several learning rates, runs that are
        shorter than the longest one are filled up with NaN.

        - ``x`` : float64 array of the shape of `x0` (a dict if `x0` is a dict), the last
          point. If the run diverged, ``x`` is the lowest point that the run passed;
        - ``fun`` : float64, the value of the function at ``x``;
        - ``jac`` : like ``x``, the gradient of the function at ``x``;
        - ``nit`` : int, the number of steps;
        - ``success`` : bool, whether the run did not diverge and the norm of the gradient
          is at most a thousandth of the norm at `x0`;
        - ``status`` : int, 0 converged, 1 out of epochs, 2 diverged, 3 stopped by `tol`
          before the run converged;
        - ``message`` : str, the status in words;
        - ``loss_curve`` : ndarray of shape (nit + 1,), the values of the function at all
          points, the first point included. If the run diverged, the last value is the one
          by which the divergence was found;
        - ``path`` : ndarray of shape (nit + 1, ...), the points, each of the shape of `x0`
          (a dict if `x0` is a dict).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range, or if the function returns anything but a real
        tensor of shape () that depends on its argument. An exception that `fun` raises is
        passed on.

    See Also
    --------
    solve : The same for systems of equations.
    LearningRateDisplay.from_function : Draw the descents of several learning rates.
    scipy.optimize.minimize : Second-order and derivative-free methods.

    Notes
    -----
    A run diverges when the value of the function is not finite, or further than
    ``1e12·(1 + |f(x0)|)`` from the value at `x0`. The runs of several learning rates are
    evaluated together by `torch.func.vmap` if the function allows it, and else one by one.

    Examples
    --------
    >>> from sklearn_gd import minimize
    >>> result = minimize(lambda x: x**2 - 4 * x + 5, 7.0, lr=0.1, epochs=100)
    >>> round(float(result.x), 6), round(float(result.fun), 6), result.success
    (2.0, 1.0, True)
    >>> result = minimize(lambda a, b: (a - b) ** 2 + (a + b - 4) ** 2, {"a": 0, "b": 1}, lr=0.1)
    >>> {name: round(float(value), 6) for name, value in result.x.items()}
    {'a': 2.0, 'b': 2.0}

    Several learning rates at once:

    >>> result = minimize(lambda x: x**2 - 4 * x + 5, 7.0, lr=[0.01, 0.1, 1.0], epochs=100)
    >>> result.success
    array([False,  True, False])
    """
    options = FunctionOptions(lr, epochs, optimizer, optimizer_params, lr_scheduler, tol, device)
    function = UserFunction.of(fun, x0, "minimize", "fun")
    result, _ = descend_function(function, scalar_value, options)
    return result if options.has_several_lrs else select_run(result, 0)


minimize.__module__ = "sklearn_gd"
