"""
Which learning rate?
====================

If the scales of the features are very different, plain gradient descent converges only with a
very small learning rate.
"""

# %%
# `lr_report` trains no model. It computes the learning rates from the eigenvalues of the data.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import GDLinearRegressor, LearningRateDisplay, lr_report

rng = np.random.default_rng(0)
X = rng.normal(size=(500, 3)) * [1, 30, 1000]
y = X @ [1, 0.1, 0.001] + rng.normal(size=500)

raw = GDLinearRegressor(precondition=None, epochs=500)
print(lr_report(raw, X, y))

# %%
# The largest stable learning rate is about 1e-6, ten thousand times below the default. Even with
# the best of these learning rates, the loss is far above the minimum after 500 epochs.
LearningRateDisplay.from_estimator(raw, X, y)
plt.show()

# %%
# If all features have unit variance, the descent converges with any learning rate up to about 1.
LearningRateDisplay.from_estimator(
    GDLinearRegressor(precondition="standardize", epochs=100),
    X,
    y,
    lrs=(0.001, 0.01, 0.1, 0.3, 0.9, 1.1),
)
plt.show()
