"""Every example in a public docstring runs, those of methods and of lazy names included."""

import doctest
import inspect
import re
from pathlib import Path

import matplotlib as mpl
import pytest
from sklearn.datasets import load_diabetes

import sklearn_gd

mpl.use("agg")


CONSTANTS = {"SKOPS_TRUSTED_TYPES"}  # a list has no docstring


@pytest.mark.parametrize("name", sorted(set(sklearn_gd.__all__) - CONSTANTS))
def test_examples_of(name):
    # pytest's own collection leaves out objects whose __module__ is not where they stand
    public = getattr(sklearn_gd, name)
    parts = [getattr(public, part) for part in getattr(public, "__all__", [])] or [public]
    find = doctest.DocTestFinder().find
    found = [case for part in parts for case in find(part, name, module=False, globs={})]
    assert any(case.examples for case in found)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for case in found:
        output: list[str] = []
        runner.run(case, out=output.append)
        assert not output, "".join(output)
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize("name", sklearn_gd.__all__)
def test_every_public_name_is_in_the_reference(name):
    reference = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
    assert re.search(rf"\b{name}\b", reference)


def documented(kind, section):
    """Names that a section of the class's docstring lists."""
    text = inspect.getdoc(kind).partition(f"\n{section}\n---")[2]
    text = re.split(r"\n\n\w[\w ]*\n---", text)[0]
    lines = re.findall(r"^([\w, ]+) : ", text, flags=re.MULTILINE)
    return [name for line in lines for name in line.split(", ")]


ESTIMATORS = [name for name in sklearn_gd.__all__ if name.startswith("GD")]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_parameter_is_documented(name):
    kind = getattr(sklearn_gd, name)
    assert documented(kind, "Parameters") == list(inspect.signature(kind).parameters)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_attribute_is_documented(name):
    model = getattr(sklearn_gd, name)(epochs=3)
    if hasattr(model, "early_stopping"):
        model.set_params(early_stopping=True)
    model.fit(*load_diabetes(return_X_y=True, as_frame=True))
    fitted = {key for key in dir(model) if key.endswith("_") and not key.startswith("_")}
    assert fitted == set(documented(type(model), "Attributes"))


def test_examples_of_the_page_on_error_bars():
    page = Path(__file__).parents[1] / "docs" / "inference.md"
    found = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted > 0
    assert found.failed == 0


def test_figures_of_the_readme_exist_and_are_small():
    root = Path(__file__).parents[1]
    names = re.findall(r'(?:src|srcset)="([^"]+)"', (root / "README.md").read_text("utf-8"))
    assert {Path(name).stem for name in names} == {"descent-light", "descent-dark"}
    assert all((root / name).stat().st_size < 100_000 for name in names)
