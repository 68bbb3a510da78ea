"""
An animation shows every step of a descent
==========================================

The steps of a descent that passes the minimum again and again, and still converges.
"""

# %%
# With lr = 0.9 every step ends on the other side of the minimum of f(x) = x² - 4x + 5, but nearer.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from sklearn_gd import DescentPathDisplay, minimize


def f(x):
    return x**2 - 4 * x + 5


result = minimize(f, 7.0, lr=0.9, epochs=20)
display = DescentPathDisplay.from_function(f, result)
display.ax_.set_title("Each step passes the minimum, and comes nearer")
plt.show()

# %%
# `DescentPathDisplay.animate` makes an animation of matplotlib. Here it is saved as a GIF.
animation = display.animate(frames=10)
display.ax_.set_title("The same steps, one after the other")
animation.save(Path(tempfile.mkdtemp()) / "steps.gif", writer="pillow")
