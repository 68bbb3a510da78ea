"""The data of the benchmarks, and linear regression in plain torch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch


class Plain(NamedTuple):
    """What the plain loop ends with."""

    coef_: np.ndarray
    intercept_: float


def linear_data(n: int, p: int, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Data of a linear model in float64, made without a temporary array as large as X."""
    rng = np.random.default_rng(0)
    X = np.empty((n, p))
    rng.standard_normal(out=X)
    return X, X @ rng.standard_normal(p) + noise * rng.standard_normal(n)


def correlated(X: np.ndarray, correlation: float) -> np.ndarray:
    """Columns with a given correlation, from uncorrelated ones. In Fortran order."""
    common = np.random.default_rng(1).standard_normal((len(X), 1))
    return np.asfortranarray(np.sqrt(1 - correlation) * X + np.sqrt(correlation) * common)


def plain_loop(
    X: np.ndarray, y: np.ndarray, optimizer_class: Any, epochs: int, device: str = "cpu"
) -> Plain:
    """Train linear regression with a torch loop as in tutorials, which keeps the losses."""
    X, y = torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)
    coef = torch.zeros(X.shape[1], dtype=X.dtype, device=device, requires_grad=True)
    intercept = torch.zeros(1, dtype=X.dtype, device=device, requires_grad=True)
    torch_optimizer = optimizer_class([coef, intercept], lr=0.01)
    losses = []
    for _ in range(epochs):
        torch_optimizer.zero_grad()
        loss = ((X @ coef + intercept - y) ** 2).mean()
        loss.backward()
        torch_optimizer.step()
        losses.append(loss.item())
    return Plain(coef.detach().cpu().numpy(), intercept.item())
