"""The weighted mean of any elementwise loss over all rows, and its L2 penalty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._moments.tensor_data import DesignRows, SparseRows, WeightedRows
from sklearn_gd._problem.parametrization import Parametrization
from sklearn_gd._problem.penalties import RidgeTerm
from sklearn_gd._problem.row_product import row_product
from sklearn_gd._problem.stacking import stack_padded
from sklearn_gd._solver.objective import BatchObjective

Loss = Callable[[Tensor, Tensor], Tensor]  # elementwise, on (runs, samples, targets)


class RegularizedLoss(NamedTuple):
    """An elementwise loss of the models of a parametrization, with an L2 penalty."""

    loss: Loss
    parametrization: Parametrization
    ridge: RidgeTerm | None = None

    def total(self, mean_loss: Tensor, coef: Tensor) -> Tensor:
        """The objective (problems, runs, targets) of a mean loss, with the penalty of coef."""
        total = mean_loss if self.ridge is None else mean_loss + self.ridge(coef)
        return total / self.parametrization.scaling.loss_scale

    def select(self, problem: int, target: int) -> RegularizedLoss:
        """The loss of one problem and one target."""
        return RegularizedLoss(
            self.loss,
            self.parametrization.select(problem, target),
            None if self.ridge is None else self.ridge.select(problem),
        )

    @staticmethod
    def stack(parts: Sequence[RegularizedLoss]) -> RegularizedLoss:
        """The losses of several problems as one."""
        return RegularizedLoss(
            parts[0].loss,
            Parametrization.stack([part.parametrization for part in parts]),
            RidgeTerm.stack([part.ridge for part in parts]),
        )


class EmpiricalRisk(NamedTuple):
    """Weighted mean loss over rows that all problems share.

    A problem has its own weights, such as zero for the rows that a fold holds out, and its
    own coordinates. One product with the rows serves all runs of all problems.
    """

    loss: RegularizedLoss
    x: DesignRows  # (samples, terms)
    y: Tensor  # (samples, targets)
    weight: Tensor  # (problems, samples), the weights of each problem have sum 1
    uses_row: Tensor | None = None  # (problems, samples) rows with a loss; None is all of them

    @classmethod
    def of(cls, loss: RegularizedLoss, rows: WeightedRows) -> EmpiricalRisk:
        """The risk of one problem."""
        x, y, weight = rows
        return cls(loss, x, y, weight[None])

    def on_rows(self, rows: WeightedRows) -> EmpiricalRisk:
        """The mean loss without penalty over other rows, with the same columns or more."""
        x, y, weight = rows
        x = leading_terms(x, self.x.shape[1])
        return EmpiricalRisk(self.loss._replace(ridge=None), x, y, weight[None])

    @property
    def entries_per_step(self) -> int:
        """Entries of the matrices that a step reads."""
        return self.x.shape[0] * self.x.shape[1]

    @property
    def entries_per_run(self) -> int:
        """Size of the largest tensor that one run of one problem makes."""
        return self.y.numel()

    def __call__(self, u: Tensor) -> Tensor:
        coef, intercept = self.loss.parametrization.to_model(u)
        prediction = self._predict(coef, intercept)
        losses = self.loss.loss(prediction, self.y.expand_as(prediction))
        problems, runs, targets = u.shape[:3]
        losses = losses.mT.reshape(problems, runs * targets, -1)
        mean_loss = torch.bmm(losses, self.weight[..., None])
        return self.loss.total(mean_loss.view(problems, runs, targets), coef)

    def batches(self, epoch: int) -> Iterable[tuple[BatchObjective, float]]:
        return ((self, 1.0),)

    def select(self, problem: int, target: int) -> EmpiricalRisk:
        one = slice(problem, problem + 1)
        return EmpiricalRisk(
            self.loss.select(problem, target),
            self.x,
            self.y[:, target : target + 1],
            self.weight[one],
            None if self.uses_row is None else self.uses_row[one],
        )

    @staticmethod
    def stack(parts: Sequence[EmpiricalRisk]) -> EmpiricalRisk:
        """The risks of several problems as one. Their columns are leading ones of the widest."""
        widest = max(parts, key=lambda part: part.x.shape[1])
        uses_row = [part.uses_row for part in parts if part.uses_row is not None]
        return EmpiricalRisk(
            RegularizedLoss.stack([part.loss for part in parts]),
            widest.x,
            widest.y,
            stack_padded([part.weight for part in parts]),
            stack_padded(uses_row) if uses_row else None,
        )

    def _predict(self, coef: Tensor, intercept: Tensor) -> Tensor:
        """Predictions (problems · runs, samples, targets)."""
        flat_coef, flat_intercept = coef.flatten(0, 2), intercept.reshape(-1, 1)
        if isinstance(self.x, Tensor):
            prediction = torch.addmm(flat_intercept, flat_coef, self.x.T)
        else:
            prediction = row_product(self.x, flat_coef).T.contiguous() + flat_intercept
        prediction = prediction.view(*coef.shape[:3], -1)
        if self.uses_row is not None:
            # a weight of zero is not enough, 0 times NaN being NaN: such rows are
            # predicted by the mean
            y_mean = self.loss.parametrization.scaling.y_mean[..., None]
            prediction = torch.where(self.uses_row[:, None, None], prediction, y_mean)
        return prediction.flatten(0, 1).mT


def leading_terms(x: DesignRows, n_terms: int) -> DesignRows:
    """The leading columns of rows. Sparse rows, which are not expanded, have no further ones."""
    if isinstance(x, Tensor):
        return x if x.shape[1] == n_terms else x[:, :n_terms]
    return x if isinstance(x, SparseRows) else x.leading(n_terms)
