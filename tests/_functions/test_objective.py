"""A user's function as an objective of many runs."""

import numpy as np
import pytest
import torch

from sklearn_gd import minimize
from sklearn_gd._functions.objective import FunctionObjective, scalar_value, values_at
from sklearn_gd._functions.user_function import Layout, UserFunction
from tests._functions.reference import beale, himmelblau, parabola, rosenbrock


def objective_of(fun, x0, runs=3):
    return FunctionObjective.of(UserFunction.of(fun, x0, "minimize", "fun"), scalar_value, runs)


@pytest.mark.parametrize("fun", [rosenbrock, himmelblau, beale])
def test_values_of_many_points_are_those_of_each(fun):
    objective = objective_of(fun, [0.0, 0.0], runs=5)
    assert objective.uses_vmap
    u = torch.randn(1, 5, 1, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for ours in (objective(u), objective.select(0, 0)(u)):
        assert ours.shape == (1, 5, 1)
        for run in range(5):
            point = u[0, run, 0]
            assert ours[0, run, 0].item() == pytest.approx(float(fun(point)), rel=1e-12)


def test_points_that_are_not_finite_are_not_evaluated():
    seen = []

    def watched(x):
        seen.append(x.detach().clone())
        return (x**2).sum()

    u = torch.tensor([[[[1.0, 2.0]], [[np.nan, 0.0]], [[np.inf, 1.0]]]], dtype=torch.float64)
    objective = objective_of(watched, [3.0, 3.0])._replace(uses_vmap=False)
    seen.clear()
    values = objective(u)
    assert values[0, 0, 0] == 5.0
    assert values[0, 1:].isnan().all()
    assert all(torch.isfinite(point).all() for point in seen)


def test_layout_is_a_partition_of_the_flat_vector():
    layout = Layout(("a", "b", "c"), ((), (2, 3), (1,)))
    flat = np.arange(2 * 8.0).reshape(2, 8)
    parts = layout.unpack(flat)
    assert list(parts) == ["a", "b", "c"]
    np.testing.assert_array_equal(parts["a"], flat[:, 0])
    np.testing.assert_array_equal(parts["b"], flat[:, 1:7].reshape(2, 2, 3))
    np.testing.assert_array_equal(parts["c"], flat[:, 7:])
    again = np.concatenate([part.reshape(2, -1) for part in parts.values()], axis=1)
    np.testing.assert_array_equal(again, flat)
    assert Layout(None, ((2, 4),)).unpack(torch.from_numpy(flat)).shape == (2, 2, 4)


def test_the_start_of_named_arguments_is_their_concatenation():
    function = UserFunction.of(lambda a, b: a.sum() + b, {"b": 7, "a": [[1, 2]]}, "minimize", "f")
    assert function.start.tolist() == [7.0, 1.0, 2.0]
    assert function.start.dtype == torch.float64
    assert function(function.start).item() == 10.0


def test_values_on_a_grid():
    points = np.random.default_rng(0).normal(size=(40, 2))
    expected = (points[:, 0] ** 2 + points[:, 1] - 11) ** 2 + (
        points[:, 0] + points[:, 1] ** 2 - 7
    ) ** 2
    np.testing.assert_allclose(values_at(himmelblau, [0.0, 0.0], points), expected, rtol=1e-12)


class Counted:
    """A function that counts its calls."""

    def __init__(self, fun):
        self.fun, self.calls = fun, 0

    def __call__(self, x):
        self.calls += 1
        return self.fun(x)


@pytest.mark.parametrize(
    ("fun", "options", "n_more"),
    [
        (parabola, {"lr": 0.1, "epochs": 17}, 0),
        (parabola, {"lr": 0.3, "epochs": 500, "tol": 1e-6}, 0),
        (lambda x: x**4, {"lr": 1.0, "epochs": 500}, 2),  # the bad value, and the lowest point
    ],
)
def test_a_function_is_called_once_a_step(fun, options, n_more):
    """And eight times more: four say what it is, one is at the end, and three are the result.

    No step follows the one that ends the descent.
    """
    counted = Counted(fun)
    result = minimize(counted, 7.0, **options)
    assert counted.calls == 4 + result.nit + 1 + 3 + n_more
    assert result.nit < 50
