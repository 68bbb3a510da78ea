"""Epochs that would change nothing are not run, and the trace is that of all epochs."""

import pytest
import torch
from torch.optim import lr_scheduler

from sklearn_gd._solver.monitor import StoppingRule
from sklearn_gd._solver.optimizers import make_optimizer_factory, with_scheduler
from tests._solver.reference import Bowls, bare_loop, open_ended, run
from tests._solver.test_replay import assert_equal_traces

EPOCHS = 300  # four chunks and a part of one
SGD = make_optimizer_factory("sgd", None, "test")


def round_bowls(targets=2):
    """Bowls of which every direction is alike, as whitened data have them."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(1, targets, 3, generator=generator, dtype=torch.float64)
    return Bowls(torch.eye(3, dtype=torch.float64)[None], centres)


def both(factory, lrs, **options):
    """The traces of all epochs and with fixed points, and how many values the latter took."""
    every = run(factory, lrs, EPOCHS, objective=round_bowls(), **options)
    objective = round_bowls()
    trace = run(factory, lrs, EPOCHS, objective=objective, repeats=True, **options)
    return every, trace, len(objective.calls)


@pytest.mark.parametrize("lrs", [[0.5], [0.3], [0.3, 0.5], [0.4, 0.5, 0.7]])
def test_the_trace_is_that_of_all_epochs(lrs):
    every, trace, n_values = both(SGD, lrs, validation=round_bowls())
    assert n_values < 140
    assert_equal_traces(every, trace)


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}, {"nesterov": False}])
def test_the_bare_loop(options):
    objective = round_bowls(targets=1)
    factory = make_optimizer_factory("sgd", options, "test")
    trace = run(factory, [0.5], EPOCHS, objective=objective, repeats=True)
    end, values = bare_loop(
        lambda leaf, lr: torch.optim.SGD([leaf], lr=lr, **options),
        objective.designs[0],
        objective.targets[0, 0],
        0.5,
        EPOCHS,
    )
    assert len(objective.calls) < EPOCHS
    torch.testing.assert_close(trace.u[0, 0, 0], end, rtol=1e-15, atol=1e-15)
    torch.testing.assert_close(trace.values[:, 0, 0, 0].tolist(), values, rtol=1e-15, atol=1e-15)


def test_the_path_and_the_points_go_on():
    seen = [[], []]
    traces = [
        run(
            SGD,
            [0.5],
            EPOCHS,
            objective=round_bowls(),
            repeats=repeats,
            keep_path=True,
            on_points=seen[repeats].append,
        )
        for repeats in (False, True)
    ]
    assert_equal_traces(*traces)
    assert len(traces[1].path) == EPOCHS + 1
    torch.testing.assert_close(torch.cat(seen[1]), torch.cat(seen[0]), rtol=0, atol=0)


def test_a_run_that_diverges_beside_one_that_rests():
    every, trace, n_values = both(SGD, [0.5, 1.5])
    assert trace.diverged[0].all(-1).tolist() == [False, True]
    assert n_values < EPOCHS
    assert_equal_traces(every, trace)


def test_tol():
    rule = StoppingRule(open_ended, tol=1e-3, n_iter_no_change=100)
    every, trace, _ = both(SGD, [0.5], rule=rule)
    assert trace.n_iter.item() < EPOCHS
    assert_equal_traces(every, trace)


def test_every_epoch_is_still_watched():
    epochs = []
    run(
        SGD,
        [0.5],
        EPOCHS,
        objective=round_bowls(),
        repeats=True,
        on_epoch=lambda values, u: epochs.append(len(values)),
    )
    assert epochs == list(range(1, EPOCHS + 1))


@pytest.mark.parametrize(
    "factory",
    [
        make_optimizer_factory("sgd", {"momentum": 0.5}, "test"),
        make_optimizer_factory("adam", None, "test"),
        # the learning rate rises again after the point has rested
        with_scheduler(
            SGD,
            lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda t: float(t > 200)),
            "test",
        ),
    ],
)
def test_steps_that_remember_or_count_are_all_run(factory):
    every, trace, n_values = both(factory, [0.4])
    assert n_values >= EPOCHS
    assert_equal_traces(every, trace)
