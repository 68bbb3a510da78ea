"""What the estimators that search share: all candidates on all folds as one descent."""

from __future__ import annotations

import copy
import time
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_gd._base import parameters as _params
from sklearn_gd._estimators.callbacks import (
    CallbackSupportMixin,
    FitTask,
    with_callbacks,
    with_progress_bar,
)
from sklearn_gd._model_selection.candidates import Grid, Table
from sklearn_gd._data.validation import Data, as_numpy, check_training_data
from sklearn_gd._estimators.base import RULES, is_fitted_name, outside
from sklearn_gd._model_selection.scoring import Scores, Scoring, check_refit, scorers

if TYPE_CHECKING:
    from sklearn_gd._data.polynomial import Basis
    from sklearn_gd._model_selection.batched_fit import Cells, Search, Variant
    from sklearn_gd._training.fit import Training

_PLAIN_ONLY = {"lr", "alpha", "early_stopping", "validation_fraction", "warm_start"}
SEARCH_RULES = {
    "lrs": _params.sequence(RULES["lr"]),
    "alphas": _params.sequence(RULES["alpha"]),
    "refit": _params.either(
        _params.boolean(),
        _params.Rule("an instance of 'str'", lambda value: isinstance(value, str)),
        _params.Rule("a callable", callable),
    ),
    "select_epochs": _params.boolean(),
    **{name: rule for name, rule in RULES.items() if name not in _PLAIN_ONLY},
}


def refits(search: Any) -> bool:
    """Whether the best candidate is fitted on all data; an AttributeError if not."""
    if not search._refits:
        raise AttributeError(
            f"This {type(search).__name__} instance was initialized with `refit=False`. Set "
            "refit=True, or fit a plain estimator with best_params_."
        )
    return True


