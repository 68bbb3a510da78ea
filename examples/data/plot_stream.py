"""
A stream ends where a fit of all rows ends
==========================================

`partial_fit` takes the rows part by part and keeps none of them. With squared error it fits all
rows seen so far.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import SGDRegressor
from sklearn.preprocessing import StandardScaler

from sklearn_gd import GDLinearRegressor

X, y = load_diabetes(return_X_y=True)
X = StandardScaler().fit_transform(X)  # SGDRegressor needs it
order = np.random.default_rng(0).permutation(len(y))
parts = np.array_split(order, 20)

stream = GDLinearRegressor(lr="auto", epochs=5)
sgd = SGDRegressor(alpha=0.0, random_state=0)
scores, sgd_scores = [], []
for part in parts:
    scores.append(stream.partial_fit(X[part], y[part]).score(X, y))
    sgd_scores.append(sgd.partial_fit(X[part], y[part]).score(X, y))

whole = GDLinearRegressor(lr="auto", epochs=5).fit(X, y)
print(f"largest difference of a coefficient: {abs(stream.coef_ - whole.coef_).max():.0e}")

# %%
# `SGDRegressor` makes one step for each row, and has not arrived when the rows end.
ax = plt.subplots(layout="constrained")[1]
seen = np.cumsum([len(part) for part in parts])
ax.plot(seen, scores, "o-", color="#0072B2", label="GDLinearRegressor.partial_fit")
ax.plot(seen, sgd_scores, "s--", color="#D55E00", label="SGDRegressor.partial_fit")
ax.axhline(whole.score(X, y), color="black", linewidth=0.8, label="fit of all rows")
ax.set(xlabel="Rows seen", ylabel="R² on all rows", ylim=(-1, 0.6))
ax.set_title("After the last part the stream is the fit of all rows")
ax.legend()
plt.show()
