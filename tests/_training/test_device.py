"""A fit on an accelerator equals the fit on the host."""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd._solver import replay

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3))
Y = X @ [1.0, 2.0, 3.0] + rng.normal(size=50)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
def test_cuda_equals_cpu(kind, optimizer):
    on_cpu = kind(optimizer=optimizer, lr="auto").fit(X, Y)
    on_cuda = kind(optimizer=optimizer, lr="auto", device="cuda").fit(X, Y)
    np.testing.assert_allclose(on_cuda.coef_, on_cpu.coef_, rtol=1e-8)
    np.testing.assert_allclose(on_cuda.loss_curve_, on_cpu.loss_curve_, rtol=1e-8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rprop"])
def test_epochs_are_replayed_as_a_cuda_graph(optimizer, monkeypatch):
    """The device records once, and the fit is that of the host."""
    record, recordings = replay.RECORDERS["cuda"], []

    def counting(run, device):
        result = record(run, device)
        recordings.append(result)
        return result

    monkeypatch.setitem(replay.RECORDERS, "cuda", counting)
    params = {"optimizer": optimizer, "loss": "log_cosh", "lr": 0.01}
    on_cpu = GDLinearRegressor(**params).fit(X, Y)
    on_cuda = GDLinearRegressor(**params, device="cuda").fit(X, Y)
    assert len(recordings) == 1
    np.testing.assert_allclose(on_cuda.loss_curve_, on_cpu.loss_curve_, rtol=1e-8)
