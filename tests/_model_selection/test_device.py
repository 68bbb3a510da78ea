"""A search on an accelerator equals the search on the host."""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressorCV, GDPolynomialRegressorCV

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3))
Y = X @ [1.0, 2.0, 3.0] + rng.normal(size=50)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("kind", [GDLinearRegressorCV, GDPolynomialRegressorCV])
def test_a_search_on_cuda_equals_cpu(kind, loss):
    on_cpu = kind(epochs=50, loss=loss, alphas=(0.0, 0.1)).fit(X, Y)
    on_cuda = kind(epochs=50, loss=loss, alphas=(0.0, 0.1), device="cuda").fit(X, Y)
    np.testing.assert_allclose(on_cuda.test_loss_curves_, on_cpu.test_loss_curves_, rtol=1e-8)
    np.testing.assert_allclose(on_cuda.coef_, on_cpu.coef_, rtol=1e-8)
