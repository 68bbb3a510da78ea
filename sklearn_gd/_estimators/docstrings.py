"""The paragraphs that the docstrings of the estimators share."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

_Class = TypeVar("_Class", bound=type)

PARAMETERS = """
lr : float or "auto", default=0.01
    Learning rate. It is the step along the gradient of the *mean* loss, in the coordinates
    of the descent, so that it depends neither on the number of samples nor on units. In
    whitened coordinates any value below 1 converges. ``"auto"`` is 1/L, with L the largest
    curvature of the objective in these coordinates. L is not known with mini-batches, and
    for absolute error, quantiles, ``"epsilon_insensitive"`` and callables. There ``"auto"``
    is D/(G sqrt(T)) for T steps, with D the size of the residuals and G the slope of the
    loss at zero coefficients. It becomes smaller with more epochs. ``"auto"`` is 1 for
    ``"lbfgs"``, and for optimizers that estimate their learning rate (Prodigy,
    D-Adaptation). For other adaptive optimizers and for passes of `partial_fit` it is 0.01.
epochs : int, default=1000
    Passes over the data.
optimizer : str, class or callable, default="sgd"
    Lower-case name of a `torch.optim` class, such a class, or a callable that is given the
    list of parameters and returns a `torch.optim.Optimizer`. ``"sgd"`` without momentum is
    gradient descent. With ``"lbfgs"`` an epoch is one iteration. Optimizers of other
    packages serve too. A schedule-free optimizer is put into its train and eval modes, and
    all coefficients and losses are those of its eval mode.
optimizer_params : dict, default=None
    Options of the optimizer, such as ``{"momentum": 0.9, "nesterov": True}``.
device : str, default="cpu"
    Where the descent runs: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"auto"`` (CUDA if
    there is one). ``"mps"`` has no float64 and is refused.
loss : str or callable, default="squared_error"
    ``"squared_error"``, ``"huber"``, ``"absolute_error"``, ``"quantile"``,
    ``"epsilon_insensitive"``, ``"squared_epsilon_insensitive"`` or ``"log_cosh"`` (see
    `sklearn_gd.losses`), or a callable ``(prediction, target) -> elementwise loss`` written
    in torch. The callable may be a function, or a `torch.nn` loss with
    ``reduction="none"``. It is given tensors of equal shape (runs, samples, targets).
loss_params : dict, default=None
    Options of the loss, such as ``{"delta": 1.35}`` or ``{"quantile": 0.9}``.
alpha : float, default=0.0
    Strength of the penalty ``alpha (l1_ratio |w|_1 + (1 - l1_ratio)/2 |w|^2)`` on the
    coefficients in original units, which is added to the mean loss. The squared error here
    has no factor of one half. So with squared error `alpha` is 2 times the alpha of
    ElasticNet, Lasso and SGDRegressor, and 2/n times the alpha of Ridge, where n is the sum
    of the weights. With the other losses it is the alpha of SGDRegressor.
l1_ratio : float, default=0.0
    The share of the L1 penalty, from 0 to 1. The L1 penalty is a proximal step, so that
    zeros are exact. It needs ``optimizer="sgd"``, with or without momentum.
fit_intercept : bool, default=True
    Whether to fit an intercept. The intercept is never penalized.
positive : bool, sequence of bool or dict, default=False
    Whether to keep the coefficients at or above 0: one value for all, a value for each
    coefficient, or a dict from names of coefficients to values. The names are those of the
    features, as in `feature_names_in_`, or ``"x0"``, ``"x1"``, ...; for polynomials they are
    those of the terms, as in `feature_names_out_`. A coefficient that is not named is free.
bounds : pair, sequence of pairs or dict, default=None
    Bounds ``(low, high)`` of the coefficients, in original units: a pair for all, a pair for
    each coefficient as in `scipy.optimize.minimize`, or a dict from names of coefficients
    to pairs, with names as in `positive`. None in place of a number is no bound. Both
    bounds may be equal. They are intersected with `positive`, and no value left is an
    error. The intercept is never bounded, and all targets have the same bounds. After every
    step the coefficients are projected on the bounds, so that a coefficient at a bound
    equals it exactly (in float32, the nearest float32). `bounds` and `positive` need
    ``optimizer="sgd"``, with or without momentum.
