"""The advice of a warning is what the user has not done yet, and what the message promises."""

import re
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sklearn_gd import GDLinearRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)) @ [[1.0, 0.9, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 30.0]]
Y = X @ [1.0, -2.0, 0.1] + RNG.normal(size=60)


def advice(**params):
    """The last sentence of the warning of a fit."""
    with pytest.warns(ConvergenceWarning) as caught:
        GDLinearRegressor(**{"epochs": 15, **params}).fit(X, Y)
    return re.split(r"\. ?(?=Raise|Lower|Set|The)|kept\. ", str(caught[0].message))[-1]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "Raise epochs or lr, or set lr='auto'."),
        (
            {"precondition": None, "lr": 1e-5},
            "Raise epochs or lr, or set lr='auto' or precondition='auto'.",
        ),
        ({"precondition": None, "lr": "auto"}, "Raise epochs, or set precondition='auto'."),
        (
            {"precondition": "standardize", "lr": "auto", "epochs": 2},
            "Raise epochs, or set precondition='auto'.",
        ),
        ({"l1_ratio": 1.0, "alpha": 1e-3, "lr": "auto", "epochs": 2}, "Raise epochs."),
        ({"optimizer": "adam"}, "Raise epochs or lr."),
        ({"lr": 1.5}, "Lower lr, or set lr='auto'."),
        (
            {"lr": 1.0, "precondition": None},
            "Lower lr, or set lr='auto' or precondition='auto'.",
        ),
    ],
)
def test_advice_is_not_followed_yet(params, expected):
    assert advice(**params) == expected


def test_followed_advice_ends_the_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GDLinearRegressor(lr="auto", epochs=15).fit(X, Y)
        GDLinearRegressor(epochs=1000).fit(X, Y)
