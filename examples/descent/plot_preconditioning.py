"""
Whitening turns a long valley into a circle
===========================================

The same two correlated features in three kinds of coordinates. The number of epochs and the
optimum are the same. The way is not.
"""

# %%
# Both features have a variance of 1 and a correlation of 0.9. The second has another unit.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import DescentPathDisplay, GDLinearRegressor, LossCurveDisplay

rng = np.random.default_rng(0)
X = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size=300) * [1, 2]
y = X @ [3, -1] + rng.normal(size=300)

models = {
    "precondition=None": GDLinearRegressor(precondition=None, lr=0.2, epochs=100),
    "standardize": GDLinearRegressor(precondition="standardize", lr=0.4, epochs=100),
    "whiten": GDLinearRegressor(precondition="whiten", lr=0.4, epochs=100),
}
figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.8), layout="constrained", sharey=True)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    display = DescentPathDisplay.from_estimator(model, X, y)
    plt.close(display.figure_)
    display.plot(ax, colorbar=False)
    ax.set_title(name)
figure.suptitle("Only the whitened descent walks straight to the minimum")
plt.show()

# %%
# The axes above are the coefficients of the user, in which the contours are always ellipses. In the
# whitened coordinates they are circles, so that the gradient points to the minimum.
for model in models.values():
    model.fit(X, y)
best = GDLinearRegressor(lr="auto", epochs=5).fit(X, y)
display = LossCurveDisplay.from_estimators(models, optimum=best.loss_)
display.ax_.set_title("Whitened, the loss falls by a constant factor to the end")
plt.show()
