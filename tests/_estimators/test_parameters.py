"""Parameters are checked, and named in a sentence."""

import pytest
import torch
from sklearn.datasets import load_diabetes

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

X, Y = load_diabetes(return_X_y=True)
X4 = X[:, :4]
BOTH = [GDLinearRegressor, GDPolynomialRegressor]

PARAMETERS = {
    "lr": [0, -1.0, float("nan"), float("inf"), True, "fast", None, [0.1]],
    "epochs": [0, -3, 1.5, True, "many"],
    "optimizer": ["sdg", "Adam", 3, None, lambda params: None],
    "optimizer_params": [3, "momentum", {"lr": 0.1}, {"beta": 1}, {"momentum": -1}],
    "device": ["gpu", "cuda:x", 0, None],
    "fit_intercept": [None, "yes", 1],
    "precondition": ["svd", True, 1],
    "tol": [-1e-3, "auto", True, float("nan")],
    "n_iter_no_change": [0, 2.5],
    "warm_start": [None, 1],
    "verbose": [-1, "yes", None],
}

POLYNOMIAL = {"degree": [0, -1, 1.5, True, "two", (2, 1)], "interaction_only": [None, 2]}


@pytest.mark.parametrize("kind", BOTH)
def test_bad_parameters_are_named(kind):
    cases = PARAMETERS if kind is GDLinearRegressor else {**PARAMETERS, **POLYNOMIAL}
    for name, values in cases.items():
        for value in values:
            model = kind(**{name: value})
            with pytest.raises(ValueError, match=f"'{name}' parameter of {kind.__name__}"):
                model.fit(X4, Y)
            assert "coef_" not in vars(model)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimizer_params": {"lr": 0.1}}, "must not hold 'lr': set the 'lr' parameter"),
        ({"optimizer_params": {"maximize": True}}, "must not hold 'maximize'"),
        ({"optimizer": lambda p: torch.optim.SGD(p, lr=1, maximize=True)}, "must minimize"),
        ({"optimizer": "muon"}, "cannot be Muon: it steps on matrices"),
        ({"optimizer": "sparseadam"}, "cannot be SparseAdam: it needs sparse"),
        ({"optimizer": torch.optim.SparseAdam}, "cannot be SparseAdam"),
        ({"optimizer_params": {"momentum": -1}}, "Invalid momentum value"),
        ({"optimizer": "rmspop"}, r"must be one of \['adadelta', .*Got 'rmspop' instead"),
        ({"optimizer": lambda p: 3}, "a callable that returns a torch.optim.Optimizer"),
        ({"device": "mps"}, "no float64"),
        ({"device": "cuda:99"}, r"'cuda:99' is not available.*'cpu'"),
        ({"random_state": "seed"}, "cannot be used to seed"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(options, words):
    with pytest.raises(ValueError, match=words):
        GDLinearRegressor(**options).fit(X, Y)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"shuffle": 1}, "shuffle"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"early_stopping": "yes"}, "early_stopping"),
    ],
)
def test_bad_parameters(options, name):
    with pytest.raises(ValueError, match=f"'{name}' parameter of GDLinearRegressor must be"):
        GDLinearRegressor(**options).fit(X, Y)
