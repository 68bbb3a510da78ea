"""
The loop of the parabola in torch takes the same steps
======================================================

The polynomial regression of the tutorial, written in torch, beside the estimator with
``precondition=None``. NAdam makes the steps of both.
"""

# %%
# The three coefficients begin at zero.
import matplotlib.pyplot as plt
import numpy as np
import torch

from sklearn_gd import GDPolynomialRegressor, LossCurveDisplay

x = np.random.default_rng(0).normal(0, 5, size=(20, 1))
y = x[:, 0] ** 2 + 2 * x[:, 0] + 3

terms = torch.from_numpy(np.hstack([np.ones_like(x), x, x**2]))
w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.NAdam([w], lr=0.01)
losses = []
for _ in range(1000):
    optimizer.zero_grad()
    loss = ((terms @ w - torch.from_numpy(y)) ** 2).mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print("loop:     ", w.detach().numpy().round(6))

# %%
# The estimator takes the same 1,000 steps.
options = {"degree": 2, "optimizer": "nadam", "lr": 0.01, "epochs": 1000}
plain = GDPolynomialRegressor(precondition=None, **options).fit(x, y)
print("estimator:", np.r_[plain.intercept_, plain.coef_].round(6))

# %%
# After 1,000 epochs in these coordinates the constant is still not found. In the default
# coordinates NAdam finds all three coefficients in as many epochs.
default = GDPolynomialRegressor(**options).fit(x, y)
print("default:  ", np.r_[default.intercept_, default.coef_].round(6))
display = LossCurveDisplay.from_estimators({"precondition=None": plain, "default": default})
epochs = np.arange(0, 1000, 50)
display.ax_.plot(
    epochs, np.array(losses)[epochs], "o", color="#0072B2", fillstyle="none", label="loop in torch"
)
display.ax_.set_title("The loop takes the steps of precondition=None")
display.ax_.legend()
plt.show()
