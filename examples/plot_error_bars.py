"""
Error bars
==========

How well the data determine each coefficient, and when the descent has found what they tell.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes

from sklearn_gd import CoefficientDisplay, FitDisplay, GDLinearRegressor, inference

X, y = load_diabetes(return_X_y=True, as_frame=True)

model = GDLinearRegressor(tol="statistical").fit(X, y)
print(f"{model.n_iter_} epochs")
print(inference(model, X, y).summary())

# %%
# An interval that holds zero is grey.
CoefficientDisplay.from_estimator(model, X, y)
plt.show()

# %%
# During the descent each coefficient enters its interval. The band is the same for all,
# because distances are in standard errors.
CoefficientDisplay.from_estimator(model, X, y, kind="epochs")
plt.show()

# %%
# The mean of new patients is in the band with a probability of 95%.
FitDisplay.from_estimator(model, X[["bmi"]], y, epochs=(0, 20, -1), interval="confidence")
plt.show()
