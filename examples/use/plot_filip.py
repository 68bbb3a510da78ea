"""
A polynomial of degree 10 keeps its correct digits
==================================================

Filip is the hardest of NIST's reference regressions: 82 points and a polynomial of degree 10. Its
coefficients are certified to 15 digits.
"""

# %%
# The points are in a file beside this example, :download:`filip.csv <filip.csv>`.
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd import GDPolynomialRegressor

table = np.loadtxt(Path(sys.argv[0]).with_name("filip.csv"), delimiter=",", skiprows=1)
X, y = table[:, 1:], table[:, 0]

# %%
# NIST certifies that the coefficient of the highest power is -4.02962525080404e-05.
certified = -4.02962525080404e-05
usual = make_pipeline(PolynomialFeatures(10), LinearRegression()).fit(X, y)
models = {
    "PolynomialFeatures, LinearRegression": usual[-1].coef_[-1],
    "GDPolynomialRegressor, defaults": GDPolynomialRegressor(degree=10).fit(X, y).coef_[-1],
    'GDPolynomialRegressor, lr="auto"': GDPolynomialRegressor(degree=10, lr="auto")
    .fit(X, y)
    .coef_[-1],
}
for name, found in models.items():
    digits = max(0.0, -np.log10(max(abs(found / certified - 1), 1e-16)))
    print(f"{digits:4.1f} correct digits: {found:.15g}, {name}")

# %%
# The usual pipeline solves for powers of x up to 10, which are nearly dependent on each other. The
# estimator descends in Legendre polynomials, and converts the coefficients at the end.
x = np.linspace(X.min(), X.max(), 300)[:, None]
ours = GDPolynomialRegressor(degree=10, lr="auto").fit(X, y)
ax = plt.subplots(layout="constrained")[1]
ax.plot(X, y, "o", color="#707070", markersize=4, label="Filip")
ax.plot(x, usual.predict(x), "--", color="#D55E00", label="PolynomialFeatures, LinearRegression")
ax.plot(x, ours.predict(x), color="#0072B2", label="GDPolynomialRegressor")
ax.set(xlabel="x", ylabel="y", title="The usual pipeline loses the curve, the descent finds it")
ax.legend()
plt.show()
