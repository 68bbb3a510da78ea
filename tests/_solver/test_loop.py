"""The loop: what it records, how often it evaluates, whom it tells, and Ctrl-C."""

import numpy as np
import pytest
import torch

from sklearn_gd._solver.loop import descend
from sklearn_gd._solver.monitor import StoppingRule
from sklearn_gd._solver.optimizers import make_optimizer_factory, with_scheduler
from tests._solver.reference import Bowls, bowls, open_ended, run, valley

LRS = [0.003, 0.01, 0.05, 0.2]
SGD = make_optimizer_factory("sgd", None, "test")
ADAM = make_optimizer_factory("adam", None, "test")
RPROP = make_optimizer_factory("rprop", None, "test")


def test_path_and_values_belong_together():
    trace = run(ADAM, LRS, epochs=130, keep_path=True)
    assert trace.path.shape == (131, 1, 4, 2, 3)
    expected = torch.stack([bowls()(point) for point in trace.path])
    torch.testing.assert_close(trace.values, expected[:-1])
    torch.testing.assert_close(trace.value, expected[-1])


@pytest.mark.parametrize("end", ["all epochs", "above its start", "validation"])
def test_the_path_is_where_the_descent_went_and_not_what_it_keeps(end):
    """A run may be taken back to its best point in the end; the path is the path."""
    lr, objective = 1.02 if end == "above its start" else 0.2, valley([1.0], [2.0])
    validation = Bowls(objective.designs, 0.9 * objective.targets) if end == "validation" else None
    trace = run(SGD, [lr], 6, objective=objective, validation=validation, keep_path=True)
    points = np.sqrt(2) * (1 - (1 - 2 * lr) ** np.arange(7))
    np.testing.assert_allclose(trace.path[:, 0, 0, 0, 0], points, rtol=1e-12)
    assert bool(trace.diverged) == (end == "above its start")
    kept = {"all epochs": points[-1], "above its start": 0.0}
    if end == "validation":
        kept[end] = points[np.argmin((points - 0.9 * np.sqrt(2)) ** 2)]
    assert trace.u.item() == pytest.approx(kept[end])


@pytest.mark.parametrize("epochs", [1, 7, 63, 64, 65, 129])
def test_length_does_not_depend_on_when_the_loop_looks(epochs):
    trace = run(SGD, [0.01], epochs=epochs)
    assert trace.values.shape == (epochs, 1, 1, 2)
    x = np.zeros((2, 3))
    design, target = bowls().designs[0].numpy(), bowls().targets[0].numpy()
    for _ in range(epochs):
        x = x - 0.01 * 2 * (x @ design - target) @ design.T
    np.testing.assert_allclose(trace.u[0, 0].numpy(), x, rtol=1e-12)


def test_the_start_is_only_read():
    start = torch.ones(1, 2, 2, 3, dtype=torch.float64)
    lrs = torch.tensor([[0.1, 0.2]], dtype=torch.float64)
    trace = descend(bowls(), start, SGD, lrs, 5, StoppingRule(open_ended))
    assert (start == 1.0).all()
    torch.testing.assert_close(trace.values[0], bowls()(start))


WATCHED = {
    "watched": {"is_watched": True},
    "told": {"on_epoch": lambda values, u: False},
}
# lr and rule, and how the run ends
ENDS = {
    "all epochs": (0.3, StoppingRule(open_ended), False),
    "tol": (0.3, StoppingRule(open_ended, 1e-3, 4), False),
    "divergence": (1.5, StoppingRule(open_ended), True),
    "above its start": (1.01, StoppingRule(open_ended), True),
}


