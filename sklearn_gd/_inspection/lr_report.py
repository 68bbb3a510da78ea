"""A report of the learning rates that the data allow, before any training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone

from sklearn_gd._base.types import MatrixLike
from sklearn_gd._inspection.fit_trace import PreparedEstimator
from sklearn_gd._inspection.spectrum import PLAIN_SGD, Spectrum

_PRECONDITIONS: tuple[str | None, ...] = (None, "standardize", "whiten")


class Scaling(NamedTuple):
    """What another choice of `precondition` means for the same data.

    Parameters
    ----------
    condition_number : float
        The largest eigenvalue of the Hessian divided by the smallest.
    best_lr : float
        The learning rate at which gradient descent is fastest in the worst case.
    epochs : float
        Epochs with `best_lr` until the loss is within 1e-6 of its minimum, relative to the
        start. ``inf`` if the loss never is.

    See Also
    --------
    lr_report : Make a report, whose `scaling` holds these numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor, lr_report
    >>> report = lr_report(GDLinearRegressor(precondition=None), *load_diabetes(return_X_y=True))
    >>> report.scaling["whiten"]
    Scaling(condition_number=1.0, best_lr=0.5, epochs=1)
    """

    condition_number: float
    best_lr: float
    epochs: float


class LearningRateReport(NamedTuple):
    """What `lr_report` finds. It prints as a table.

    Parameters
    ----------
    estimator : str
        The name of the class of the estimator.
    precondition : str or None
        The preconditioning that the fit uses, never ``"auto"``.
    lr : float
        The learning rate of the estimator as a number.
    max_stable_lr : float or None
        The largest learning rate at which the SGD family converges.
    best_lr : float or None
        The constant learning rate at which gradient descent without momentum is fastest in
        the worst case.
    condition_number : float or None
        The largest eigenvalue of the Hessian divided by the smallest that is not zero.
    epochs : float or None
        Epochs until the loss is within 1e-6 of its minimum, relative to the start. ``inf``
        if the loss never is.
    steepest_feature : str or None
        The coefficient, or ``"intercept"``, with the largest entry in the direction of the
        largest curvature.
    scaling : dict of str or None to Scaling
        For every other `precondition` its condition number, its best learning rate and the
        number of epochs.
    note : str
        Why a number is missing, or an empty string.

    See Also
    --------
    lr_report : Make a report.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor, lr_report
    >>> lr_report(GDLinearRegressor(), *load_diabetes(return_X_y=True))
    Learning rate of GDLinearRegressor with precondition='whiten'
      learning rate     0.01
      largest stable    1          with a larger lr the descent diverges
      best constant     0.5        the fastest lr in the worst case
      condition number  1          largest by smallest curvature; at 1 descent is fastest
      epochs to 1e-6    342        until the loss above its minimum is 1e-6 of that at the start
      steepest          no feature: all directions alike
      with precondition=None: ...
      with precondition='standardize': ...
    """

    estimator: str
    precondition: str | None
    lr: float
    max_stable_lr: float | None
    best_lr: float | None
    condition_number: float | None
    epochs: float | None
    steepest_feature: str | None
    scaling: Mapping[str | None, Scaling]
    note: str

    def __repr__(self) -> str:
        diverges = self.max_stable_lr is not None and self.lr > self.max_stable_lr
        steepest = "no feature: all directions alike"
        if self.steepest_feature is not None:
            steepest = f"{self.steepest_feature}: its direction has the largest curvature"
        rows = {
            "learning rate": (f"{self.lr:.4g}", "the descent diverges" if diverges else ""),
            "largest stable": (
                _format_number(self.max_stable_lr),
                "with a larger lr the descent diverges",
            ),
            "best constant": (_format_number(self.best_lr), "the fastest lr in the worst case"),
            "condition number": (
                _format_number(self.condition_number),
                "largest by smallest curvature; at 1 descent is fastest",
            ),
            "epochs to 1e-6": (
                "diverges" if diverges else _format_epochs(self.epochs),
                "" if diverges else "until the loss above its minimum is 1e-6 of that at the start",
            ),
        }
        lines = [f"Learning rate of {self.estimator} with precondition={self.precondition!r}"]
        for name, (value, words) in rows.items():
            explained = f"{value:<10} {words if value != 'none' else ''}"
            lines.append(f"  {name:<17} {explained}".rstrip())
        lines.append(f"  {'steepest':<17} {steepest}")
        lines += [
            f"  with precondition={precondition!r}: condition number "
            f"{scaling.condition_number:.4g}, best lr {scaling.best_lr:.4g}, epochs to 1e-6 "
            f"{_format_epochs(scaling.epochs)}"
            for precondition, scaling in self.scaling.items()
        ]
        if self.note:
            lines.append(f"  {self.note}")
        return "\n".join(lines)


def lr_report(estimator: BaseEstimator, X: MatrixLike, y: ArrayLike) -> LearningRateReport:
    """Report in numbers and words which learning rates the data allow.

    Nothing is trained. All numbers follow from the eigenvalues λ of the Hessian of the loss
    in the coordinates of the descent.

    Parameters
    ----------
    estimator : GDLinearRegressor or GDPolynomialRegressor
        The estimator, fitted or not. The estimator is only read.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Training data.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Targets.

    Returns
    -------
    LearningRateReport
        A named tuple that prints as a table. A field is None where there is no such number,
        as for adaptive optimizers and for data that are too wide for their eigenvalues. The
        fields are

        - ``lr`` : float, the learning rate of the estimator;
        - ``max_stable_lr`` : float, the largest learning rate at which the SGD family
          converges;
        - ``best_lr`` : float, 2/(λmin + λmax), the learning rate at which gradient descent
          without momentum is fastest in the worst case;
        - ``condition_number`` : float, λmax/λmin, where λmin is the smallest eigenvalue that
          is not zero;
        - ``epochs`` : int, or inf if never: epochs from zeros until the loss is within 1e-6
          of its minimum, relative to the distance of the start from the minimum;
        - ``steepest_feature`` : str, the coefficient (or ``"intercept"``) with the largest
          entry in the direction of the largest curvature. None where whitening has made all
          directions alike;
        - ``scaling`` : dict, for every other `precondition` its ``condition_number``, its
          ``best_lr`` and the ``epochs`` with it;
        - ``estimator``, ``precondition``, ``note`` : str, what the report is about, and why
          a number is missing.

    Raises
    ------
    TypeError
        If the estimator is not a regressor of this package.
    ValueError
        If a parameter is outside its range, or the data hold NaN or infinity.

    See Also
    --------
    LearningRateDisplay : Descend with several learning rates and draw the losses.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_gd import GDLinearRegressor, lr_report
    >>> X, y = load_diabetes(return_X_y=True, scaled=False, as_frame=True)
    >>> report = lr_report(GDLinearRegressor(precondition=None), X, y)
    >>> report.steepest_feature, report.epochs
    ('s1', inf)
    >>> report.max_stable_lr < 1e-4 < report.scaling["standardize"].best_lr
    True
    """
    prepared = PreparedEstimator.of(estimator, X, y, "lr_report")
    fit, spectrum = prepared.fit, Spectrum.of(prepared)
    factory, precondition = fit.optimizer_factory, fit.problem.precondition
    best_lr = epochs = None
    note = ""
    if not factory.is_sgd:
        name = factory.optimizer_class.__name__
        note = f"{name} is not gradient descent: no bound on its lr is known."
    elif spectrum is None:
        note = "The eigenvalues are not known: X is too wide for them, or constant."
    else:
        epochs = spectrum.epochs(fit.lr, factory.options)
        if factory.options["momentum"] == 0.0:
            best_lr = spectrum.best_lr(factory.options["weight_decay"])
        else:
            note = "The best constant lr is known without momentum only."
    return LearningRateReport(
        estimator=type(estimator).__name__,
        precondition=precondition,
        lr=fit.lr,
        max_stable_lr=fit.max_stable_lr,
        best_lr=best_lr,
        condition_number=None if spectrum is None else spectrum.condition_number,
        epochs=epochs,
        steepest_feature=None if spectrum is None else spectrum.steepest_term,
        scaling={} if spectrum is None else _other_scalings(estimator, X, y, precondition),
        note=note,
    )


def _other_scalings(
    estimator: BaseEstimator, X: MatrixLike, y: ArrayLike, precondition: str | None
) -> dict[str | None, Scaling]:
    """What gradient descent would do with every other preconditioning."""
    scalings: dict[str | None, Scaling] = {}
    for other in _PRECONDITIONS:
        if other == precondition:
            continue
        candidate = clone(estimator).set_params(precondition=other)
        try:
            spectrum = Spectrum.of(PreparedEstimator.of(candidate, X, y, "lr_report"))
        except ValueError:  # so many features cannot be whitened
            continue
        if spectrum is not None:
            best_lr = spectrum.best_lr()
            epochs = spectrum.epochs(best_lr, PLAIN_SGD)
            scalings[other] = Scaling(spectrum.condition_number, best_lr, epochs)
    return scalings


def _format_number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _format_epochs(value: float | None) -> str:
    if value is None:
        return "none"
    return "never" if math.isinf(value) else f"{value:,}"


lr_report.__module__ = "sklearn_gd"
