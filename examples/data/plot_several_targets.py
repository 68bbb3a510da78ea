"""
Several targets are one descent
===============================

Three exercises and three measures of twenty men. One fit predicts all measures, and each target
is as if it were fitted alone.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_linnerud

from sklearn_gd import GDLinearRegressor

X, Y = load_linnerud(return_X_y=True, as_frame=True)
model = GDLinearRegressor(lr="auto").fit(X, Y)
print(model.equation())

# %%
# The rows of ``coef_`` are those of single fits.
alone = [GDLinearRegressor(lr="auto").fit(X, Y[name]).coef_ for name in Y]
print(f"largest difference: {abs(model.coef_ - alone).max():.0e}")

# %%
# Weight, waist and pulse have different units, so that the figure shows deviations.
effects = model.coef_ * X.std().to_numpy() / Y.std().to_numpy()[:, None]
ax = plt.subplots(layout="constrained")[1]
places = np.arange(len(X.columns))
for k, (name, color) in enumerate(zip(Y, ("#0072B2", "#D55E00", "#009E73"), strict=True)):
    ax.bar(places + 0.25 * (k - 1), effects[k], width=0.25, color=color, label=name)
ax.axhline(0, color="black", linewidth=0.8)
ax.set_xticks(places, X.columns)
ax.set(ylabel="Deviations of the target for one of the feature")
ax.set_title("Men who do more sit-ups have a smaller weight and waist")
ax.legend()
plt.show()
