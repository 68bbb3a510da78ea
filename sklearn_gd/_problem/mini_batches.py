"""The weighted mean of a loss, stepped on in batches of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.expanded_rows import GatherRows
from sklearn_gd._moments.tensor_data import TensorData
from sklearn_gd._problem.empirical_risk import RegularizedLoss
from sklearn_gd._solver.objective import BatchObjective, Objective

_GATHERED_ENTRIES = 2**18  # rows of several batches are gathered together: 2 MB


class MiniBatches(NamedTuple):
    """The objective of one problem, stepped on in batches that are drawn in every epoch."""

    loss: RegularizedLoss
    gather: GatherRows  # row numbers -> (samples, terms)
    y: Tensor  # (samples, targets)
    weight: Tensor  # (samples,) without the rows of weight zero
    batch_size: int
    seed: int | None  # None keeps the order of the rows
    full_objective: Objective | None = None  # the mean over all rows, where moments give it

    @classmethod
    def of(
        cls,
        loss: RegularizedLoss,
        data: TensorData,
        batch_size: int | None,
        seed: int | None,
        full_objective: Objective | None = None,
    ) -> MiniBatches:
        """Batches of the rows of positive weight. Rows are expanded when they are drawn."""
        data.data.check_finite()
        y, weight = data.targets()
        gather, kept = data.row_gatherer(), torch.nonzero(weight).ravel()
        if len(kept) < len(weight):
            y, weight, gather_all = y[kept], weight[kept], gather

            def gather(rows: Any) -> Tensor:
                return gather_all(kept[rows])

        return cls(loss, gather, y, weight, batch_size or len(y), seed, full_objective)

    def __call__(self, u: Tensor) -> Tensor:
        if self.full_objective is not None:
            return self.full_objective(u)
        order = torch.arange(len(self.y))
        batches = self._batches(order, self._gathered_rows())
        return sum((share * batch(u) for batch, share in batches), torch.zeros_like(u[..., 0]))

    def batches(self, epoch: int) -> Iterable[tuple[BatchObjective, float]]:
        if self.seed is None:
            order = torch.arange(len(self.y))
        else:
            # a generator for each epoch, so that runs that step apart see the same batches
            generator = torch.Generator().manual_seed((self.seed << 20) + epoch)
            order = torch.randperm(len(self.y), generator=generator)
        return self._batches(order, self.batch_size)

    @property
    def entries_per_step(self) -> int:
        """Entries of the matrices that a step reads."""
        return self.batch_size * self.loss.parametrization.x_mean.shape[1]

    def select(self, problem: int, target: int) -> MiniBatches:
        full = self.full_objective
        return self._replace(
            loss=self.loss.select(problem, target),
            y=self.y[:, target : target + 1],
            full_objective=None if full is None else full.select(problem, target),
        )

    def _gathered_rows(self) -> int:
        """How many rows are gathered together: whole batches, at least one."""
        n_terms = self.loss.parametrization.x_mean.shape[1]
        return self.batch_size * max(1, _GATHERED_ENTRIES // (n_terms * self.batch_size))

    def _batches(self, order: Tensor, batch_size: int) -> Iterator[tuple[MiniBatch, float]]:
        """The rows in ``order`` as batches, and the share of each in the whole weight."""
        scaling = self.loss.parametrization.scaling
        y_scale, loss_scale = scaling.y_scale[0, 0], scaling.loss_scale[0, 0]
        has_one_target = len(loss_scale) == 1
        scales = (None, None) if has_one_target else (y_scale[:, None], loss_scale)
        total_weight = float(self.weight.sum())
        for rows in order.to(self.y.device).split(self._gathered_rows()):
            z = self.loss.parametrization.transform(self.gather(rows))
            y, weight = self.y.index_select(0, rows), self.weight.index_select(0, rows)
            parts = weight.split(batch_size)
            totals: list[float] = torch.stack([part.sum() for part in parts]).tolist()
            if has_one_target:
                z, weight = z.mul_(y_scale), weight / loss_scale
            pieces = z.split(batch_size), y.split(batch_size), weight.split(batch_size)
            for z_batch, y_batch, weight_batch, total in zip(*pieces, totals, strict=True):
                batch = MiniBatch(self.loss, z_batch, y_batch, weight_batch[None] / total, *scales)
                yield batch, total / total_weight


class MiniBatch(NamedTuple):
    """The objective over a few rows, which are given in the coordinates of the descent.

    A step is so small that every operation counts. With one target its scales are part of
    ``z`` and ``weight`` already, and are None.
    """

    loss: RegularizedLoss
    z: Tensor  # (samples, coordinates)
    y: Tensor  # (samples, targets)
    weight: Tensor  # (1, samples) of sum 1, or of sum 1 / loss_scale
    y_scale: Tensor | None  # (targets, 1)
    loss_scale: Tensor | None  # (targets,)

    def __call__(self, u: Tensor) -> Tensor:
        _, runs, targets, size = u.shape
        w = u if self.y_scale is None else u * self.y_scale
        y_mean, y = self.loss.parametrization.scaling.y_mean[0, 0], self.y
        y_mean = y_mean if runs == 1 else y_mean.repeat(runs)
        prediction = torch.nn.functional.linear(self.z, w.reshape(-1, size), y_mean)
        if runs > 1:
            prediction = prediction.view(-1, runs, targets).transpose(0, 1)
            y = y.expand_as(prediction)
        mean = torch.matmul(self.weight, self.loss.loss(prediction, y)).view(1, runs, targets)
        mean = mean if self.loss_scale is None else mean / self.loss_scale
        ridge = self.loss.ridge
        if ridge is None:
            return mean
        coef, _ = self.loss.parametrization.to_model(u)
        return mean + ridge(coef) / self.loss.parametrization.scaling.loss_scale
