"""Blocks go to the device one by one, each while the block before it is used."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments import tensor_data
from sklearn_gd._moments.device_blocks import prefetched
from sklearn_gd._moments.tensor_data import TensorData

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5_000, 200)), RNG.normal(size=(5_000, 1))


def training_data(weight=None):
    return TrainingData(X, Y, weight, 1.0, True, lambda: None)


class Device:
    """A stand-in for a device: copies what it is given, and notes when."""

    def __init__(self):
        self.events = []
        self.n_begun = 0

    def begin(self, block):
        number = self.n_begun
        self.n_begun += 1
        self.events.append(f"begin {number}")
        copies = tuple(None if part is None else part.clone() for part in block)

        def arrive():
            self.events.append(f"arrive {number}")
            return copies

        return arrive


def test_the_next_copy_begins_before_a_block_is_used():
    device = Device()
    blocks = [(torch.tensor(k),) for k in range(3)]
    for k, (copy,) in enumerate(prefetched(blocks, device.begin)):
        assert copy == k
        device.events.append(f"use {k}")
    assert device.events == [
        *("begin 0", "begin 1", "arrive 0", "use 0"),
        *("begin 2", "arrive 1", "use 1", "arrive 2", "use 2"),
    ]


def test_no_source_is_no_copy():
    assert list(prefetched([], Device().begin)) == []


@pytest.mark.parametrize("weighted", [False, True])
def test_moments_on_a_device_that_copies(weighted, monkeypatch):
    """At most two blocks are there at once, and the moments are those without copies."""
    weight = np.where(np.arange(5_000) % 3, 1.0, 0.5) if weighted else None
    data = TensorData(training_data(weight), None, torch.device("cpu"))
    expected = data.moments(center=True)
    device = Device()
    monkeypatch.setattr(tensor_data, "copy_to", lambda _: device.begin)
    for ours, part in zip(data.moments(center=True), expected, strict=True):
        assert torch.equal(ours, part)
    assert device.n_begun > 1
    begun = [k for k, event in enumerate(device.events) if event.startswith("begin")]
    assert max(b - a for a, b in pairwise(begun)) <= 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_data_larger_than_what_is_allowed_on_the_device():
    cuda = torch.device("cuda")
    TensorData(training_data(), None, cuda).moments(center=True)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    x = RNG.normal(size=(400_000, 50))
    data = TrainingData(x, x[:, :1] + 1.0, None, 1.0, True, lambda: None)
    ours = TensorData(data, None, cuda).moments(center=True)
    assert torch.cuda.max_memory_allocated() - before < x.nbytes / 3
    expected = TensorData(data, None, torch.device("cpu")).moments(center=True)
    for name in ("x_mean", "y_mean"):
        torch.testing.assert_close(getattr(ours, name).cpu(), getattr(expected, name))
