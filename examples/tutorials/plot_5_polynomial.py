"""
NAdam finds the coefficients of a parabola from twenty samples
==============================================================

Gradient descent finds x² + 2x + 3 from twenty samples without noise.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import FitDisplay, GDPolynomialRegressor, LossCurveDisplay

x = np.random.default_rng(0).normal(0, 5, size=(20, 1))
y = x[:, 0] ** 2 + 2 * x[:, 0] + 3

model = GDPolynomialRegressor(degree=2, optimizer="nadam", lr=0.01, epochs=1000).fit(x, y)
print(model.equation())

# %%
# The fitted curve comes closer to the data during training.
display = FitDisplay.from_estimator(model, x, y, epochs=(0, 10, 50, 100, 200, -1))
display.ax_.set_title("The curve bends to the data epoch by epoch")
plt.show()

# %%
# The loss falls by many orders of magnitude, so that its axis is logarithmic.
display = LossCurveDisplay.from_estimator(model)
display.ax_.set_title("The loss falls until only rounding errors are left")
plt.show()
