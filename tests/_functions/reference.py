"""Test functions of the literature, and the loop that everyone writes by hand."""

import numpy as np
import torch

# an epoch is an iteration, and no tolerance ends it
LBFGS = {
    "max_iter": 1,
    "max_eval": 25,
    "line_search_fn": "strong_wolfe",
    "tolerance_grad": 0.0,
    "tolerance_change": 0.0,
}


def parabola(x):
    return x**2 - 4 * x + 5


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def beale(x):
    a, b = x
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2


def puzzle(A, B, C, D):
    return A + B - 9, C - D - 1, A + C - 8, B - D - 2


def plain_loop(fun, x0, optimizer, lr, epochs, *, scheduler=None, **options):
    """The loop everyone writes by hand."""
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, optimizer)([x], lr=lr, **options)
    scheduler = scheduler and scheduler(optimizer)
    path, curve = [x.detach().clone()], []
    for _ in range(epochs):

        def closure():
            optimizer.zero_grad()
            value = fun(x)
            value.backward()
            return value

        curve.append(optimizer.step(closure).item())
        if scheduler:
            scheduler.step()
        path.append(x.detach().clone())
    return torch.stack(path).numpy(), np.array([*curve, fun(x).item()])