@pytest.mark.parametrize("how", WATCHED)
@pytest.mark.parametrize("end", ENDS)
def test_no_epoch_beyond_the_last_when_somebody_watches(how, end):
    """One evaluation an epoch, and after it one of the end.

    A run that diverges is seen in the epoch that begins with the bad value, which does not count
    in n_iter. Its lowest point is evaluated at last.
    """
    lr, rule, diverges = ENDS[end]
    objective = valley([1.0], [2.0])
    trace = run(SGD, [lr], 100, objective=objective, rule=rule, **WATCHED[how])
    n_iter = int(trace.n_iter)
    assert bool(trace.diverged) is diverges
    has_bad_epoch = end == "divergence"
    assert len(objective.calls) == n_iter + has_bad_epoch + 1 + diverges
    assert len(trace.values) == n_iter + has_bad_epoch
    # where each epoch began, by the closed form u_t = (1 - (1 - 2·lr)^t)·√2
    points = torch.cat(objective.calls[: n_iter + 1]).ravel().numpy()
    np.testing.assert_allclose(points, np.sqrt(2) * (1 - (1 - 2 * lr) ** np.arange(n_iter + 1)))
    unwatched = run(SGD, [lr], 100, objective=valley([1.0], [2.0]), rule=rule)
    torch.testing.assert_close(trace.u, unwatched.u, rtol=0, atol=0)
    torch.testing.assert_close(trace.values[:n_iter], unwatched.values[:n_iter], rtol=0, atol=0)
    assert int(unwatched.n_iter) == n_iter


def test_unwatched_the_loop_looks_at_64_epochs_together():
    objective = valley([1.0], [2.0])
    trace = run(SGD, [0.3], 1000, objective=objective, rule=StoppingRule(open_ended, 1e-3, 4))
    assert int(trace.n_iter) < 64
    assert len(objective.calls) == 64 + 1


def test_lbfgs_evaluates_more_often_and_is_told_of_epochs_all_the_same():
    options = {"max_iter": 1, "line_search_fn": "strong_wolfe"}
    factory, told = make_optimizer_factory("lbfgs", options, "test"), []
    objective = bowls(targets=1)
    trace = run(
        factory, [1.0], 6, objective=objective, on_epoch=lambda values, u: told.append(len(values))
    )
    assert told == [1, 2, 3, 4, 5, 6]
    assert len(objective.calls) > 7
    # the value of an epoch is that of the first evaluation, where it began
    assert trace.values[0].item() == pytest.approx(objective.targets.square().sum().item())


@pytest.mark.parametrize("factory", [SGD, RPROP])
@pytest.mark.parametrize("end", ENDS)
def test_on_epoch_is_called_once_for_every_epoch_that_counts(end, factory):
    lr, rule, _ = ENDS[end]
    told = []

    def on_epoch(values, u):
        told.append((len(values), u.clone()))
        return False

    objective = valley([1.0, 0.1], [2.0, 2.0])
    trace = run(
        factory, [lr], 100, objective=objective, rule=rule, on_epoch=on_epoch, keep_path=True
    )
    longest = int(trace.n_iter.max())
    assert [count for count, _ in told] == list(range(1, longest + 1))
    for count, u in told[:-1]:  # an epoch's end is where the next one begins
        torch.testing.assert_close(u, trace.path[count], rtol=0, atol=0)


@pytest.mark.parametrize("stop_at", [1, 7, 100])
def test_on_epoch_may_end_the_descent(stop_at):
    objective = bowls()
    trace = run(
        ADAM, LRS, 100, objective=objective, on_epoch=lambda values, u: len(values) == stop_at
    )
    assert trace.n_iter.tolist() == [[stop_at] * 4]
    assert len(trace.values) == stop_at
    assert not trace.interrupted
    torch.testing.assert_close(trace.u, run(ADAM, LRS, stop_at).u, rtol=0, atol=0)


@pytest.mark.parametrize("epochs", [10, 64, 100])
def test_on_points_is_given_where_every_epoch_began(epochs):
    chunks = []
    trace = run(
        ADAM, LRS, epochs, on_points=lambda points: chunks.append(points.clone()), keep_path=True
    )
    torch.testing.assert_close(torch.cat(chunks), trace.path[:-1], rtol=0, atol=0)
    told = []
    run(ADAM, LRS, epochs, on_points=lambda points: told.append(points.clone()), is_watched=True)
    torch.testing.assert_close(torch.cat(told), trace.path[:-1], rtol=0, atol=0)


