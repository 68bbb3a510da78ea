"""The data as tensors against NumPy, SciPy and PolynomialFeatures."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd._data.polynomial import legendre_basis, monomial_basis
from sklearn_gd._data.training_data import TrainingData
from sklearn_gd._moments.tensor_data import SparseRows, TensorData, to_tensor
from tests._moments.reference import assert_moments, expected_moments

RNG = np.random.default_rng(0)
X = np.where(RNG.random((50, 3)) < 0.6, RNG.normal(size=(50, 3)), 0.0)
Y = RNG.normal(size=(50, 2))
WEIGHT = np.where(RNG.random(50) < 0.7, RNG.uniform(0.1, 1.0, 50), 0.0)
KEPT = WEIGHT > 0
POWERS = PolynomialFeatures(3, include_bias=False).fit_transform(X)
CONTAINERS = [np.asarray, np.asfortranarray, sparse.csr_matrix]


def data(container=np.asarray, weight=None, basis=None, dtype=np.float64):
    def check_finite():
        return None

    training = TrainingData(container(X.astype(dtype)), Y, weight, 1.0, False, check_finite)
    return TensorData(training, basis, torch.device("cpu"))


def basis_of(kind):
    if kind == "powers":
        return monomial_basis(3, 3, interaction_only=False)
    if kind == "legendre":
        return legendre_basis(X.min(0), X.max(0), 3, interaction_only=False, center=True)
    return None


def columns_of(basis):
    """The expanded rows, by conversion of each term to plain powers."""
    if basis is None:
        return X
    n_terms = len(basis.powers())
    coef, intercept = basis.convert(np.eye(n_terms), np.zeros(n_terms), basis.monomials())
    return POWERS @ coef.T + intercept


@pytest.mark.parametrize("kind", ["plain", "powers", "legendre"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("container", CONTAINERS)
def test_rows_targets_and_blocks(container, weight, kind):
    basis = basis_of(kind)
    tensors = data(container, weight, basis)
    kept = slice(None) if weight is None else KEPT
    expected = columns_of(basis)
    assert tensors.n_terms == expected.shape[1]
    x, y, w = tensors.rows()
    assert isinstance(x, SparseRows) == (container is sparse.csr_matrix and basis is None)
    if isinstance(x, SparseRows):
        assert x.shape == x.x.shape
        assert x.x.is_sparse_csr
        torch.testing.assert_close(x.x_transposed.to_dense(), x.x.to_dense().T, rtol=0, atol=0)
        x = x.x
    assert x.dtype == y.dtype == w.dtype == torch.float64
    np.testing.assert_allclose(x.to_dense(), expected[kept], rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(y, Y[kept])
    share = np.full(50, 1 / 50) if weight is None else WEIGHT[KEPT] / WEIGHT.sum()
    np.testing.assert_allclose(w, share, rtol=1e-14)
    for rows in (7, 50):
        # an expanded block is valid only until the next one is read
        blocks = [
            [part if part is None else part.clone() for part in block]
            for block in tensors.blocks(rows)
        ]
        x = torch.cat([block[0] for block in blocks])
        np.testing.assert_allclose(x, expected[kept], rtol=1e-10, atol=1e-10)
        np.testing.assert_array_equal(torch.cat([block[1] for block in blocks]), Y[kept])


@pytest.mark.parametrize("kind", ["plain", "powers", "legendre"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_gathered_rows(container, kind):
    basis = basis_of(kind)
    gather = data(container, None, basis).row_gatherer()
    for rows in (torch.tensor([4, 0, 4, 49]), torch.tensor([], dtype=torch.int64), slice(10, 20)):
        index = rows.numpy() if isinstance(rows, torch.Tensor) else rows
        gathered = gather(rows)
        assert gathered.dtype == torch.float64
        np.testing.assert_allclose(gathered, columns_of(basis)[index], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("kind", ["plain", "powers", "legendre"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_moments_of_expanded_rows(container, kind, center):
    basis = basis_of(kind)
    moments = data(container, WEIGHT, basis).moments(center=center)
    columns = columns_of(basis)[KEPT]
    expected = expected_moments(columns, Y[KEPT], WEIGHT[KEPT], center=center)
    assert_moments(moments, expected, rtol=1e-10)


def test_float32_rows_become_float64():
    x, _, _ = data(dtype=np.float32).rows()
    assert x.dtype == torch.float64
    np.testing.assert_array_equal(x, X.astype(np.float32).astype(np.float64))


def test_arrays_that_torch_cannot_read_are_copied():
    array = np.arange(12.0).reshape(3, 4)
    tensor = to_tensor(array, torch.device("cpu"))
    tensor[0, 0] = 99.0
    assert array[0, 0] == 99.0  # the memory of the array
    frozen = array.copy()
    frozen.flags.writeable = False
    for given in (frozen, array[::-1], array[:, ::-1], array.T[::-2]):
        np.testing.assert_array_equal(to_tensor(given, torch.device("cpu")), given)
    assert not frozen.flags.writeable
