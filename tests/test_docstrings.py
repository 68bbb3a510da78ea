"""Every public docstring is complete in the sense of numpydoc."""

import inspect
import tomllib
from pathlib import Path

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from numpydoc.validate import ERROR_MSGS, validate

import sklearn_gd


def public_objects():
    """Public classes, functions, methods and losses by their full names."""
    found = {}
    for name in sklearn_gd.__all__:
        value = getattr(sklearn_gd, name)
        if inspect.ismodule(value):
            found |= {f"{name}.{part}": getattr(value, part) for part in value.__all__}
            continue
        if not callable(value):  # a constant
            continue
        found[name] = value
        if inspect.isclass(value):
            found |= {f"{name}.{part}": method for part, method in methods(value)}
    return found


def methods(kind):
    """Public methods that this package defines, class methods included."""
    for name in dir(kind):
        method = getattr(kind, name, None)
        is_ours = (getattr(method, "__module__", "") or "").startswith("sklearn_gd")
        if not name.startswith("_") and callable(method) and is_ours:
            yield name, method


PUBLIC = public_objects()
PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
# "all" and what is left out, as numpydoc reads it
CHECKS = set(ERROR_MSGS) - set(PROJECT["tool"]["numpydoc_validation"]["checks"])


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_is_valid(name):
    errors = validate(f"sklearn_gd.{name}")["errors"]
    assert not [error for error in errors if error[0] in CHECKS]


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_is_complete(name):
    public = PUBLIC[name]
    is_class = inspect.isclass(public)
    doc = ClassDoc(public) if is_class else FunctionDoc(public)
    assert doc["Summary"]
    assert doc["Examples"], "no example"
    parameters = list(doc["Parameters"])
    described = [part.lstrip("*") for each in parameters for part in each.name.split(", ")]
    expected = [
        part for part in inspect.signature(public).parameters if part not in ("self", "cls")
    ]
    assert described == expected
    assert all(each.type or "As in" in " ".join(each.desc) for each in parameters)
    assert all(each.desc for each in parameters)
    if not is_class:
        assert doc["Returns"], "no return value"
