"""Independent oracles: a bare torch loop, least squares, NIST's certified values."""

import json
from pathlib import Path

import numpy as np
import torch

NIST = Path(__file__).parent / "data" / "nist"


def torch_loop(make, X, y, lr, epochs, *, weight=None, fit_intercept=True, penalty=None):
    """The textbook: zeros, weighted mean squared error, backward, step.

    Returns coefficients, intercept and the loss with which each epoch began.
    """
    X, y = torch.tensor(X), torch.tensor(y)
    weight = torch.ones_like(y) if weight is None else torch.tensor(weight)
    w = torch.zeros(X.shape[1], dtype=torch.float64, requires_grad=True)
    c = torch.zeros(1, dtype=torch.float64, requires_grad=fit_intercept)
    optimizer = make([w, c] if fit_intercept else [w], lr)
    curve = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = (weight * (X @ w + c - y) ** 2).sum() / weight.sum()
        if penalty is not None:
            loss = loss + penalty(w)
        loss.backward()
        optimizer.step()
        curve.append(loss.item())
    return w.detach().numpy(), c.item(), np.array(curve)


def least_squares(X, y, *, fit_intercept=True):
    """A predictor of minimum-norm least squares, on columns of unit deviation."""
    mean = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
    offset = y.mean(axis=0) if fit_intercept else np.zeros(y.shape[1:])
    scale = np.sqrt(((X - mean) ** 2).mean(axis=0))
    scale[scale == 0] = 1.0
    solution = np.linalg.lstsq((X - mean) / scale, y - offset, rcond=1e-12)[0]
    return lambda rows: (rows - mean) / scale @ solution + offset


def nist():
    """Name -> (X, y, certified) of the eleven reference regressions."""
    certified = json.loads((NIST / "certified.json").read_text())
    sets = {}
    for name, values in certified.items():
        table = np.loadtxt(NIST / f"{name}.csv", delimiter=",", skiprows=1, ndmin=2)
        sets[name] = table[:, 1:], table[:, 0], values
    return sets


def correct_digits(estimate, exact):
    """The least number of correct decimal digits over all coefficients."""
    error = np.abs(np.asarray(estimate) - exact) / np.abs(exact)
    return float(-np.log10(max(error.max(), 1e-16)))
