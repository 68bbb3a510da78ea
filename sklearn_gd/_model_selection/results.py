"""The results of a search, by candidate and split."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from sklearn_gd._base.types import Results
from sklearn_gd._model_selection.candidates import Grid
from sklearn_gd._model_selection.score_warnings import name_candidates
from sklearn_gd._model_selection.scoring import Scores

if TYPE_CHECKING:
    from sklearn_gd._model_selection.batched_fit import FoldResults
    from sklearn_gd._training.result import FitResult


class SearchResults:
    """What a search has found so far, for every candidate and split."""

    def __init__(self, grid: Grid, n_splits: int, epochs: int):
        self.grid = grid
        shape = len(grid.params), n_splits
        self.scores: dict[str, np.ndarray] = {}
        self.is_multi = False
        self.test_curves = np.empty((*shape, epochs))
        self.test_losses = np.empty(shape)
        self.diverged = np.zeros(shape, dtype=bool)
        self.fits_on_all_data: dict[int, Callable[[], FitResult]] = {}  # by candidate
        self.seconds = self.score_seconds = 0.0

    def add(self, found: FoldResults, scores: Sequence[Scores]) -> None:
        """Add the results of some candidates on a split."""
        candidates = self.candidates(found)
        index = slice(candidates.start, candidates.stop), found.fold
        self.test_curves[index], self.test_losses[index] = found.test_curves, found.test_losses
        self.diverged[index] = found.diverged
        self.is_multi = isinstance(scores[0], dict)
        named = [score if isinstance(score, dict) else {"score": score} for score in scores]
        for name in named[0]:
            column = self.scores.setdefault(name, np.full(self.test_losses.shape, np.nan))
            column[index] = [score[name] for score in named]

    def add_fits_on_all_data(self, found: FoldResults) -> None:
        """Add the results of some candidates on all data."""
        self.fits_on_all_data.update(zip(self.candidates(found), found.make_results, strict=True))

    def cv_results(self) -> Results:
        """The table of GridSearchCV."""
        n_fits = self.test_losses.size
        fit_seconds = self.seconds - self.score_seconds
        return _cv_results(
            self.grid.params,
            self.scores,
            fit_seconds / n_fits,
            self.score_seconds / n_fits,
            self.diverged.sum(1),
        )

    def epochs_of_lowest_test_loss(self, candidate: int) -> int:
        """After how many epochs the test loss of a candidate, averaged over splits, was lowest."""
        later = self.test_curves[candidate, :, 1:].mean(0)
        curve = np.append(later, self.test_losses[candidate].mean())
        return int(np.where(np.isnan(curve), np.inf, curve).argmin()) + 1

    def warning(self, owner: str, precondition: str | None) -> str:
        """What to warn of descents that diverged, or nothing."""
        total = self.diverged.sum()
        if not total:
            return ""
        names = name_candidates(self.grid.params, np.flatnonzero(self.diverged.any(1)).tolist())
        return (
            f"{total} of {self.diverged.size} descents of {owner} diverged, those of "
            f"{names}; they are scored at their lowest loss. "
            "cv_results_['diverged'] counts them. Leave out large values of lrs"
            + (", or set precondition='auto'." if precondition is None else ".")
        )

    def candidates(self, found: FoldResults) -> range:
        """The numbers of the candidates of some results."""
        first = found.spec * len(self.grid.lrs) + found.lr_range.start
        return range(first, first + len(found.lr_range))


def _cv_results(
    params: Sequence[Results],
    scores: Mapping[str, np.ndarray],
    fit_seconds: float,
    score_seconds: float,
    diverged: np.ndarray,
) -> Results:
    """The table of GridSearchCV. ``scores`` are (candidates, splits) by name."""
    n = len(params)
    results: Results = {
        "mean_fit_time": np.full(n, fit_seconds),
        "std_fit_time": np.zeros(n),
        "mean_score_time": np.full(n, score_seconds),
        "std_score_time": np.zeros(n),
    }
    for name in params[0]:
        values = [candidate[name] for candidate in params]
        are_numbers = not any(isinstance(value, str | tuple) for value in values)
        column = np.array(values) if are_numbers else np.fromiter(values, dtype=object, count=n)
        results[f"param_{name}"] = np.ma.MaskedArray(column, mask=np.zeros(n, dtype=bool))
    results["params"] = list(params)
    for name, by_split in scores.items():
        for k in range(by_split.shape[1]):
            results[f"split{k}_test_{name}"] = by_split[:, k]
        mean = by_split.mean(1)
        if not np.isfinite(mean).all():
            warnings.warn(f"One or more of the test scores are non-finite: {mean}", stacklevel=2)
        results[f"mean_test_{name}"] = mean
        results[f"std_test_{name}"] = by_split.std(1)
        # candidates without a score tie for the last place
        worst = np.nanmin(mean) - 1.0 if not np.isnan(mean).all() else 0.0
        ranked = rankdata(-np.where(np.isnan(mean), worst, mean), method="min")
        results[f"rank_test_{name}"] = ranked.astype(np.int32)
    results["diverged"] = diverged
    return results
