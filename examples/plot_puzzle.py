"""
A puzzle with many solutions
============================

The equations A + B = 9, C - D = 1, A + C = 8 and B - D = 2 have many solutions, because one of
the four equations follows from the other three.
"""

# %%
# `solve` minimizes the sum of the squared residuals. The solution depends on the start of the
# descent, and the message of the result says that there are others.
import matplotlib.pyplot as plt
import numpy as np

from sklearn_gd import LossCurveDisplay, solve


def puzzle(A, B, C, D):
    return A + B - 9, C - D - 1, A + C - 8, B - D - 2


curves = {}
for seed in range(3):
    start = dict(zip("ABCD", np.random.default_rng(seed).normal(size=4), strict=True))
    result = solve(puzzle, start, optimizer="nadam", lr=0.01, epochs=2000)
    print({name: round(float(value), 3) for name, value in result.x.items()})
    curves[f"NAdam, start {seed}"] = result.loss_curve
print(result.message)

# %%
# From zeros, plain gradient descent finds the solution with the smallest norm.
result = solve(puzzle, dict.fromkeys("ABCD", 0.0), lr=0.01)
print({name: round(float(value), 3) for name, value in result.x.items()})

curves["gradient descent from zeros"] = result.loss_curve
LossCurveDisplay.from_curves(curves)
plt.show()
