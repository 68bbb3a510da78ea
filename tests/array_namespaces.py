"""Arrays of other libraries than NumPy, for the tests of array API dispatch.

The second device of array-api-strict stands for a GPU: NumPy cannot read its arrays.
"""

import array_api_strict
import numpy as np
import sklearn
import torch
from sklearn.utils._array_api import get_namespace_and_device, move_to

ON_DEVICE = {
    "torch": lambda values: torch.asarray(np.array(values)),
    "strict": lambda values: array_api_strict.asarray(
        np.array(values), device=array_api_strict.Device("device1")
    ),
    "numpy": np.array,
}


def place(array):
    """The namespace and the device of an array."""
    with sklearn.config_context(array_api_dispatch=True):
        xp, _, device = get_namespace_and_device(array)
    return xp.__name__, str(device)


def back(array):
    """An array of any namespace as NumPy."""
    with sklearn.config_context(array_api_dispatch=True):
        return move_to(array, xp=np, device="cpu")


def array_attributes(model):
    """The public fitted arrays of numbers of a model fitted on NumPy, by name."""
    return {
        name: value
        for name, value in vars(model).items()
        if isinstance(value, np.ndarray)
        and value.dtype != object
        and name.endswith("_")
        and not name.startswith("_")
    }
