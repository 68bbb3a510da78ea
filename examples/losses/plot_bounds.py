"""
Bounds keep the shares of a mixture between 0 and 1
===================================================

The spectrum of a mixture is the sum of the spectra of its substances, each times its share.
"""

# %%
# The spectra of neighbouring substances overlap. So noise moves the shares of least squares far.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_gd import GDLinearRegressor

rng = np.random.default_rng(0)
wavelength = np.linspace(400, 700, 150)
peaks = {"A": 500, "B": 520, "C": 540, "D": 560}
X = pd.DataFrame({name: np.exp(-(((wavelength - at) / 60) ** 2)) for name, at in peaks.items()})
share = pd.Series({"A": 0.0, "B": 0.7, "C": 0.0, "D": 0.3})
y = X @ share + rng.normal(0, 0.1, size=len(X))

free = GDLinearRegressor(fit_intercept=False, lr="auto").fit(X, y)
print(free.equation(2))

# %%
# ``bounds=(0, 1)`` bounds all shares. Momentum makes the descent in correlated features faster.
options = {"lr": "auto", "optimizer_params": {"momentum": 0.98, "nesterov": True}}
bounded = GDLinearRegressor(fit_intercept=False, bounds=(0, 1), **options).fit(X, y)

table = pd.DataFrame({"truth": share, "least squares": free.coef_, "bounds=(0, 1)": bounded.coef_})
ax = table.plot.bar(rot=0, color=["0.6", "C0", "C1"])
ax.axhspan(0, 1, color="0.95", zorder=-1)
ax.set(ylabel="share", title="With bounds all shares stay in the grey band and near the truth")
plt.show()

# %%
# At its bound a share is the bound exactly.
print(*(name for name, value in zip(X.columns, bounded.coef_, strict=True) if value == 0.0))

# %%
# A mapping bounds some shares by name. None is no bound.
some = GDLinearRegressor(fit_intercept=False, bounds={"A": (0, None), "D": (0.2, 0.3)}, **options)
print(some.fit(X, y).equation(2))
