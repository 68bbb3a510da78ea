"""
Moments that forget follow a river that changes
===============================================

The yearly flow of the Nile at Aswan from 1871 to 1970 fell suddenly around 1898.
"""

# %%
# The data come with statsmodels. The model is a constant: the feature is zero. Each year is one
# part of a stream. ``0.85 * moments`` lets the weight of the past years fade before the new year
# is added.
import matplotlib.pyplot as plt
from statsmodels.datasets import nile

from sklearn_gd import GDLinearRegressor, Moments

data = nile.load_pandas().data
years, flow = data["year"].to_numpy(), data["volume"].to_numpy()


def follow(memory):
    """The level after every year, if a year keeps this part of its weight from year to year."""
    model = GDLinearRegressor(lr="auto", epochs=1)
    moments, levels = None, []
    for value in flow:
        year = Moments.of([[0.0]], [value])
        moments = year if moments is None else memory * moments + year
        levels.append(model.fit(moments).intercept_)
    return levels


ax = plt.subplots(layout="constrained")[1]
ax.plot(years, flow, "o", color="#b0b0b0", markersize=4, label="flow of a year")
ax.plot(years, follow(1.0), color="#D55E00", linestyle="--", label="all years alike")
ax.plot(years, follow(0.85), color="#0072B2", label="memory 0.85")
ax.set(xlabel="Year", ylabel="Flow (10⁸ m³)", title="Only the model that forgets sees the fall")
ax.legend()
plt.show()
