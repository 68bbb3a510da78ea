"""Draws the figure of the README, light and dark: ``python docs/readme_figure.py``."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from sklearn_gd import DescentPathDisplay, GDLinearRegressor, LossCurveDisplay

FOLDER = Path(__file__).parent / "_static"
THEMES = {"light": ("default", "#ffffff"), "dark": ("dark_background", "#0d1117")}


def draw() -> plt.Figure:
    """Two descents on the same data, and their losses."""
    rng = np.random.default_rng(0)
    X = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size=300) * [1, 2]
    y = X @ [3, -1] + rng.normal(size=300)
    models = {
        "precondition=None": GDLinearRegressor(precondition=None, lr=0.2, epochs=100),
        "the default": GDLinearRegressor(lr=0.2, epochs=100),
    }
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.3), layout="constrained")
    for ax, (name, model) in zip(axes, models.items(), strict=False):
        display = DescentPathDisplay.from_estimator(model, X, y, ax=ax)
        display.figure_.axes[-1].remove()  # the bar of colours
        ax.set_title(f"Steps with {name}")
    best = GDLinearRegressor(lr="auto", epochs=5).fit(X, y).loss_
    fitted = {name: model.fit(X, y) for name, model in models.items()}
    LossCurveDisplay.from_estimators(fitted, optimum=best, ax=axes[2])
    axes[2].set_title("Loss of every epoch")
    return figure


def main() -> None:
    """Write one file for each theme."""
    for theme, (style, background) in THEMES.items():
        buffer = BytesIO()
        colors = {"axes.facecolor": background, "savefig.facecolor": background}
        with plt.style.context([style, colors]):
            figure = draw()
            figure.savefig(buffer, dpi=144)
            plt.close(figure)
        few_colors = Image.open(buffer).convert("RGB").quantize(128)  # a third of the bytes
        few_colors.save(FOLDER / f"descent-{theme}.png", optimize=True)


if __name__ == "__main__":
    main()
