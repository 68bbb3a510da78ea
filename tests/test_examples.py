"""Every example runs, off-screen, and is as short as promised."""

import runpy
import warnings
from pathlib import Path

import matplotlib as mpl
import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))


@pytest.fixture(autouse=True)
def _off_screen():
    mpl.use("agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_there_are_examples():
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_runs(example):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
        runpy.run_path(str(example), run_name="__main__")
    import matplotlib.pyplot as plt

    assert plt.get_fignums()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_is_short_and_in_gallery_form(example):
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert text.startswith('"""\n')
    title, rule = text.splitlines()[1:3]
    assert set(rule) == {"="}
    assert len(rule) >= len(title)
    assert "\n# %%\n" in text
