"""`positive` and `bounds`: how they are written, and what they mean."""

import copy
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, Moments
from sklearn_gd._estimators.coefficient_bounds import bounding_parameters, coefficient_bounds

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1 * RNG.normal(size=30)
FRAME = pd.DataFrame(X, columns=["age", "bmi", "bp"])
INF = np.inf


def resolved(n_features=3, kind=GDLinearRegressor, names=None, **parameters):
    """Lower and upper bounds of an estimator that knows its features."""
    model = kind(**parameters)
    model.n_features_in_ = n_features
    if names is not None:
        model.feature_names_in_ = np.array(names, dtype=object)
    model._check_params()
    bounds = coefficient_bounds(model, "Owner")
    assert (bounds is None) == (not bounding_parameters(model))
    return None if bounds is None else (bounds.low.tolist(), bounds.high.tolist())


FREE = [-INF] * 3, [INF] * 3
FORMS = [
    ({"positive": True}, ([0, 0, 0], FREE[1])),
    ({"positive": np.True_}, ([0, 0, 0], FREE[1])),
    ({"positive": [True, False, True]}, ([0, -INF, 0], FREE[1])),
    ({"positive": np.array([True, False, True])}, ([0, -INF, 0], FREE[1])),
    ({"positive": {"x1": True, "x2": False}}, ([-INF, 0, -INF], FREE[1])),
    ({"bounds": (0, 1)}, ([0, 0, 0], [1, 1, 1])),
    ({"bounds": [None, 0.5]}, (FREE[0], [0.5] * 3)),
    ({"bounds": (-INF, np.float32(2))}, (FREE[0], [2, 2, 2])),
    ({"bounds": np.array([1.0, 2.0])}, ([1, 1, 1], [2, 2, 2])),
    ({"bounds": [(0, 1), (None, None), [2, None]]}, ([0, -INF, 2], [1, INF, INF])),
    ({"bounds": ((0, 1), (1, 1), (2, 3))}, ([0, 1, 2], [1, 1, 3])),
    ({"bounds": np.arange(6).reshape(3, 2)}, ([0, 2, 4], [1, 3, 5])),
    ({"bounds": {"x2": (None, 7), "x0": (1, None)}}, ([1, -INF, -INF], [INF, INF, 7])),
    ({"bounds": {"x0": (-1, 1)}, "positive": True}, ([0, 0, 0], [1, INF, INF])),
    ({"bounds": (-2, -1), "positive": [False] * 3}, ([-2] * 3, [-1] * 3)),
]
NOTHING = [
    {},
    {"positive": [False, False, False]},
    {"positive": {}},
    {"positive": {"x0": False}},
    {"bounds": {}},
    {"bounds": (None, None)},
    {"bounds": (-INF, INF)},
    {"bounds": {"x1": (None, None)}},
]


@pytest.mark.parametrize(("parameters", "expected"), FORMS)
def test_forms(parameters, expected):
    assert resolved(**parameters) == expected


@pytest.mark.parametrize("parameters", NOTHING)
def test_no_bound_is_none(parameters):
    assert resolved(**parameters) is None
    kind = GDPolynomialRegressor if "x1" not in str(parameters) else GDLinearRegressor
    if not isinstance(parameters.get("positive"), list):
        assert kind(epochs=1, lr="auto", **parameters).fit(X, Y).precondition_ == "whiten"


def test_terms_between_two_degrees():
    pair = {"kind": GDPolynomialRegressor, "degree": (2, 2)}
    assert resolved(2, bounds={"x0 x1": (0, 1)}, **pair) == ([-INF, 0, -INF], [INF, 1, INF])
    assert resolved(2, positive=[True, False, False], **pair)[0] == [0, -INF, -INF]
    with pytest.raises(ValueError, match="unexpected names"):
        resolved(2, bounds={"x0": (0, 1)}, **pair)


def test_two_pairs_are_the_bounds_of_two_coefficients():
    assert resolved(2, bounds=[(0, 1), (2, 3)]) == ([0, 2], [1, 3])
    assert resolved(2, bounds=(0, 1)) == ([0, 0], [1, 1])


def test_names_are_those_of_the_features_and_of_the_terms():
    assert resolved(3, names=["a", "b", "c"], bounds={"b": (0, 1)})[1] == [INF, 1, INF]
    squares = resolved(2, GDPolynomialRegressor, bounds={"x0^2": (0, 1), "x0 x1": (None, 3)})
    assert squares == ([-INF, -INF, 0, -INF, -INF], [INF, INF, 1, 3, INF])
    named = resolved(2, GDPolynomialRegressor, names=["a", "b"], positive={"a b": True, "b": True})
    assert named == ([-INF, 0, -INF, 0, -INF], [INF] * 5)
    mixed = resolved(2, GDPolynomialRegressor, positive=[False, False, True, False, True])
    assert mixed == ([-INF, -INF, 0, -INF, 0], [INF] * 5)


@pytest.mark.parametrize(
    "bounds",
    [
        5,
        "ab",
        True,
        (1, 0),
        (0, 1, 2),
        (0,),
        (np.nan, 1),
        (True, 2),
        (INF, INF),
        (None, -INF),
        ("a", "b"),
        [],
        [(0, 1), (1, 0), (0, 1)],
        [(0, 1), None, None],
        {"x0": 1},
        {"x0": (2, 1)},
        {0: (0, 1)},
        np.zeros((3, 3)),
        np.zeros((3, 2, 1)),
    ],
)
def test_what_is_no_bound(bounds):
    with pytest.raises(ValueError, match=r"The 'bounds' parameter of GDLinearRegressor must be"):
        GDLinearRegressor(bounds=bounds).fit(X, Y)


