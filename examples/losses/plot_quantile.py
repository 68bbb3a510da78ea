"""
Quantiles show that rich households differ more
===============================================

Engel's data: the income of 235 Belgian households of 1857, and what they spent on food.
"""

# %%
# The data come with statsmodels. Each quantile is a fit with its own loss. Adam is an optimizer
# that copes with the kink of this loss.
import matplotlib.pyplot as plt
from statsmodels.datasets import engel

from sklearn_gd import GDLinearRegressor

data = engel.load_pandas().data
X, y = data[["income"]], data["foodexp"]
quantiles = {0.1: "#0072B2", 0.5: "#009E73", 0.9: "#D55E00"}
models = {
    q: GDLinearRegressor(
        loss="quantile", loss_params={"quantile": q}, optimizer="adam", lr=0.05, epochs=400
    ).fit(X, y)
    for q in quantiles
}
for q, model in models.items():
    below = (y <= model.predict(X)).mean()
    print(f"quantile {q}: slope {model.coef_[0]:.3f}, {below:.0%} of the households are below")

# %%
ax = plt.subplots(layout="constrained")[1]
ax.plot(X, y, "o", color="#909090", markersize=4, label="households")
ends = X.iloc[[X["income"].argmin(), X["income"].argmax()]]
for q, color in quantiles.items():
    ax.plot(ends, models[q].predict(ends), color=color, label=f"quantile {q}")
ax.set(xlabel="Income (francs)", ylabel="Food (francs)")
ax.set_title("The richer the households, the more their spending differs")
ax.legend()
plt.show()
