"""Many runs as one tensor equal the runs one by one."""

import numpy as np
import pytest
import torch

from sklearn_gd._solver.loop import Stop, descend
from sklearn_gd._problem.empirical_risk import SquaredError
from sklearn_gd._solver.optimizers import recipe

LRS = [0.003, 0.01, 0.05, 0.2]
STEADY = ["sgd", "adam", "adamw", "radam", "adagrad", "adamax"]
AMPLIFYING = ["nadam", "rmsprop", "adadelta"]
ONE_BY_ONE = ["rprop", "asgd", "adafactor", "lbfgs"]


def open_ended(first):
    return torch.full_like(first, -torch.inf), 1e8 * first


def objective():
    generator = torch.Generator().manual_seed(0)
    design = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    goal = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    design = design / torch.linalg.matrix_norm(design, ord=2)  # any lr below 1 is stable
    return SquaredError(design, goal, torch.zeros(2, dtype=torch.float64))


def run(made, lrs, epochs=200, **options):
    start = torch.zeros(len(lrs), 2, 3, dtype=torch.float64)
    return descend(objective(), start, made, lrs, epochs, Stop(open_ended), **options)


@pytest.mark.parametrize(
    "options", [{}, {"foreach": True}, {"foreach": False}, {"fused": True}, {"weight_decay": 0.1}]
)
@pytest.mark.parametrize("name", STEADY + AMPLIFYING)
def test_each_run_has_its_own_lr(name, options):
    if name in ("radam", "adamax", "nadam", "rmsprop", "adadelta") and "fused" in options:
        return  # torch has no fused form of these
    made = recipe(name, options, "test")
    assert made.together
    # at the optimum the amplifying ones turn a rounding into a step, so they stop short of it
    lrs, tolerance = (LRS, 1e-13) if name in STEADY else ([0.0003, 0.001, 0.002], 1e-10)
    together = run(made, lrs)
    for i, lr in enumerate(lrs):
        alone = run(made, [lr])
        torch.testing.assert_close(together.u[i], alone.u[0], rtol=0, atol=tolerance)
        torch.testing.assert_close(
            together.values[:, i], alone.values[:, 0], rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize("momentum", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
def test_momentum_with_many_lrs(momentum):
    made = recipe("sgd", momentum, "test")
    together = run(made, LRS)
    for i, lr in enumerate(LRS):
        torch.testing.assert_close(together.u[i], run(made, [lr]).u[0], rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_other_optimizers_step_run_by_run(name):
    made = recipe(name, None, "test")
    assert not made.together
    together = run(made, LRS)
    for i, lr in enumerate(LRS):
        leaf = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        optimizer = made.make(leaf, lr)
        narrow = objective().cell(0, 1, 1)

        def closure(leaf=leaf, optimizer=optimizer, narrow=narrow):
            optimizer.zero_grad()
            loss = narrow(leaf[None, None]).sum()
            loss.backward()
            return loss

        for _ in range(200):
            optimizer.step(closure)
        torch.testing.assert_close(together.u[i, 1], leaf.detach(), rtol=0, atol=1e-12)


def test_a_callable_steps_run_by_run():
    made = recipe(lambda params: torch.optim.SGD(params, lr=99.0), None, "test")
    assert not made.together
    torch.testing.assert_close(run(made, LRS).u, run(recipe("sgd", None, "test"), LRS).u)


def test_a_diverging_run_leaves_its_neighbours_alone():
    made = recipe("adam", None, "test")
    calm = run(made, [0.01, 0.05])
    mixed = run(made, [0.01, 1e300, 0.05])
    assert mixed.diverged.tolist() == [False, True, False]
    torch.testing.assert_close(mixed.u[[0, 2]], calm.u, rtol=0, atol=0)
    torch.testing.assert_close(mixed.values[:, [0, 2]], calm.values, rtol=0, atol=0)
    assert mixed.n_iter[1] < 5
    assert torch.isfinite(mixed.u).all()


def test_lowest_point_is_exact_to_the_epoch():
    # the steep direction grows slowly while the flat ones still descend
    trace = run(recipe("sgd", None, "test"), [1.03], epochs=500, keep_path=True)
    assert trace.diverged
    n = int(trace.n_iter[0])
    values = objective()(trace.path[: n + 1, 0]).mean(-1)
    lowest = int(values[:n].argmin())
    assert 0 < lowest < n
    torch.testing.assert_close(trace.u[0], trace.path[lowest, 0], rtol=0, atol=0)


def test_path_and_values_belong_together():
    trace = run(recipe("adam", None, "test"), LRS, epochs=130, keep_path=True)
    assert trace.path.shape == (131, 4, 2, 3)
    expected = torch.stack([objective()(point) for point in trace.path])
    torch.testing.assert_close(trace.values, expected[:-1])
    torch.testing.assert_close(trace.value, expected[-1])


@pytest.mark.parametrize("epochs", [1, 7, 63, 64, 65, 129])
def test_length_does_not_depend_on_when_the_loop_looks(epochs):
    trace = run(recipe("sgd", None, "test"), [0.01], epochs=epochs)
    assert trace.values.shape == (epochs, 1, 2)
    x = np.zeros((2, 3))
    design, goal = (part.numpy() for part in objective()[:2])
    for _ in range(epochs):
        x = x - 0.01 * 2 * (x @ design - goal) @ design.T
    np.testing.assert_allclose(trace.u[0].numpy(), x, rtol=1e-12)
