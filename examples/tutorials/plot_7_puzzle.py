"""
A puzzle with many solutions has one of the smallest norm
=========================================================

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


rng = np.random.default_rng(0)
starts = {f"start {k}": dict(zip("ABCD", rng.normal(size=4), strict=True)) for k in (1, 2)}
results = {
    "NAdam, start 1": solve(puzzle, starts["start 1"], optimizer="nadam", lr=0.01, epochs=2000)
}
print(results["NAdam, start 1"].message)

# %%
# Plain gradient descent needs fewer epochs here. From zeros, it finds the solution with the
# smallest norm.
results["SGD, start 2"] = solve(puzzle, starts["start 2"], lr=0.1, epochs=150)
results["SGD, zeros"] = solve(puzzle, dict.fromkeys("ABCD", 0.0), lr=0.1, epochs=150)
for name, result in results.items():
    norm = np.linalg.norm(list(result.x.values()))
    print({k: round(float(v), 3) for k, v in result.x.items()}, f"norm {norm:.3f}, {name}")

# %%
display = LossCurveDisplay.from_curves(
    {name: result.loss_curve for name, result in results.items()}
)
display.ax_.set_title("Each descent solves the puzzle")
plt.show()

# %%
# All solutions lie on one line: if A grows by one, D grows by one, and B and C fall by one.
ax = plt.subplots(layout="constrained")[1]
colors = ("#0072B2", "#D55E00", "#009E73")
for (name, result), color, marker in zip(results.items(), colors, "osD", strict=True):
    ax.plot(result.x["A"], result.x["B"], marker, color=color, label=name, markersize=8)
ax.axline((6, 3), slope=-1, color="grey", zorder=0)
ax.set(xlabel="A", ylabel="B", title="The start decides which solution is found")
ax.legend()
plt.show()
