"""The penalty alpha·(l1_ratio·‖w‖₁ + (1 − l1_ratio)/2·‖w‖²), and bounds of coefficients.

The L2 part is smooth. For squared error it is rows of the data, or a ridge (see
`precondition`). For other losses it is a term of the objective. The L1 part and the bounds are a
proximal step after every gradient step, which makes zeros and bounds exact (proximal gradient
descent: Combettes and Wajs, Signal Recovery by Proximal Forward-Backward Splitting, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_gd._base.bounds import Bounds
from sklearn_gd._base.parameters import InvalidParameterError, invalid
from sklearn_gd._problem.parametrization import Parametrization
from sklearn_gd._problem.stacking import stack_padded
from sklearn_gd._solver.optimizers import OptimizerFactory


class Penalty(NamedTuple):
    """The penalty of an estimator, on coefficients in original units."""

    alpha: float
    l1_ratio: float
    bounds: Bounds | None

    @property
    def l1(self) -> float:
        """Strength of the L1 part."""
        return self.alpha * self.l1_ratio

    @property
    def l2(self) -> float:
        """Strength of the L2 part; also its curvature."""
        return self.alpha * (1.0 - self.l1_ratio)

    @property
    def is_proximal(self) -> bool:
        """Whether there is a part without a gradient, which needs a proximal step."""
        return self.l1 > 0.0 or self.bounds is not None

    def check_optimizer(self, factory: OptimizerFactory, optimizer: object, owner: str) -> None:
        """Raise unless the steps of the optimizer combine with a proximal step."""
        if self.is_proximal and not factory.is_sgd:
            cause = self.bounds.cause if self.bounds else f"l1_ratio={self.l1_ratio}"
            raise invalid(
                owner,
                "optimizer",
                f"'sgd' (with or without momentum) when {cause}, because only its steps combine "
                "with a proximal step",
                optimizer,
            )

    def check_precondition(self, precondition: str | None, owner: str) -> None:
        """Raise unless each coefficient is a coordinate, where the proximal step needs that."""
        if self.is_proximal and precondition == "whiten":
            raise InvalidParameterError(
                f"precondition='whiten' of {owner} cannot be combined with an L1 penalty, "
                "positive or bounds, whose proximal step needs each coefficient to be a "
                "coordinate. Use precondition='standardize', or 'auto', which chooses."
            )

    def as_term(self, to_original: Tensor | None, like: Tensor) -> RidgeTerm | None:
        """The L2 part as a term of an objective."""
        if not self.l2:
            return None
        matrix = None if to_original is None else to_original[None]
        return RidgeTerm(like.new_full((1, 1, 1), self.l2), matrix)

    def in_coordinates(self, parametrization: Parametrization) -> CoordinatePenalty | None:
        """The proximal part in the coordinates of a descent."""
        if not self.is_proximal:
            return None
        first = int(parametrization.has_intercept)  # the intercept is not penalized
        coordinates = torch.ones_like(parametrization.x_mean)[:, None, None]
        size = parametrization.preconditioner.to_coef(coordinates).abs()
        scaling = parametrization.scaling
        unit = (scaling.y_scale / scaling.loss_scale)[..., None]
        weight = self.l1 * torch.nn.functional.pad(size, (first, 0)) * unit
        lower, upper = torch.full_like(weight, -torch.inf), torch.full_like(weight, torch.inf)
        if self.bounds is not None:
            for limit, values in ((lower, self.bounds.low), (upper, self.bounds.high)):
                coef = torch.from_numpy(values).to(size).expand_as(size)
                u = parametrization.preconditioner.from_coef(coef) / scaling.y_scale[..., None]
                # a coefficient that no coordinate moves is 0
                limit[..., first:] = torch.where(size > 0.0, u, limit[..., first:])
        return CoordinatePenalty(weight, lower, upper)


class RidgeTerm(NamedTuple):
    """The L2 part l2/2·‖w‖² as a term of an objective."""

    l2: Tensor  # (problems, 1, 1)
    to_original: Tensor | None  # (problems, terms, terms) w = coef @ to_original

    def __call__(self, coef: Tensor) -> Tensor:
        """The term (problems, runs, targets) of coefficients (..., p)."""
        if self.to_original is not None:
            coef = coef[..., : self.to_original.shape[1]]  # further terms have no penalty
            coef = torch.bmm(coef.flatten(1, 2), self.to_original).view(coef.shape)
        return 0.5 * self.l2 * coef.square().sum(-1)

    def select(self, problem: int) -> RidgeTerm:
        """The term of one problem."""
        one = slice(problem, problem + 1)
        return RidgeTerm(self.l2[one], None if self.to_original is None else self.to_original[one])

    @staticmethod
    def stack(terms: Sequence[RidgeTerm | None]) -> RidgeTerm | None:
        """The terms of several problems as one. Problems without a term have strength 0."""
        known = [term for term in terms if term is not None]
        if not known:
            return None
        matrix = known[0].to_original
        no_matrix = None if matrix is None else torch.zeros_like(matrix[:, :1, :1])
        no_term = RidgeTerm(torch.zeros_like(known[0].l2), no_matrix)
        padded = [no_term if term is None else term for term in terms]
        matrices = [term.to_original for term in padded if term.to_original is not None]
        return RidgeTerm(
            torch.cat([term.l2 for term in padded]), stack_padded(matrices) if matrices else None
        )


class CoordinatePenalty(NamedTuple):
    """The L1 part and the bounds, in coordinates that are multiples of coefficients."""

    weight: Tensor  # (problems, 1, targets, coordinates) of |u|; 0 for the intercept
    lower: Tensor  # (problems, 1, targets, coordinates) smallest u
    upper: Tensor  # (problems, 1, targets, coordinates) largest u

    def value(self, u: Tensor) -> Tensor:
        """The L1 part (problems, runs, targets) of u."""
        return (self.weight * u.abs()).sum(-1)

    def prox(self, u: Tensor, step: Tensor | float) -> Tensor:
        """Soft thresholding, and then the projection on the bounds.

        This is the proximal operator of both together. In each coordinate it minimizes a
        convex function of one number, whose lowest point is where soft thresholding leads. Such
        a function falls up to its lowest point and rises after it. So its lowest point in an
        interval is the point of the interval that is nearest to it.
        """
        shrunk = torch.nn.functional.relu(u.abs() - step * self.weight)
        return torch.clamp(torch.copysign(shrunk, u), self.lower, self.upper)

    def select(self, problem: int, target: int) -> CoordinatePenalty:
        """The penalty of one problem and one target."""
        one = slice(problem, problem + 1), slice(None), slice(target, target + 1)
        return CoordinatePenalty(self.weight[one], self.lower[one], self.upper[one])

    @staticmethod
    def stack(penalties: Sequence[CoordinatePenalty | None]) -> CoordinatePenalty | None:
        """The penalties of several problems, or of none, as one."""
        known = [penalty for penalty in penalties if penalty is not None]
        if not known:
            return None
        return CoordinatePenalty(*(stack_padded(fields) for fields in zip(*known, strict=True)))
