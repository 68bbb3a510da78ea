"""minimize against closed forms, a bare torch loop and the literature."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import OptimizeResult
from torch.optim import lr_scheduler

from sklearn_gd import minimize
from tests._functions.reference import LBFGS, beale, himmelblau, parabola, plain_loop, rosenbrock

LRS = [0.01, 0.1, 0.3, 0.7, 1.0]


class TestShows:
    def test_the_tutorials_parabola(self):
        result = minimize(parabola, 7, lr=LRS, epochs=100)
        closed = 2 + 5 * (1 - 2 * np.array(LRS)[:, None]) ** np.arange(101)
        np.testing.assert_allclose(result.path, closed, rtol=0, atol=1e-12)
        np.testing.assert_allclose(result.loss_curve, (closed - 2) ** 2 + 1, rtol=0, atol=1e-11)
        assert list(result.success) == [False, True, True, True, False]
        assert list(result.status) == [1, 0, 0, 0, 1]
        assert result.message[4].startswith("Not converged")
        assert result.path[4].min() == -3
        assert result.path[4].max() == 7

    @pytest.mark.parametrize(
        ("fun", "x0", "optimizer", "lr", "epochs", "minima"),
        [
            (rosenbrock, [-1.2, 1.0], "lbfgs", 1.0, 60, [[1, 1]]),
            (rosenbrock, [-1.2, 1.0], "adam", 0.05, 2000, [[1, 1]]),
            (himmelblau, [0.0, 0.0], "sgd", 0.01, 300, [[3, 2]]),
            (himmelblau, [-1.0, 1.0], "nadam", 0.05, 1500, [[-2.805118, 3.131312]]),
            (himmelblau, [-1.0, -1.0], "rmsprop", 0.01, 1000, [[-3.779310, -3.283186]]),
            (himmelblau, [2.0, -1.0], "adagrad", 1.0, 300, [[3.584428, -1.848126]]),
            (beale, [1.0, 1.0], "adam", 0.05, 2000, [[3, 0.5]]),
        ],
    )
    def test_minima_of_the_literature(self, fun, x0, optimizer, lr, epochs, minima):
        result = minimize(fun, x0, optimizer=optimizer, lr=lr, epochs=epochs)
        assert result.success
        assert np.abs(np.array(minima) - result.x).max(axis=1).min() < 2e-3
        assert result.fun < 1e-5

    def test_quadratic_of_fifty_variables(self):
        rng = np.random.default_rng(0)
        basis = np.linalg.qr(rng.normal(size=(50, 50)))[0]
        matrix = torch.from_numpy(basis * np.linspace(1, 50, 50) @ basis.T)
        goal = torch.from_numpy(rng.normal(size=50))
        result = minimize(lambda x: (x - goal) @ matrix @ (x - goal) / 2, np.zeros(50), lr=0.039)
        np.testing.assert_allclose(result.x, goal, atol=1e-10)

    @pytest.mark.parametrize(
        ("optimizer", "options"),
        [
            ("SGD", {"momentum": 0.9, "nesterov": True}),
            ("Adam", {}),
            ("NAdam", {}),
            ("Adagrad", {}),
            ("RMSprop", {}),
            ("Rprop", {}),
            ("LBFGS", LBFGS),
        ],
    )
    @pytest.mark.parametrize("fun", [rosenbrock, himmelblau, beale])
    def test_equals_a_plain_loop(self, fun, optimizer, options):
        lr = 1.0 if optimizer == "LBFGS" else 1e-4
        epochs = 15 if optimizer == "LBFGS" else 40
        path, curve = plain_loop(fun, [-1.2, 1.0], optimizer, lr, epochs, **options)
        result = minimize(
            fun,
            [-1.2, 1.0],
            optimizer=optimizer.lower(),
            optimizer_params=options,
            lr=lr,
            epochs=epochs,
        )
        np.testing.assert_allclose(result.path, path, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(result.loss_curve, curve, rtol=1e-12, atol=1e-12)


class TestResult:
    def test_fields_and_shapes(self):
        result = minimize(lambda x: (x**2).sum(), [[1, 2], [3, 4]], epochs=5)
        assert isinstance(result, OptimizeResult)
        assert set(result) == {
            "x",
            "fun",
            "jac",
            "nit",
            "success",
            "status",
            "message",
            "loss_curve",
            "path",
        }
        assert result.x.shape == result.jac.shape == (2, 2)
        assert result.x.dtype == np.float64
        assert result.path.shape == (6, 2, 2)
        assert result.loss_curve.shape == (6,)
        np.testing.assert_array_equal(result.path[0], [[1, 2], [3, 4]])
        np.testing.assert_array_equal(result.x, result.path[-1])
        np.testing.assert_allclose(result.jac, 2 * result.x)
        assert result.fun == result.loss_curve[-1]
        assert type(result.nit) is int
        assert type(result.success) is bool
        assert type(result.status) is int
        assert isinstance(result.message, str)

    def test_a_scalar(self):
        result = minimize(parabola, 7, epochs=3)
        assert np.ndim(result.x) == np.ndim(result.fun) == np.ndim(result.jac) == 0
        assert result.path.shape == (4,)

    def test_a_mapping(self):
        def fun(a, b):
            return (a - 1) ** 2 + ((b - torch.tensor([2.0, 3.0])) ** 2).sum()

        result = minimize(fun, {"a": 0, "b": [0, 0]}, lr=0.1)
        assert list(result.x) == list(result.path) == list(result.jac) == ["a", "b"]
        np.testing.assert_allclose(result.x["b"], [2, 3])
        assert result.path["a"].shape == (1001,)
        assert result.path["b"].shape == (1001, 2)

    @pytest.mark.parametrize("optimizer", ["adam", "rprop", "lbfgs"])
    def test_many_rates_equal_one_at_a_time(self, optimizer):
        rates = [0.001, 0.01, 0.1]
        many = minimize(himmelblau, [0.5, 0.1], lr=rates, optimizer=optimizer, epochs=30)
        for run, lr in enumerate(rates):
            one = minimize(himmelblau, [0.5, 0.1], lr=lr, optimizer=optimizer, epochs=30)
            np.testing.assert_allclose(many.path[run], one.path, rtol=1e-12)

    def test_a_start_at_the_minimum_is_a_success(self):
        assert minimize(parabola, 2.0).success

    def test_tol_stops(self):
        result = minimize(parabola, 7, lr=0.3, tol=1e-6)
        curve = result.loss_curve
        assert result.success
        assert result.nit < 50
        assert len(curve) == result.nit + 1
        # ten epochs without a fall of 1e-6 of the first value, and not one more
        fell = np.flatnonzero(-np.diff(curve) >= 1e-6 * curve[0])[-1] + 1
        assert result.nit == fell + 10 + 1
        slow = minimize(lambda x: 1e9 + parabola(x), 7, lr=0.001, tol=1e-6)
        assert (slow.status, slow.success) == (3, False)
        assert "tol" in slow.message


class TestDivergence:
    def test_the_path_up_to_there_is_kept(self):
        result = minimize(lambda x: x**4, 7, lr=1.0)
        assert (result.status, result.success) == (2, False)
        assert result.message.startswith("Diverged")
        # 7 -> -1365 -> 1e10, whose fourth power is more than 1e12 times the first
        np.testing.assert_allclose(result.path, [7, 7 - 4 * 7**3, -1365 + 4 * 1365**3])
        assert len(result.loss_curve) == result.nit + 1 == 3
        assert (result.x, result.fun) == (7, 7**4)

    def test_a_function_that_becomes_nan(self):
        result = minimize(torch.log, 2.0, lr=1.0, epochs=10)
        np.testing.assert_allclose(result.path, [2, 1.5, 5 / 6, 5 / 6 - 6 / 5])
        np.testing.assert_allclose(result.loss_curve[:3], np.log(result.path[:3]))
        assert np.isnan(result.loss_curve[3])
        np.testing.assert_allclose(result.x, 5 / 6)

    def test_at_the_last_epoch(self):
        result = minimize(torch.log, 2.0, lr=1.0, epochs=3)
        assert (result.status, result.nit) == (2, 3)
        assert np.isnan(result.loss_curve[3])

    def test_at_the_start(self):
        result = minimize(torch.log, -1.0)
        assert (result.status, result.nit, result.x) == (2, 0, -1)

    def test_neighbours_do_not_notice(self):
        result = minimize(lambda x: (x**4).sum(), [7.0, 1.0], lr=[1.0, 1e-3], epochs=80)
        alone = minimize(lambda x: (x**4).sum(), [7.0, 1.0], lr=1e-3, epochs=80)
        assert list(result.nit) == [2, 80]
        assert np.isnan(result.path[0, 3:]).all()
        np.testing.assert_allclose(result.path[1], alone.path, rtol=1e-13)

    def test_a_negative_function_may_rise_and_fall(self):
        assert minimize(lambda x: -torch.cos(x), 3.0, lr=0.5).success


class TestScheduler:
    @pytest.mark.parametrize(
        "scheduler",
        [
            partial(lr_scheduler.ExponentialLR, gamma=0.97),
            partial(lr_scheduler.StepLR, step_size=7),
            partial(lr_scheduler.CosineAnnealingLR, T_max=50),
            partial(lr_scheduler.CosineAnnealingLR, T_max=50, eta_min=1e-3),
            partial(lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.02, cycle_momentum=False),
            lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch)),
        ],
    )
    def test_equals_a_plain_loop(self, scheduler):
        rates = [0.002, 0.01]
        result = minimize(himmelblau, [0.5, 0.1], lr=rates, lr_scheduler=scheduler, epochs=50)
        for run, lr in enumerate(rates):
            path, _ = plain_loop(himmelblau, [0.5, 0.1], "SGD", lr, 50, scheduler=scheduler)
            np.testing.assert_allclose(result.path[run], path, rtol=1e-12, atol=1e-12)

    def test_plateau_is_given_the_function(self):
        plateau = partial(lr_scheduler.ReduceLROnPlateau, patience=2)
        result = minimize(parabola, 7, lr=[1.0, 0.1], lr_scheduler=plateau, epochs=100)
        # oscillates between 7 and -3 until the rate is a tenth
        np.testing.assert_allclose(result.path[0, :4], [7, -3, 7, -3])
        assert result.success.all()

    @pytest.mark.parametrize(
        "scheduler", [0.9, lr_scheduler.StepLR, lambda optimizer: optimizer, lambda: None]
    )
    def test_what_is_no_scheduler(self, scheduler):
        with pytest.raises(ValueError, match=r"'lr_scheduler' parameter of minimize must be a to"):
            minimize(parabola, 7, lr_scheduler=scheduler)


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"lr": 0}, r"'lr' parameter of minimize must be a float in the range \(0.0, inf\) or"),
            ({"lr": []}, "or a sequence of such"),
            ({"lr": [0.1, "fast"]}, "or a sequence of such"),
            ({"lr": [[0.1]]}, "or a sequence of such"),
            ({"lr": "auto"}, "or a sequence of such"),
            ({"lr": True}, "or a sequence of such"),
            ({"epochs": 0}, "'epochs' parameter of minimize must be an int"),
            ({"tol": -1.0}, "'tol' parameter of minimize must be a float"),
            ({"optimizer": "newton"}, "'optimizer' parameter of minimize must be one of"),
            ({"optimizer_params": {"lr": 1}}, "must not hold 'lr'"),
            ({"optimizer_params": 3}, "must be an instance of 'dict'"),
            ({"device": "tpu"}, "'device' parameter of minimize must be one of 'cpu'"),
        ],
    )
    def test_of_parameters(self, options, match):
        with pytest.raises(ValueError, match=match):
            minimize(parabola, 7, **options)
