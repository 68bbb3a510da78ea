"""Rows whose terms are computed block by block, against the whole matrix."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.utils._python_dispatch import TorchDispatchMode

from sklearn_gd import GDPolynomialRegressor, GDPolynomialRegressorCV
from sklearn_gd._moments import expanded_rows, tensor_data
from sklearn_gd._moments.expanded_rows import ExpandedRows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 3))
Y = X[:, 0] * X[:, 1] + X[:, 2] + RNG.standard_t(2, size=150)
WEIGHT = RNG.integers(0, 3, size=150) * 1.0


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of seven rows, however few the rows are."""
    monkeypatch.setattr(tensor_data, "_MAX_EXPANDED_ENTRIES", 0)
    monkeypatch.setattr(expanded_rows, "_BLOCK_ENTRIES", 0)
    monkeypatch.setattr(expanded_rows, "_LEAST_ROWS", 7)


@pytest.mark.parametrize("n_terms", [5, 3])
@pytest.mark.parametrize("n_rows", [1, 7, 20])
def test_products_are_those_of_the_matrix(n_rows, n_terms, small_blocks):
    matrix = torch.from_numpy(RNG.normal(size=(n_rows, 5)))
    rows = ExpandedRows(lambda index: matrix[index], n_rows, 5).leading(n_terms)
    assert rows.shape == (n_rows, n_terms)
    right, left = (torch.from_numpy(RNG.normal(size=(k, 2))) for k in (n_terms, n_rows))
    torch.testing.assert_close(rows.product(right), matrix[:, :n_terms] @ right)
    torch.testing.assert_close(rows.transposed_product(left), matrix[:, :n_terms].T @ left)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "huber"},
        {"loss": "huber", "alpha": 0.1, "precondition": "standardize"},
        {"loss": "quantile", "lr": 0.1, "degree": (2, 3)},
        {"loss": "log_cosh", "early_stopping": True, "random_state": 0},
        {"loss": torch.nn.SmoothL1Loss(reduction="none")},
        {"loss": "huber", "optimizer": "lbfgs", "epochs": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_in_blocks_is_the_fit(options, weight, request):
    options = {"degree": 3, "lr": "auto", "epochs": 20, **options}
    whole = GDPolynomialRegressor(**options).fit(X, Y, weight)
    request.getfixturevalue("small_blocks")
    for rows in (X, sparse.csr_array(X)):
        blocks = GDPolynomialRegressor(**options).fit(rows, Y, weight)
        np.testing.assert_allclose(blocks.loss_curve_, whole.loss_curve_, rtol=1e-9)
        np.testing.assert_allclose(blocks.coef_, whole.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_search_in_blocks_is_the_search(request):
    search = GDPolynomialRegressorCV(
        degrees=(1, 3, (2, 3)), alphas=(0.0, 0.1), lrs=(0.1, 0.5), epochs=10, loss="huber", cv=3
    )
    whole = search.fit(X, Y).test_loss_curves_
    request.getfixturevalue("small_blocks")
    np.testing.assert_allclose(search.fit(X, Y).test_loss_curves_, whole, rtol=1e-9)


class LargestTensor(TorchDispatchMode):
    """Notes the size in bytes of the largest tensor that any operation makes."""

    def __init__(self):
        super().__init__()
        self.size = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.size = max(self.size, result.untyped_storage().nbytes())
        return result


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_tensor_has_all_terms_of_all_rows(monkeypatch):
    x = RNG.uniform(-1, 1, size=(40_000, 5))
    y = x[:, 0] * x[:, 1] + RNG.normal(size=40_000)
    model = GDPolynomialRegressor(degree=3, loss="huber", epochs=2)
    all_terms = 40_000 * 55 * 8
    with LargestTensor() as whole:
        model.fit(x, y)
    assert whole.size >= all_terms
    monkeypatch.setattr(tensor_data, "_MAX_EXPANDED_ENTRIES", all_terms // 8 - 1)
    with LargestTensor() as blocks:
        model.fit(x, y)
    assert blocks.size < all_terms / 2
