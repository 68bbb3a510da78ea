"""The penalty alpha (l1_ratio ‖w‖₁ + (1 − l1_ratio)/2 ‖w‖²), and positivity.

The L2 part is smooth: for squared error it is p more rows of the data (sqrt(alpha/2) I
with targets 0), for other losses a term of the objective. The L1 part and positivity are
a proximal step after each gradient step, which makes zeros exact (proximal gradient
descent: Combettes and Wajs, 2005). SGD with momentum adds up the gradients of many
steps, and the threshold must stand for as many steps as the momentum does, or another
point would be at rest: m = β m + (1 − d) for momentum β and dampening d, which tends to
(1 − d)/(1 − β). Where the objective rises, the momentum overshot a kink and starts anew
(O'Donoghue and Candès, 2015), and m with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sklearn_gd._coordinates import Coordinates


class Penalty(NamedTuple):
    """Strengths of the parts, on coefficients in original units."""

    l1: float
    l2: float
    positive: bool

    @classmethod
    def of(cls, alpha: float, l1_ratio: float, positive: bool) -> Penalty:
        """From the parameters of an estimator."""
        return cls(alpha * l1_ratio, alpha * (1.0 - l1_ratio), positive)

    @property
    def is_proximal(self) -> bool:
        """Whether there is a part without a gradient."""
        return self.l1 > 0.0 or self.positive


class Proximal(NamedTuple):
    """The proximal step of the L1 part and of positivity, in diagonal coordinates."""

    weight: Tensor  # ([runs,] targets, coordinates) of |u|; 0 for the intercept
    bound: (
        Tensor | None
    )  # ([runs, 1,] coordinates) the least value of u if coefficients are positive
    momentum: float
    dampening: float
    nesterov: bool

    @classmethod
    def of(
        cls, penalty: Penalty, coordinates: Coordinates, unit: Tensor, group: Mapping[str, Any]
    ) -> Proximal:
        """In the coordinates of a descent of the objective divided by ``unit``."""
        lead = int(coordinates.has_intercept)
        size = torch.nn.functional.pad(coordinates.to_coef.abs(), (lead, 0))
        weight = penalty.l1 * size * (coordinates.spread / unit)[:, None]
        bound = None
        if penalty.positive:
            bound = torch.nn.functional.pad(
                torch.zeros_like(coordinates.to_coef), (lead, 0), value=-torch.inf
            )
        return cls(weight, bound, group["momentum"], group["dampening"], group["nesterov"])

    def value(self, u: Tensor) -> Tensor:
        """The L1 part of the objective, (runs, targets)."""
        return (self.weight * u.abs()).sum(-1)

    def steps(self, before: Tensor | None) -> Tensor:
        """How many gradients SGD's momentum holds after a step, given those before it."""
        if before is None:
            return torch.ones_like(self.weight[..., :1])
        return self.momentum * before + (1.0 - self.dampening)

    def step(self, u: Tensor, lr: Tensor | float, steps: Tensor) -> Tensor:
        """The point where a step of length ``lr`` ends that adds up so many gradients."""
        steps = 1.0 + self.momentum * steps if self.nesterov else steps
        shrunk = torch.nn.functional.relu(u.abs() - lr * steps * self.weight)
        u = torch.copysign(shrunk, u)
        return u if self.bound is None else torch.maximum(u, self.bound)

    def cell(self, run: int, target: int) -> Proximal:
        """That of one run and target."""
        weight = self.weight[..., target : target + 1, :]
        if weight.ndim == 2:
            return self._replace(weight=weight)
        bound = None if self.bound is None else self.bound[run : run + 1]
        return self._replace(weight=weight[run : run + 1], bound=bound)
