"""Every example runs, off-screen, and is as short as promised."""

import runpy
import warnings
from pathlib import Path

import matplotlib as mpl
import pytest

FOLDER = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(FOLDER.rglob("plot_*.py"))


@pytest.fixture(autouse=True)
def _off_screen():
    mpl.use("agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_there_are_examples():
    assert len(EXAMPLES) >= 20


def test_every_example_is_in_a_section():
    sections = {path.parent for path in EXAMPLES}
    assert sections == {path for path in FOLDER.iterdir() if path.is_dir()}
    assert all((section / "GALLERY_HEADER.rst").exists() for section in sections)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_runs(example):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
        runpy.run_path(str(example), run_name="__main__")
    import matplotlib.pyplot as plt

    figures = [plt.figure(number) for number in plt.get_fignums()]
    assert figures
    assert all(_title(figure) for figure in figures)


def _title(figure):
    """What a figure tells its reader to see."""
    return figure.get_suptitle() or "".join(ax.get_title() for ax in figure.axes)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_is_short_and_in_gallery_form(example):
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert text.startswith('"""\n')
    title, rule = text.splitlines()[1:3]
    assert set(rule) == {"="}
    assert len(rule) >= len(title)
    assert "\n# %%\n" in text
