"""
Momentum follows the valley of Rosenbrock's function
====================================================

Rosenbrock's function has a curved valley. Momentum carries the descent along it.
"""

# %%
# The contours of the function, with the points of the descent. The descent first oscillates
# across the valley and then follows the valley to the minimum.
import matplotlib.pyplot as plt

from sklearn_gd import DescentPathDisplay, LossCurveDisplay, minimize


def rosenbrock(a, b):
    return (1 - a) ** 2 + 100 * (b - a**2) ** 2


start = {"a": -1.2, "b": 1.0}
options = {"lr": 0.0005, "epochs": 500}
result = minimize(rosenbrock, start, optimizer_params={"momentum": 0.9}, **options)
display = DescentPathDisplay.from_function(rosenbrock, result)
display.ax_.set_title("With momentum the descent follows the valley")
plt.show()

# %%
# Without momentum the descent hardly moves along the valley.
plain = minimize(rosenbrock, start, **options)
display = LossCurveDisplay.from_curves(
    {"momentum 0.9": result.loss_curve, "no momentum": plain.loss_curve}, log_scale=True
)
display.ax_.set_title("Without momentum the descent creeps")
plt.show()
