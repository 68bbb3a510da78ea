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
