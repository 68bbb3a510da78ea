"""
A search over rates and penalties is one descent
================================================

Nine learning rates, six penalties and ten folds are 540 runs. All are trained at once.
"""

# %%
# The results are those of `~sklearn.model_selection.GridSearchCV`.
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, LearningRateDisplay, SearchDisplay

X, y = load_diabetes(return_X_y=True)
GDLinearRegressor().fit(X, y)  # the first fit loads parts of torch
search = GDLinearRegressorCV(
    lrs=np.geomspace(1e-4, 0.5, 9), alphas=(0.0, 1e-4, 1e-3, 3e-3, 1e-2, 1e-1), epochs=500, cv=10
)
start = perf_counter()
search.fit(X, y)
print(f"540 runs in {perf_counter() - start:.2f} s")
print(search.best_params_, round(search.best_score_, 3))

# %%
display = SearchDisplay.from_estimator(search)
display.figure_.suptitle("A small penalty and a moderate learning rate score best")
plt.show()

# %%
# The search also has the held-out loss of every epoch.
display = LearningRateDisplay.from_estimator(search)
display.figure_.suptitle("Small learning rates have not arrived after 500 epochs")
plt.show()
