"""Runs end in the right epoch, at the right point, and leave their neighbours alone."""

import numpy as np
import pytest
import torch

from sklearn_gd._solver.loop import descend
from sklearn_gd._solver.monitor import StoppingRule
from sklearn_gd._solver.optimizers import make_optimizer_factory
from tests._solver.reference import Bowls, bowls, open_ended, run, valley

SGD = make_optimizer_factory("sgd", None, "test")
ADAM = make_optimizer_factory("adam", None, "test")

CURVATURES, HEIGHTS = [1.0, 0.4], [3.0, 1e-6]
DIVERGES_AT = [1, 3, 63, 64, 65, 128, 199]


def diverging(epoch, curvature):
    """The learning rate with which a valley passes 1e8 times its first value in an epoch."""
    return (1 + 1e8 ** (0.5 / (epoch - 0.5))) / (2 * curvature)


def judge(values, tol, patience):
    """The rule in plain Python: (epochs that count, whether the run diverged)."""
    best, decreased_at = np.inf, 0
    for epoch, value in enumerate(values):
        if not value <= 1e8 * values[0]:
            return epoch, True
        if best - value >= tol * values[0] and value < best:
            decreased_at = epoch
        best = min(best, value)
        if epoch - decreased_at >= patience:
            return epoch + 1, False
    return len(values), False


@pytest.mark.parametrize("tol", [None, 0.0, 1e-3])
@pytest.mark.parametrize("patience", [1, 10, 63, 64, 65])
def test_epochs_of_every_run_are_exact(tol, patience):
    """Two problems with many runs each, of which most end, each in an epoch of its own."""
    epochs = 200
    steady = [1e-4, 0.003, 0.3, 0.97]
    lrs = [[lr / c for lr in steady] + [diverging(n, c) for n in DIVERGES_AT] for c in CURVATURES]
    rule = StoppingRule(open_ended, tol, patience, must_decrease=False)
    trace = run(SGD, lrs, epochs, objective=valley(CURVATURES, HEIGHTS), rule=rule)
    for p, height in enumerate(HEIGHTS):
        for r, lr in enumerate(lrs[p]):
            factor = (1 - 2 * lr * CURVATURES[p]) ** 2
            with np.errstate(over="ignore"):
                exact = height * factor ** np.arange(epochs + 1)
            values = trace.values[:, p, r, 0].numpy()
            # values beyond all bounds are not recorded: the objective that is kept is
            seen = np.where(exact[: len(values)] > 1e8 * height, exact[: len(values)], values)
            n_iter, diverged = judge(seen, tol or 0.0, np.inf if tol is None else patience)
            exact = exact[: n_iter + 1]
            if diverged:
                np.testing.assert_allclose(values[n_iter:], height, rtol=1e-12)
            diverged |= bool(exact[-1] > 1e8 * height)  # also where the end is the first such point
            assert (int(trace.n_iter[p, r]), bool(trace.diverged[p, r, 0])) == (n_iter, diverged)
            if r >= len(steady) and tol is None:
                assert (n_iter, diverged) == (DIVERGES_AT[r - len(steady)], True)
            # the closed form, and at the end the lowest point of a run that has diverged
            end = height if diverged else exact[-1]
            recorded = [*values[:n_iter], trace.value[p, r, 0].item()]
            error = np.abs(recorded - np.append(exact[:-1], end))
            allowed = 1e-9 * exact + 1e-14 * np.sqrt(exact * height) + 1e-28 * height
            assert (error <= np.append(allowed[:-1], allowed[-1] + 1e-9 * end)).all()


@pytest.mark.parametrize("lr", [1.1, 1.001])
def test_a_run_that_ends_above_its_start_has_diverged_if_it_must_decrease(lr):
    for must_decrease in (True, False):
        rule = StoppingRule(open_ended, must_decrease=must_decrease)
        trace = run(SGD, [0.1, lr], 5, objective=valley([1.0], [2.0]), rule=rule)
        assert trace.diverged.tolist() == [[[False], [must_decrease]]]
        expected = 2.0 if must_decrease else 2.0 * (1 - 2 * lr) ** 10
        assert trace.value[0, 1, 0].item() == pytest.approx(expected)
        assert trace.n_iter.tolist() == [[5, 5]]


@pytest.mark.parametrize("epochs", [10, 64, 100])
def test_a_start_at_the_optimum_is_no_divergence(epochs):
    objective = valley([1.0], [0.0])
    objective.targets = objective.targets + 0.1
    start = torch.full((1, 1, 1, 1), 0.1, dtype=torch.float64)
    rate = torch.tensor([[0.3]], dtype=torch.float64)
    trace = descend(objective, start, SGD, rate, epochs, StoppingRule(open_ended))
    assert not trace.diverged


def valleys_of_targets(curvatures, heights):
    """One problem whose targets are valleys, each in a coordinate of its own."""
    roots = (torch.tensor(part, dtype=torch.float64).sqrt() for part in (curvatures, heights))
    designs, targets = (torch.diag(root)[None] for root in roots)
    return Bowls(designs, targets)


