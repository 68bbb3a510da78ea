"""A fit neither changes nor is changed by what the process does with torch."""

import multiprocessing

import numpy as np
import pytest
import torch

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    GDPolynomialRegressorCV,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3))
Y = X @ [1.0, 2.0, 3.0] + rng.normal(size=50)


def coefficients(**options):
    return GDLinearRegressor(optimizer="nadam", epochs=300, **options).fit(X, Y).coef_


def state():
    return (
        torch.get_rng_state().tolist(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_autocast_enabled("cpu"),
    )


@pytest.fixture
def default_dtype():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def default_device():
    torch.set_default_device("meta")
    yield
    torch.set_default_device(None)


@pytest.fixture
def deterministic():
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture
def inference_mode():
    with torch.inference_mode():
        yield


@pytest.fixture
def autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        yield


@pytest.fixture(scope="module")
def expected():
    return coefficients()


@pytest.mark.parametrize(
    "setting",
    ["default_dtype", "default_device", "deterministic", "no_grad", "inference_mode", "autocast"],
)
def test_global_state(setting, expected, request):
    request.getfixturevalue(setting)
    before = state()
    np.testing.assert_array_equal(coefficients(), expected)
    assert state() == before


@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
def test_a_plain_fit_leaves_everything_as_it_was(kind):
    before = state()
    kind(lr="auto").fit(X, Y)
    assert state() == before


def fit_in_child(queue):
    queue.put(GDLinearRegressor(epochs=300, optimizer="nadam").fit(X, Y).coef_)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forked_children_can_fit(expected):
    torch.randn(500, 500) @ torch.randn(500, 500)  # starts the thread pool
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=fit_in_child, args=(queue,), daemon=True) for _ in range(3)]
    for child in children:
        child.start()
    for _ in children:
        np.testing.assert_array_equal(queue.get(timeout=60), expected)
    for child in children:
        child.join()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressor])
def test_cuda_equals_cpu(kind, optimizer):
    on_cpu = kind(optimizer=optimizer, lr="auto").fit(X, Y)
    on_cuda = kind(optimizer=optimizer, lr="auto", device="cuda").fit(X, Y)
    np.testing.assert_allclose(on_cuda.coef_, on_cpu.coef_, rtol=1e-8)
    np.testing.assert_allclose(on_cuda.loss_curve_, on_cpu.loss_curve_, rtol=1e-8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("kind", [GDLinearRegressorCV, GDPolynomialRegressorCV])
def test_a_search_on_cuda_equals_cpu(kind, loss):
    on_cpu = kind(epochs=50, loss=loss, alphas=(0.0, 0.1)).fit(X, Y)
    on_cuda = kind(epochs=50, loss=loss, alphas=(0.0, 0.1), device="cuda").fit(X, Y)
    np.testing.assert_allclose(on_cuda.test_loss_curves_, on_cpu.test_loss_curves_, rtol=1e-8)
    np.testing.assert_allclose(on_cuda.coef_, on_cpu.coef_, rtol=1e-8)
