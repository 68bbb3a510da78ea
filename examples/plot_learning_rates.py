"""
Which learning rate?
====================

Raw data, with features of very different scales, allow a tiny learning rate only.
"""

# %%
# The report needs no training: all follows from the eigenvalues of the data.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import GDLinearRegressor, LearningRateDisplay, lr_report

rng = np.random.default_rng(0)
X = rng.normal(size=(500, 3)) * [1, 30, 1000]
y = X @ [1, 0.1, 0.001] + rng.normal(size=500)

raw = GDLinearRegressor(precondition=None, epochs=500)
print(lr_report(raw, X, y))

# %%
# A hundred thousandth of the default, and the loss still has far to go.
LearningRateDisplay.from_estimator(raw, X, y)
plt.show()

# %%
# With features of unit variance any rate up to about 1 will do.
LearningRateDisplay.from_estimator(
    GDLinearRegressor(precondition="standardize", epochs=100),
    X,
    y,
    lrs=(0.001, 0.01, 0.1, 0.3, 0.9, 1.1),
)
plt.show()
