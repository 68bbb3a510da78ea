"""
One figure compares the losses of any estimators
================================================

`LossCurveDisplay` draws the loss curve of any estimator that has a `loss_curve_`. The neural
networks of scikit-learn have one too.
"""

# %%
# With the default preconditioner any learning rate below 1 converges. With lr = 1.5 the descent
# diverges: the fit keeps the parameters of the lowest loss and warns, and the display marks the
# curve.
import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from sklearn_gd import GDLinearRegressor, LossCurveDisplay

X, y = load_diabetes(return_X_y=True)
models = {
    "lr = 0.01": GDLinearRegressor(lr=0.01, epochs=200),
    "lr = 0.1": GDLinearRegressor(lr=0.1, epochs=200),
    "lr = 1.5": GDLinearRegressor(lr=1.5, epochs=200),
    "Adam, lr = 0.01": GDLinearRegressor(optimizer="adam", epochs=200),
    "MLPRegressor": MLPRegressor(learning_rate_init=0.03, max_iter=200, random_state=0),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    for model in models.values():
        model.fit(X, y)

display = LossCurveDisplay.from_estimators(models, log_scale=True)
display.ax_.set_title("One learning rate diverges, all others end at the same loss")
plt.show()
