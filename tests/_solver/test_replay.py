"""Replayed epochs are the epochs of the plain loop. `recorder` stands for a CUDA graph."""

import pytest
import torch
from torch.optim import lr_scheduler

from sklearn_gd._solver import replay
from sklearn_gd._solver.monitor import StoppingRule
from sklearn_gd._solver.optimizers import make_optimizer_factory, with_scheduler
from tests._solver import recorder
from tests._solver.reference import Bowls, bowls, open_ended, run, valley

EPOCHS = 36  # four chunks of 8 and a part of one
OPTIMIZERS = [
    ("sgd", {}),
    ("sgd", {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1}),
    ("sgd", {"momentum": 0.9, "nesterov": True}),
    ("adam", {}),
    ("adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("adamw", {}),
    ("nadam", {}),
    ("nadam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("radam", {}),
    ("adamax", {}),
    ("adadelta", {}),
    ("rmsprop", {}),
    ("rmsprop", {"centered": True, "momentum": 0.5}),
    ("rprop", {}),
]
SGD = make_optimizer_factory("sgd", None, "test")


@pytest.fixture
def counts(monkeypatch):
    return recorder.install(monkeypatch)


def both(factory, lrs, epochs=EPOCHS, **options):
    """The traces of the plain loop and of replayed epochs."""
    return [run(factory, lrs, epochs, repeats=repeats, **options) for repeats in (False, True)]


def assert_equal_traces(plain, replayed, tolerance=0.0):
    for name, expected in plain._asdict().items():
        actual = getattr(replayed, name)
        if isinstance(expected, torch.Tensor):
            torch.testing.assert_close(
                actual, expected, rtol=tolerance, atol=tolerance, equal_nan=True
            )
        else:
            assert actual == expected


@pytest.mark.parametrize("lrs", [[0.01], [0.003, 0.01, 0.05]])
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_every_optimizer_of_the_table(name, options, lrs, counts):
    factory = make_optimizer_factory(name, options, "test")
    assert factory.optimizer_class in replay._CAPTURABLE
    lrs = lrs if factory.supports_batched_lrs else lrs[:1]
    plain, replayed = both(factory, lrs, objective=bowls(targets=1))
    assert counts == [3]
    # SGD does the same operations. The others divide in another order on the device. NAdam has
    # another product in float32 until then.
    tolerance = {"sgd": 0.0, "nadam": 1e-11}.get(name, 2e-14)
    assert_equal_traces(plain, replayed, tolerance)


def test_the_table_is_tested():
    names = {name for name, _ in OPTIMIZERS}
    assert {kind.__name__.lower() for kind in replay._CAPTURABLE} == names


@pytest.mark.parametrize("name", ["sgd", "adam"])
@pytest.mark.parametrize("options", [{"keep_path": True}, {"validation": True}, {"problems": 2}])
def test_what_else_a_chunk_writes(name, options, counts):
    objective = bowls(problems=options.pop("problems", 1))
    if options.get("validation"):
        options["validation"] = Bowls(objective.designs, 0.9 * objective.targets)
    factory = make_optimizer_factory(name, None, "test")
    traces = both(factory, [0.01, 0.05], objective=objective, **options)
    assert counts == [3]
    assert_equal_traces(*traces, 1e-14)


# A step of a valley multiplies its value by (1 − 2·lr)². It diverges at 1e8 times the first value,
# which is in the first chunk for lr = 9, in the second for 1.5 and in the third for 1.3.
ENOUGH = torch.tensor([[[0.01]]], dtype=torch.float64)  # lr = 0.1 is there after 12 epochs


@pytest.mark.parametrize(
    ("lrs", "rule", "expected"),
    [
        ([0.1, 9.0], StoppingRule(open_ended), [3]),
        ([0.1, 1.5], StoppingRule(open_ended), [1, 2]),
        ([0.1, 1.5, 1.3], StoppingRule(open_ended), [1, 2]),
        ([0.4, 0.01], StoppingRule(open_ended, 1e-3, 3), [3]),
        ([0.1, 0.01], StoppingRule(open_ended, enough=ENOUGH), [1, 2]),
        ([0.1], StoppingRule(open_ended, enough=ENOUGH), [1]),
    ],
)
def test_runs_that_end(lrs, rule, expected, counts):
    """Targets that ended are held. What holds them is recorded once."""
    objective = valley([1.0], [2.0])
    plain, replayed = both(SGD, lrs, rule=rule, objective=objective)
    assert_equal_traces(plain, replayed)
    assert counts == expected


def other(name, options=None, scheduler=None):
    return with_scheduler(make_optimizer_factory(name, options, "test"), scheduler, "test")


@pytest.mark.parametrize(
    ("factory", "lrs", "options"),
    [
        (other("sgd", None, lambda o: lr_scheduler.StepLR(o, 10)), [0.01], {}),
        (other("adagrad"), [0.01], {}),
        (other("lbfgs"), [0.01], {}),
        (other("asgd"), [0.01], {}),
        (other("adam", {"fused": True}), [0.01], {}),
        (other("adam", {"foreach": True}), [0.01], {}),
        (other("rprop"), [0.01, 0.02], {}),
        (other("sgd"), [0.01], {"n_left_out": [10]}),
        (other("sgd"), [0.01], {"on_epoch": lambda values, u: False}),
        (other("sgd"), [0.01], {"epochs": 23}),
    ],
)
def test_what_cannot_be_recorded_is_not(factory, lrs, options, counts):
    plain, replayed = both(factory, lrs, objective=bowls(targets=1), **options)
    assert counts == []
    assert_equal_traces(plain, replayed)


def test_a_device_that_cannot_record_runs_the_epochs(monkeypatch):
    recorder.install(monkeypatch)
    calls = []

    def fail(run, device):
        calls.append(device)
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setitem(replay.RECORDERS, "cpu", fail)
    assert_equal_traces(*both(SGD, [0.01, 0.05]))
    assert len(calls) == 1


@pytest.mark.parametrize("before_the_replay", [True, False])
def test_an_interrupted_replay_is_undone(before_the_replay, monkeypatch):
    """Ctrl-C in the second replay: the descent ends at the end of the first."""
    recorder.install(monkeypatch)
    n_replays = []

    def interrupting(run, device):
        repeat = recorder.record(run)

        def replay_once():
            n_replays.append(1)
            if len(n_replays) == 2 and before_the_replay:
                raise KeyboardInterrupt
            repeat()
            if len(n_replays) == 2:
                raise KeyboardInterrupt

        return replay_once

    monkeypatch.setitem(replay.RECORDERS, "cpu", interrupting)
    trace = run(SGD, [0.01], EPOCHS, repeats=True)
    expected = run(SGD, [0.01], 16)
    assert trace.interrupted
    assert_equal_traces(expected._replace(interrupted=True), trace)


class TestTheTwin:
    """The twin of a graph refuses what a graph cannot hold, and does nothing but the rest."""

    def test_recording_does_nothing(self):
        x = torch.arange(3.0)
        view = x[1:]
        repeat = recorder.record(lambda: view.mul_(2.0).add_(1.0))
        assert x.tolist() == [0.0, 1.0, 2.0]
        repeat()
        repeat()
        assert x.tolist() == [0.0, 7.0, 11.0]

    def test_results_stay_where_they_are(self):
        x, results = torch.ones(2), []
        repeat = recorder.record(lambda: results.append((x + 1.0).exp()))
        x.fill_(-1.0)
        repeat()
        assert results[0].tolist() == [1.0, 1.0]

    @pytest.mark.parametrize(
        "wait",
        [
            lambda x: x[0].item(),
            lambda x: bool((x > 0).all()),
            lambda x: x[x > 0],
            lambda x: x.nonzero(),
            lambda x: x * x.new_tensor([2.0, 3.0]),
            lambda x: x * torch.zeros(2),
        ],
    )
    def test_waits_and_copies_from_the_host(self, wait):
        with pytest.raises(RuntimeError):
            recorder.record(lambda: wait(torch.ones(2, device="cpu")))

    def test_numbers_of_python_are_frozen(self):
        x, numbers = torch.zeros(()), iter([1.0, 2.0])
        repeat = recorder.record(lambda: x.add_(next(numbers)))
        repeat()
        repeat()
        assert x.item() == 2.0

    def test_an_optimizer_that_counts_in_python_fails(self, counts, monkeypatch):
        """NAdam without capturable waits for its count of steps."""
        monkeypatch.setattr(replay, "make_capturable", lambda optimizer: None)
        plain, replayed = both(other("nadam"), [0.01])
        assert counts == []
        assert_equal_traces(plain, replayed)
