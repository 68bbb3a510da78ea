"""
Moments of parts add up to the fit of the whole
===============================================

`Moments` are what squared error needs to know of the data. Four hospitals send moments, and no
rows, and get the model of all patients.
"""

# %%
# The moments of a hospital are its means and a small triangular matrix, as text.
import json

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV, Moments, inference

X, y = load_diabetes(return_X_y=True, as_frame=True)
hospitals = np.array_split(np.random.default_rng(0).permutation(len(y)), 4)
letters = [json.dumps(Moments.of(X.iloc[rows], y.iloc[rows]).to_dict()) for rows in hospitals]

# %%
# In the centre they are added up. The fit is that of the rows.
parts = [Moments.from_dict(json.loads(letter)) for letter in letters]
model = GDLinearRegressor(lr="auto").fit(sum(parts))
rows = GDLinearRegressor(lr="auto").fit(X, y)
print(f"largest relative difference: {abs(model.coef_ / rows.coef_ - 1).max():.0e}")

# %%
# A search tests on each hospital what the others have learned.
search = GDLinearRegressorCV(lrs=("auto",), alphas=np.geomspace(1e-5, 1e-1, 20)).fit(parts)
print(f"alpha {search.alpha_:.1g}, mean R² on the hospital left out {search.best_score_:.3f}")

# %%
# Error bars follow from moments too. With the patients of all hospitals they are half as long.
ax = plt.subplots(layout="constrained")[1]
places = np.arange(X.shape[1])
for name, moments, shift, color in (
    ("first hospital", parts[0], -0.15, "#D55E00"),
    ("all hospitals", sum(parts), 0.15, "#0072B2"),
):
    found = inference(GDLinearRegressor(lr="auto").fit(moments), moments)
    low, high = found.conf_int()[1:].T
    ax.vlines(places + shift, low, high, color=color, linewidth=4, label=name)
ax.axhline(0, color="black", linewidth=0.8)
ax.set_xticks(places, X.columns)
ax.set(ylabel="95% interval of the coefficient")
ax.set_title("Together the hospitals know more, and no row was sent")
ax.legend(loc="lower right")
plt.show()
