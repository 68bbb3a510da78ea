"""The candidates of a search, and the table of what was found of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sklearn_gd._model_selection.scoring import Scores, cv_results

if TYPE_CHECKING:
    from sklearn_gd._model_selection.batched_fit import Cells
    from sklearn_gd._training.fit import Training

_NAMED_AT_MOST = 5  # diverged candidates in a warning


class Grid(NamedTuple):
    """The candidates, in ParameterGrid's order: the learning rate changes fastest."""

    lrs: list[Any]
    variants: list[dict[str, Any]]  # the values of the other axes
    params: list[dict[str, Any]]  # as in cv_results_

    @classmethod
    def of(cls, search: Any) -> Grid:
        """From the parameters of a search."""
        axes = {"alpha": search.alphas, "degree": getattr(search, "degrees", None)}
        axes = {name: _listed(values) for name, values in axes.items() if values is not None}
        variants = [dict(zip(axes, own, strict=True)) for own in product(*axes.values())]
        lrs = _listed(search.lrs)
        searched = {name for name, values in {**axes, "lr": lrs}.items() if len(values) > 1}
        searched = searched or {"lr"}
        params = [
            {name: value for name, value in {**own, "lr": lr}.items() if name in searched}
            for own, lr in product(variants, lrs)
        ]
        return cls(lrs, variants, params)

    def candidate(self, index: int) -> dict[str, Any]:
        """The values of all axes, searched or not."""
        v, k = divmod(index, len(self.lrs))
        return {**self.variants[v], "lr": self.lrs[k]}

    def has_faster(self, index: int) -> bool:
        """Whether a larger learning rate was tried than that of a candidate."""
        own = self.candidate(index)["lr"]
        return own != "auto" and any(lr == "auto" or lr > own for lr in self.lrs)


class Table:
    """What has been found so far, for each candidate and split."""

    def __init__(self, grid: Grid, n_splits: int, epochs: int):
        self.grid = grid
        shape = len(grid.params), n_splits
        self.scores: dict[str, np.ndarray] = {}
        self.is_multi = False
        self.curves = np.empty((*shape, epochs))
        self.losses = np.empty(shape)
        self.diverged = np.zeros(shape, dtype=bool)
        self.refits: dict[tuple[int, int], Sequence[Callable[[], Training]]] = {}
        self.seconds = self.score_seconds = 0.0

    def add(self, cells: Cells, scores: Sequence[Scores]) -> None:
        """Keep what was found of some cells."""
        first = cells.variant * len(self.grid.lrs) + cells.lrs.start
        own = slice(first, first + len(cells.lrs)), cells.fold
        self.curves[own], self.losses[own] = cells.curves, cells.losses
        self.diverged[own] = cells.diverged
        self.is_multi = isinstance(scores[0], dict)
        named = [each if isinstance(each, dict) else {"score": each} for each in scores]
        for name in named[0]:
            column = self.scores.setdefault(name, np.full(self.losses.shape, np.nan))
            column[own] = [each[name] for each in named]

    def refit_of(self, variant: int, lr: int) -> Callable[[], Training] | None:
        """What makes the report of a candidate's descent on all data, if it was done."""
        for (v, start), own in self.refits.items():
            if v == variant and start <= lr < start + len(own):
                return own[lr - start]
        return None

    def results(self) -> dict[str, Any]:
        """As in GridSearchCV."""
        cells = self.losses.size
        fit, score = self.seconds - self.score_seconds, self.score_seconds
        diverged = self.diverged.sum(1)
        return cv_results(self.grid.params, self.scores, fit / cells, score / cells, diverged)

    def warning(self, owner: str) -> str:
        """What to say of the descents that diverged, or nothing."""
        total = self.diverged.sum()
        if not total:
            return ""
        bad = np.flatnonzero(self.diverged.any(1))
        names = [
            ", ".join(f"{name}={value}" for name, value in self.grid.params[k].items())
            for k in bad[:_NAMED_AT_MOST]
        ]
        more = f" and {len(bad) - _NAMED_AT_MOST} more" if len(bad) > _NAMED_AT_MOST else ""
        return (
            f"{total} of {self.diverged.size} descents of {owner} diverged, those of "
            f"({'), ('.join(names)}){more}; they are scored at their lowest loss. "
            "cv_results_['diverged'] counts them. Leave out large values of lrs, or set "
            "precondition='auto'."
        )


def _listed(values: Any) -> list[Any]:
    """Values as a list, NumPy's as Python's."""
    return values.tolist() if isinstance(values, np.ndarray) else list(values)
