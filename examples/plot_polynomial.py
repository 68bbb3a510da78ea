"""
A polynomial with NAdam
=======================

Twenty samples of x² + 2x + 3, and a descent that finds the coefficients.
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
# The curve bends towards the data as training goes on.
FitDisplay.from_estimator(model, x, y, epochs=(0, 10, 50, 100, 200, -1))
plt.show()

# %%
# The loss falls over many orders of magnitude, so its scale is logarithmic.
LossCurveDisplay.from_estimator(model)
plt.show()
