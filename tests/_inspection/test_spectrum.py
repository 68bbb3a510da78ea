"""The spectrum of wide data with an L2 penalty against the whole Hessian by NumPy."""

import numpy as np
import pytest
import torch

from sklearn_gd._inspection import spectrum
from sklearn_gd._inspection.spectrum import Modes
from sklearn_gd._problem.least_squares import LeastSquares

RIDGES = {
    "one": np.full(9, 0.3),
    "intercept": np.array([0.0, *np.full(8, 0.3)]),
    "two": np.array([0.3, 0.7] * 4 + [0.3]),
    "all different": np.linspace(0.1, 0.9, 9),
}


def problem(ridge, n_rows=3, dtype=torch.float64):
    """A problem with random rows, and its design (rows, coordinates) and target (rows, 2)."""
    rng = np.random.default_rng(0)
    design, target = rng.normal(size=(n_rows, len(ridge))), rng.normal(size=(n_rows, 2))
    tensors = (torch.tensor(part, dtype=dtype) for part in (design, target, np.zeros(2), [1, 1]))
    return LeastSquares.of(*tensors, torch.tensor(ridge, dtype=dtype)), design, target


@pytest.mark.parametrize("name", RIDGES)
def test_modes_of_a_wide_ridge_problem(name):
    ridge = RIDGES[name]
    objective, design, target = problem(ridge)
    modes = Modes.of(objective)
    values, vectors = np.linalg.eigh(design.T @ design + np.diag(ridge))
    squares = modes.singular.square().numpy()
    # the same eigenvalues, but for copies of one that belongs to directions without a gradient
    assert np.abs(squares[:, None] - values).min(1).max() < 1e-12
    assert np.abs(squares[:, None] - values[values > 1e-12]).min(0).max() < 1e-12
    np.testing.assert_allclose(
        modes.directions.T @ modes.directions, np.eye(len(squares)), atol=1e-12
    )
    # descents from zero are the same
    gradient = design.T @ target
    for power in (0, 1, 5):
        moment = (vectors.T @ gradient).T ** 2 @ values**power
        ours = (squares[:, None] ** (power + 1) * modes.target.numpy() ** 2).sum(0)
        np.testing.assert_allclose(ours, moment, rtol=1e-10)
    optimum = np.linalg.solve(design.T @ design + np.diag(ridge), gradient)
    ours = modes.directions.numpy() @ (modes.target.numpy() / modes.singular.numpy()[:, None])
    np.testing.assert_allclose(ours, optimum, rtol=1e-9, atol=1e-12)


def test_nothing_is_columns_by_columns(monkeypatch):
    monkeypatch.setattr(spectrum, "_MAX_DECOMPOSED", 10)
    objective, design, _ = problem(np.array([0.0, *np.full(2000, 0.3)]))
    modes = Modes.of(objective)
    # three rows, the intercept, and one direction without a gradient
    assert modes.directions.shape == (2001, 5)
    shifted = np.linalg.eigvalsh(design[:, 1:] @ design[:, 1:].T) + 0.3
    assert modes.singular[0].square() >= shifted[-1]
    assert Modes.of(problem(np.linspace(0.1, 0.9, 11))[0]) is None
