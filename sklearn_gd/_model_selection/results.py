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

    def __init__(self, grid: Grid, n_splits: int, epochs: int, error_score: float | str = "raise"):
        self.grid = grid
        shape = len(grid.params), n_splits
        # scores that failed keep this value
        failed = np.nan if isinstance(error_score, str) else float(error_score)
        self.no_scores = np.full(shape, failed)
        self.scores: dict[str, np.ndarray] = {}
        self.training_scores: dict[str, np.ndarray] = {}
        self.is_multi = self.has_training_scores = False
        self.test_curves = np.empty((*shape, epochs))
        self.test_losses = np.empty(shape)
        self.diverged = np.zeros(shape, dtype=bool)
        self.fits_on_all_data: dict[int, Callable[[], FitResult]] = {}  # by candidate
        self.seconds = self.score_seconds = 0.0

    def add(
        self,
        found: FoldResults,
        scores: Sequence[Scores],
        training_scores: Sequence[Scores] | None = None,
    ) -> None:
        """Add the results of some candidates on a split."""
        candidates = self.candidates(found)
        index = slice(candidates.start, candidates.stop), found.fold
        self.test_curves[index], self.test_losses[index] = found.test_curves, found.test_losses
        self.diverged[index] = found.diverged
        self.is_multi |= any(isinstance(score, dict) for score in scores)
        self._add_scores(self.scores, candidates, found.fold, scores)
        self.has_training_scores = training_scores is not None
        if training_scores is not None:
            self._add_scores(self.training_scores, candidates, found.fold, training_scores)

    def add_fits_on_all_data(self, found: FoldResults) -> None:
        """Add the results of some candidates on all data."""
        self.fits_on_all_data.update(zip(self.candidates(found), found.make_results, strict=True))

    def _add_scores(
        self,
        table: dict[str, np.ndarray],
        candidates: range,
        fold: int,
        scores: Sequence[Scores],
    ) -> None:
        """Write the scores of some candidates on a split into the columns of their names."""
        for candidate, score in zip(candidates, scores, strict=True):
            if score is None:  # the scorer failed
                continue
            named = score if isinstance(score, dict) else {"score": score}
            for name, value in named.items():
                table.setdefault(name, self.no_scores.copy())[candidate, fold] = value

    def cv_results(self) -> Results:
        """The table of GridSearchCV."""
        n_fits = self.test_losses.size
        fit_seconds = self.seconds - self.score_seconds
        return _cv_results(
            self.grid.params,
            self._columns(),
            fit_seconds / n_fits,
            self.score_seconds / n_fits,
            self.diverged.sum(1),
        )

    def _columns(self) -> dict[str, np.ndarray]:
        """Scores by the names that they have in the table, without the split."""
        columns = {}
        for name in self.scores or ["score"]:  # none, if all scorers failed
            columns[f"test_{name}"] = self.scores.get(name, self.no_scores)
            if self.has_training_scores:
                columns[f"train_{name}"] = self.training_scores.get(name, self.no_scores)
        return columns

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
    columns: Mapping[str, np.ndarray],
    fit_seconds: float,
    score_seconds: float,
    diverged: np.ndarray,
) -> Results:
    """The table of GridSearchCV. ``columns`` are scores (candidates, splits) by name."""
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
    for name, by_split in columns.items():
        for k in range(by_split.shape[1]):
            results[f"split{k}_{name}"] = by_split[:, k]
        mean, side = by_split.mean(1), name.partition("_")[0]
        if not np.isfinite(mean).all():
            warnings.warn(f"One or more of the {side} scores are non-finite: {mean}", stacklevel=2)
        results[f"mean_{name}"] = mean
        results[f"std_{name}"] = by_split.std(1)
        if side == "train":
            continue
        # candidates without a score tie for the last place
        worst = np.nanmin(mean) - 1.0 if not np.isnan(mean).all() else 0.0
        ranked = rankdata(-np.where(np.isnan(mean), worst, mean), method="min")
        results[f"rank_{name}"] = ranked.astype(np.int32)
    results["diverged"] = diverged
    return results
