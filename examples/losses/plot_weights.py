"""
A weight of three is a row that occurs three times
==================================================

Weights say how much a row counts: how often it was seen, or how exact its measurement is.
"""

# %%
# Two instruments measured the same line. The second one is ten times as exact, and has only a few
# rows. The weight of a row is one over the variance of its noise.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import GDLinearRegressor

rng = np.random.default_rng(1)
X = rng.uniform(0, 10, size=(60, 1))
deviation = np.where(np.arange(60) < 50, 5.0, 0.5)
y = 1 + 2 * X[:, 0] + deviation * rng.normal(size=60)

equal = GDLinearRegressor(lr="auto").fit(X, y)
weighted = GDLinearRegressor(lr="auto").fit(X, y, sample_weight=1 / deviation**2)
print("true:    y = 1 + 2 x0")
print("equal:  ", equal.equation())
print("weights:", weighted.equation())

# %%
# Whole numbers as weights are the same as repeated rows.
counts = rng.integers(0, 4, size=60)
counted = GDLinearRegressor(lr="auto").fit(X, y, sample_weight=counts)
repeated = GDLinearRegressor(lr="auto").fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
print(f"difference of the slopes: {abs(counted.coef_ - repeated.coef_)[0]:.0e}")

# %%
ax = plt.subplots(layout="constrained")[1]
ends = np.array([[0.0], [10.0]])
ax.plot(X[:50], y[:50], "o", color="#b0b0b0", markersize=4, label="coarse instrument")
ax.plot(X[50:], y[50:], "^", color="#000000", markersize=6, label="exact instrument")
ax.plot(ends, equal.predict(ends), color="#D55E00", linestyle="--", label="equal weights")
ax.plot(ends, weighted.predict(ends), color="#0072B2", label="weights 1 / variance")
ax.set(xlabel="x0", ylabel="Target", title="With weights the line follows the exact instrument")
ax.legend()
plt.show()
