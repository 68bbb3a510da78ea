"""solve against known solutions."""

import numpy as np
import pytest
import torch

from sklearn_gd import minimize, solve
from tests._functions.reference import parabola, puzzle


class TestShows:
    @pytest.mark.parametrize("seed", range(3))
    def test_the_puzzle_from_random_starts(self, seed):
        start = dict(zip("ABCD", np.random.default_rng(seed).normal(size=4), strict=True))
        result = solve(puzzle, start, optimizer="nadam", lr=0.01, epochs=2000)
        assert np.abs(result.residuals).max() < 1e-3
        assert (result.rank, result.unique) == (3, False)
        assert "one of many" in result.message
        assert abs(result.x["A"] + result.x["B"] - 9) < 1e-3

    def test_the_puzzle_from_zeros_is_the_shortest_solution(self):
        result = solve(puzzle, dict.fromkeys("ABCD", 0))
        np.testing.assert_allclose(list(result.x.values()), [6, 3, 2, 1], atol=1e-9)


class TestResult:
    def test_several_rates_give_every_field_an_axis(self):
        result = solve(puzzle, dict.fromkeys("ABCD", 0), lr=(0.01, 0.1), epochs=50)
        assert result.x["A"].shape == (2,)
        assert result.path["A"].shape == (2, 51)
        assert result.residuals.shape == (2, 4)
        for name in ("fun", "nit", "success", "status", "message", "rank", "unique"):
            assert len(result[name]) == 2, name
        alone = solve(puzzle, dict.fromkeys("ABCD", 0), lr=0.1, epochs=50)
        np.testing.assert_allclose(result.path["D"][1], alone.path["D"], rtol=1e-13)
        assert minimize(parabola, 7, lr=[0.1], epochs=2).path.shape == (1, 3)


class TestSolve:
    def test_unique(self):
        matrix = torch.tensor([[3.0, 1], [1, 2]])
        result = solve(lambda x: matrix @ x.float() - torch.tensor([9.0, 8]), [0, 0], lr=0.05)
        np.testing.assert_allclose(result.x, [2, 3], atol=1e-5)
        assert (result.rank, result.unique) == (2, True)
        assert "one of many" not in result.message

    def test_least_squares_where_there_is_no_solution(self):
        result = solve(lambda x: [x - 1, x - 3, x * 0 + 5, 0.5], 0.0, lr=0.1)
        np.testing.assert_allclose(result.x, 2)
        np.testing.assert_allclose(result.residuals, [1, -1, 5, 0.5])
        assert "largest residual is 5." in result.message

    def test_a_nonlinear_curve_of_solutions(self):
        result = solve(lambda x: x[0] * x[1] - 6, [1.0, 1.0])
        assert (result.rank, result.unique) == (1, False)
        assert result.residuals.shape == (1,)
        assert abs(result.x[0] * result.x[1] - 6) < 1e-6


def status_of(residuals, x0, **options):
    """The status of a run, after a check that success says the same."""
    result = solve(residuals, x0, **{"epochs": 150, **options})
    assert result.success is (result.status == 0)
    return result.status


