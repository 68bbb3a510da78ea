"""Which candidate a search chooses."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

from sklearn_gd._estimators.fitted_state import FittedState
from sklearn_gd._model_selection.results import SearchResults
from sklearn_gd._model_selection.scoring import check_refit

if TYPE_CHECKING:
    from sklearn_gd._model_selection.base import GDRegressorCV


def best_candidate(search: GDRegressorCV, results: SearchResults) -> FittedState:
    """The best candidate, as GridSearchCV chooses it."""
    table, is_multi = results.cv_results(), results.is_multi
    if is_multi:
        check_refit(search.refit, results.scores)
    state: FittedState = {"cv_results_": table, "multimetric_": is_multi}
    if is_multi and not search.refit:
        return state
    if callable(search.refit):
        best = _checked_index(search.refit(table), len(table["params"]))
    else:
        metric = search.refit if is_multi else "score"
        best = int(table[f"rank_test_{metric}"].argmin())
        state["best_score_"] = table[f"mean_test_{metric}"][best]
    chosen = {f"{name}_": value for name, value in results.grid.candidate(best).items()}
    epochs = int(search.epochs)
    if search.select_epochs:
        epochs = results.epochs_of_lowest_test_loss(best)
    return {
        **state,
        **chosen,
        "best_index_": best,
        "best_params_": table["params"][best],
        "epochs_": epochs,
    }


def _checked_index(best: object, n_candidates: int) -> int:
    """The candidate that a callable ``refit`` chose, or the errors of GridSearchCV."""
    if not isinstance(best, Integral):
        raise TypeError("best_index_ returned is not an integer")
    if not 0 <= int(best) < n_candidates:
        raise IndexError("best_index_ index out of range")
    return int(best)
