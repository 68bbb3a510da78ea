"""
An L1 penalty leaves few coefficients
=====================================

The coefficients of the diabetes data for penalties from weak to strong. One after the other
becomes exactly zero.
"""

# %%
# ``l1_ratio=1.0`` is the penalty of Lasso. With squared error, ``alpha`` is twice the alpha of
# scikit-learn's `~sklearn.linear_model.Lasso`. Nesterov's momentum saves epochs.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso

from sklearn_gd import GDLinearRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True)
alphas = np.geomspace(0.01, 4, 20)
fast = {"lr": "auto", "optimizer_params": {"momentum": 0.9, "nesterov": True}, "tol": 1e-12}
models = [GDLinearRegressor(alpha=alpha, l1_ratio=1.0, **fast).fit(X, y) for alpha in alphas]
coefs = np.array([model.coef_ for model in models])
lasso = Lasso(alpha=alphas[10] / 2, tol=1e-10).fit(X, y)
print(f"largest difference from Lasso: {abs(coefs[10] - lasso.coef_).max():.1e}")

# %%
# The four features that stay longest have colours.
stays = (coefs != 0).sum(axis=0)
strongest = np.argsort(stays, kind="stable")[-4:]
colors = dict(zip(strongest, ("#0072B2", "#D55E00", "#009E73", "#CC79A7"), strict=True))
ax = plt.subplots(layout="constrained")[1]
for k, name in enumerate(X.columns):
    label = name if k in colors else None
    ax.semilogx(alphas, coefs[:, k], color=colors.get(k, "#b0b0b0"), label=label)
ax.set(xlabel="alpha", ylabel="Coefficient")
ax.set_title("Strong penalties keep only a few features")
ax.legend()
plt.show()
