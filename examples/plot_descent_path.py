"""
The path of a descent
=====================

Contours of a function of two parameters, with the points of the descent.
"""

# %%
# The function of Rosenbrock has a curved valley. With momentum, the descent first oscillates
# across the valley and then follows the valley to the minimum.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes

from sklearn_gd import DescentPathDisplay, GDLinearRegressor, minimize


def rosenbrock(a, b):
    return (1 - a) ** 2 + 100 * (b - a**2) ** 2


result = minimize(
    rosenbrock,
    {"a": -1.2, "b": 1.0},
    lr=0.0005,
    epochs=500,
    optimizer_params={"momentum": 0.9},
)
display = DescentPathDisplay.from_function(rosenbrock, result)
plt.show()

# %%
# The same path as an animation, which is saved to a GIF file.
animation = display.animate(frames=10)
animation.save(Path(tempfile.mkdtemp()) / "rosenbrock.gif", writer="pillow")

# %%
# The path of two coefficients of a regression, chosen by the names of their features. The two
# features are correlated, so that the contours are long and narrow. In the
# coordinates of ``precondition="whiten"`` the contours would be circles.
X, y = load_diabetes(return_X_y=True, as_frame=True)
model = GDLinearRegressor(precondition="standardize", lr=0.2)
display = DescentPathDisplay.from_estimator(model, X, y, features=("s1", "s2"))
plt.show()

# %%
# The same descent as a page of HTML in which sliders change the learning rate and the momentum.
# The page shows quadratics only, and the squared error is one.
display.to_html(Path(tempfile.mkdtemp()) / "film.html")
