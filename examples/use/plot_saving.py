"""
A saved model predicts without torch
====================================

A model is saved and loaded, becomes an estimator of scikit-learn, and becomes a formula. None of
these needs torch.
"""

# %%
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import GDPolynomialRegressor

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(-2, 2, size=(60, 1)), axis=0)
y = 1 - 2 * X[:, 0] + X[:, 0] ** 3 + 0.5 * rng.normal(size=60)
model = GDPolynomialRegressor(degree=3, lr="auto").fit(X, y)

# %%
# The model as a formula, as an estimator of scikit-learn, and as a polynomial of NumPy.
print(model.equation())
pipeline = model.to_sklearn()
print([type(step).__name__ for step in pipeline])
print(f"largest difference: {abs(pipeline.predict(X) - model.predict(X)).max():.0e}")
roots = model.to_polynomial().roots()
print("roots:", roots.real.round(2))

# %%
# A pickle, loaded by another process. The process predicts and has not imported torch. For files
# from others use skops, which runs no code: see the page on saving in the user guide.
path = Path(tempfile.mkdtemp()) / "model.pickle"
path.write_bytes(pickle.dumps(model))
program = f"""
import pathlib, pickle, sys
model = pickle.loads(pathlib.Path({str(path)!r}).read_bytes())
print("prediction at 1:", model.predict([[1.0]]).round(4))
print("torch was imported:", "torch" in sys.modules)
"""
command = [sys.executable, "-c", program]
done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
print(done.stdout)

# %%
ax = plt.subplots(layout="constrained")[1]
ax.plot(X, y, "o", color="#909090", markersize=4, label="data")
ax.plot(X, model.predict(X), color="#0072B2", label="GDPolynomialRegressor")
ax.plot(
    X[::4], pipeline.predict(X[::4]), "s", color="#D55E00", fillstyle="none", label="scikit-learn"
)
ax.set(xlabel="x0", ylabel="Target", title="The converted model predicts the same")
ax.legend()
plt.show()
