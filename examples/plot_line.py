"""
A line by gradient descent
==========================

The textbook: y = m·x + c, from m = c = 0, by the gradients of the mean squared error.
"""

# %%
# ``precondition=None`` is the textbook's descent, in the user's own units. The step is so
# small because x is not: the report tells the largest learning rate that works.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import DescentPathDisplay, FitDisplay, GDLinearRegressor, lr_report

rng = np.random.default_rng(0)
X = rng.normal(50, 10, size=(100, 1))
y = 1.4 * X[:, 0] + 7 + rng.normal(0, 8, size=100)

line = GDLinearRegressor(precondition=None, lr=0.0001, epochs=100)
print(lr_report(line, X, y))

# %%
# The slope arrives at once and the intercept hardly moves: the valley is long and narrow.
DescentPathDisplay.from_estimator(line, X, y)
plt.show()

# %%
# With lr = 0.01 every step makes things worse.
DescentPathDisplay.from_estimator(line.set_params(lr=0.01), X, y)
plt.show()

# %%
# The default coordinates are whitened, where the valley is round and lr is below 1 on any
# data. The same 100 epochs with lr = 0.1 find both parameters.
FitDisplay.from_estimator(GDLinearRegressor(lr=0.1, epochs=100), X, y, epochs=(0, 1, 5, 20, -1))
plt.show()
