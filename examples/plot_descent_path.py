"""
The path of a descent
=====================

Contours of what is minimized over two parameters, and the steps on them.
"""

# %%
# Rosenbrock's valley. Momentum swings from side to side before it follows the floor.
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
# The same as an animation, which saves to a GIF.
animation = display.animate(frames=10)
animation.save(Path(tempfile.mkdtemp()) / "rosenbrock.gif", writer="pillow")

# %%
# Two coefficients of a regression, by name. The two blood values are correlated, so their
# valley is narrow; whitened, it would be round.
X, y = load_diabetes(return_X_y=True, as_frame=True)
model = GDLinearRegressor(precondition="standardize", lr=0.2)
DescentPathDisplay.from_estimator(model, X, y, features=("s1", "s2"))
plt.show()
