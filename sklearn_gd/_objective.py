"""Parameters of K runs -> their objectives, from moments or from rows.

An objective is a function of u, shape (runs, targets, coordinates), that returns a tensor
of shape (runs, targets); runs and targets never mix, so that one backward pass gives
every run its own gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from sklearn_gd._coordinates import Coordinates, Table

Part = tuple[Any, float]  # a function of u, and its share of the objective
Loss = Callable[[Tensor, Tensor], Tensor]  # elementwise on (runs, samples, targets)

_CHUNK_ENTRIES = 2**18  # mini-batches are gathered some at a time: 2 MB


class Objective(Protocol):
    """What the descent needs of an objective."""

    def __call__(self, u: Tensor) -> Tensor:
        """The whole objective."""
        ...

    def parts(self, epoch: int) -> Iterable[Part]:
        """What an epoch steps on, with its share of the whole: itself, or batches."""
        ...

    def cell(self, run: int, runs: int, target: int) -> Objective:
        """That of one of ``runs`` and one target, for optimizers that take no more at once."""
        ...


class SquaredError(NamedTuple):
    """Mean squared error over any number of rows, from the few rows of their factor."""

    design: Tensor | None  # (coordinates, m); None is the identity
    goal: Tensor  # (targets, m)
    rest: Tensor  # (targets,) what no parameters can explain

    @classmethod
    def of(cls, table: Table, coordinates: Coordinates) -> SquaredError:
        """In units of the coordinates' spread."""
        return cls(
            None if table.design is None else table.design.T.contiguous(),
            (table.goal / coordinates.spread).T.contiguous(),
            (table.rest / coordinates.spread).square(),
        )

    @property
    def size(self) -> int:
        """Entries of one run's predictions."""
        return self.goal.numel()

    def __call__(self, u: Tensor) -> Tensor:
        seen = u if self.design is None else u @ self.design
        return (seen - self.goal).square().sum(-1) + self.rest

    def parts(self, epoch: int) -> Iterable[Part]:
        return ((self, 1.0),)

    def cell(self, run: int, runs: int, target: int) -> SquaredError:
        one = slice(target, target + 1)
        return self._replace(goal=self.goal[one], rest=self.rest[one])


class Criterion(NamedTuple):
    """A loss of predictions, its unit, and the L2 penalty that goes with it."""

    loss: Loss
    coordinates: Coordinates
    unit: Tensor  # (targets,) objectives are divided by it
    l2: float = 0.0
    to_original: Tensor | None = None  # (terms, terms) coef @ it is in original units

    def mean(self, prediction: Tensor, y: Tensor, weight: Tensor) -> Tensor:
        """Weighted mean (runs, targets); predictions are ([runs,] samples, targets)."""
        y = y.expand_as(prediction) if prediction.ndim > y.ndim else y
        mean = torch.matmul(weight, self.loss(prediction, y))
        return mean if mean.ndim == 2 else mean.squeeze(1)

    def penalty(self, u: Tensor) -> Tensor | float:
        """The L2 penalty of u."""
        if not self.l2:
            return 0.0
        coef = self.coordinates.coef(u)[0]
        coef = coef if self.to_original is None else coef @ self.to_original
        return 0.5 * self.l2 * coef.square().sum(-1) / self.unit

    def cell(self, target: int) -> Criterion:
        """That of one target."""
        one = slice(target, target + 1)
        narrow = self.coordinates._replace(
            y_mean=self.coordinates.y_mean[one], spread=self.coordinates.spread[one]
        )
        return self._replace(coordinates=narrow, unit=self.unit[one])


