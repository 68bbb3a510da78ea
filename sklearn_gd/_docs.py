"""What the estimators' docstrings have in common, written once."""

from __future__ import annotations

from typing import TypeVar

_Class = TypeVar("_Class", bound=type)

PARAMETERS = """
lr : float or "auto", default=0.01
    Learning rate: the step along the gradient of the *mean* loss, in the coordinates of
    the descent, so that it depends neither on the number of samples nor on units.
    Whitened, any value below 1 converges. ``"auto"`` is 1/L with L the largest
    curvature of the objective in those coordinates (1 for ``"lbfgs"``, 0.01 for adaptive
    optimizers, which have no such number).
epochs : int, default=1000
    Passes over the data.
optimizer : str, class or callable, default="sgd"
    Lower-case name of a `torch.optim` class (``"sgd"`` without momentum is gradient
    descent; with ``"lbfgs"`` an epoch is one iteration), such a class, or a callable
    that is given the list of parameters and returns a `torch.optim.Optimizer`.
optimizer_params : dict, default=None
    Options of the optimizer, such as ``{"momentum": 0.9, "nesterov": True}``.
device : str, default="cpu"
    Where the descent runs: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"auto"`` (CUDA if
    there is one). ``"mps"`` has no float64 and is refused.
fit_intercept : bool, default=True
    Whether to fit an intercept.
precondition : {"auto", "whiten", "standardize", None}, default="auto"
    Coordinates of the descent; the optimum does not depend on them. ``"whiten"`` makes
    the features uncorrelated with unit variance, ``"standardize"`` gives them unit
    variance, None is the textbook's descent on the data as they are, from zeros.
    ``"auto"`` whitens unless there are very many features, and else standardizes.
tol : float, default=None
    Stop when the best objective has not fallen by `tol` times the first objective in
    an epoch, for `n_iter_no_change` epochs running. None runs all epochs.
n_iter_no_change : int, default=10
    Epochs to wait before stopping; used with `tol`.
warm_start : bool, default=False
    Continue from `coef_` and extend `loss_curve_` instead of starting from zero.
random_state : int, RandomState instance or None, default=None
    Seed of whatever is random; a full-batch descent has nothing random.
verbose : int or bool, default=0
    Show scikit-learn's progress bar (needs the extra ``progress``).
"""

ATTRIBUTES = """
intercept_ : float or ndarray of shape (n_targets,)
    Intercept; 0.0 if ``fit_intercept=False``.
loss_curve_ : ndarray of shape (n_iter_,)
    The mean squared error, averaged over targets, at the parameters with which each
    epoch began.
loss_ : float
    The same at `coef_`.
n_iter_ : int
    Epochs done.
lr_ : float
    The learning rate used.
max_stable_lr_ : float or None
    The largest learning rate at which SGD, with the given momentum and weight decay,
    converges on these data in the coordinates used; None for other optimizers.
precondition_ : str or None
    The preconditioning used.
diverged_ : bool
    Whether the descent diverged; the parameters are then those of the lowest
    objective seen.
n_features_in_ : int
    Number of features seen during `fit`.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Names of features seen during `fit`, if X has string column names.
"""


def documented(kind: _Class) -> _Class:
    """Put the shared paragraphs where the class's docstring names them."""
    kind.__doc__ = _filled(kind.__doc__ or "")
    return kind


def _filled(text: str) -> str:
    """``text`` with lines ``{parameters}`` and ``{attributes}`` replaced, indented alike."""
    lines = []
    for line in text.splitlines():
        block = {"{parameters}": PARAMETERS, "{attributes}": ATTRIBUTES}.get(line.strip())
        if block is None:
            lines.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        lines += [indent + inner if inner else "" for inner in block.strip().splitlines()]
    return "\n".join(lines)
