"""Epochs that are recorded once, and then replayed on an accelerator.

A plain epoch on a CUDA device is a few dozen small kernels, and Python needs longer to launch
them than the device to run them. A CUDA graph launches a whole chunk of epochs at once. The
recorded epochs are those of the loop: the same function is called, and only its kernels are kept.

A recording repeats operations on tensors at fixed places. So it serves where an epoch computes
nothing in Python that the next epoch computes anew: no scheduler, no penalty or average that
counts steps, no batches. The optimizers of ``_CAPTURABLE`` count their steps on the device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

import torch
from torch import Tensor
from torch.optim import Optimizer

from sklearn_gd._solver.history import History
from sklearn_gd._solver.monitor import ConvergenceMonitor
from sklearn_gd._solver.stepper import Stepper

Run = Callable[[], None]

# Optimizers whose step can be recorded: SGD as it is, the others when they are capturable. ASGD is
# capturable too, but computes its decay in float32 then.
_CAPTURABLE = {
    torch.optim.SGD,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.NAdam,
    torch.optim.RAdam,
    torch.optim.Adamax,
    torch.optim.Adadelta,
    torch.optim.RMSprop,
    torch.optim.Rprop,
}
_one_capture = Lock()  # a process can record one graph at a time


def _cuda_graph(run: Run, device: torch.device) -> Run:
    """Record the kernels of ``run``, which does nothing yet. Returns what launches them."""
    graph = torch.cuda.CUDAGraph()
    # the outer stream is restored also where a recording fails
    with (
        _one_capture,
        torch.cuda.device(device),
        torch.cuda.stream(torch.cuda.current_stream(device)),
        torch.cuda.graph(graph, capture_error_mode="thread_local"),  # others may use the device
    ):
        run()
    return graph.replay


# by the type of a device: from a function to one that repeats its operations
RECORDERS: dict[str, Callable[[Run, torch.device], Run]] = {"cuda": _cuda_graph}


class ReplayedEpochs:
    """Runs chunks of epochs, from the second chunk on by a recording.

    The recorded epochs write to a history of their own, whose place is fixed. After every replay
    it is copied to where the chunk belongs.
    """

    def __init__(
        self,
        run_epochs: Callable[[range, History], None],
        u: Tensor,
        optimizer: Optimizer,
        monitor: ConvergenceMonitor,
        recorded: History,
        chunk: int,
    ):
        self.run_epochs, self.u, self.optimizer, self.monitor = run_epochs, u, optimizer, monitor
        self.recorded, self.chunk = recorded, chunk
        self.replay: Run | None = None
        self.held = monitor.held
        self.has_failed = False

    def __call__(self, epochs: range, history: History) -> None:
        """Run a chunk of epochs."""
        if epochs.start == 0:
            # the first epochs make the state of the optimizer, as everywhere; the last one loads
            # the kernels that will be recorded
            self.run_epochs(epochs[:-1], history)
            make_capturable(self.optimizer)
            self.run_epochs(epochs[-1:], history)
            return
        replay = self._recording() if len(epochs) == self.chunk else None
        if replay is None:
            self.run_epochs(epochs, history)
        else:
            first, _, point = next(history.places(epochs.start, epochs.stop))
            history.begin_epoch(first, self.u, point)  # to return to, if Ctrl-C comes
            replay()
            history.append(epochs, self.recorded)

    def _recording(self) -> Run | None:
        """What replays a chunk, recorded if it must be; None where the device cannot record."""
        is_outdated = self.replay is None or self.held is not self.monitor.held
        if is_outdated and not self.has_failed:
            self.replay, self.held = None, self.monitor.held
            record = RECORDERS[self.u.device.type]
            try:
                self.replay = record(self._run_recorded, self.u.device)
            except Exception:  # an error of the epochs themselves comes again without a recording
                self.has_failed = True
        return self.replay

    def _run_recorded(self) -> None:
        """The chunk of epochs that is recorded."""
        self.run_epochs(range(self.chunk), self.recorded)


def can_be_replayed(u: Tensor, steppers: Sequence[Stepper], epochs: int, chunk: int) -> bool:
    """Whether the epochs of these steppers can be recorded, and are enough to be worth it."""
    if u.device.type not in RECORDERS or len(steppers) > 1 or epochs < 3 * chunk:
        return False
    stepper, group = steppers[0], steppers[0].optimizer.param_groups[0]
    return (
        type(stepper.optimizer) in _CAPTURABLE
        and not group.get("fused")  # which wants the count of steps in float32
        and not group.get("foreach")
        and stepper.scheduler is None
        and stepper.penalty is None
        and stepper.average is None
    )


def make_capturable(optimizer: Optimizer) -> None:
    """Let an optimizer count its steps on the device, with as many digits as Python has."""
    for group in optimizer.param_groups:
        if "capturable" in group:
            group["capturable"] = True
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            for name in {"step", "mu_product"} & state.keys():
                state[name] = state[name].to(parameter.device, torch.float64)
