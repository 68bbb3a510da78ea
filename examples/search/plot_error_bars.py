"""
Error bars say when a descent has told enough
=============================================

How well the data determine each coefficient, and when the descent has found what they tell.
"""

# %%
# ``tol="statistical"`` ends the descent when all coefficients are within 0.01 standard errors of
# the optimum. The table is that of statsmodels, with the distance of each coefficient.
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes

from sklearn_gd import CoefficientDisplay, FitDisplay, GDLinearRegressor, inference

X, y = load_diabetes(return_X_y=True, as_frame=True)

model = GDLinearRegressor(tol="statistical").fit(X, y)
print(f"{model.n_iter_} epochs")
print(inference(model, X, y).summary())

# %%
# An interval that holds zero is grey.
display = CoefficientDisplay.from_estimator(model, X, y)
display.figure_.suptitle("Four coefficients are surely not zero")
plt.show()

# %%
# During the descent each coefficient enters its interval. The band is the same for all,
# because distances are in standard errors.
display = CoefficientDisplay.from_estimator(model, X, y, kind="epochs")
display.figure_.suptitle("After 69 epochs all coefficients are inside their intervals")
plt.show()

# %%
# The mean of new patients is in the band with a probability of 95%.
display = FitDisplay.from_estimator(model, X[["bmi"]], y, epochs=(0, 20, -1), interval="confidence")
display.ax_.set_title("The band of the mean is narrow where the patients are")
plt.show()
