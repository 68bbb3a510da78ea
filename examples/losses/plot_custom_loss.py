"""
A loss of your own is a function in torch
=========================================

A shop that has too little loses a sale, which costs more than what is left over. So too low a
prediction shall cost three times as much as one that is too high.
"""

# %%
# The function gets tensors of the predictions and of the targets, and returns a cost for every row.
# Autograd differentiates it.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import GDLinearRegressor


def cost(prediction, target):
    return 3 * (target - prediction).relu() + (prediction - target).relu()


rng = np.random.default_rng(0)
X = rng.uniform(5, 30, size=(300, 1))
y = 20 + 4 * X[:, 0] + 15 * rng.normal(size=300)

mean = GDLinearRegressor().fit(X, y)
model = GDLinearRegressor(loss=cost, optimizer="adam", lr=0.02).fit(X, y)
print(f"mean cost: {model.loss_:.1f}")
short = (y > model.predict(X)).mean()
print(f"the shop has too little on {short:.0%} of the days, because 1 / (1 + 3) = 25%")

# %%
ax = plt.subplots(layout="constrained")[1]
ends = np.array([[5.0], [30.0]])
ax.plot(X, y, "o", color="#909090", markersize=4, label="days")
ax.plot(ends, mean.predict(ends), color="#D55E00", linestyle="--", label="squared error")
ax.plot(ends, model.predict(ends), color="#0072B2", label="the loss of the shop")
ax.set(xlabel="Temperature (°C)", ylabel="Sales")
ax.set_title("The costly side decides where the line lies")
ax.legend()
plt.show()
