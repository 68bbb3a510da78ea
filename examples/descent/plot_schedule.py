"""
A schedule lets mini-batches settle
===================================

With a constant learning rate the steps of mini-batches never come to rest. A schedule makes the
learning rate smaller, and the steps with it.
"""

# %%
# The scheduler is a class of torch, or a function that makes one. It is stepped once an epoch.
import matplotlib.pyplot as plt
import numpy as np
from torch.optim.lr_scheduler import ExponentialLR

from sklearn_gd import GDLinearRegressor, LossCurveDisplay

rng = np.random.default_rng(0)
X = rng.normal(size=(1000, 5))
y = X @ [1, -2, 3, 0.5, 0] + rng.normal(size=1000)
X_new = rng.normal(size=(1000, 5))
y_new = X_new @ [1, -2, 3, 0.5, 0]


def schedule(optimizer):
    return ExponentialLR(optimizer, gamma=0.9)


batches = {"batch_size": 20, "lr": 0.1, "epochs": 40, "random_state": 0}
models = {
    "lr = 0.1": GDLinearRegressor(**batches),
    "lr = 0.1 x 0.9 each epoch": GDLinearRegressor(lr_scheduler=schedule, **batches),
}
for name, model in models.items():
    model.fit(X, y)
    error = np.mean((model.predict(X_new) - y_new) ** 2)
    print(f"{name}: loss {model.loss_:.4f}, squared error of the true function {error:.4f}")

# %%
# The loss of an epoch is the mean of its batches, taken while the coefficients move.
best = GDLinearRegressor(lr="auto", epochs=5).fit(X, y)
display = LossCurveDisplay.from_estimators(models, optimum=best.loss_)
display.ax_.set_title("With the schedule the loss settles at the minimum")
plt.show()
