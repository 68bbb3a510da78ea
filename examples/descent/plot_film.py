"""
A film shows the descent under other learning rates
===================================================

The path of two coefficients of a regression, as a figure and as a page of HTML with sliders.
"""

# %%
# The two features are chosen by name. They are correlated, so that the contours are long and
# narrow, and the descent zigzags at first.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes

from sklearn_gd import DescentPathDisplay, GDLinearRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True)
model = GDLinearRegressor(precondition="standardize", lr=0.2)
display = DescentPathDisplay.from_estimator(model, X, y, features=("s1", "s2"))
display.ax_.set_title("Correlated features make a long valley")
plt.show()

# %%
# `DescentPathDisplay.to_html` writes the page to a file. A notebook shows the page where a cell
# ends with the display. Sliders change the learning rate and the momentum, and the descent runs
# again in the browser. With a learning rate to the right of the triangle the descent diverges.
display.to_html(Path(tempfile.mkdtemp()) / "film.html")
display
