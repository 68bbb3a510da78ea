"""
Preconditioning makes every lr below 1 converge
===============================================

Plain gradient descent on the line needs a learning rate below 0.0004, and 100 epochs do not find
the intercept. In the default coordinates lr = 0.1 finds both.
"""

# %%
# `lr_report` says which learning rates converge, before any fit.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import FitDisplay, GDLinearRegressor, LossCurveDisplay, lr_report

rng = np.random.default_rng(0)
X = rng.normal(50, 10, size=(100, 1))
y = 1.4 * X[:, 0] + 7 + rng.normal(0, 8, size=100)

plain = GDLinearRegressor(precondition=None, lr=0.0001, epochs=100)
print(lr_report(plain, X, y))

# %%
# By default the feature has mean 0 and variance 1 in the coordinates of the descent.
preconditioned = GDLinearRegressor(lr=0.1, epochs=100)
print(lr_report(preconditioned, X, y))

# %%
# The descent begins at the mean of the target.
display = FitDisplay.from_estimator(preconditioned, X, y, epochs=(0, 1, 5, 20, -1))
display.ax_.set_title("With lr = 0.1 the line turns around the mean of the data")
plt.show()

# %%
# Both losses, as their distance from the smallest possible loss. The plain descent stands still:
# the intercept would need some 100,000 epochs.
best = GDLinearRegressor(lr="auto", epochs=5).fit(X, y)
display = LossCurveDisplay.from_estimators(
    {"plain, lr = 0.0001": plain.fit(X, y), "preconditioned, lr = 0.1": preconditioned.fit(X, y)},
    optimum=best.loss_,
)
display.ax_.set_title("The plain descent stands still above the minimum")
plt.show()
