"""The seam to scikit-learn's dispatch: what belongs where."""

import re
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch

import sklearn_gd
from sklearn_gd._data.array_api import NUMPY, Namespace, to_numpy
from tests.array_namespaces import ON_DEVICE, place

VALUES = np.arange(6.0).reshape(2, 3)


def test_one_file_imports_the_private_helpers_of_scikit_learn():
    package = Path(sklearn_gd.__file__).parent
    private = re.compile(r"sklearn\.utils\._array_api|sklearn\.externals")
    found = [path.name for path in package.rglob("*.py") if private.search(path.read_text("utf-8"))]
    assert found == ["array_api.py"]


@pytest.mark.parametrize("namespace", ["torch", "strict"])
def test_there_and_back(namespace):
    array = ON_DEVICE[namespace](VALUES)
    assert Namespace.of(array) == NUMPY  # without dispatch
    with sklearn.config_context(array_api_dispatch=True):
        assert Namespace.of(VALUES) == Namespace.of(VALUES.tolist()) == NUMPY
        there = Namespace.of(array)
    assert not there.is_numpy
    read_only = VALUES.copy()
    read_only.flags.writeable = False
    for values in (VALUES, read_only, VALUES[::-1, ::-1], VALUES.T, array, np.float64(2.0)):
        moved = there.take(values)
        assert place(moved) == place(array)
        np.testing.assert_array_equal(to_numpy(moved), to_numpy(values))
        assert type(NUMPY.take(moved)) is type(to_numpy(values))
    assert there.take(0.0) == 0.0
    assert there.take(array) is array


def test_a_number_of_no_dimension_becomes_a_scalar():
    assert type(to_numpy(torch.tensor(2.0, dtype=torch.float64))) is np.float64
