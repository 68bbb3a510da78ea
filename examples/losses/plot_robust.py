"""
Huber's loss is not moved by outliers
=====================================

A tenth of the targets are wrong. Squared error follows them, and Huber's loss does not.
"""

# %%
# Huber's loss is quadratic for errors up to ``delta`` and linear beyond. ``delta`` is in the units
# of the target.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import GDLinearRegressor

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(0, 10, size=(100, 1)), axis=0)
y = 3 + 2 * X[:, 0] + rng.normal(size=100)
y[90:] -= 30  # wrong targets at the right end

squared = GDLinearRegressor(lr="auto").fit(X, y)
huber = GDLinearRegressor(loss="huber", loss_params={"delta": 1.35}, lr="auto").fit(X, y)
print("true:          y = 3 + 2 x0")
print("squared error:", squared.equation())
print("huber:        ", huber.equation())

# %%
ax = plt.subplots(layout="constrained")[1]
ax.plot(X, y, "o", color="#707070", markersize=4, label="data")
ax.plot(X, squared.predict(X), color="#D55E00", linestyle="--", label="squared error")
ax.plot(X, huber.predict(X), color="#0072B2", label="Huber's loss")
ax.set(xlabel="x0", ylabel="Target", title="Ten wrong targets tilt the line of squared error")
ax.legend()
plt.show()
