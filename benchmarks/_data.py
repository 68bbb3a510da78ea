"""The data of the benchmarks, and linear regression in plain torch and in skorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def linear_data(n: int, p: int, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Data of a linear model in float64, made without a temporary array as large as X."""
    rng = np.random.default_rng(0)
    X = np.empty((n, p))
    rng.standard_normal(out=X)
    return X, X @ rng.standard_normal(p) + noise * rng.standard_normal(n)


def plain_loop(
    X: np.ndarray, y: np.ndarray, optimizer_class: Any, epochs: int, device: str = "cpu"
) -> list[float]:
    """Train linear regression with a torch loop as in tutorials. Returns the losses."""
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
    return losses


def full_batch_skorch(p: int) -> Any:
    """A skorch regressor with one linear layer, for 1,000 epochs of full batches."""
    from skorch import NeuralNetRegressor

    return NeuralNetRegressor(
        torch.nn.Linear,
        module__in_features=p,
        module__out_features=1,
        max_epochs=1000,
        batch_size=-1,
        train_split=None,
        verbose=0,
    )
