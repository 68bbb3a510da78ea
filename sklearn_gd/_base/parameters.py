"""Checks of constructor parameters, with scikit-learn's wording."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple

from sklearn_gd._base.types import Params


class InvalidParameterError(ValueError, TypeError):
    """A parameter is of the wrong type or outside its range (as scikit-learn's)."""


class Rule(NamedTuple):
    """What a parameter must be, in words and as a predicate."""

    words: str
    holds: Callable[[Any], bool]


def invalid(owner: str, name: str, words: str, value: object) -> InvalidParameterError:
    """The error for a bad parameter, worded as scikit-learn words it."""
    return InvalidParameterError(
        f"The {name!r} parameter of {owner} must be {words}. Got {value!r} instead."
    )


def check_params(owner: str, values: Params, rules: Mapping[str, Rule]) -> None:
    """Raise for the first value that breaks its rule. A subclass may lack some parameters."""
    for name, rule in rules.items():
        if name in values and not rule.holds(values[name]):
            raise invalid(owner, name, rule.words, values[name])


def real(low: float, high: float = math.inf, *, closed: str = "neither") -> Rule:
    """A finite real number in an interval; a boolean is not a number."""
    left = "[" if closed in ("left", "both") else "("
    right = "]" if closed in ("right", "both") else ")"

    def holds(value: Any) -> bool:
        if not isinstance(value, Real) or isinstance(value, bool):
            return False
        number = float(value)
        above = number >= low if left == "[" else number > low
        return above and (number <= high if right == "]" else number < high)

    return Rule(f"a float in the range {left}{low}, {high}{right}", holds)


def number() -> Rule:
    """Any real number, NaN and infinity included; a boolean is not a number."""
    return Rule(
        "a real number",
        lambda value: isinstance(value, Real) and not isinstance(value, bool),
    )


def integer(low: int) -> Rule:
    """An integer of at least ``low``; a boolean is not a number."""
    return Rule(
        f"an int in the range [{low}, inf)",
        lambda value: (
            isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= low
        ),
    )


def boolean() -> Rule:
    """True or False, NumPy's included."""
    return Rule(
        "an instance of 'bool'",
        lambda value: isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"),
    )


def choice(*options: object) -> Rule:
    """One of a few values."""
    words = "one of {" + ", ".join(map(repr, options)) + "}"
    return Rule(words, lambda value: any(value is o or _equal_text(value, o) for o in options))


def either(*rules: Rule) -> Rule:
    """Any of several rules."""
    return Rule(
        " or ".join(rule.words for rule in rules),
        lambda value: any(rule.holds(value) for rule in rules),
    )


def sequence(rule: Rule) -> Rule:
    """One or more values, each of which obeys a rule. Values may be rows of a matrix."""

    def holds(values: Any) -> bool:
        is_some = isinstance(values, Sequence) and not isinstance(values, str)
        is_some = is_some or getattr(values, "ndim", 0) in (1, 2)
        return is_some and len(values) > 0 and all(rule.holds(value) for value in values)

    return Rule(f"a non-empty sequence, each value {rule.words}", holds)


def pair_of_degrees() -> Rule:
    """A tuple of the lowest and the highest degree."""

    def holds(value: Any) -> bool:
        if not isinstance(value, tuple) or len(value) != 2:
            return False
        are_integers = integer(0).holds(value[0]) and integer(1).holds(value[1])
        return are_integers and bool(value[0] <= value[1])

    return Rule(
        "a tuple (min_degree, max_degree) of ints with 0 <= min_degree <= max_degree and "
        "max_degree >= 1",
        holds,
    )


def mapping() -> Rule:
    """A dict."""
    return Rule("an instance of 'dict'", lambda value: isinstance(value, Mapping))


def mapping_of(rule: Rule) -> Rule:
    """A dict from names to values, each of which obeys a rule."""

    def holds(values: Any) -> bool:
        return isinstance(values, Mapping) and all(
            isinstance(name, str) and rule.holds(value) for name, value in values.items()
        )

    return Rule(f"a dict from names, each value {rule.words}", holds)


def interval() -> Rule:
    """A pair of bounds, of which None is no bound."""
    low, high = real(-math.inf, closed="left"), real(-math.inf, math.inf, closed="right")

    def holds(value: Any) -> bool:
        is_pair = isinstance(value, Sequence) and not isinstance(value, str)
        if not (is_pair or getattr(value, "ndim", 0) == 1) or len(value) != 2:
            return False
        least, most = value
        if not (least is None or low.holds(least)) or not (most is None or high.holds(most)):
            return False
        return least is None or most is None or bool(least <= most)

    return Rule("a pair (low, high) of numbers or None with low <= high", holds)


def device() -> Rule:
    """The name of a torch device, or the device itself."""

    def holds(value: Any) -> bool:
        name = str(value) if type(value).__module__.startswith("torch") else value
        return isinstance(name, str) and bool(re.fullmatch(r"cpu|auto|mps|cuda(:\d+)?", name))

    return Rule("one of 'cpu', 'cuda', 'cuda:N', 'mps', 'auto'", holds)


def _equal_text(value: object, option: object) -> bool:
    """Whether both are the same text (an array never equals an option)."""
    return isinstance(value, str) and value == option
