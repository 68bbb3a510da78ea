"""Gradient descent for scikit-learn users.

`GDLinearRegressor` and `GDPolynomialRegressor` are scikit-learn estimators trained by a
torch autograd loop. Data flow one way: an estimator (`_regressor`) checks its data
(`_data`), reduces them to moments (`_moments`), chooses coordinates (`_coordinates`), and
hands an objective (`_objective`) to the one loop (`_descent`), whose trace becomes the
fitted attributes (`_training`). Start reading at `_descent`.
"""

from sklearn_gd._display_loss import LossCurveDisplay
from sklearn_gd._regressor import GDLinearRegressor, GDPolynomialRegressor

__all__ = ["GDLinearRegressor", "GDPolynomialRegressor", "LossCurveDisplay"]
__version__ = "0.1.0"
