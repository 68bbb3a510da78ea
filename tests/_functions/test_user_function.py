"""What a function of the user may do, and what it may not."""

import numpy as np
import pytest
import torch

from sklearn_gd import minimize, solve
from tests._functions.reference import himmelblau, parabola, plain_loop, puzzle


class TestResult:
    def test_many_rates_are_one_call_an_epoch(self):
        calls = []

        def counted(x):
            calls.append(x)
            return himmelblau(x)

        minimize(counted, [0.5, 0.1], lr=np.geomspace(1e-4, 1e-2, 50), epochs=100)
        assert len(calls) < 120

    def test_a_function_that_vmap_cannot_take_runs_one_by_one(self):
        def branching(x):
            return x**2 if x.item() > 1 else x.abs()

        result = minimize(branching, 4.0, lr=[0.1, 0.2], epochs=20)
        for run, lr in enumerate([0.1, 0.2]):
            np.testing.assert_allclose(
                result.path[run], plain_loop(branching, 4.0, "SGD", lr, 20)[0], rtol=1e-12
            )

    def test_a_function_that_works_in_place_or_differentiates_itself(self):
        def in_place(x):
            x -= 3
            return (x * x).sum()

        def slope(x):
            (own,) = torch.autograd.grad(parabola(x), x, create_graph=True)
            return own**2

        for lr in (0.1, [0.1, 0.05]):
            np.testing.assert_allclose(minimize(in_place, [0.0, 1.0], lr=lr).x, 3)
            np.testing.assert_allclose(minimize(slope, 7.0, lr=lr).x, 2)

    def test_nothing_of_torch_is_changed_and_nothing_changes_it(self):
        def own_dtype(x):
            return ((x - torch.ones(2)) ** 2).sum() if x.dtype == torch.ones(1).dtype else x * 0

        torch.manual_seed(0)
        before = torch.get_rng_state()
        torch.set_default_dtype(torch.float64)
        try:
            with torch.no_grad():
                result = minimize(own_dtype, [0.0, 0.0], lr=0.1)
            assert torch.get_default_dtype() == torch.float64
        finally:
            torch.set_default_dtype(torch.float32)
        np.testing.assert_allclose(result.x, 1)
        assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("lr", [0.1, [0.1, 0.2]])
class TestGradientsThatAreSwitchedOff:
    """The caller may have switched gradients off. This is as it was afterwards."""

    @staticmethod
    def check(call, mode):
        expected = call()
        with mode():
            before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
            result = call()
            assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
        assert torch.is_grad_enabled()
        for name in ("x", "jac", "loss_curve", "path"):
            np.testing.assert_array_equal(result[name], expected[name], err_msg=name)
        return result

    def test_minimize(self, mode, lr):
        self.check(lambda: minimize(parabola, 7.0, lr=lr, epochs=5), mode)

    def test_minimize_from_a_tensor(self, mode, lr):
        def distance(x):
            return (x - torch.tensor([1.0, 2.0])).square().sum()

        self.check(lambda: minimize(distance, torch.tensor([7.0, 1.0]), lr=lr, epochs=5), mode)

    def test_solve(self, mode, lr):
        def call():
            result = solve(puzzle, dict.fromkeys("ABCD", torch.tensor(3.0)), lr=lr, epochs=5)
            # the unknowns as one array
            return {**result, **{name: np.stack([*result[name].values()]) for name in DICTS}}

        result = self.check(call, mode)
        assert np.shape(result["residuals"])[-1] == 4


DICTS = ["x", "jac", "path"]


class TestDivergence:
    def test_the_function_never_sees_what_is_not_finite(self):
        def careful(x):
            assert torch.isfinite(x)
            return x**4

        assert minimize(careful, 7.0, lr=1.0).status == 2


ERRORS = [
    (lambda x: x**2, [1.0, 2.0], r"must return a scalar, a tensor of shape \(\). Got shape \(2,\)"),
    (lambda x: 3.0, 1.0, "must return a torch tensor. Got float instead"),
    (lambda x: None, 1.0, "must return a torch tensor. Got NoneType instead"),
    (lambda x: torch.tensor(1.0), 1.0, "computed from its argument.*a value without a gradient"),
    (lambda x: x.detach(), 1.0, "Got a value without a gradient instead"),
    (lambda x: torch.ones((), requires_grad=True) * 2, 1.0, "what autograd can differentiate"),
    (lambda x: x + 1j, 1.0, "must return real values. Got complex ones"),
    (lambda x: x, 1j, "'x0' parameter of minimize must be real numbers"),
    (lambda x: x, "seven", "'x0' parameter of minimize must be real numbers. Got 'seven' instead"),
    (lambda x: x, True, "must be real numbers"),
    (lambda x: x, [[1, 2], [3]], "must be a number, an array or a dict"),
    (lambda x: x, np.nan, "'x0' parameter of minimize must be finite"),
    (lambda x: x, [], "'x0' parameter of minimize must be at least one number"),
    (lambda x: x, {}, "must be at least one number"),
    (lambda x: x, {0: 1.0}, "a dict with names of arguments as keys"),
    (lambda a, b: a, {"a": 0, "c": 0}, r"must take the names of x0, \['a', 'c'\], and no more"),
    (lambda a, b: a, 1.0, r"must take one argument and no more. Got a function of \(a, b\)"),
    ("x**2", 1.0, "'fun' parameter of minimize must be callable. Got 'x\\*\\*2' instead"),
]


class TestErrors:
    @pytest.mark.parametrize(("fun", "x0", "match"), ERRORS)
    @pytest.mark.parametrize("kind", [TypeError, ValueError])
    def test_a_sentence_each(self, fun, x0, match, kind):
        with pytest.raises(kind, match=match):
            minimize(fun, x0)

    def test_what_the_function_raises_is_passed_on(self):
        def broken(x):
            raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            minimize(broken, 1.0, lr=[0.1, 0.2])

    def test_tensors_that_are_no_start(self):
        with pytest.raises(TypeError, match=r"x0 is a torch tensor that requires grad"):
            minimize(parabola, torch.ones((), requires_grad=True))
