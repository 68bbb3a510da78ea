"""Epochs that would change nothing.

A step of plain SGD depends on the point alone. So where a step has not moved the point, not by a
bit, no further step will, and the further epochs have the same point and the same value. In
whitened coordinates this is so after few epochs with ``lr="auto"``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sklearn_gd._solver.history import History
from sklearn_gd._solver.stepper import Stepper


class EpochsUntilFixedPoint:
    """Runs chunks of epochs, as long as they move the point."""

    def __init__(self, run_epochs: Callable[[range, History], None], u: Tensor):
        self.run_epochs, self.u = run_epochs, u

    def __call__(self, epochs: range, history: History) -> None:
        """Run a chunk of epochs, or repeat the epoch before it."""
        if epochs.start > 0 and torch.equal(history.last_point(), self.u):
            history.repeat_last(epochs)
        else:
            self.run_epochs(epochs, history)


def steps_depend_on_point_alone(steppers: Sequence[Stepper]) -> bool:
    """Whether no step counts, averages or remembers anything."""
    return all(
        type(stepper.optimizer) is torch.optim.SGD
        and stepper.optimizer.param_groups[0]["momentum"] == 0
        and stepper.scheduler is None
        and stepper.penalty is None
        and stepper.average is None
        for stepper in steppers
    )