@pytest.mark.parametrize("scale", [None, [1.0, 1e6, 1e-6]])
def test_the_descent_ends_when_every_target_has_stopped(scale):
    curvatures, heights, lr, tol = [1.0, 0.4, 0.1], [1.0, 1e6, 1e-6], 0.05, 1e-2
    scale = None if scale is None else torch.tensor(scale, dtype=torch.float64)[None, None]
    objective = valleys_of_targets(curvatures, heights)
    trace = run(SGD, [lr], 300, objective=objective, rule=StoppingRule(open_ended, tol, 3, scale))
    ends = [
        judge([(1 - 2 * lr * c) ** (2 * epoch) for epoch in range(300)], tol, 3)[0]
        for c in curvatures
    ]
    assert ends[0] < ends[1]
    assert trace.n_iter.item() == max(ends)
    assert not trace.diverged.any()


@pytest.mark.parametrize("diverges_at", [1, 3, 63, 64, 65, 150])
def test_a_diverging_target_leaves_the_others_alone(diverges_at):
    """It stays at its own lowest point, and its objective there is what the curve shows."""
    curvatures, heights, epochs = [0.1, 1.0, 0.03], [1.0, 1e6, 1e-6], 200
    lr = diverging(diverges_at, 1.0)
    curvatures[0], curvatures[2] = 0.3 / lr, 0.1 / lr
    objective = valleys_of_targets(curvatures, heights)
    trace = run(SGD, [lr], epochs, objective=objective)
    assert trace.diverged.tolist() == [[[False, True, False]]]
    assert trace.n_iter.item() == epochs
    assert torch.isfinite(trace.values).all()
    for target in (0, 2):
        alone = run(SGD, [lr], epochs, objective=objective.select(0, target))
        torch.testing.assert_close(trace.u[:, :, target], alone.u[:, :, 0], rtol=0, atol=0)
        torch.testing.assert_close(trace.values[..., target], alone.values[..., 0])
    alone = run(SGD, [lr], epochs, objective=objective.select(0, 1))
    assert alone.n_iter.item() == diverges_at
    torch.testing.assert_close(trace.u[:, :, 1], alone.u[:, :, 0], rtol=0, atol=0)
    curve = trace.values[:, 0, 0, 1]
    torch.testing.assert_close(curve[:diverges_at], alone.values[:diverges_at, 0, 0, 0])
    assert (curve[diverges_at:] == 1e6).all()
    torch.testing.assert_close(trace.value[0, 0, 1].item(), 1e6)


def test_a_run_ends_when_its_targets_have_diverged_or_stopped():
    lr, tol, patience = diverging(20, 1.0), 1e-3, 21
    objective = valleys_of_targets([0.3 / lr, 1.0], [1.0, 1.0])
    rule = StoppingRule(open_ended, tol, patience)
    trace = run(SGD, [lr], 200, objective=objective, rule=rule)
    stop, _ = judge([(1 - 2 * 0.3) ** (2 * epoch) for epoch in range(200)], tol, patience)
    assert trace.diverged.tolist() == [[[False, True]]]
    assert trace.n_iter.item() == max(20, stop)
    assert trace.u[0, 0, 1].tolist() == [0.0, 0.0]


def test_with_validation_all_targets_stop_together():
    """The mean over targets is judged, in units of the scale."""
    objective = valleys_of_targets([1.0, 0.2], [1.0, 1e6])
    scale = torch.tensor([[[1.0, 1e6]]], dtype=torch.float64)
    lr, tol, epochs = 0.05, 1e-3, 300
    rule = StoppingRule(open_ended, tol, 3, scale=scale)
    trace = run(SGD, [lr], epochs, objective=objective, validation=objective, rule=rule)
    curve = [
        np.mean([(1 - 2 * lr * c) ** (2 * epoch) for c in (1.0, 0.2)]) for epoch in range(epochs)
    ]
    assert trace.n_iter.item() == judge(curve, tol, 3)[0]


@pytest.mark.parametrize("start_value", [1.0, 1e-3, 1e12])
def test_a_start_that_the_first_epoch_does_not_tell_may_be_given(start_value):
    """Divergence is judged against it, from the first epoch to the end."""
    objective = valley([1.0], [1.0])
    value = torch.full((1, 1, 1), start_value, dtype=torch.float64)
    trace = run(
        SGD, [0.01], 5, objective=objective, rule=StoppingRule(open_ended, start_value=value)
    )
    end = 0.98**10
    assert bool(trace.diverged) == (end > start_value)
    assert trace.n_iter.item() == 5


def test_a_diverging_run_leaves_its_neighbours_alone():
    calm = run(ADAM, [0.01, 0.05])
    mixed = run(ADAM, [0.01, 1e300, 0.05])
    assert mixed.diverged.tolist() == [[[False] * 2, [True] * 2, [False] * 2]]
    torch.testing.assert_close(mixed.u[:, [0, 2]], calm.u, rtol=0, atol=0)
    torch.testing.assert_close(mixed.values[:, :, [0, 2]], calm.values, rtol=0, atol=0)
    assert mixed.n_iter[0, 1] < 5
    assert torch.isfinite(mixed.u).all()