class Interrupted(Bowls):
    """Ctrl-C comes in one evaluation, of this objective or of what is selected from it."""

    def __init__(self, bowls, at):
        super().__init__(bowls.designs, bowls.targets)
        self.at = [at]

    def __call__(self, u):
        if [len(self.calls)] == self.at:
            self.at.clear()
            raise KeyboardInterrupt
        return super().__call__(u)

    def select(self, problem, target):
        narrow = Interrupted(super().select(problem, target), None)
        narrow.calls, narrow.at = self.calls, self.at
        return narrow


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("lrs", [[0.1], LRS])
@pytest.mark.parametrize("complete", [1, 5, 63, 64, 70])
def test_ctrl_c_in_an_epoch_leaves_the_complete_ones(complete, lrs, watched):
    objective = Interrupted(bowls(), at=complete)
    trace = run(ADAM, lrs, 100, objective=objective, is_watched=watched, keep_path=True)
    expected = run(ADAM, lrs, complete, keep_path=True)
    assert trace.interrupted
    assert (trace.n_iter == complete).all()
    for field in ("u", "value", "values", "path"):
        torch.testing.assert_close(getattr(trace, field), getattr(expected, field), rtol=0, atol=0)


def test_ctrl_c_between_the_batches_of_an_epoch():
    """Half of an epoch is taken back."""
    first, second = bowls(seed=1), Interrupted(bowls(seed=2), at=5)

    class Batches:
        designs, targets = first.designs, first.targets

        def batches(self, epoch):
            return ((first, 0.5), (second, 0.5))

        def __call__(self, u):
            return 0.5 * (first(u) + second(u))

    trace = run(SGD, LRS, 100, objective=Batches())
    expected = run(SGD, LRS, 5, objective=Batches())
    assert trace.interrupted
    assert (trace.n_iter == 5).all()
    torch.testing.assert_close(trace.u, expected.u, rtol=0, atol=0)
    torch.testing.assert_close(trace.value, expected.value, rtol=0, atol=0)


def test_ctrl_c_in_a_step_that_runs_take_one_by_one():
    """Some runs have stepped already when it comes; they go back to where the epoch began."""
    # 4 runs of 2 targets make 8 evaluations an epoch
    objective = Interrupted(bowls(), at=3 * 8 + 5)
    trace = run(RPROP, LRS, 50, objective=objective)
    assert trace.interrupted
    assert (trace.n_iter == 3).all()
    torch.testing.assert_close(trace.u, run(RPROP, LRS, 3).u, rtol=0, atol=0)


def test_ctrl_c_before_the_first_epoch_has_ended_is_raised():
    with pytest.raises(KeyboardInterrupt):
        run(SGD, LRS, 10, objective=Interrupted(bowls(), at=0))


def test_ctrl_c_in_on_epoch_counts_the_epoch():
    def on_epoch(values, u):
        if len(values) == 4:
            raise KeyboardInterrupt
        return False

    trace = run(ADAM, LRS, 10, on_epoch=on_epoch)
    assert trace.interrupted
    assert (trace.n_iter == 4).all()
    torch.testing.assert_close(trace.u, run(ADAM, LRS, 4).u, rtol=0, atol=0)


def test_a_scheduler_is_told_the_mean_over_the_targets_of_its_own_run():
    told = []

    class Spy(torch.optim.lr_scheduler.ReduceLROnPlateau):
        def step(self, metrics, epoch=None):
            told.append(metrics)

    factory = with_scheduler(RPROP, Spy, "test")
    objective = bowls(targets=1)
    trace = run(factory, [0.01, 0.02], 5, objective=objective)
    np.testing.assert_allclose(np.reshape(told, (5, 2)), trace.values[:, 0, :, 0], rtol=1e-15)
