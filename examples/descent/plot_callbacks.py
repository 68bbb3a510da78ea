"""
A callback watches a fit and ends it
====================================

The estimators call the callbacks of scikit-learn after every epoch. A callback sees the model as
it is, and may end the descent.
"""

# %%
# A callback is an object with four methods. This one ends the fit when the mean error is small
# enough for its user.
import matplotlib.pyplot as plt
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error

from sklearn_gd import GDLinearRegressor


class StopWhenGoodEnough:
    def __init__(self, error):
        self.error = error

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        return mean_absolute_error(y, fitted_estimator.predict(X)) < self.error


X, y = load_diabetes(return_X_y=True)
monitor = ScoringMonitor(scoring="neg_mean_absolute_error")
model = GDLinearRegressor(epochs=200)
model.set_callbacks(monitor, StopWhenGoodEnough(46.0)).fit(X, y)
print(f"ended after {model.n_iter_} epochs")

# %%
# `ScoringMonitor` of scikit-learn logs a score for every epoch.
log = monitor.get_logs().data_as_pandas
error = -log.loc[log["task_name"] == "epoch", "neg_mean_absolute_error"].to_numpy()
ax = plt.subplots(layout="constrained")[1]
ax.plot(range(1, len(error) + 1), error, color="#0072B2")
ax.axhline(46.0, color="#D55E00", linestyle="--", label="good enough")
ax.set(xlabel="Epoch", ylabel="Mean absolute error")
ax.set_title("The fit ends when the error is below 46")
ax.legend()
plt.show()
