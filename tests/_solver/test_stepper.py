"""Many problems and runs as one tensor equal each of them alone, and a bare torch loop."""

import numpy as np
import pytest
import torch

from sklearn_gd._solver.optimizers import make_optimizer_factory
from tests._solver.reference import bare_loop, bowls, run

LRS = [0.003, 0.01, 0.05, 0.2]
STEADY = ["sgd", "adam", "adamw", "radam", "adagrad", "adamax"]
AMPLIFYING = ["nadam", "rmsprop", "adadelta"]
ONE_BY_ONE = ["rprop", "asgd", "adafactor", "lbfgs"]
# at the optimum the amplifying ones turn a rounding into a step, so they stop short of it
SHORT = [0.0003, 0.001, 0.002]
# near the optimum these two amplify rounding as well: differences stay below 1e-13 until here
LAST_STEADY_EPOCH = {"adafactor": 30, "lbfgs": 3}


def factory(name, options=None):
    return make_optimizer_factory(name, options, "test")


@pytest.mark.parametrize(
    "options", [{}, {"foreach": True}, {"foreach": False}, {"fused": True}, {"weight_decay": 0.1}]
)
@pytest.mark.parametrize("name", STEADY + AMPLIFYING)
def test_each_run_has_its_own_lr(name, options):
    if name in ("radam", "adamax", "nadam", "rmsprop", "adadelta") and "fused" in options:
        return  # torch has no fused form of these
    make = factory(name, options)
    assert make.supports_batched_lrs
    lrs, tolerance = (LRS, 1e-13) if name in STEADY else (SHORT, 1e-10)
    together = run(make, lrs, 50)
    for i, lr in enumerate(lrs):
        alone = run(make, [lr], 50)
        torch.testing.assert_close(together.u[:, i], alone.u[:, 0], rtol=0, atol=tolerance)
        torch.testing.assert_close(
            together.values[:, :, i], alone.values[:, :, 0], rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize("name", STEADY + AMPLIFYING + ONE_BY_ONE)
def test_problems_and_runs_are_bare_loops(name):
    """Two problems of different designs, each with its own learning rates, of two targets."""
    objective, make = bowls(problems=2), factory(name)
    lrs = (
        [[0.01, 0.2, 0.01], [0.05, 0.003, 0.1]] if name not in AMPLIFYING else [SHORT, SHORT[::-1]]
    )
    epochs = min(15, LAST_STEADY_EPOCH.get(name, 15))
    tolerance = 1e-11 if name in AMPLIFYING else 1e-13
    trace = run(make, lrs, epochs, objective=objective)
    assert trace.values.shape == (epochs, 2, 3, 2)
    for p in range(2):
        for r, lr in enumerate(lrs[p]):
            for t in range(2):
                u, values = bare_loop(
                    make.make, objective.designs[p], objective.targets[p, t], lr, epochs
                )
                torch.testing.assert_close(trace.u[p, r, t], u, rtol=0, atol=tolerance)
                torch.testing.assert_close(
                    trace.values[:, p, r, t],
                    torch.tensor(values, dtype=torch.float64),
                    rtol=1e-10,
                    atol=tolerance,
                )


@pytest.mark.parametrize("momentum", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
def test_momentum_with_many_lrs(momentum):
    make = factory("sgd", momentum)
    together = run(make, LRS)
    for i, lr in enumerate(LRS):
        alone = run(make, [lr])
        torch.testing.assert_close(together.u[:, i], alone.u[:, 0], rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_other_optimizers_step_run_by_run(name):
    make, objective = factory(name), bowls()
    assert not make.supports_batched_lrs
    epochs = LAST_STEADY_EPOCH.get(name, 200)
    together = run(make, LRS, epochs)
    for i, lr in enumerate(LRS):
        u, _ = bare_loop(make.make, objective.designs[0], objective.targets[0, 1], lr, epochs)
        torch.testing.assert_close(together.u[0, i, 1], u, rtol=0, atol=1e-12)


def test_a_callable_steps_run_by_run():
    make = factory(lambda params: torch.optim.SGD(params, lr=99.0))
    assert not make.supports_batched_lrs
    torch.testing.assert_close(run(make, LRS).u, run(factory("sgd"), LRS).u)


@pytest.mark.parametrize("name", ["adam", "rprop"])
def test_a_trace_of_one_run_is_that_of_the_run_alone(name):
    make, objective = factory(name), bowls(problems=2)
    lrs = [[0.01, 0.2], [0.05, 0.003]]
    trace = run(make, lrs, 70, objective=objective, keep_path=True)
    for p in range(2):
        for r in range(2):
            narrow = bowls(problems=2)
            narrow.designs, narrow.targets = narrow.designs[[p]], narrow.targets[[p]]
            alone = run(make, [lrs[p][r]], 70, objective=narrow, keep_path=True)
            one = trace.select(p, r)
            for field in ("values", "n_iter", "u", "value", "diverged", "best_epoch", "path"):
                ours, expected = getattr(one, field), getattr(alone, field)
                torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-13)
            assert one.validation is None
            assert not one.interrupted


def test_batches_are_stepped_on_in_turn_and_averaged_by_their_share():
    """A step on each batch; what an epoch reports is the mean of the batch objectives."""
    parts = [bowls(seed=1), bowls(seed=2)]

    class Batches:
        designs, targets = parts[0].designs, parts[0].targets

        def batches(self, epoch):
            return ((parts[0], 0.25), (parts[1], 0.75))

        def __call__(self, u):
            return 0.25 * parts[0](u) + 0.75 * parts[1](u)

    trace = run(factory("sgd", {"momentum": 0.5}), [0.1], 20, objective=Batches())
    leaf = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([leaf], lr=0.1, momentum=0.5)
    for epoch in range(20):
        mean = 0.0
        for part, share in zip(parts, (0.25, 0.75), strict=True):
            optimizer.zero_grad()
            value = (leaf @ part.designs[0] - part.targets[0]).square().sum(-1)
            value.sum().backward()
            optimizer.step()
            mean = mean + share * value.detach()
        torch.testing.assert_close(trace.values[epoch, 0, 0], mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(trace.u[0, 0], leaf.detach(), rtol=1e-12, atol=0)


class Threshold:
    """Strength times |u|, in plain torch."""

    def __init__(self, strength):
        self.strength = strength

    def value(self, u):
        return self.strength * u.abs().sum(-1)

    def prox(self, u, step):
        return u.sign() * (u.abs() - step * self.strength).clamp(min=0.0)

    def select(self, problem, target):
        return self


@pytest.mark.parametrize("lrs", [[0.3], [0.01, 0.1, 0.4]])
def test_a_proximal_step_follows_every_gradient_step(lrs):
    """Proximal gradient descent in NumPy, for two problems with several runs each."""
    objective, strength = bowls(problems=2), 0.2
    trace = run(factory("sgd"), lrs, 60, objective=objective, penalty=Threshold(strength))
    for p in range(2):
        design, target = objective.designs[p].numpy(), objective.targets[p].numpy()
        for r, lr in enumerate(lrs):
            x, values = np.zeros((2, 3)), []
            for _ in range(60):
                error = x @ design - target
                values.append((error**2).sum(-1) + strength * np.abs(x).sum(-1))
                x = x - lr * 2 * error @ design.T
                x = np.sign(x) * np.maximum(np.abs(x) - lr * strength, 0.0)
            np.testing.assert_allclose(trace.u[p, r], x, rtol=1e-11, atol=1e-13)
            np.testing.assert_allclose(trace.values[:, p, r], values, rtol=1e-11)
            end = ((x @ design - target) ** 2).sum(-1) + strength * np.abs(x).sum(-1)
            np.testing.assert_allclose(trace.value[p, r], end, rtol=1e-11)


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": 0.8},
        {"momentum": 0.8, "dampening": 0.3},
        {"momentum": 0.8, "nesterov": True},
    ],
)
def test_with_momentum_the_end_is_the_optimum_all_the_same(options):
    """There each coordinate is zero within its threshold, or its gradient is the threshold."""
    objective, strength = bowls(problems=2), 0.4
    lrs = [0.05, 0.3]
    trace = run(factory("sgd", options), lrs, 500, objective=objective, penalty=Threshold(strength))
    gradient = 2 * (trace.u @ objective.designs[:, None] - objective.targets[:, None])
    gradient = gradient @ objective.designs[:, None].mT
    is_zero = trace.u == 0
    assert is_zero.any()
    assert not is_zero.all()
    assert (gradient[is_zero].abs() <= strength).all()
    pull = -strength * trace.u.sign()
    torch.testing.assert_close(gradient[~is_zero], pull[~is_zero], rtol=0, atol=1e-8)
