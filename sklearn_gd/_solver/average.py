"""The mean of the parameters after every step, in place of the parameters after the last step.

This is the averaged gradient descent of Polyak and Ruppert (Polyak and Juditsky, Acceleration
of Stochastic Approximation by Averaging, 1992). It takes the noise of mini-batches away, so that
the learning rate need not decay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class IterateAverage:
    """The mean of u over the steps of every run, exact to the epoch in which the run ends.

    Of every problem some first steps are left out. Before the mean begins, it is u itself. A
    mean of earlier steps goes on with minus their number in place of steps that are left out.
    """

    def __init__(self, u: Tensor, n_left_out: Sequence[int], chunk: int, earlier: Tensor | None):
        self.mean, self.n_left_out = (u if earlier is None else earlier).clone(), n_left_out
        self.points = u.new_empty(chunk, *u.shape)  # where the latest epochs began
        self.has_ended = torch.zeros(u.shape[:2], dtype=torch.bool)
        self.at_end = u.clone()  # of the runs that have ended

    def part(self, u: Tensor, index: Any) -> RunningMean:
        """The mean of the part ``u`` at an index, which steps by itself."""
        all_problems = index is ...
        n_left_out = self.n_left_out if all_problems else self.n_left_out[index[0]]
        return RunningMean(u, self.mean[index], n_left_out)

    def begin_epoch(self, epoch: int) -> None:
        """Keep the mean with which an epoch begins."""
        self.points[epoch % len(self.points)].copy_(self.mean)

    def return_to(self, epoch: int) -> None:
        """Take the mean back to where an epoch began."""
        self.mean.copy_(self.points[epoch % len(self.points)])

    def points_between(self, first: int, end: int) -> Tensor:
        """The means with which the epochs from ``first`` to before ``end`` began."""
        start = first % len(self.points)
        return self.points[start : start + end - first]

    def keep_ended(self, ended: Tensor, n_iter: Tensor, first: int, end: int) -> None:
        """Keep the mean of the runs that have ended, after their ``n_iter`` epochs."""
        is_new = ended & ~self.has_ended
        if not is_new.any():
            return
        means = torch.cat([self.points_between(first, end), self.mean[None]])
        for problem, run in torch.nonzero(is_new).tolist():
            epoch = min(max(int(n_iter[problem, run]), first), end)
            self.at_end[problem, run] = means[epoch - first, problem, run]
        self.has_ended |= is_new

    def final(self) -> Tensor:
        """The mean of every run."""
        has_ended = self.has_ended.to(self.mean.device)[..., None, None]
        return torch.where(has_ended, self.at_end, self.mean)


class RunningMean:
    """The mean of a tensor over steps."""

    def __init__(self, u: Tensor, mean: Tensor, n_left_out: Sequence[int]):
        self.u, self.mean, self.n_left_out = u, mean, n_left_out
        self.n_steps = 0

    def add(self) -> None:
        """Count a step, after which the tensor is as it is now."""
        self.n_steps += 1
        shares = [1.0 / max(1, self.n_steps - left_out) for left_out in self.n_left_out]
        if len(set(shares)) == 1:
            self.mean.lerp_(self.u, shares[0])
        else:
            self.mean.lerp_(self.u, self.u.new_tensor(shares)[:, None, None, None])
