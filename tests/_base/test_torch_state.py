"""A fit neither changes nor is changed by what the process does with torch."""

import multiprocessing

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from sklearn_gd._base.torch_state import find_device, isolated

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


SETTINGS = [
    "default_dtype",
    "default_device",
    "deterministic",
    "no_grad",
    "inference_mode",
    "autocast",
]


@pytest.fixture(scope="module")
def expected():
    return coefficients()


@pytest.mark.parametrize("setting", SETTINGS)
def test_global_state(setting, expected, request):
    request.getfixturevalue(setting)
    before = state()
    np.testing.assert_array_equal(coefficients(), expected)
    assert state() == before


@pytest.mark.parametrize("setting", SETTINGS)
def test_isolated_is_torch_as_it_comes_and_gives_back_what_was(setting, request):
    request.getfixturevalue(setting)
    before = state()
    with isolated():
        assert_as_it_comes()
    assert state() == before
    with pytest.raises(ZeroDivisionError), isolated():
        raise ZeroDivisionError
    assert state() == before


def test_isolated_within_isolated(no_grad, default_dtype):
    before = state()
    with isolated():
        with isolated():
            assert_as_it_comes()
        assert_as_it_comes()
    assert state() == before


def test_isolated_keeps_warn_only_determinism():
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with isolated():
            assert not torch.are_deterministic_algorithms_enabled()
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_isolated_leaves_the_random_numbers_and_threads_alone():
    before = torch.get_rng_state(), torch.get_num_threads()
    with isolated():
        assert torch.equal(torch.get_rng_state(), before[0])
        assert torch.get_num_threads() == before[1]


def assert_as_it_comes():
    """What torch computes with before anybody has changed a setting."""
    assert torch.get_default_dtype() == torch.float32
    assert not torch.are_deterministic_algorithms_enabled()
    x = torch.ones(2, 2, requires_grad=True)
    assert x.device.type == "cpu"
    product = x @ x
    assert product.dtype == torch.float32
    assert product.requires_grad
    assert not product.is_inference()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mps", r"device='mps' cannot be used: it has no float64.*device='cpu'"),
        ("cuda:99", r"device='cuda:99' is not available: torch sees \d+ CUDA devices"),
    ],
)
def test_a_device_that_cannot_serve(name, words):
    with pytest.raises(ValueError, match=words):
        find_device(name)


def test_devices():
    assert find_device("cpu") == torch.device("cpu")
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert find_device("auto") == torch.device(expected)


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
        child.join(timeout=60)
        assert child.exitcode == 0