def test_lowest_point_is_exact_to_the_epoch():
    # the steep direction grows slowly while the flat ones still descend
    trace = run(SGD, [1.03], epochs=500, keep_path=True)
    assert trace.diverged.all()
    n = int(trace.n_iter)
    values = bowls()(trace.path[: n + 1, 0].transpose(0, 1))[0]
    lowest = values[:n].argmin(0)
    assert ((lowest > 0) & (lowest < n)).all()
    for target in range(2):
        expected = trace.path[lowest[target], 0, 0, target]
        torch.testing.assert_close(trace.u[0, 0, target], expected, rtol=0, atol=0)


@pytest.mark.parametrize("patience", [3, 70])
def test_runs_end_where_the_validation_loss_was_lowest(patience):
    """The objective's optimum is at 1 and the other's at a: each run passes a and goes on."""
    objective, a = valley([1.0], [1.0]), 0.9
    validation = Bowls(objective.designs, objective.targets * a)
    rule = StoppingRule(open_ended, 0.0, patience)
    lrs = [0.001, 0.01, 0.02, 0.1]
    epochs = 300
    trace = run(SGD, lrs, epochs, objective=objective, validation=validation, rule=rule)
    for r, lr in enumerate(lrs):
        u = 1 - (1 - 2 * lr) ** np.arange(epochs + 1)
        losses = (u - a) ** 2
        lowest = int(losses.argmin())
        n_iter = min(lowest + patience + 1, epochs)
        best = min(lowest, n_iter)
        assert (trace.n_iter[0, r].item(), trace.best_epoch[0, r].item()) == (n_iter, best)
        assert trace.u[0, r].item() == pytest.approx(u[best], rel=1e-12)
        np.testing.assert_allclose(trace.validation[:n_iter, 0, r, 0], losses[:n_iter], atol=1e-15)
        np.testing.assert_allclose(trace.value[0, r, 0], (u[best] - 1) ** 2, atol=1e-15)


def test_nan_in_the_validation_loss_is_never_the_lowest():
    objective = valley([1.0], [1.0])

    def validation(u):
        loss = (u[..., 0] - 2.0).square()
        return torch.where((u[..., 0] > 0.3) & (u[..., 0] < 0.6), torch.nan, loss)

    trace = run(SGD, [0.01], 300, objective=objective, validation=validation)
    assert trace.best_epoch.item() == 300
    rule = StoppingRule(open_ended, 0.0, 5)
    stopped = run(SGD, [0.01], 300, objective=objective, validation=validation, rule=rule)
    u = 1 - 0.98 ** np.arange(301)
    first = int(np.argmax(u > 0.3))
    assert stopped.best_epoch.item() == first - 1
    assert stopped.n_iter.item() == first - 1 + 5 + 1


@pytest.mark.parametrize("arrives_at", [0, 1, 3, 63, 64, 65, 128])
@pytest.mark.parametrize("with_callback", [False, True])
def test_a_target_ends_where_its_objective_is_low_enough(arrives_at, with_callback):
    """One valley arrives, the other goes on; the first stays where it was low enough."""
    curvatures, heights, lr = [1.0, 1.0], [3.0, 3.0], 0.02
    exact = 3.0 * (1 - 2 * lr) ** (2.0 * np.arange(201))
    enough = torch.tensor([exact[arrives_at] * (1 + 1e-9), -np.inf]).view(2, 1, 1)
    rule = StoppingRule(open_ended, enough=enough)
    seen = []
    callback = {"on_epoch": lambda values, u: bool(seen.append(len(values)))}
    trace = run(
        SGD,
        [lr],
        objective=valley(curvatures, heights),
        rule=rule,
        **(callback if with_callback else {}),
    )
    assert trace.n_iter.tolist() == [[max(arrives_at, 1)], [200]]
    assert not trace.diverged.any()
    np.testing.assert_allclose(trace.value[:, 0, 0], exact[[arrives_at, 200]], rtol=1e-9)
    one = trace.select(0, 0)
    assert len(one.values) == max(arrives_at, 1)
    np.testing.assert_allclose(one.values[:, 0, 0, 0], exact[: len(one.values)], rtol=1e-9)
    np.testing.assert_allclose(trace.values[arrives_at:, 0, 0, 0], exact[arrives_at], rtol=1e-9)
    if with_callback:
        assert seen == list(range(1, 201))


def test_adaptive_steps_do_not_leave_the_point_that_is_low_enough():
    objective = bowls(targets=3)
    free = run(ADAM, [0.05], 400, objective=objective)
    lowest = free.values[:, 0, 0].min(0).values
    enough = (lowest + 0.01 * (free.values[0, 0, 0] - lowest))[None, None]
    trace = run(
        ADAM, [0.05], 400, objective=objective, rule=StoppingRule(open_ended, enough=enough)
    )
    for target in range(3):
        arrives_at = int((free.values[:, 0, 0, target] <= enough[0, 0, target]).int().argmax())
        assert trace.value[0, 0, target] == free.values[arrives_at, 0, 0, target]
    assert (trace.value <= enough).all()
