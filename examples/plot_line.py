"""
A line by gradient descent
==========================

The line y = m·x + c is fitted by gradient descent on the mean squared error, from m = c = 0.
"""

# %%
# ``precondition=None`` is plain gradient descent on m and c. The learning rate must be small
# because the values of x are large. `lr_report` prints the largest learning rate that converges.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import DescentPathDisplay, FitDisplay, GDLinearRegressor, lr_report

rng = np.random.default_rng(0)
X = rng.normal(50, 10, size=(100, 1))
y = 1.4 * X[:, 0] + 7 + rng.normal(0, 8, size=100)

line = GDLinearRegressor(precondition=None, lr=0.0001, epochs=100)
print(lr_report(line, X, y))

# %%
# The slope converges within a few steps, and the intercept hardly changes. The contours are long
# and narrow.
DescentPathDisplay.from_estimator(line, X, y)
plt.show()

# %%
# With lr = 0.01 every step increases the loss: the descent diverges.
DescentPathDisplay.from_estimator(line.set_params(lr=0.01), X, y)
plt.show()

# %%
# By default the descent is preconditioned: in its coordinates the contours are circles, and any lr
# below 1 converges on any data. With lr = 0.1, 100 epochs find both parameters.
FitDisplay.from_estimator(GDLinearRegressor(lr=0.1, epochs=100), X, y, epochs=(0, 1, 5, 20, -1))
plt.show()