class GDSearch(
    CallbackSupportMixin, MultiOutputMixin, RegressorMixin, BaseEstimator, metaclass=ABCMeta
):
    """What the searches over linear and polynomial regressors share."""

    _rules: ClassVar = SEARCH_RULES

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit every candidate on every fold, and the best one on all data.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets. Each target descends on its own.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative weights of the samples, in training and in the scorers that take
            weights.
        **params : dict
            ``groups``, for the splitter. With metadata routing enabled, whatever the
            splitter and the scorers request.

        Returns
        -------
        self : object
            The fitted estimator. If `fit` raises, Ctrl-C included, the estimator is as
            it was before.

        Raises
        ------
        ValueError
            If a parameter is outside its range, the data hold NaN or infinity, or a split
            leaves no sample of positive weight on one of its sides.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            Once for all descents that diverged, and if the final fit diverged, or was far
            from the optimum when the epochs ended and no larger learning rate was tried.
        """
        return with_progress_bar(self, lambda: self._fit(X, y, sample_weight, params))

    @with_callbacks
    def _fit(self, X: Any, y: Any, sample_weight: Any, params: dict[str, Any]) -> Self:
        """The search, as a task that callbacks can follow."""
        from sklearn_gd._model_selection.batched_fit import Search

        owner = type(self).__name__
        _params.check_params(owner, self.get_params(deep=False), self._rules)
        grid = Grid.of(self)
        plain = [self._plain(v, grid) for v in grid.variants]
        seed = int(plain[0]._check_params().randint(2**31 - 1))
        checked = copy.copy(self)
        data = check_training_data(checked, X, y, sample_weight)
        scoring = Scoring.of(self, plain[0], sample_weight, params, len(data.y))
        X, y = indexable(as_numpy(X, "X"), as_numpy(y, "y"))
        splits = self._splits(X, y, data, scoring)
        variants = [_variant(own, owner) for own in plain]
        search = Search(data, splits, variants, grid.lrs, refits=self._refits, seed=seed)
        epochs = int(self.epochs)
        may_refit = self._refits and (self.select_epochs or not search.refits)
        task = FitTask(self, X, y, sample_weight, (search.n_descents + may_refit) * epochs)
        after = task.epoch if task.is_watched else None
        table, models = Table(grid, len(splits), epochs), _Models(plain, grid.lrs, checked, data)
        begin = time.perf_counter()
        for cells in search.cells(after):
            if cells.fold == len(splits):
                table.refits[cells.variant, cells.lrs.start] = cells.trainings
                continue
            start = time.perf_counter()
            held = splits[cells.fold][1]
            table.add(cells, _scores(cells, models, scoring, X, y, held))
            table.score_seconds += time.perf_counter() - start
        table.seconds = time.perf_counter() - begin
        state = {
            "test_loss_curves_": table.curves,
            **self._best(table),
            "n_splits_": len(splits),
            "n_features_in_": checked.n_features_in_,
        }
        if hasattr(checked, "feature_names_in_"):
            state["feature_names_in_"] = checked.feature_names_in_
        warned = [table.warning(owner)]
        if self._refits:
            refit, training = self._refit(state, table, models, search, after)
            state |= refit
            if state["epochs_"] < self.epochs or grid.has_faster(state["best_index_"]):
                training = training._replace(unfinished=False)  # chosen, and not too slow
            warned.append(training.warning(owner))
        for message in filter(None, warned):
            warnings.warn(message, ConvergenceWarning, stacklevel=outside())
        kept = {name: value for name, value in vars(self).items() if not is_fitted_name(name)}
        self.__dict__ = kept | state  # all at once: a fit is whole or has not been
        task.end(state)
        return self

    @available_if(refits)
    def predict(self, X: Any) -> np.ndarray:
        """Predict targets with the best candidate, fitted on all data.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions.
        """
        return self._best_estimator().predict(X)

    @available_if(refits)
    def equation(self, digits: int = 4) -> str:
        """The fitted model as text, one line for each target.

        Parameters
        ----------
        digits : int, default=4
            Significant digits of the coefficients.

        Returns
        -------
        str
            Such as ``"y = 3 + 2 x0 + 1 x0^2"``.
        """
        return self._best_estimator().equation(digits)

    def to_frame(self) -> Any:
        """`cv_results_` as a pandas DataFrame, a row for each candidate."""
        import pandas as pd

        check_is_fitted(self)
        return pd.DataFrame(self.cv_results_)

    def get_metadata_routing(self) -> MetadataRouter:
        """What the splitter and the scorers request of the metadata given to `fit`.

        Returns
        -------
        routing : MetadataRouter
            The routing information.
        """
        score = scorers(self, _requesting(self._plain_type()))
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(
            splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split")
        )
        return router.add(
            scorer=score, method_mapping=MethodMapping().add(caller="fit", callee="score")
        )

    @property
    @abstractmethod
    def _plain_type(self) -> Any:
        """The class of the plain estimator."""

    def _plain(self, variant: dict[str, Any], grid: Grid) -> Any:
        """The plain estimator of a variant; its learning rate is the first."""
        plain = self._plain_type(lr=grid.lrs[0])
        names = plain.get_params(deep=False)
        own = {k: v for k, v in self.get_params(deep=False).items() if k in names}
        return _requesting(plain.set_params(**own, **variant))

    @property
    def _refits(self) -> bool:
        """Whether the best candidate is fitted on all data."""
        return bool(self.refit)

    def _splits(
        self, X: Any, y: Any, data: Data, scoring: Scoring
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """The splits as row numbers; a sentence if a side of one is empty."""
        cv = check_cv(self.cv, y, classifier=False)
        every = np.arange(len(data.y))
        splits = []
        for k, sides in enumerate(cv.split(X, y, **scoring.split_params)):
            try:
                rows, held = (every[np.asarray(side)] if len(side) else every[:0] for side in sides)
            except IndexError as error:
                raise ValueError(
                    f"Split {k} of {type(self).__name__} does not name rows of the {len(every)} "
                    f"samples ({error}). Change cv."
                ) from error
            for name, own in (("train on", rows), ("test on", held)):
                weight = len(own) if data.weight is None else data.weight[own].sum()
                if not weight > 0:
                    raise ValueError(
                        f"Split {k} of {type(self).__name__} has no sample of positive weight to "
                        f"{name}, of {len(every)} samples. Change cv."
                    )
            splits.append((rows, held))
        if not splits:
            raise ValueError("No fits were performed. Was the CV iterator empty?")
        return splits

    def _best(self, table: Table) -> dict[str, Any]:
        """The best candidate, as GridSearchCV chooses it."""
        results, is_multi = table.results(), table.is_multi
        if is_multi:
            check_refit(self.refit, table.scores)
        state: dict[str, Any] = {"cv_results_": results, "multimetric_": is_multi}
        if is_multi and not self._refits:
            return state
        if callable(self.refit):
            best = self.refit(results)
            if not isinstance(best, Integral):
                raise TypeError("best_index_ returned is not an integer")
            if not 0 <= int(best) < len(results["params"]):
                raise IndexError("best_index_ index out of range")
        else:
            metric = self.refit if is_multi else "score"
            best = int(results[f"rank_test_{metric}"].argmin())
            state["best_score_"] = results[f"mean_test_{metric}"][best]
        chosen = {f"{name}_": value for name, value in table.grid.candidate(best).items()}
        epochs = int(self.epochs)
        if self.select_epochs:
            curve = np.append(table.curves[best, :, 1:].mean(0), table.losses[best].mean())
            epochs = int(np.where(np.isnan(curve), np.inf, curve).argmin()) + 1
        return {
            **state,
            **chosen,
            "best_index_": best,
            "best_params_": results["params"][best],
            "epochs_": epochs,
        }

    def _refit(
        self,
        state: dict[str, Any],
        table: Table,
        models: _Models,
        search: Search,
        after: Callable[[], bool] | None,
    ) -> tuple[dict[str, Any], Training]:
        """The best candidate on all data: its fitted attributes, and its training."""
        from sklearn_gd._training.fit import train

        best, epochs = state["best_index_"], state["epochs_"]
        v, k = divmod(best, len(models.lrs))
        basis = models.plain[v]._basis(models.data)
        begin = time.perf_counter()
        known = table.refit_of(v, k) if epochs == self.epochs else None
        if known is not None:  # it was one more fold
            training = known()
        else:
            settings = search.variants[v].settings
            training = train(
                models.data,
                basis,
                settings._replace(lr=models.lrs[k], epochs=min(epochs, search.epochs)),
                seed=search.seed,
                after=(lambda *_: after()) if after else None,
            )
        if training.interrupted:
            raise KeyboardInterrupt
        best_estimator = models.fitted(v, k, basis, training).set_params(epochs=epochs)
        fitted = {
            name: value
            for name, value in vars(best_estimator).items()
            if is_fitted_name(name) and not name.startswith("_")
        }
        times = {"refit_time_": time.perf_counter() - begin}
        return {**fitted, "best_estimator_": best_estimator, **times}, training

    def _best_estimator(self) -> Any:
        """The best candidate, fitted on all data."""
        check_is_fitted(self)
        return self.best_estimator_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class _Models(NamedTuple):
    """What fitted plain estimators are made of."""

    plain: Sequence[Any]  # one for each variant
    lrs: Sequence[Any]
    checked: Any  # knows the features
    data: Data

    def fitted(self, variant: int, lr: int, basis: Basis | None, training: Training) -> Any:
        """The plain estimator of a candidate, fitted."""
        model = copy.copy(self.plain[variant]).set_params(lr=self.lrs[lr])
        model.__dict__ |= model._state(self.checked, self.data, basis, training, goes_on=False)
        return model


def _scores(
    cells: Cells, models: _Models, scoring: Scoring, X: Any, y: Any, held: np.ndarray
) -> Sequence[Scores]:
    """Scores of cells on the rows held out: from their errors, or from fitted estimators."""
    data = models.data
    # float32 coefficients are not those whose errors are known
    if cells.errors is not None and data.dtype == np.float64:
        weight = None if data.weight is None else data.weight[held]
        known = scoring.from_errors(cells.errors, data.y[held], weight)
        if known is not None:
            return known
    fitted = (
        models.fitted(cells.variant, k, cells.basis, made())
        for k, made in zip(cells.lrs, cells.trainings, strict=True)
    )
    return [scoring.from_rows(model, X, y, held) for model in fitted]


def _variant(plain: Any, owner: str) -> Variant:
    """What training needs to know of a plain estimator."""
    from sklearn_gd._model_selection.batched_fit import Variant
    from sklearn_gd._training.fit import Settings

    return Variant(Settings.of(plain)._replace(owner=owner), plain._basis)


def _requesting(plain: Any) -> Any:
    """A plain estimator for whose scores weights count, with metadata routing too."""
    if get_config()["enable_metadata_routing"]:
        plain.set_score_request(sample_weight=True)
    return plain
