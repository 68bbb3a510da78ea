"""
Optimizers differ in an ill-conditioned valley
==============================================

Five optimizers of `torch.optim` descend the same valley, which is 100 times as steep across as
along.
"""

# %%
# Every optimizer gets the best of five learning rates. The runs of one optimizer are one call.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import LossCurveDisplay, minimize


def valley(x):
    return 0.5 * (x[0] ** 2 + 100 * x[1] ** 2)


optimizers = {
    "gradient descent": ("sgd", {}, [0.001, 0.003, 0.01, 0.0198, 0.021]),
    "momentum 0.8": ("sgd", {"momentum": 0.8}, [0.001, 0.003, 0.01, 0.03, 0.1]),
    "RMSprop": ("rmsprop", {}, [0.001, 0.003, 0.01, 0.03, 0.1]),
    "Adam": ("adam", {}, [0.03, 0.1, 0.3, 1.0, 3.0]),
    "NAdam": ("nadam", {}, [0.03, 0.1, 0.3, 1.0, 3.0]),
}
curves = {}
for name, (optimizer, params, lrs) in optimizers.items():
    result = minimize(
        valley, [8.0, 2.0], lr=lrs, epochs=150, optimizer=optimizer, optimizer_params=params
    )
    best = int(np.argmin(result.fun))
    curves[f"{name}, lr = {lrs[best]}"] = result.loss_curve[best]

display = LossCurveDisplay.from_curves(curves, log_scale=True)
display.ax_.set_title("Momentum crosses the valley faster than gradient descent")
plt.show()