class TestSuccess:
    """Success means that the equations are solved, whatever their units."""

    @pytest.mark.parametrize("unit", [1e-150, 1e-12, 1e-3, 1.0, 1e3, 1e12, 1e150])
    def test_does_not_depend_on_the_unit_of_an_equation(self, unit):
        def line(x):
            return unit * x - unit

        lr = 0.1 / unit / unit
        assert status_of(line, 0.0, lr=lr) == 0
        assert status_of(line, 0.0, lr=lr, epochs=20) == 1
        assert status_of(line, 0.0, lr=lr, epochs=20, tol=0.1) == 3

    @pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
    def test_a_divergence_is_no_solution(self, unit):
        assert status_of(lambda x: unit * x - unit, 0.0, lr=2 / unit / unit) == 2

    @pytest.mark.parametrize("unit", [1e-12, 1e12])
    def test_does_not_depend_on_the_unit_of_an_unknown(self, unit):
        def lines(x):
            return [x[0] + x[1] / unit - 3, x[0] - x[1] / unit + 1]

        # the curvature of the second unknown is 4 / unit²
        options = {"optimizer": lambda p: ScaledSteps(p, [1.0, unit])}
        result = solve(lines, [0.0, 0.0], lr=0.1, epochs=150, **options)
        np.testing.assert_allclose(result.x, [1, 2 * unit], rtol=1e-12)
        assert (result.success, result.rank, result.unique) == (True, 2, True)
        assert status_of(lines, [0.0, 0.0], lr=0.1, epochs=15, **options) == 1

    @pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
    def test_an_equation_that_did_not_move_is_not_solved(self, unit):
        result = solve(lambda x: unit * x - unit, 0.0, lr=1e-30, epochs=10)
        assert (result.success, result.status) == (False, 1)
        assert result.message.startswith("Not converged")
        assert "Raise epochs" in result.message

    def test_a_small_gradient_is_not_enough(self):
        # nearly all of the gradient is that of the first equation
        result = solve(lambda x: [1e3 * (x[0] - 1), x[1] - 1], [0.0, 0.0], lr=1e-7, epochs=100)
        assert (result.success, result.status) == (False, 1)
        assert result.message.startswith("Not solved: the gradient has fallen")
        assert "largest residual is 1." in result.message

    @pytest.mark.parametrize("start", [0.0, 5.0, 1e6, -1e6])
    def test_contradicting_equations_are_told(self, start):
        result = solve(lambda x: [x - 1, x - 3], start, lr=0.1, epochs=150)
        np.testing.assert_allclose(result.x, 2)
        assert (result.success, result.status, result.unique) == (False, 4, True)
        assert "contradict each other" in result.message
        assert "least-squares point" in result.message
        assert "largest residual is 1." in result.message

    def test_contradictions_of_a_deficient_system(self):
        def system(x):
            return [x[0] + x[1] - 2, 2 * x[0] + 2 * x[1] - 5]

        result = solve(system, [0.0, 0.0], lr=0.05, epochs=50)
        rows = np.array([[1.0, 1], [2, 2]])
        np.testing.assert_allclose(result.x, np.linalg.lstsq(rows, [2.0, 5], rcond=None)[0])
        assert (result.status, result.rank, result.unique) == (4, 1, False)
        assert "The least-squares point is one of many" in result.message

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("shape", [(2, 4), (3, 3), (6, 3)])
    def test_against_the_rank_of_the_augmented_matrix(self, seed, shape):
        rng = np.random.default_rng(seed)
        units = 10.0 ** rng.uniform(-2, 2, size=shape[0])
        matrix = rng.normal(size=shape) * units[:, None]
        solution = rng.normal(size=shape[1])
        for noise in (0.0, 1e-3):
            target = matrix @ solution + noise * units * rng.normal(size=shape[0])
            a, b = torch.from_numpy(matrix), torch.from_numpy(target)
            result = solve(
                lambda x, a=a, b=b: a @ x - b, np.zeros(shape[1]), optimizer="lbfgs", epochs=40
            )
            augmented = np.column_stack([matrix, target]) / units[:, None]
            is_consistent = np.linalg.matrix_rank(augmented, tol=1e-9) == min(shape)
            assert result.success == is_consistent, (noise, result.message)

    def test_homogeneous_equations_are_solved_by_zero(self):
        assert status_of(lambda x: [x[0] + x[1], x[0] - 2 * x[1]], [1.0, 1.0], lr=0.1) == 0
        assert status_of(lambda x: 1e12 * x, 1e-12, lr=1e-25) == 0

    def test_a_start_that_is_a_solution(self):
        assert status_of(lambda x: [x[0] - 1, 3 - x[1]], [1.0, 3.0]) == 0

    @pytest.mark.parametrize(
        ("residuals", "start"),
        [(lambda x: x**2 + 1, 0.5), (lambda x: x**2 - 1, 0.0), (lambda x: torch.cos(x) - 2, 1.0)],
    )
    def test_a_stationary_point_is_no_solution(self, residuals, start):
        result = solve(residuals, start, lr=0.1, epochs=150)
        assert (result.success, result.status) == (False, 4)
        assert "choose another x0" in result.message

    def test_several_runs_are_judged_one_by_one(self):
        result = solve(lambda x: x - 1, 0.0, lr=[1e-9, 0.1, 10.0], epochs=150)
        assert result.success.tolist() == [False, True, False]
        assert result.status.tolist() == [1, 0, 2]
        assert [message.split(":")[0] for message in result.message] == [
            "Not converged",
            "Solved",
            "Diverged",
        ]

    def test_a_derivative_that_is_infinite(self):
        result = solve(lambda x: torch.sqrt(x) - 1, 0.0)
        assert (result.success, result.rank) == (False, 0)


class ScaledSteps(torch.optim.SGD):
    """Gradient descent with a unit for every coordinate."""

    def __init__(self, params, units):
        super().__init__(params)
        self.units = torch.tensor(units, dtype=torch.float64)

    def step(self, closure):
        with torch.enable_grad():
            value = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data -= group["lr"] * self.units**2 * parameter.grad
        return value


class TestErrors:
    @pytest.mark.parametrize(
        ("residuals", "match"),
        [
            (lambda x: [], "must return at least one residual. Got an empty system"),
            (lambda x: x[:0], "an empty system"),
            (lambda x: 3.0, "must return a torch tensor or a sequence of scalars. Got float"),
            (lambda x: "no", "Got str instead"),
            (lambda x: [x], r"must return scalars in its sequence. Got one of shape \(2,\)"),
            (lambda x: ["no"], "must return tensors in its sequence. Got a str"),
            (lambda x: [x[0] * 1j], "must return real values"),
            (lambda x: x * 1j, "must return real values"),
            (lambda x: [1.0, 2.0], "a value without a gradient"),
        ],
    )
    def test_of_systems(self, residuals, match):
        with pytest.raises(ValueError, match="'residuals' parameter of solve must") as own:
            solve(residuals, [1.0, 2.0])
        own.match(match)
