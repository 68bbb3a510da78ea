"""Random designs with columns of very different units and with deficient rank.

`python -m tests.laws.designs` prints how many designs of each kind are fitted right. A design is
fitted right if the fitted values differ by at most 1e-6 of the target's deviation from those of
least squares in extended precision, and if `loss_` is the loss of `predict`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_gd import GDLinearRegressor
from tests.laws.objective import extended, objective_of_fit
from tests.laws.oracle import fitted_values


class Design(NamedTuple):
    """A table, and the fitted values of least squares on it."""

    X: np.ndarray
    y: np.ndarray
    fitted: np.ndarray


def units(seed: int, n: int, p: int, exponent: int) -> Design:
    """Independent columns in units from 1e-exponent to 1e+exponent."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * 10.0 ** rng.uniform(-exponent, exponent, size=p)
    y = rng.normal(size=n)
    return Design(X, y, y if n <= p else fitted_values(X, y))


def sum_of_two(
    seed: int, n: int, p: int, exponent: int, *, has_unit_of_sum: bool = False
) -> Design:
    """The same, but the last column is the sum of the first two.

    The last column has the units of the first two, or a unit that is independent of them.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    unit = 10.0 ** rng.uniform(-exponent, exponent, size=p)
    if has_unit_of_sum:
        X *= unit
        X[:, -1] = X[:, 0] + X[:, 1]
    else:
        X[:, -1] = X[:, 0] + X[:, 1]
        X *= unit
    y = X[:, :-1] / unit[:-1] @ rng.normal(size=p - 1) + rng.normal(size=n)
    return Design(X, y, y if n < p else fitted_values(X[:, :-1], y))


DESIGNS: dict[str, Callable[[int], Design]] = {
    "20 x 50, units 1e±10": lambda seed: units(seed, 20, 50, 10),
    "60 x 5, a column the sum of two, units 1e±10": lambda seed: sum_of_two(
        seed, 60, 5, 10, has_unit_of_sum=True
    ),
    "60 x 5, a column the sum of two, units 1e±15": lambda seed: sum_of_two(
        seed, 60, 5, 15, has_unit_of_sum=True
    ),
    "60 x 5, a column the sum of two in its unit, 1e±10": lambda seed: sum_of_two(seed, 60, 5, 10),
    "60 x 5, a column the sum of two in its unit, 1e±15": lambda seed: sum_of_two(seed, 60, 5, 15),
    "40 x 60, both, units 1e±8": lambda seed: sum_of_two(seed, 40, 60, 8, has_unit_of_sum=True),
    "40 x 60, both, the sum in its unit, 1e±8": lambda seed: sum_of_two(seed, 40, 60, 8),
}


def faults(design: Design) -> list[str]:
    """What is wrong with the fit of a design."""
    X, y, expected = design
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = GDLinearRegressor(lr="auto", epochs=10).fit(X, y)
    found = []
    error = np.abs(model.predict(X) - expected).max() / y.std()
    if not error <= 1e-6:
        found.append(f"fitted values differ by {error:.1e} deviations")
    loss = objective_of_fit(model, X, y)
    # With units 1e±10 the sums of a prediction have terms of many deviations, and their rounding
    # has been seen to be 2e-12 deviations. So this is 1e-22, where moderate units have 1e-28.
    if not abs(loss - extended(model.loss_)) <= 1e-10 * loss + 1e-22 * extended(y).var():
        found.append(f"loss_ is {model.loss_:.3e}, the loss of predict {float(loss):.3e}")
    return found


if __name__ == "__main__":
    for name, make in DESIGNS.items():
        wrong = {seed: found for seed in range(60) if (found := faults(make(seed)))}
        example = next((f", for example seed {s}: {'; '.join(f)}" for s, f in wrong.items()), "")
        print(f"{60 - len(wrong)} of 60 right: {name}{example}", flush=True)