precondition : {"auto", "whiten", "standardize", None}, default="auto"
    Coordinates of the descent. The optimum does not depend on them. ``"whiten"`` makes
    the features uncorrelated with unit variance. ``"standardize"`` gives them unit
    variance. None is the descent of a textbook, on the data as they are, from zeros.
    ``"auto"`` whitens where it can, and else standardizes. It does not whiten with an L1
    penalty, with `positive` or `bounds`, or with very many features.
batch_size : int, default=None
    Rows per step. None steps on all rows. Every row is used once in an epoch.
shuffle : bool, default=True
    Whether to draw new batches in every epoch. It is used with `batch_size`.
lr_scheduler : class or callable, default=None
    A `torch.optim.lr_scheduler` class, or a callable that is given the optimizer and
    returns a scheduler. `functools.partial` sets options. The scheduler is stepped once in
    an epoch. ReduceLROnPlateau is given the validation loss, or else the objective.
tol : float or "statistical", default=None
    Stop when the lowest objective has not decreased by `tol` times the first objective for
    `n_iter_no_change` epochs in a row. With `early_stopping` the validation loss is
    watched instead of the objective. None runs all epochs. ``"statistical"`` stops as soon
    as no coefficient can be more than 0.01 of its standard error from the optimum, which is
    when ``W (J - J*) / s² <= 1e-4``, with W the sum of the weights, J the objective, J* its
    known optimum and s² the residual variance. It needs what `inference` needs: squared
    error without penalty and bounds, independent columns, and more samples than
    coefficients; and no mini-batches and no early stopping. If the residuals are rounding,
    all epochs are run. If the epochs do not suffice, there is a warning. Each target stops
    by itself.
n_iter_no_change : int, default=10
    Number of epochs to wait before stopping. It is used with `tol` and `early_stopping`.
average : bool or int, default=False
    Whether `coef_` and `intercept_` are the averages of the parameters after every step, which
    have less of the noise of mini-batches. An int above 1 is the number of rows that are seen
    before the average begins, as in SGDRegressor. `loss_` is that of the averages, and
    `loss_curve_` that of the parameters themselves. The average of mini-batches goes on over
    calls of `partial_fit`. It goes neither with `early_stopping` nor with an L1 penalty.
early_stopping : bool, default=False
    Hold out some rows for validation, stop when their loss no longer decreases, and return
    the parameters of the epoch where it was lowest. If `X_val` and `y_val` are passed to
    `fit`, they are the validation rows, and no row is held out.
validation_fraction : float, default=0.1
    Share of the rows to hold out. It is used with `early_stopping`, unless `X_val` is passed
    to `fit`.
warm_start : bool, default=False
    Continue from `coef_`, and extend `loss_curve_`, instead of starting from zero.
random_state : int, RandomState instance or None, default=None
    Seed of the batches and of the validation rows. Nothing else is random.
verbose : int or bool, default=0
    Show the progress bar of scikit-learn, which needs the extra ``progress``. It is not
    shown if callbacks are set, or if the fit is part of the fit of another estimator.
"""

ATTRIBUTES = """
intercept_ : float or ndarray of shape (n_targets,)
    Intercept. It is 0.0 if ``fit_intercept=False``.
loss_curve_ : ndarray of shape (n_iter_,)
    The objective (mean loss plus penalty, averaged over targets) at the parameters with
    which each epoch began. With batches it is the mean over the batches of the epoch.
loss_ : float
    The objective at `coef_`.
n_iter_ : int
    Number of epochs done.
lr_ : float
    The learning rate used.
max_stable_lr_ : float or None
    The largest learning rate at which SGD, with the given momentum and weight decay,
    converges on these data in the coordinates used. None for other optimizers.
precondition_ : str or None
    The preconditioning used.
validation_loss_curve_ : ndarray of shape (n_iter_,)
    The loss of the validation rows, without the penalty, at the same parameters. Only with
    `early_stopping`.
best_epoch_ : int
    The epoch that began with the lowest validation loss, whose parameters are kept. It is
    `n_iter_` if the parameters at the end are the best. Only with `early_stopping`.
diverged_ : bool
    Whether the descent diverged. Then the parameters are those of the lowest objective
    seen.
n_features_in_ : int
    Number of features seen during `fit`.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Names of features seen during `fit`, if X has string column names.
"""

SEARCH_PARAMETERS = """
lrs : sequence of float or "auto", default=(0.001, 0.01, 0.1)
    Learning rates to try, each as `lr` of the plain estimator.
alphas : sequence of float, default=(0.0,)
    Strengths of the penalty to try, each as `alpha` of the plain estimator.
