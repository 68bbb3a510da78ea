"""Figures are drawn off-screen, and closed after every test."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

mpl.use("agg")


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")