class RowsLoss(NamedTuple):
    """Weighted mean of an elementwise loss over all rows, and the L2 penalty.

    The poses are ways to see the same rows: with weights, coordinates and a strength of
    the penalty of their own. Each has equally many runs, and all runs share one product
    with the rows. A plain fit has one pose; in a search a fold is one.
    """

    loss: Loss
    x: Tensor  # (samples, terms), dense or sparse CSR
    y: Tensor  # (samples, targets)
    weight: Tensor  # (poses, samples, 1), each of sum 1
    to_coef: Tensor  # (poses, terms, coordinates), or (poses, 1, terms) if diagonal
    x_mean: Tensor  # (poses, terms, 1)
    y_mean: Tensor  # (poses, 1, targets)
    spread: Tensor  # (poses, 1, targets, 1)
    unit: Tensor  # (poses, 1, targets)
    l2: Tensor | None  # (poses, 1, 1)
    to_original: Tensor | None  # (poses, terms, terms) coef @ it is in original units
    has_intercept: bool
    counting: Tensor | None = None  # (poses, 1, samples) the rows to look at; None: all

    @classmethod
    def of(cls, criterion: Criterion, x: Tensor, y: Tensor, weight: Tensor) -> RowsLoss:
        """One pose: weights (samples,) of sum 1, and what the criterion says."""
        own = criterion.coordinates
        is_diagonal = own.to_coef.ndim == 1
        return cls(
            criterion.loss,
            x,
            y,
            weight[None, :, None],
            own.to_coef.view(1, 1, -1) if is_diagonal else own.to_coef[None],
            own.x_mean.view(1, -1, 1),
            own.y_mean.view(1, 1, -1),
            own.spread.view(1, 1, -1, 1),
            criterion.unit.view(1, 1, -1),
            weight.new_full((1, 1, 1), criterion.l2) if criterion.l2 else None,
            None if criterion.to_original is None else criterion.to_original[None],
            own.has_intercept,
        )

    def on(self, x: Tensor, y: Tensor, weight: Tensor) -> RowsLoss:
        """The loss without the penalty of other rows, in the same columns or more."""
        terms = self.x.shape[1]
        x = x if x.shape[1] == terms else x[:, :terms]
        return self._replace(x=x, y=y, weight=weight[None, :, None], l2=None, counting=None)

    @property
    def size(self) -> int:
        """Entries of one run's predictions."""
        return self.y.numel()

    def __call__(self, u: Tensor) -> Tensor:
        coef, offset = self._models(u)
        prediction = self._predictions(coef.flatten(0, 1), offset)
        loss = self.loss(prediction, self.y.expand_as(prediction))
        value = torch.bmm(loss.mT.reshape(*coef.shape[:2], -1), self.weight)
        if self.l2 is not None:
            coef = coef if self.to_original is None else coef @ self.to_original
            value = value + 0.5 * self.l2 * coef.square().sum(-1, keepdim=True)
        value = value.view(len(coef), -1, u.shape[1]) / self.unit
        return value.view(u.shape[:2])

    def _models(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Coefficients (poses, runs x targets, terms), offsets (poses, runs x targets, 1)."""
        u = u.view(len(self.weight), -1, *u.shape[1:]) * self.spread
        w, offset = u.flatten(1, 2), self.y_mean.expand(u.shape[:3]).flatten(1)[..., None]
        if self.has_intercept:
            offset, w = offset + w[..., :1], w[..., 1:]
        is_diagonal = self.to_coef.shape[1] == 1
        coef = w * self.to_coef if is_diagonal else torch.bmm(w, self.to_coef.mT)
        return coef, torch.baddbmm(offset, coef, self.x_mean, alpha=-1)

    def _predictions(self, coef: Tensor, offset: Tensor) -> Tensor:
        """Predictions (all runs, samples, targets)."""
        flat = offset.view(-1, 1)
        if self.x.is_sparse_csr:  # torch multiplies sparse by dense only
            seen = (self.x @ coef.T).T.contiguous() + flat
        else:
            seen = torch.addmm(flat, coef, self.x.T)
        targets, n_samples = self.y.shape[1], len(self.y)
        if self.counting is not None:
            # weight zero is not enough, 0 · NaN being NaN: the others stay at the start
            start = self.y_mean.flatten(1)[..., None]
            seen = torch.where(
                self.counting[:, None],
                seen.view(len(self.weight), -1, targets, n_samples),
                start[:, None],
            )
        return seen.view(-1, targets, n_samples).mT

    def parts(self, epoch: int) -> Iterable[Part]:
        return ((self, 1.0),)

    def cell(self, run: int, runs: int, target: int) -> RowsLoss:
        own, one = run * len(self.weight) // runs, slice(target, target + 1)
        pose = slice(own, own + 1)
        return self._replace(
            y=self.y[:, one],
            weight=self.weight[pose],
            to_coef=self.to_coef[pose],
            x_mean=self.x_mean[pose],
            y_mean=self.y_mean[pose, :, one],
            spread=self.spread[pose, :, one],
            unit=self.unit[pose, :, one],
            l2=None if self.l2 is None else self.l2[pose],
            to_original=None if self.to_original is None else self.to_original[pose],
            counting=None if self.counting is None else self.counting[pose],
        )


class Batch(NamedTuple):
    """The same over a few rows, which are given in the coordinates of the descent.

    Every operation counts here, a step being so small: with one target the spread and the
    unit are in ``z`` and ``weight`` already (None), and one run has no axis of runs.
    """

    criterion: Criterion
    z: Tensor  # (samples, coordinates)
    y: Tensor  # (samples, targets)
    weight: Tensor  # (1, samples), of sum 1 or 1/unit
    spread: Tensor | None  # (targets, 1)
    unit: Tensor | None  # (targets,)

    def __call__(self, u: Tensor) -> Tensor:
        runs, targets, size = u.shape
        w = u if self.spread is None else u * self.spread
        w, offset = w.reshape(-1, size), self.criterion.coordinates.y_mean
        offset = offset if runs == 1 else offset.repeat(runs)
        prediction = torch.nn.functional.linear(self.z, w, offset)
        if runs > 1:
            prediction = prediction.view(-1, runs, targets).transpose(0, 1)
        mean = self.criterion.mean(prediction, self.y, self.weight)
        mean = mean if self.unit is None else mean / self.unit
        return mean + self.criterion.penalty(u) if self.criterion.l2 else mean


class MiniBatches(NamedTuple):
    """The same, stepped on in batches that are drawn afresh every epoch."""

    criterion: Criterion
    gather: Callable[[Tensor], Tensor]  # row numbers -> (samples, terms)
    y: Tensor  # (samples, targets)
    weight: Tensor  # (samples,), the rows of weight zero left out
    size: int
    seed: int | None  # None keeps the order of the rows
    whole: Objective | None = None  # the same over all rows, where moments give it

    def __call__(self, u: Tensor) -> Tensor:
        if self.whole is not None:
            return self.whole(u)
        parts = self._batches(torch.arange(len(self.y)), self._chunk())
        return sum((share * batch(u) for batch, share in parts), torch.zeros_like(u[..., 0]))

    def parts(self, epoch: int) -> Iterable[Part]:
        if self.seed is None:
            order = torch.arange(len(self.y))
        else:
            # a generator for each epoch, so that cells that step apart see the same batches
            generator = torch.Generator().manual_seed((self.seed << 20) + epoch)
            order = torch.randperm(len(self.y), generator=generator)
        return self._batches(order, self.size)

    def cell(self, run: int, runs: int, target: int) -> MiniBatches:
        return self._replace(
            criterion=self.criterion.cell(target),
            y=self.y[:, target : target + 1],
            whole=None if self.whole is None else self.whole.cell(run, runs, target),
        )

    def _chunk(self) -> int:
        """How many rows are gathered at a time: whole batches, at least one."""
        terms = len(self.criterion.coordinates.x_mean)
        return self.size * max(1, _CHUNK_ENTRIES // (terms * self.size))

    def _batches(self, order: Tensor, size: int) -> Iterator[tuple[Batch, float]]:
        """The rows in ``order`` as batches of ``size``, each with its share of the weight."""
        spread, unit = self.criterion.coordinates.spread[:, None], self.criterion.unit
        single = len(unit) == 1
        fixed = (None, None) if single else (spread, unit)
        whole = float(self.weight.sum())
        for rows in order.to(self.y.device).split(self._chunk()):
            z = self.criterion.coordinates.rows(self.gather(rows))
            y, weight = self.y.index_select(0, rows), self.weight.index_select(0, rows)
            parts = weight.split(size)
            totals: list[float] = torch.stack([part.sum() for part in parts]).tolist()
            if single:
                z, weight = z.mul_(spread), weight / unit
            pieces = zip(z.split(size), y.split(size), weight.split(size), totals, strict=True)
            for own, target, share, total in pieces:
                yield Batch(self.criterion, own, target, share[None] / total, *fixed), total / whole


def mean_squared_error_optimum(table: Table) -> Tensor:
    """The least mean squared error that any parameters reach, per target."""
    if table.design is None:
        return table.rest.square()
    left, size, _ = torch.linalg.svd(table.design, full_matrices=False)
    kept = left[:, size > 1e-14 * size.max()]
    return (table.goal - kept @ (kept.T @ table.goal)).square().sum(0) + table.rest.square()
