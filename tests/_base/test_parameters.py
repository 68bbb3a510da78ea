"""Rules of parameters: what holds, and messages in scikit-learn's wording."""

import math
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real

import numpy as np
import pytest
import torch
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

from sklearn_gd._base.parameters import (
    InvalidParameterError,
    Rule,
    boolean,
    check_params,
    choice,
    device,
    either,
    integer,
    interval,
    invalid,
    mapping,
    mapping_of,
    real,
    sequence,
)

# number -> what it compares as; a boolean is not a number, whatever it compares as
NUMBERS = [-1, 0, 1, 2.5, 3, np.float32(0.5), np.int64(3), np.float64(0.0), Fraction(1, 2)]
NOT_NUMBERS = [True, False, None, "1", "", [1.0], (1,), {}, np.bool_(True), np.array([1.0]), 1j]


@pytest.mark.parametrize("closed", ["neither", "left", "right", "both"])
@pytest.mark.parametrize(("low", "high"), [(0.0, 3.0), (-1.0, math.inf), (0.0, 1.0)])
def test_real_is_an_interval(low, high, closed):
    rule = real(low, high, closed=closed)
    for value in NUMBERS:
        above = value >= low if closed in ("left", "both") else value > low
        below = value <= high if closed in ("right", "both") else value < high
        assert rule.holds(value) == (above and below), value
    for value in [*NOT_NUMBERS, math.nan, -math.inf]:
        assert not rule.holds(value), value
    # infinity is in an interval without an end only if the end is closed
    assert rule.holds(math.inf) == (high == math.inf and closed in ("right", "both"))


@pytest.mark.parametrize("low", [0, 1, 5])
def test_integer_is_whole_and_not_below(low):
    rule = integer(low)
    for value in (0, 1, 4, 5, 10**30, np.int8(3), np.uint64(5)):
        assert rule.holds(value) == (value >= low), value
    for value in [*NOT_NUMBERS, 5.0, np.float64(5.0), Fraction(5), Decimal(5), math.inf]:
        assert not rule.holds(value), value


def test_boolean_is_neither_a_number_nor_an_array():
    for value in (True, False, np.True_, np.False_):
        assert boolean().holds(value)
    for value in (0, 1, 1.0, None, "True", [True], np.array([True])):
        assert not boolean().holds(value), value


@pytest.mark.parametrize(
    ("rule", "constraint"),
    [
        (real(0.0), Interval(Real, 0.0, None, closed="neither")),
        (real(0.0, closed="left"), Interval(Real, 0.0, None, closed="left")),
        (real(0.0, 1.0, closed="both"), Interval(Real, 0.0, 1.0, closed="both")),
        (real(0.0, 1.0), Interval(Real, 0.0, 1.0, closed="neither")),
        (real(-2.0, 1.0, closed="right"), Interval(Real, -2.0, 1.0, closed="right")),
        (integer(0), Interval(Integral, 0, None, closed="left")),
        (integer(1), Interval(Integral, 1, None, closed="left")),
    ],
    ids=lambda value: getattr(value, "words", "like scikit-learn"),
)
@pytest.mark.parametrize("value", [-3.0, -3, 7.5, "fast", None, [1]])
def test_messages_are_those_of_scikit_learn(rule, constraint, value):
    theirs = ""
    try:
        validate_parameter_constraints({"name": [constraint]}, {"name": value}, "Estimator")
    except ValueError as error:
        theirs = str(error)
    ours = ""
    try:
        check_params("Estimator", {"name": value}, {"name": rule})
    except InvalidParameterError as error:
        ours = str(error)
    assert ours == theirs


def test_an_error_is_a_value_error_and_a_type_error():
    error = invalid("GDLinearRegressor", "lr", "a float in the range (0.0, inf)", -1)
    assert isinstance(error, ValueError)
    assert isinstance(error, TypeError)
    assert str(error) == (
        "The 'lr' parameter of GDLinearRegressor must be a float in the range (0.0, inf). "
        "Got -1 instead."
    )


def test_choice_compares_text_by_value_and_the_rest_by_identity():
    rule = choice("auto", None, 3)
    assert rule.words == "one of {'auto', None, 3}"
    for value in ("auto", "".join(["au", "to"]), None):
        assert rule.holds(value)
    for value in ("Auto", "", 3.0, True, np.array(["auto"]), ["auto"]):
        assert not rule.holds(value)


def test_either_needs_one_rule_to_hold():
    rule = either(real(0.0), choice("auto"))
    assert rule.words == "a float in the range (0.0, inf) or one of {'auto'}"
    assert rule.holds(0.5)
    assert rule.holds("auto")
    assert not rule.holds(0.0)
    assert not rule.holds(None)


def test_sequences():
    rule = sequence(real(0.0))
    for values in ([0.1], (0.1, 2), np.array([0.1, 0.2]), range(1, 4)):
        assert rule.holds(values), values
    for values in ([], (), "0.1", 0.1, None, [0.1, -1], [True], np.ones((2, 2)), np.array(1.0)):
        assert not rule.holds(values), values
    assert rule.words == "a non-empty sequence, each value a float in the range (0.0, inf)"


def test_mapping():
    assert mapping().holds({})
    assert not mapping().holds([("a", 1)])


def test_mapping_of():
    rule = mapping_of(boolean())
    for value in ({}, {"a": True}, {"a": np.False_, "b": True}):
        assert rule.holds(value), value
    for value in ({"a": 1}, {1: True}, [("a", True)], None, True):
        assert not rule.holds(value), value


def test_interval():
    inf = math.inf
    for value in ((0, 1), [0, None], (None, None), np.array([1.0, 1.0]), (-inf, inf), (-1, inf)):
        assert interval().holds(value), value
    for value in ((1, 0), (0,), (0, 1, 2), "01", None, 3, (inf, inf), (-inf, -inf), (True, 2)):
        assert not interval().holds(value), value
    for value in ((math.nan, 1), (0, math.nan), ("0", 1), ((0, 1), (2, 3)), np.eye(2), {0: 1}):
        assert not interval().holds(value), value


def test_rows_of_a_matrix_are_a_sequence():
    assert sequence(interval()).holds(np.arange(6).reshape(3, 2))
    assert not sequence(interval()).holds(np.arange(6).reshape(2, 3))
    assert not sequence(interval()).holds(np.arange(12).reshape(3, 2, 2))


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("cpu", True),
        ("auto", True),
        ("mps", True),
        ("cuda", True),
        ("cuda:12", True),
        (torch.device("cpu"), True),
        (torch.device("cuda", 1), True),
        (torch.device("meta"), False),
        ("cuda:", False),
        ("cuda:x", False),
        ("gpu", False),
        ("CPU", False),
        (0, False),
        (None, False),
    ],
)
def test_device(value, holds):
    assert device().holds(value) == holds


def test_only_what_is_there_is_checked_and_the_first_that_is_wrong_is_named():
    never = Rule("what it cannot be", lambda value: False)
    rules = {"a": integer(1), "b": never, "c": never}
    check_params("Sub", {"a": 1, "unknown": -1}, rules)  # a subclass lacks b and c
    with pytest.raises(InvalidParameterError, match="The 'b' parameter of Sub must be what it"):
        check_params("Sub", {"c": 1, "b": 2, "a": 3}, rules)