cv : int, cross-validation generator or iterable, default=None
    The splits, as scikit-learn takes them. None is 5 folds.
scoring : str, callable, list, tuple or dict, default=None
    How to score, as in `sklearn.model_selection.GridSearchCV`. None is R².
refit : bool, str or callable, default=True
    Whether to fit the best candidate on all data, as in GridSearchCV. With several scorers
    it is the name of the scorer that chooses, or a function from `cv_results_` to the index
    of the best candidate.
select_epochs : bool, default=False
    Choose the number of epochs too. It is the number after which the test loss of the best
    candidate, averaged over folds, was lowest. The final fit stops there.
error_score : float or "raise", default="raise"
    The score of a candidate on a split where a scorer raises an error, with a warning.
    ``"raise"`` ends the search with that error. The default of GridSearchCV is NaN. An error
    of the descent always ends the search, because all candidates are one descent.
return_train_score : bool, default=False
    Whether `cv_results_` has the scores on the training rows too.
"""

SEARCH_ATTRIBUTES = """
cv_results_ : dict of ndarrays
    The keys of GridSearchCV, ready for `pandas.DataFrame`, and ``"diverged"``: on how
    many folds a candidate diverged. ``params`` holds the axes that have several values.
    Times are the time of the whole search, divided equally among all fits.
test_loss_curves_ : ndarray of shape (n_candidates, n_splits, epochs)
    The loss of the test rows, without penalty, at the parameters with which each epoch
    began. After the end of a descent it is the loss at the parameters where it ended.
best_estimator_ : estimator
    The plain estimator with the best parameters, fitted on all data.
best_index_, best_score_, best_params_ : int, float, dict
    The best candidate, as in GridSearchCV.
alpha_ : float
    The best strength of the penalty.
epochs_ : int
    The number of epochs of the final fit.
refit_time_ : float
    Seconds of the final fit that the search did not spend already.
scorer_ : callable or dict
    The scorer, or a dict of several by name, as in GridSearchCV.
n_splits_ : int
    The number of splits.
multimetric_ : bool
    Whether there are several scorers.
"""

SEARCH_NOTES = """
A descent that diverges does not change the other descents. Its parameters of the lowest loss
are scored, as the plain estimator would keep them. Squared error needs only moments of the
data. Other losses see the rows. With mini-batches every candidate is fitted on every fold by
itself, with the same meaning of results. `score` is R², whatever `scoring` is.

The memory needed, in numbers, is candidates x folds x epochs for the loss curves, and
folds x coefficients² for the moments. The descents need some hundred megabytes at most. Very
many descents are done in several batches.

Callbacks see the epochs of all descents. If a callback asks to stop, the present descent ends,
and later descents take no more epochs than it did. No epoch has a fitted model to show,
because the best candidate is not known yet.

With array API dispatch of scikit-learn, fitted arrays and predictions are in the array library
of X and on its device. `cv_results_` stays NumPy.
"""

_REGRESSOR_ONLY = {  # parameters and attributes that a search does not have
    "lr",
    "alpha",
    "early_stopping",
    "validation_fraction",
    "warm_start",
    "validation_loss_curve_",
    "best_epoch_",
}


def documented(kind: _Class) -> _Class:
    """Put the shared paragraphs where the docstring of a class names them."""
    kind.__doc__ = _filled(kind.__doc__ or "")
    return kind


def _filled(text: str) -> str:
    """``text`` with lines such as ``{parameters}`` replaced, indented alike."""
    blocks = {
        "{parameters}": PARAMETERS,
        "{attributes}": ATTRIBUTES,
        "{search_parameters}": SEARCH_PARAMETERS.rstrip() + _without(PARAMETERS, _REGRESSOR_ONLY),
        "{search_attributes}": SEARCH_ATTRIBUTES.rstrip() + _without(ATTRIBUTES, _REGRESSOR_ONLY),
        "{search_notes}": SEARCH_NOTES,
    }
    lines = []
    for line in text.splitlines():
        block = blocks.get(line.strip())
        if block is None:
            lines.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        lines += [indent + inner if inner else "" for inner in block.strip("\n").split("\n")]
    return "\n".join(lines)


def _without(text: str, names: Collection[str]) -> str:
    """``text`` without the paragraphs of some names."""
    kept, lines = True, []
    for line in text.splitlines():
        if line[:1].strip():
            kept = line.partition(" ")[0] not in names
        lines += [line] * kept
    return "\n".join(lines)
