"""
Learning rates can be computed before a fit
===========================================

If the scales of the features are very different, plain gradient descent converges only with a
very small learning rate. `lr_report` says so without training a model.
"""

# %%
# The learning rates follow from the eigenvalues of the data.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import GDLinearRegressor, LearningRateDisplay, lr_report

rng = np.random.default_rng(0)
X = rng.normal(size=(500, 3)) * [1, 30, 1000]
y = X @ [1, 0.1, 0.001] + rng.normal(size=500)

raw = GDLinearRegressor(precondition=None, epochs=500)
print(lr_report(raw, X, y))

# %%
# The largest stable learning rate is about 1e-6, ten thousand times below the default. Even with
# the best of these learning rates, the loss is far above the minimum after 500 epochs.
display = LearningRateDisplay.from_estimator(raw, X, y)
display.figure_.suptitle("In the units of the data no learning rate is good")
plt.show()

# %%
# If all features have unit variance, the descent converges with any learning rate up to about 1.
display = LearningRateDisplay.from_estimator(
    GDLinearRegressor(precondition="standardize", epochs=100),
    X,
    y,
    lrs=(0.001, 0.01, 0.1, 0.3, 0.9, 1.1),
)
display.figure_.suptitle("With unit variance 0.1 is enough, and 1.1 diverges")
plt.show()
