"""Runs the recipes of docs/works_with.md for packages that use the estimators.

``python -m tests.clients`` runs the recipe of every package that is installed, and prints its
version and what its recipe left behind. ``python -m tests.clients shap`` runs one recipe.
"""

import contextlib
import re
import sys
import warnings
from importlib import metadata
from pathlib import Path

from sklearn.datasets import load_diabetes

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

PAGE = Path(__file__).parents[1] / "docs" / "works_with.md"


def recipes():
    """The recipes of the page: the name of each package, and its code."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^### ([\w-]+):.*?\n```python\n(.*?)```", text, re.M | re.S))


def version(package):
    """The version of a package, or None if it is not installed."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return None


def run(package):
    """Run the recipe of a package. Returns its variables."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    linear = GDLinearRegressor(lr="auto", epochs=10)
    polynomial = GDPolynomialRegressor(lr="auto", epochs=10)
    names = {"X": X, "y": y, "linear": linear, "polynomial": polynomial}
    exec(recipes()[package], names)
    return names


def main(packages):
    for package in packages or recipes():
        if version(package) is None:
            print(f"{package}: not installed")
            continue
        try:
            result = run(package)["result"]
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        print(f"{package} {version(package)}: {result}"[:200])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])
