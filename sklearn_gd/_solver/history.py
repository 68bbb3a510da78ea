"""What a descent has done so far: the values of its epochs, and the points where they began."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from sklearn_gd._solver.average import IterateAverage
from sklearn_gd._solver.monitor import ConvergenceMonitor
from sklearn_gd._solver.objective import Objective


class History:
    """The values of all epochs, and the points of the latest ones or of all."""

    def __init__(
        self,
        u: Tensor,
        epochs: int,
        chunk: int,
        validation: Objective | None,
        average: IterateAverage | None,
        *,
        keep_path: bool,
    ):
        self.average = average
        self.values = u.new_empty(epochs, *u.shape[:-1])
        self.validation, self.keeps_path = validation, keep_path
        self.validation_values = None if validation is None else torch.empty_like(self.values)
        self.points = u.new_empty(epochs if keep_path else chunk, *u.shape)
        self.n_epochs = self.n_begun = 0

    @property
    def scheduled_values(self) -> Tensor:
        """The values by which a scheduler such as ReduceLROnPlateau is told of progress."""
        return self.values if self.validation_values is None else self.validation_values

    def places(self, first: int, last: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """The epochs of a chunk, with the place for the value of each and for its point."""
        row = first % len(self.points)
        # one call makes all views, where indexing would cost as much as a step in every epoch
        points = self.points[row : row + last - first].unbind()
        return zip(range(first, last), self.values[first:last].unbind(), points, strict=True)

    def begin_epoch(self, epoch: int, u: Tensor, point: Tensor) -> None:
        """Keep the point where an epoch begins, and its validation loss."""
        point.copy_(u)
        self.n_begun = epoch + 1
        if self.average is not None:
            self.average.begin_epoch(epoch)
        if self.validation is not None and self.validation_values is not None:
            with torch.no_grad():
                self.validation_values[epoch] = self.validation(u)

    def append(self, epochs: range, recorded: History) -> None:
        """Copy the ``epochs``, which another history has from its row 0 on."""
        rows, first = slice(epochs.start, epochs.stop), epochs.start % len(self.points)
        self.values[rows].copy_(recorded.values)
        self.points[first : first + len(epochs)].copy_(recorded.points)
        if self.validation_values is not None and recorded.validation_values is not None:
            self.validation_values[rows].copy_(recorded.validation_values)
        self.n_epochs = self.n_begun = epochs.stop

    def last_point(self) -> Tensor:
        """Where the last epoch began."""
        return self.points[(self.n_epochs - 1) % len(self.points)]

    def repeat_last(self, epochs: range) -> None:
        """Let the ``epochs`` be like the one before them."""
        rows, first = slice(epochs.start, epochs.stop), epochs.start % len(self.points)
        self.values[rows] = self.values[epochs.start - 1]
        self.points[first : first + len(epochs)] = self.last_point().clone()
        if self.validation_values is not None:
            self.validation_values[rows] = self.validation_values[epochs.start - 1]
        self.n_epochs = self.n_begun = epochs.stop

    def drop_unfinished_epoch(self, u: Tensor) -> None:
        """Take u back to the end of the last complete epoch, if an interruption ended another."""
        if self.n_begun > self.n_epochs:
            u.copy_(self.points[self.n_epochs % len(self.points)])
            if self.average is not None:
                self.average.return_to(self.n_epochs)

    def points_since(self, epoch: int) -> Tensor:
        """The points where the epochs since ``epoch`` began."""
        first = epoch % len(self.points)
        return self.points[first : first + self.n_epochs - epoch]

    def result(self, u: Tensor) -> Tensor:
        """What a descent that ended at u would return."""
        return u if self.average is None else self.average.mean

    def results_since(self, epoch: int) -> Tensor:
        """What descents would return that ended where the epochs since ``epoch`` began."""
        if self.average is None:
            return self.points_since(epoch)
        return self.average.points_between(epoch, self.n_epochs)

    def keep_ended(self, monitor: ConvergenceMonitor, first: int) -> None:
        """Keep the means of the runs that ended since the epoch ``first``."""
        if self.average is not None:
            self.average.keep_ended(monitor.ended, monitor.n_iter, first, self.n_epochs)

    def since(self, epoch: int) -> tuple[Tensor, Tensor | None, Tensor]:
        """Objectives, validation losses and points since ``epoch``."""
        epochs = slice(epoch, self.n_epochs)
        validation = None if self.validation_values is None else self.validation_values[epochs]
        return self.values[epochs], validation, self.points_since(epoch)
