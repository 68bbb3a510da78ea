"""
Autograd computes the gradients of the line
===========================================

The loop of the example before, with torch's autograd in place of the hand-written gradients. The
losses of all epochs are those of `GDLinearRegressor`.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from sklearn_gd import GDLinearRegressor, LossCurveDisplay

rng = np.random.default_rng(0)
x = torch.from_numpy(rng.normal(50, 10, size=100))
y = 1.4 * x + 7 + torch.from_numpy(rng.normal(0, 8, size=100))

m = torch.zeros(1, dtype=torch.float64, requires_grad=True)
c = torch.zeros(1, dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.SGD([m, c], lr=0.0001)
losses = []
for _ in range(30):
    optimizer.zero_grad()
    loss = ((m * x + c - y) ** 2).mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

# %%
# The estimator computes the gradients by autograd too, and its optimizer is the same class.
X = x.numpy()[:, None]
line = GDLinearRegressor(precondition=None, lr=0.0001, epochs=30).fit(X, y.numpy())
difference = abs(line.loss_curve_ / losses - 1).max()
print(f"largest relative difference of the losses: {difference:.0e}")

display = LossCurveDisplay.from_estimator(line, name="GDLinearRegressor", log_scale=True)
display.ax_.plot(losses, "o", color="#D55E00", fillstyle="none", label="loop in torch")
display.ax_.set_title("The loop in torch and the estimator have the same losses")
display.ax_.legend()
plt.show()
