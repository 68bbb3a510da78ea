"""
Choosing the learning rate, the penalty and the degree
======================================================

All candidates on all folds descend at once, so that a search costs about one fit.
"""

# %%
# Nine learning rates, six penalties and ten folds are 540 descents in one.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from sklearn_gd import (
    GDLinearRegressorCV,
    GDPolynomialRegressorCV,
    LearningRateDisplay,
    SearchDisplay,
)

X, y = load_diabetes(return_X_y=True)
search = GDLinearRegressorCV(
    lrs=np.geomspace(1e-4, 0.5, 9), alphas=(0.0, 1e-4, 1e-3, 3e-3, 1e-2, 1e-1), epochs=500, cv=10
)
search.fit(X, y)
print(search.best_params_, round(search.best_score_, 3))
SearchDisplay.from_estimator(search)
plt.show()

# %%
# The held-out losses of every epoch come with the search.
LearningRateDisplay.from_estimator(search)
plt.show()

# %%
# Degrees share one expansion: the terms of the lower ones are its leading columns. Here the
# number of epochs is chosen too.
rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, size=(60, 1))
wave = np.sin(2 * x[:, 0]) + 0.3 * rng.normal(size=60)
degrees = GDPolynomialRegressorCV(
    degrees=range(1, 12), lrs=(0.003, 0.01, 0.03, 0.1), select_epochs=True
)
degrees.fit(x, wave)
print(degrees.best_params_, degrees.epochs_)
SearchDisplay.from_estimator(degrees)
plt.show()
