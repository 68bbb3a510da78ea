"""What is fitted, and the loop everybody writes by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def made(n: int, p: int, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A linear problem in float64; no temporary as large as X is made on the way."""
    rng = np.random.default_rng(0)
    X = np.empty((n, p))
    rng.standard_normal(out=X)
    return X, X @ rng.standard_normal(p) + noise * rng.standard_normal(n)


def plain_loop(
    X: np.ndarray, y: np.ndarray, optimizer: Any, epochs: int, device: str = "cpu"
) -> list[float]:
    """Linear regression as a tutorial writes it; the losses."""
    X, y = torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)
    coef = torch.zeros(X.shape[1], dtype=X.dtype, device=device, requires_grad=True)
    intercept = torch.zeros(1, dtype=X.dtype, device=device, requires_grad=True)
    stepper = optimizer([coef, intercept], lr=0.01)
    losses = []
    for _ in range(epochs):
        stepper.zero_grad()
        loss = ((X @ coef + intercept - y) ** 2).mean()
        loss.backward()
        stepper.step()
        losses.append(loss.item())
    return losses


def skorch_line(p: int) -> Any:
    """Linear regression as skorch's users write it, full batch, 1,000 epochs."""
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