@pytest.mark.parametrize(
    "positive", [1, None, "yes", [], [1, 0, 1], {"x0": 1}, {0: True}, [[True]]]
)
def test_what_is_no_sign(positive):
    with pytest.raises(ValueError, match=r"The 'positive' parameter of GDLinearRegressor must be"):
        GDLinearRegressor(positive=positive).fit(X, Y)


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        (GDLinearRegressor, {"bounds": {"age": (0, 1)}}, "bounds of GDLinearRegressor contains unexpected names of coefficients: ['age']. The names of the coefficients are 'x0', 'x1', 'x2'."),  # noqa: E501
        (GDLinearRegressor, {"positive": {"x9": False}}, "positive of GDLinearRegressor contains unexpected names of coefficients: ['x9']"),  # noqa: E501
        (GDPolynomialRegressor, {"bounds": {"x1 x0": (0, 1)}}, "contains unexpected names of coefficients: ['x1 x0']"),  # noqa: E501
        (GDLinearRegressor, {"bounds": [(0, 1)] * 2}, "bounds of GDLinearRegressor has 2 elements, and there are 3 coefficients. Pass an element for each"),  # noqa: E501
        (GDPolynomialRegressor, {"positive": [True] * 3}, "positive of GDPolynomialRegressor has 3 elements, and there are 9 coefficients"),  # noqa: E501
        (GDLinearRegressor, {"bounds": {"x1": (-2, -1)}, "positive": True}, "positive and bounds of GDLinearRegressor leave no value for the coefficient 'x1': it is at least 0 and at most -1."),  # noqa: E501
        (GDLinearRegressor, {"bounds": (0, 1), "optimizer": "adam"}, "must be 'sgd' (with or without momentum) when bounds are given, because"),  # noqa: E501
        (GDLinearRegressor, {"positive": True, "optimizer": "adam"}, "must be 'sgd' (with or without momentum) when positive=True, because"),  # noqa: E501
        (GDLinearRegressor, {"positive": {"x0": True}, "optimizer": "adam"}, "when positive is given, because"),  # noqa: E501
        (GDLinearRegressor, {"positive": [True] * 3, "bounds": (0, 1), "optimizer": "adam"}, "when positive and bounds are given, because"),  # noqa: E501
        (GDLinearRegressor, {"bounds": (0, 1), "precondition": "whiten"}, "cannot be combined with an L1 penalty, positive or bounds"),  # noqa: E501
        (GDLinearRegressor, {"bounds": (0, 1), "tol": "statistical"}, "bounds=(0, 1) is a bound, beside which the errors of coefficients are not normal and their standard errors are undefined. Set bounds=None."),  # noqa: E501
    ],
)  # fmt: skip
def test_refusals_leave_the_estimator_as_it_was(kind, parameters, words):
    model = kind(**parameters)
    with pytest.raises(ValueError, match=re.escape(words)):
        model.fit(X, Y)
    assert not hasattr(model, "coef_")
    assert not hasattr(model, "n_features_in_")


def test_names_of_a_frame_and_of_moments():
    bounds = {"bmi": (-1.0, None), "bp": (None, 0.25)}
    model = GDLinearRegressor(bounds=bounds, lr="auto", epochs=200).fit(FRAME, Y)
    assert model.coef_[1] == -1.0
    assert model.coef_[2] == 0.25
    again = clone(model).fit(Moments.of(FRAME, Y))
    np.testing.assert_array_equal(again.coef_, model.coef_)
    with pytest.raises(ValueError, match="unexpected names"):
        clone(model).fit(X, Y)
    # the names are those of the present data, not of an earlier fit
    renamed = model.fit(FRAME, Y).set_params(bounds={"x1": (-1.0, None)}).fit(X, Y)
    assert renamed.coef_[1] == -1.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_name_of_two_coefficients_is_refused():
    frame = pd.DataFrame(X[:, :2], columns=["a", "a^2"])
    model = GDPolynomialRegressor(bounds={"a^2": (0, 1)})
    with pytest.raises(ValueError, match=r"names \['a\^2'\], and several coefficients have this"):
        model.fit(frame, Y)
    assert GDPolynomialRegressor(bounds={"a": (0, 1)}, epochs=1, lr="auto").fit(frame, Y)


def test_a_polynomial_with_another_degree_than_before():
    model = GDPolynomialRegressor(bounds={"bmi^2": (0.5, 2.0)}, lr="auto", epochs=50)
    model.fit(FRAME, Y)
    assert model.coef_[list(model.feature_names_out_).index("bmi^2")] == 0.5
    model.set_params(degree=3, bounds={"bmi^3": (0.25, 2.0)}).fit(FRAME, Y)
    assert model.coef_[list(model.feature_names_out_).index("bmi^3")] == 0.25


@pytest.mark.parametrize("copied", [clone, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_have_the_same_bounds(copied):
    bounds = {"x1": (-1.0, None)}
    model = GDLinearRegressor(bounds=bounds, positive=[True, False, False], lr="auto", epochs=50)
    again = copied(model.fit(X, Y)).fit(X, Y)
    np.testing.assert_array_equal(again.coef_, model.coef_)
    assert bounds == {"x1": (-1.0, None)}
