"""Several problems as one: each is a pose, and has equally many runs.

Poses may differ in how many coordinates they have. Padded with coordinates that nothing
moves they are one tensor, and one descent serves them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sklearn_gd._objective import Objective, Part, RowsLoss, SquaredError
from sklearn_gd._penalty import Proximal


class StackedSquaredError(NamedTuple):
    """Squared errors of several poses."""

    design: Tensor | None  # (poses, coordinates, m); None is the identity
    goal: Tensor  # (runs, targets, m)
    rest: Tensor  # (runs, targets)

    @classmethod
    def of(cls, objectives: Sequence[SquaredError], each: int) -> StackedSquaredError:
        """From one for each pose."""
        design = None
        if any(own.design is not None for own in objectives):
            design = padded(
                [
                    torch.eye(own.goal.shape[1]).to(own.goal) if own.design is None else own.design
                    for own in objectives
                ]
            )
        goal = for_runs([own.goal for own in objectives], each)
        return cls(design, goal, for_runs([own.rest for own in objectives], each))

    def __call__(self, u: Tensor) -> Tensor:
        seen = u
        if self.design is not None:
            # the runs of a pose see the same matrix: it is read once for all of them
            poses, size, m = self.design.shape
            seen = (u.reshape(poses, -1, size) @ self.design).view(*u.shape[:2], m)
        return (seen - self.goal).square().sum(-1) + self.rest

    def parts(self, epoch: int) -> list[Part]:
        return [(self, 1.0)]

    def cell(self, run: int, runs: int, target: int) -> StackedSquaredError:
        one, own = slice(target, target + 1), slice(run, run + 1)
        design = self.design
        if design is not None:
            pose = run * len(design) // runs
            design = design[pose : pose + 1]
        return StackedSquaredError(design, self.goal[own, one], self.rest[own, one])


def stacked(objectives: Sequence[Any], each: int) -> Objective:
    """The objectives of several poses, each with so many runs, as one."""
    if isinstance(objectives[0], SquaredError):
        return StackedSquaredError.of(objectives, each)
    return _stacked_rows(objectives)


def stacked_proximal(parts: Sequence[Proximal | None], each: int) -> Proximal | None:
    """The proximal steps of several poses, or of none."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    bounds = [part.bound for part in known if part.bound is not None]
    return known[0]._replace(
        weight=for_runs([part.weight for part in known], each),
        bound=for_runs(bounds, each)[:, None] if bounds else None,
    )


def for_runs(tensors: Sequence[Tensor], each: int) -> Tensor:
    """Padded tensors of poses, repeated for their runs."""
    return padded(tensors).repeat_interleave(each, dim=0)


def padded(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors stacked, with zeros up to the largest shape."""
    shape = torch.tensor([tensor.shape for tensor in tensors]).amax(0).tolist()
    stack = tensors[0].new_zeros(len(tensors), *shape)
    for own, tensor in zip(stack, tensors, strict=True):
        own[tuple(slice(size) for size in tensor.shape)] = tensor
    return stack


def _stacked_rows(objectives: Sequence[RowsLoss]) -> RowsLoss:
    """Losses of the same rows, whose columns may be leading ones of the widest."""
    widest = max(objectives, key=lambda own: own.x.shape[1])
    maps = [own.to_coef[0] for own in objectives]
    if any(len(own) > 1 for own in maps):
        maps = [torch.diag(own[0]) if len(own) == 1 else own for own in maps]
    strengths = [own.weight.new_zeros(1, 1) if own.l2 is None else own.l2[0] for own in objectives]
    changes = [own.to_original[0] for own in objectives if own.to_original is not None]
    counting = [own.counting[0] for own in objectives if own.counting is not None]
    return widest._replace(
        weight=padded([own.weight[0] for own in objectives]),
        counting=padded(counting) if counting else None,
        to_coef=padded(maps),
        x_mean=padded([own.x_mean[0] for own in objectives]),
        y_mean=padded([own.y_mean[0] for own in objectives]),
        spread=padded([own.spread[0] for own in objectives]),
        unit=padded([own.unit[0] for own in objectives]),
        l2=None if all(own.l2 is None for own in objectives) else padded(strengths),
        to_original=padded(changes) if changes else None,
    )
