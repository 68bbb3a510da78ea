"""The display of a fit as it comes about."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy import sparse

from sklearn_gd._inspection.fit_trace import check_single_target, explore
from sklearn_gd._base.parameters import invalid
from sklearn_gd._inspection.plotting import axes_or_new, shades, styled

_CURVE_POINTS = 300


class FitDisplay:
    """The model at several epochs of its training, against the data.

    With one feature the data and the fitted line or polynomial, with several the
    predictions against the true targets. Create it with `from_estimator`; the parameters
    are stored as attributes and drawn by `plot`.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The feature, or the true targets where there are several features.
    y : ndarray of shape (n_samples,)
        Targets.
    epochs : ndarray of int of shape (n_epochs,)
        Epochs, counted by the steps taken before; the last may be the end.
    curve_x : ndarray of shape (n_points,)
        Where the model is drawn.
    curves : ndarray of shape (n_epochs, n_points)
        Its predictions there.
    labels : pair of str
        Labels of the axes.
    single_feature : bool, default=True
        Whether there is one feature.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the fit.
    figure_ : matplotlib Figure
        Figure of the axes.
    data_ : matplotlib Line2D
        The data, or the line on which predictions are true.
    lines_ : dict of int to matplotlib Line2D
        The model at each epoch.

    See Also
    --------
    DescentPathDisplay : The same descent in the space of its parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_gd import FitDisplay, GDPolynomialRegressor
    >>> x = np.random.default_rng(0).normal(0, 5, size=(20, 1))
    >>> y = x[:, 0] ** 2 + 2 * x[:, 0] + 3
    >>> model = GDPolynomialRegressor(optimizer="nadam")
    >>> display = FitDisplay.from_estimator(model, x, y)
    >>> list(display.lines_)
    [0, 1, 10, 100, 1000]
    """

    __module__ = "sklearn_gd"

    def __init__(
        self,
        *,
        x: np.ndarray,
        y: np.ndarray,
        epochs: np.ndarray,
        curve_x: np.ndarray,
        curves: np.ndarray,
        labels: Sequence[str],
        single_feature: bool = True,
    ):
        self.x = x
        self.y = y
        self.epochs = epochs
        self.curve_x = curve_x
        self.curves = curves
        self.labels = labels
        self.single_feature = single_feature

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        epochs: Sequence[int] = (0, 1, 10, 100, -1),
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
        data_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Descend as a cold fit would, and draw the model as training goes on.

        Parameters
        ----------
        estimator : GDLinearRegressor or GDPolynomialRegressor
            The estimator, fitted or not; it is only read.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Targets.
        epochs : sequence of int, default=(0, 1, 10, 100, -1)
            After how many steps the model is drawn: 0 is the start and -1 the end. Epochs
            that the training does not reach are left out.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        line_kwargs, data_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the model and for the data.

        Returns
        -------
        FitDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not one of this package's regressors.
        ValueError
            If `epochs` holds anything but integers or nothing that the training reaches,
            or there are several targets.
        """
        exploration = explore(estimator, X, y, cls.__name__)
        check_single_target(exploration, cls.__name__)
        path = exploration.path()
        chosen = _choose(epochs, len(path.losses))
        x, targets = exploration.data.x, exploration.data.y[:, 0]
        if x.shape[1] > 1:
            shown, where, labels = x, targets, ["True target", "Prediction"]
            across = targets
        else:
            across = (x.toarray() if sparse.issparse(x) else x)[:, 0].astype(np.float64)
            margin = 0.05 * np.ptp(across) or 1.0
            where = np.linspace(across.min() - margin, across.max() + margin, _CURVE_POINTS)
            shown, labels = where[:, None], [exploration.terms[0], "Target"]
        return cls(
            x=across,
            y=targets,
            epochs=chosen,
            curve_x=where,
            curves=np.array([path.predict(shown, epoch)[:, 0] for epoch in chosen]),
            labels=labels,
            single_feature=x.shape[1] == 1,
        ).plot(ax, line_kwargs=line_kwargs, data_kwargs=data_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        line_kwargs: dict[str, Any] | None = None,
        data_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the data and the model.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        line_kwargs, data_kwargs : dict, default=None
            Options of `matplotlib.axes.Axes.plot` for the model and for the data.

        Returns
        -------
        self : FitDisplay
            The display.
        """
        self.ax_ = ax = axes_or_new(ax)
        self.figure_ = ax.figure
        if self.single_feature:
            seen, style = (self.x, self.y), {"linestyle": "none", "marker": "o", "label": "data"}
            model_style: dict[str, Any] = {"linewidth": 2}
        else:
            ends = np.array([self.y.min(), self.y.max()])
            seen, style = (ends, ends), {"linestyle": "--", "label": "prediction = target"}
            model_style = {"linestyle": "none", "marker": "o", "markersize": 3, "alpha": 0.7}
        style |= {"color": "0.45"}
        (self.data_,) = ax.plot(*seen, **styled(style, data_kwargs))
        self.lines_ = {}
        for epoch, curve, color in zip(
            self.epochs.tolist(), self.curves, shades(len(self.epochs)), strict=True
        ):
            style = {**model_style, "color": color, "label": f"epoch {epoch}"}
            (self.lines_[epoch],) = ax.plot(self.curve_x, curve, **styled(style, line_kwargs))
        low, high = self.y.min(), self.y.max()
        room = (high - low) or 1.0
        if not (np.abs(self.curves - (low + high) / 2) < 2 * room).all():
            ax.set_ylim(low - 0.5 * room, high + 0.5 * room)  # a divergence goes out of sight
        ax.set(xlabel=self.labels[0], ylabel=self.labels[1])
        ax.legend()
        return self


def _choose(epochs: Sequence[int], points: int) -> np.ndarray:
    """The epochs reached, counted from the start, in order."""
    if not all(isinstance(e, Integral) and not isinstance(e, bool) for e in epochs):
        raise invalid("FitDisplay", "epochs", "a sequence of int", epochs)
    reached = {int(e) % points for e in epochs if -points <= e < points}
    if not reached:
        words = f"epochs that the training reaches, of {points - 1}"
        raise invalid("FitDisplay", "epochs", words, epochs)
    return np.array(sorted(reached))
