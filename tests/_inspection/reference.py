"""The data and functions that are drawn."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

RNG = np.random.default_rng(0)
X = RNG.normal([1.0, 5.0, -2.0], [1.0, 2.0, 0.5], size=(60, 3))
Y = X @ [2.0, -1.0, 0.5] + 3 + RNG.normal(0, 0.1, 60)
LINE, LINE_Y = X[:, :1], 2 * X[:, 0] - 1


def quietly(fit, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit(*args)


def parabola(x):
    return x**2 - 4 * x + 5


def bowl(x):
    return x[0] ** 2 + 10 * x[1] ** 2


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def torch_log(x):
    return x.log()
