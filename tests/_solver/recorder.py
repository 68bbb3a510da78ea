"""What a CUDA graph does to a function, on the processor.

A graph keeps the operations of a function and the places of their tensors, and nothing of Python.
The twin does the same: it lists the operations below autograd, undoes what they did, because a
graph does not run what it records, and repeats them on the very same tensors. It refuses what a
graph cannot hold.
"""

import sys

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sklearn_gd._solver import loop, replay

_WAITS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}


class Recorder(TorchDispatchMode):
    """Lists operations while it is active."""

    def __init__(self):
        super().__init__()
        self.operations, self.made, self.before = [], set(), {}

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        if _WAITS & set(operation.tags):
            raise RuntimeError(f"{operation} waits for the device")
        if operation is torch.ops.aten.lift_fresh.default:
            raise RuntimeError("a number of Python becomes a tensor, which is a copy from the host")
        kwargs = kwargs or {}
        self._keep_what_changes(operation, args, kwargs)
        result = operation(*args, **kwargs)
        arguments = {_place(tensor) for tensor in _tensors((args, kwargs))}
        results = _tensors(result)
        # views and results in place are where their arguments are
        fresh = [_place(tensor) not in arguments for tensor in results]
        self.made |= {_place(tensor) for tensor in results} - arguments
        self.operations.append((operation, args, kwargs, results, fresh))
        return result

    def _keep_what_changes(self, operation, args, kwargs):
        """Copy the storage of the tensors that an operation is about to change."""
        for index, formal in enumerate(operation._schema.arguments):
            if formal.alias_info is None or not formal.alias_info.is_write:
                continue
            actual = args[index] if index < len(args) else kwargs.get(formal.name)
            for tensor in tree_leaves(actual):
                if _place(tensor) not in self.made | self.before.keys():
                    storage = tensor.untyped_storage()
                    self.before[_place(tensor)] = storage, storage.clone()

    def undo(self):
        """Put everything back that was there before."""
        for storage, copy in self.before.values():
            storage.copy_(copy)

    def repeat(self):
        """Do the operations again."""
        with torch.no_grad():
            for operation, args, kwargs, results, fresh in self.operations:
                again = _tensors(operation(*args, **kwargs))
                for tensor, new, is_fresh in zip(results, again, fresh, strict=True):
                    if is_fresh:
                        tensor.copy_(new)


def _place(tensor):
    return tensor.untyped_storage()._cdata


def _tensors(values):
    return [value for value in tree_leaves(values) if isinstance(value, torch.Tensor)]


def record(run, device=None):
    """Record a function. A tensor that it makes on the default device is no use to a graph."""
    recorder = Recorder()
    try:
        with recorder, torch.device("meta"):
            run()
    finally:
        recorder.undo()
    return recorder.repeat


def install(monkeypatch, chunk=8):
    """Let descents on the processor be replayed. Returns how often each recording was."""
    counts = []
    monkeypatch.setattr(loop, "_LONGEST_CHUNK", chunk)

    def counting(run, device):
        repeat, index = record(run, device), len(counts)
        counts.append(0)

        def count_and_repeat():
            counts[index] += 1
            repeat()

        return count_and_repeat

    monkeypatch.setitem(replay.RECORDERS, "cpu", counting)
    for kind in replay._CAPTURABLE - {torch.optim.SGD, torch.optim.AdamW}:  # AdamW is Adam
        # torch refuses capturable=True on the processor
        monkeypatch.setattr(
            sys.modules[kind.__module__],
            "_get_capturable_supported_devices",
            lambda supports_xla=True: ["cpu"],
        )
    return counts
