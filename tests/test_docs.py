"""Every example in a public docstring runs, those of methods and of lazy names included."""

import doctest

import matplotlib as mpl
import pytest

import sklearn_gd

mpl.use("agg")


@pytest.mark.parametrize("name", sklearn_gd.__all__)
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
