"""
A search finds the degree of a polynomial
=========================================

Degrees from 1 to 11, four learning rates and every number of epochs are compared at once.
"""

# %%
# The polynomial terms are computed once, for the highest degree: the terms of a lower degree are
# the first of these columns. This search chooses the number of epochs too.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import FitDisplay, GDPolynomialRegressor, GDPolynomialRegressorCV, SearchDisplay

rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, size=(60, 1))
wave = np.sin(2 * x[:, 0]) + 0.3 * rng.normal(size=60)
search = GDPolynomialRegressorCV(
    degrees=range(1, 12), lrs=(0.003, 0.01, 0.03, 0.1), select_epochs=True
)
search.fit(x, wave)
print(search.best_params_, search.epochs_)
display = SearchDisplay.from_estimator(search)
display.figure_.suptitle("Degrees from 5 to 9 follow the wave, higher ones its noise")
plt.show()

# %%
# The fit with these parameters, as the search made it on all rows.
best = GDPolynomialRegressor(**search.best_params_, epochs=search.epochs_)
display = FitDisplay.from_estimator(best, x, wave, epochs=(0, 10, 100, -1))
display.ax_.set_title("The chosen polynomial follows the wave")
plt.show()
