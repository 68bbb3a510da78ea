"""
One function, five learning rates
=================================

Gradient descent on f(x) = x² - 4x + 5 from x = 7. Every step multiplies the distance
from the minimum at x = 2 by 1 - 2·lr.
"""

# %%
# One call of `minimize` runs the descent with all learning rates at once.
import matplotlib.pyplot as plt

from sklearn_gd import LearningRateDisplay, minimize


def f(x):
    return x**2 - 4 * x + 5


lrs = [0.01, 0.1, 0.3, 0.7, 1.0]
result = minimize(f, 7.0, lr=lrs, epochs=50)
for lr, x, message in zip(lrs, result.x, result.message, strict=True):
    print(f"lr = {lr}: x = {x:.6f}. {message}")

# %%
# With lr = 0.01 the descent is slow, with 0.1 it is good, and with 0.3 it is faster. With 0.7
# every step passes the minimum, but the descent converges. With 1.0 x alternates between 7 and
# -3, and the descent never converges.
LearningRateDisplay.from_function(f, 7.0, lrs=lrs, epochs=50)
plt.show()
