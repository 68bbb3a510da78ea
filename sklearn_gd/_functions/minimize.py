"""Any function, any system of equations, on the estimators' descent.

`_function` makes an objective of the user's function, the descent does the rest, and here
its trace becomes SciPy's result. There is no loop here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.optimize import OptimizeResult
from torch import Tensor

from sklearn_gd._base import parameters as _params
from sklearn_gd._solver.loop import Stop, Trace, descend, gradient
from sklearn_gd._functions.user_function import Caller, Function, Value, residual_vector, scalar, sum_of_squares
from sklearn_gd._solver.optimizers import recipe, scheduled
from sklearn_gd._base.torch_state import find_device, isolated

_RATE = _params.real(0.0)
_RULES = {
    "lr": _params.Rule(
        f"{_RATE.words} or a sequence of such",
        lambda lr: bool(_rates(lr)) and all(_RATE.holds(rate) for rate in _rates(lr)),
    ),
    "epochs": _params.integer(1),
    "optimizer_params": _params.either(_params.mapping(), _params.choice(None)),
    "tol": _params.either(_params.real(0.0, closed="left"), _params.choice(None)),
    "device": _params.device(),
}
_MESSAGES = [
    "Converged: the gradient has fallen to a thousandth of that at x0.",
    "Not converged: the gradient is still more than a thousandth of that at x0 after all "
    "epochs. Raise epochs, or choose another lr or optimizer.",
    "Diverged: the function left the range of sane values; x is the lowest point passed. Lower lr.",
    "Not converged: the function no longer fell by tol, but the gradient is still more than a "
    "thousandth of that at x0. Lower tol, or choose another lr or optimizer.",
]
_MANY = " The solution is one of many: the rank of the Jacobian is {} for {} unknowns."


def minimize(
    fun: Callable[..., Tensor],
    x0: Any,
    *,
    lr: float | Sequence[float] = 0.01,
    epochs: int = 1000,
    optimizer: Any = "sgd",
    optimizer_params: dict[str, Any] | None = None,
    lr_scheduler: Any = None,
    tol: float | None = None,
    device: str = "cpu",
) -> OptimizeResult:
    """Minimize a function by gradient descent.

    Parameters
    ----------
    fun : callable
        The function, written in torch. It is given a float64 tensor of the shape of `x0`
        and returns a tensor of shape (). It is never called at a point that is not finite.
    x0 : float, array-like or dict of str to float or array-like
        Where to start. Integers become float64. With a dict `fun` is called with its
        names as keywords.
    lr : float or sequence of float, default=0.01
        Learning rate. With a sequence all rates descend at once, and every field of the
        result gains a leading axis.
    epochs : int, default=1000
        Steps to take.
    optimizer : str, class or callable, default="sgd"
        Lower-case name of a `torch.optim` class (``"sgd"`` without momentum is gradient
        descent; with ``"lbfgs"`` an epoch is one iteration), such a class, or a callable
        that is given the list of parameters and returns a `torch.optim.Optimizer`.
    optimizer_params : dict, default=None
        Options of the optimizer, such as ``{"momentum": 0.9}``.
    lr_scheduler : class or callable, default=None
        A `torch.optim.lr_scheduler` class, or a callable that is given the optimizer and
        returns a scheduler; stepped once an epoch. `functools.partial` sets options:
        ``partial(ExponentialLR, gamma=0.99)``.
    tol : float, default=None
        Stop when the lowest value has not fallen by `tol` times the first (in absolute
        value) for ten epochs running. None takes all steps.
    device : str, default="cpu"
        Where `x0` is put: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"auto"`` (CUDA if
        there is one).

    Returns
    -------
    scipy.optimize.OptimizeResult
        With the fields

        - ``x`` : float64, the last point, of the shape of `x0` (a dict if `x0` is one);
          of a diverged run the lowest point passed;
        - ``fun``, ``jac`` : the function and its gradient there, ``jac`` like ``x``;
        - ``nit`` : int, steps taken;
        - ``success`` : bool, whether the run did not diverge and the norm of the gradient
          is at most a thousandth of that at `x0`;
        - ``status`` : 0 converged, 1 out of epochs, 2 diverged, 3 stopped by `tol` before
          it converged; ``message`` says so in words;
        - ``loss_curve`` : ndarray of shape (nit + 1,), the values passed, the first one
          included; of a diverged run the last is the value that was not sane;
        - ``path`` : ndarray of shape (nit + 1, ...), the points passed, each of the shape of `x0`.

        With several rates shorter runs are filled up with NaN.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range, or the function returns anything but a real
        tensor of shape () that depends on its argument. What `fun` raises is passed on.

    See Also
    --------
    solve : The same for systems of equations.
    scipy.optimize.minimize : Second-order and derivative-free methods.

    Notes
    -----
    A run diverges when its value is not finite, or further than 1e12·(1 + |f(x0)|) from
    that at `x0`. Many rates are evaluated together by `torch.func.vmap` where the function
    allows it, and one by one where it does not.

    Examples
    --------
    >>> from sklearn_gd import minimize
    >>> result = minimize(lambda x: x**2 - 4 * x + 5, 7.0, lr=0.1, epochs=100)
    >>> round(float(result.x), 6), round(float(result.fun), 6), result.success
    (2.0, 1.0, True)
    >>> result = minimize(lambda a, b: (a - b) ** 2 + (a + b - 4) ** 2, {"a": 0, "b": 1}, lr=0.1)
    >>> {name: round(float(value), 6) for name, value in result.x.items()}
    {'a': 2.0, 'b': 2.0}
    """
    options = _Options(lr, epochs, optimizer, optimizer_params, lr_scheduler, tol, device)
    return _unless_several(lr, _run(Caller.of(fun, x0, "minimize", "fun"), scalar, options)[0])


def solve(
    residuals: Callable[..., Tensor | Sequence[Tensor]],
    x0: Any,
    *,
    lr: float | Sequence[float] = 0.01,
    epochs: int = 1000,
    optimizer: Any = "sgd",
    optimizer_params: dict[str, Any] | None = None,
    lr_scheduler: Any = None,
    tol: float | None = None,
    device: str = "cpu",
) -> OptimizeResult:
    """Solve a system of equations by gradient descent on the sum of squared residuals.

    Parameters
    ----------
    residuals : callable
        The residuals, written in torch: given a float64 tensor of the shape of `x0` (or
        keywords, if `x0` is a dict) it returns a tensor, or a sequence of scalars, that
        is zero at a solution.
    x0, lr, epochs, optimizer, optimizer_params, lr_scheduler, tol, device
        As in `minimize`.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With the fields of `minimize`, of the sum of squares, and

        - ``residuals`` : ndarray of shape (n_equations,), the residuals at ``x``;
        - ``rank`` : int, rank of their Jacobian at ``x``;
        - ``unique`` : bool, whether the rank is the number of unknowns, so that no other
          solution is near; if not, ``message`` says that ``x`` is one of many.

    Raises
    ------
    ValueError, TypeError
        As `minimize`, and if there are no residuals.

    See Also
    --------
    minimize : The same for one function.
    scipy.optimize.root : Newton's method and its relatives.

    Examples
    --------
    A puzzle whose solutions form a line; from zeros the descent finds the shortest:

    >>> from sklearn_gd import solve
    >>> def puzzle(A, B, C, D):
    ...     return A + B - 9, C - D - 1, A + C - 8, B - D - 2
    >>> result = solve(puzzle, dict.fromkeys("ABCD", 0.0))
    >>> {name: round(float(value), 6) for name, value in result.x.items()}
    {'A': 6.0, 'B': 3.0, 'C': 2.0, 'D': 1.0}
    >>> result.rank, result.unique
    (3, False)
    """
    options = _Options(lr, epochs, optimizer, optimizer_params, lr_scheduler, tol, device)
    caller = Caller.of(residuals, x0, "solve", "residuals")
    result, points = _run(caller, sum_of_squares, options)
    with isolated():
        seen = [_at_solution(caller, point) for point in points]
    result.residuals = np.array([own for own, _ in seen])
    result.rank = np.array([np.linalg.matrix_rank(jacobian) for _, jacobian in seen])
    result.unique = result.rank == points.shape[1]
    result.message = [
        f"{message} The largest residual is {np.abs(own).max():.2g}."
        + ("" if rank == points.shape[1] else _MANY.format(rank, points.shape[1]))
        for message, own, rank in zip(result.message, result.residuals, result.rank, strict=True)
    ]
    return _unless_several(lr, result)


class _Options(NamedTuple):
    """The parameters that `minimize` and `solve` share."""

    lr: Any
    epochs: int
    optimizer: Any
    optimizer_params: Any
    lr_scheduler: Any
    tol: float | None
    device: str


def _run(caller: Caller, value: Value, options: _Options) -> tuple[OptimizeResult, Tensor]:
    """The result with a leading axis of runs, and the flat points (runs, size) at the end."""
    _params.check_params(caller.owner, options._asdict(), _RULES)
    rates = [float(rate) for rate in _rates(options.lr)]
    with isolated():
        made = recipe(options.optimizer, options.optimizer_params, caller.owner)
        made = scheduled(made, options.lr_scheduler, caller.owner)
        caller = caller._replace(start=caller.start.to(find_device(str(options.device))))
        function = Function.of(caller, value, len(rates))
        start = caller.start.repeat(len(rates), 1, 1)
        stop = Stop(_sane_range, options.tol, must_fall=False)
        epochs = int(options.epochs)
        trace = descend(function, start, made, rates, epochs, stop, keep_path=True)
        return _result(function, trace, epochs), trace.u[:, 0]


def _result(function: Function, trace: Trace, epochs: int) -> OptimizeResult:
    """The trace in SciPy's words, with a leading axis of runs."""
    layout, nit = function.caller.layout, trace.n_iter.numpy()
    assert trace.path is not None
    path = trace.path[:, :, 0].transpose(0, 1)
    last = path[torch.arange(len(nit)), trace.n_iter]
    curve = torch.cat([trace.values[..., 0].T, torch.full_like(last[:, :1], torch.nan)], dim=1)
    curve[torch.arange(len(nit)), trace.n_iter] = function(last[:, None])[:, 0]
    longest = int(nit.max()) + 1
    after = torch.arange(longest) > trace.n_iter[:, None]  # longer runs go on
    curve = curve[:, :longest].cpu().masked_fill(after, torch.nan)
    path = path[:, :longest].cpu().masked_fill(after[..., None], torch.nan)
    slope, slope_at_start = gradient(function, trace.u), gradient(function, trace.path[0])
    norm, norm_at_start = slope.norm(dim=(1, 2)), slope_at_start.norm(dim=(1, 2))
    diverged = trace.diverged.numpy()
    success = (norm <= 1e-3 * norm_at_start).cpu().numpy() & ~diverged
    status = np.where(nit < epochs, 3, 1)
    status[success], status[diverged] = 0, 2
    return OptimizeResult(
        x=layout.unpack(trace.u[:, 0].cpu().numpy()),
        fun=trace.value[:, 0].cpu().numpy(),
        jac=layout.unpack(slope[:, 0].cpu().numpy()),
        nit=nit,
        success=success,
        status=status,
        message=[_MESSAGES[code] for code in status],
        loss_curve=curve.numpy(),
        path=layout.unpack(path.numpy()),
    )


