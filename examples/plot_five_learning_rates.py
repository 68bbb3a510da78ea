"""
One function, five learning rates
=================================

Gradient descent on f(x) = x² - 4x + 5 from x = 7. Every step multiplies the distance
from the minimum at x = 2 by 1 - 2·lr.
"""

# %%
# All rates descend at once, in one call.
import matplotlib.pyplot as plt

from sklearn_gd import LearningRateDisplay, minimize


def f(x):
    return x**2 - 4 * x + 5


lrs = [0.01, 0.1, 0.3, 0.7, 1.0]
result = minimize(f, 7.0, lr=lrs, epochs=50)
for lr, x, message in zip(lrs, result.x, result.message, strict=True):
    print(f"lr = {lr}: x = {x:.6f}. {message}")

# %%
# 0.01 is slow, 0.1 is good, 0.3 is faster, 0.7 steps over the minimum and still arrives,
# and 1.0 jumps between 7 and -3 for ever.
LearningRateDisplay.from_function(f, 7.0, lrs=lrs, epochs=50)
plt.show()
