"""
Early stopping ends where held-out rows fit best
================================================

With 80 features and 150 rows a long descent learns the noise. Rows that are held out tell when to
stop.
"""

# %%
# Only five of the features have an effect.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import GDLinearRegressor, LossCurveDisplay

rng = np.random.default_rng(0)
effects = np.where(np.arange(80) < 5, 1.0, 0.0)
X = rng.normal(size=(150, 80))
y = X @ effects + 2 * rng.normal(size=150)

options = {"precondition": "standardize", "epochs": 300}
model = GDLinearRegressor(
    early_stopping=True, validation_fraction=0.3, n_iter_no_change=300, random_state=0, **options
).fit(X, y)
print(f"the best epoch is {model.best_epoch_} of {model.n_iter_}")
display = LossCurveDisplay.from_estimator(model, name="80 features")
display.ax_.set_title("The held-out loss rises after the best epoch")
plt.show()

# %%
# The model has the coefficients of the best epoch. With a smaller ``n_iter_no_change``, such as the
# default of 10, the descent ends soon after it. On new rows the model is better than a descent to
# the end, although that descent had all 150 rows.
X_new = rng.normal(size=(1000, 80))
long = GDLinearRegressor(lr="auto", **options).fit(X, y)
print(f"R² of the effects on new rows, stopped early: {model.score(X_new, X_new @ effects):.2f}")
print(f"R² of the effects on new rows, to the end:    {long.score(X_new, X_new @ effects):.2f}")
