"""
Choosing the learning rate, the penalty and the degree
======================================================

All candidates are trained on all folds at once, so that a search costs about as much as one fit.
"""

# %%
# Nine learning rates, six penalties and ten folds are 540 runs, all trained at once.
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
# The search also has the validation loss of every epoch.
LearningRateDisplay.from_estimator(search)
plt.show()

# %%
# The polynomial terms are computed once, for the highest degree: the terms of a lower degree are
# the first of these columns. This search chooses the number of epochs too.
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
