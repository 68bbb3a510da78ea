"""
The learning rate decides whether a descent arrives
===================================================

Gradient descent on f(x) = x² - 4x + 5 from x = 7, with five learning rates. Every step multiplies
the distance from the minimum at x = 2 by 1 - 2·lr.
"""

# %%
# This is the loop by hand. The derivative of f is 2x - 4.
import matplotlib.pyplot as plt

from sklearn_gd import LearningRateDisplay, LossCurveDisplay, minimize

x = 7.0
for _ in range(50):
    x = x - 0.1 * (2 * x - 4)
print(f"by hand, lr = 0.1: x = {x:.6f}")


# %%
# One call of `minimize` runs the descent with all learning rates at once. The derivative comes
# from torch's autograd.
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
display = LearningRateDisplay.from_function(f, 7.0, lrs=lrs, epochs=50)
display.figure_.suptitle("Slow, good, faster, overshooting, never arriving")
plt.show()

# %%
# The same five descents as curves of f over the epochs. The curves of 0.3 and 0.7 are the
# same, because both multiply the distance by 0.4, one of them with a minus sign.
curves = {f"lr = {lr}": curve for lr, curve in zip(lrs, result.loss_curve, strict=True)}
display = LossCurveDisplay.from_curves(curves, optimum=1.0)
display.ax_.set_title("Each lr below 1 shrinks the distance by a constant factor")
plt.show()
