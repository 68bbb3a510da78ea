"""The candidates of a search: every combination of its learning rates, penalties and degrees."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_gd._base.types import Results


class Grid(NamedTuple):
    """The candidates in the order of ParameterGrid, in which the learning rate changes fastest."""

    lrs: list[float | str]
    specs: list[Results]  # the values of the other axes
    params: list[Results]  # as in cv_results_

    @classmethod
    def of(cls, search: BaseEstimator) -> Grid:
        """From the parameters of a search."""
        axes = {"alpha": search.alphas, "degree": getattr(search, "degrees", None)}
        axes = {name: _listed(values) for name, values in axes.items() if values is not None}
        specs = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
        lrs = _listed(search.lrs)
        searched = {name for name, values in {**axes, "lr": lrs}.items() if len(values) > 1}
        searched = searched or {"lr"}
        params = [
            {name: value for name, value in {**spec, "lr": lr}.items() if name in searched}
            for spec, lr in product(specs, lrs)
        ]
        return cls(lrs, specs, params)

    def candidate(self, index: int) -> Results:
        """The values of all axes, searched or not."""
        spec, k = divmod(index, len(self.lrs))
        return {**self.specs[spec], "lr": self.lrs[k]}

    def has_faster(self, index: int) -> bool:
        """Whether a larger learning rate was tried than the one of a candidate."""
        chosen = self.candidate(index)["lr"]
        return chosen != "auto" and any(lr == "auto" or lr > chosen for lr in self.lrs)


def _listed(values: Any) -> list[Any]:
    """Values as a list, with numbers of Python for those of NumPy."""
    return values.tolist() if isinstance(values, np.ndarray) else list(values)
