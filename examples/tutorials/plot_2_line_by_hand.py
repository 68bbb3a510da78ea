"""
A line by hand-written gradients is one call of GDLinearRegressor
=================================================================

The line y = m·x + c is fitted by gradient descent on the mean squared error, from m = c = 0. The
two gradients are written by hand.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import DescentPathDisplay, FitDisplay, GDLinearRegressor

rng = np.random.default_rng(0)
x = rng.normal(50, 10, size=100)
y = 1.4 * x + 7 + rng.normal(0, 8, size=100)

m, c, lr = 0.0, 0.0, 0.0001
for _ in range(100):
    error = y - (m * x + c)
    m_gradient, c_gradient = -2 * (x * error).mean(), -2 * error.mean()
    m, c = m - lr * m_gradient, c - lr * c_gradient
print(f"by hand:           m = {m:.12f}, c = {c:.12f}")

# %%
# ``precondition=None`` is the same descent: all digits agree.
X = x[:, None]
line = GDLinearRegressor(precondition=None, lr=0.0001, epochs=100).fit(X, y)
print(f"GDLinearRegressor: m = {line.coef_[0]:.12f}, c = {line.intercept_:.12f}")
display = FitDisplay.from_estimator(line, X, y, epochs=(0, 1, 2, 5, -1))
display.ax_.set_title("With lr = 0.0001 five steps turn the line to the data")
plt.show()

# %%
# The slope converges within a few steps, and the intercept hardly changes. The contours are long
# and narrow, because the values of x are large.
display = DescentPathDisplay.from_estimator(line, X, y)
display.ax_.set_title("The slope arrives at once, the intercept hardly moves")
plt.show()

# %%
# With lr = 0.01 every step increases the loss: the descent diverges.
display = DescentPathDisplay.from_estimator(line.set_params(lr=0.01), X, y)
display.ax_.set_title("With lr = 0.01 each step ends higher than it began")
plt.show()
