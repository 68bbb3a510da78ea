"""
A polynomial with NAdam
=======================

Gradient descent finds the coefficients of x² + 2x + 3 from twenty samples.
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
FitDisplay.from_estimator(model, x, y, epochs=(0, 10, 50, 100, 200, -1))
plt.show()

# %%
# The loss falls by many orders of magnitude, so that its axis is logarithmic.
LossCurveDisplay.from_estimator(model)
plt.show()