def _sane_range(first: Tensor) -> tuple[Tensor, Tensor]:
    """Values outside of it are a divergence; a function may be zero or negative."""
    width = 1e12 * (1.0 + first.abs())
    return first - width, first + width


def _at_solution(caller: Caller, x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Residuals and their Jacobian (n_equations, size) at a flat point."""
    jacobian = torch.autograd.functional.jacobian(lambda x: residual_vector(caller, x), x)
    own = residual_vector(caller, x.detach().clone().requires_grad_())
    return own.detach().cpu().numpy(), jacobian.cpu().numpy()


def _rates(lr: Any) -> list[Any]:
    """The learning rates, one or several."""
    return list(lr) if _are_several(lr) else [lr]


def _are_several(lr: Any) -> bool:
    return isinstance(lr, Sequence | np.ndarray) and not isinstance(lr, str) and np.ndim(lr) == 1


def _unless_several(lr: Any, result: OptimizeResult) -> OptimizeResult:
    """The only run's fields, if a single rate was given."""
    if _are_several(lr):
        return result
    return OptimizeResult({name: _first(value) for name, value in result.items()})


def _first(value: Any) -> Any:
    """The first run's part of a field."""
    if isinstance(value, dict):
        return {name: part[0] for name, part in value.items()}
    one = value[0]
    return one.item() if isinstance(one, np.bool_ | np.integer) else one


for _public in (minimize, solve):
    _public.__module__ = "sklearn_gd"
