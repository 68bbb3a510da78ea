"""Set before scikit-learn is imported, so that none of its checks is skipped."""

import os
from importlib.util import find_spec

import numpy as np
import pytest

os.environ.setdefault("SCIPY_ARRAY_API", "1")
# what asserts outside of test files
pytest.register_assert_rewrite(
    "tests.reference", "tests._model_selection.reference", "tests._moments.reference"
)


_first_states = {}


@pytest.fixture(autouse=True)
def _random_numbers_of_the_file(request):
    """Begin every test of a file with the same random numbers, whatever ran before it."""
    module = getattr(request.node, "module", None)
    generator = getattr(module, "RNG", None) or getattr(module, "rng", None)
    if generator is not None:
        state = _first_states.setdefault(module.__name__, generator.bit_generator.state)
        generator.bit_generator.state = state


def pytest_collection_modifyitems(config, items):
    """Leave out scikit-learn's checks of arrays whose library or device this machine lacks."""
    lacking = [item for item in items if not _can_run(item)]
    config.hook.pytest_deselected(items=lacking)
    items[:] = [item for item in items if _can_run(item)]


def _can_run(item):
    """Whether the arrays of a check of array API dispatch can be made here."""
    check = getattr(item, "callspec", None) and item.callspec.params.get("check")
    named = getattr(check, "keywords", {})
    places = [named.get("X_ns_and_device"), named.get("other_ns_and_device")]
    places.append((named.get("array_namespace"), named.get("device_name")))
    return all(_is_here(*place) for place in places if place and place[0])


def _is_here(namespace, device):
    """Whether a library is installed, and has a device."""
    if namespace == "torch" and device not in (None, "cpu"):
        import torch

        return getattr(torch, device).is_available()
    if namespace == "array_api_strict" and device not in (None, "CPU_DEVICE"):
        # older ones read no arrays from other devices
        return np.lib.NumpyVersion(np.__version__) >= "2.1.0"
    return find_spec(namespace) is not None
