"""Derivatives outside of the loop against exact formulas."""

import torch

from sklearn_gd._solver.derivatives import gradient, jacobian


def test_gradient_of_entries_that_do_not_mix():
    u = torch.tensor([[[[1.0, 2.0]], [[-3.0, 0.5]]]], dtype=torch.float64)
    result = gradient(lambda u: u[..., 0] ** 3 * u[..., 1], u)
    expected = torch.stack([3 * u[..., 0] ** 2 * u[..., 1], u[..., 0] ** 3], dim=-1)
    torch.testing.assert_close(result, expected, rtol=1e-15, atol=0)
    assert not result.requires_grad


def test_gradient_leaves_its_argument_alone():
    u = torch.ones(1, 1, 1, 2, dtype=torch.float64, requires_grad=True)
    gradient(lambda u: u.square().sum(-1), u)
    assert u.grad is None
    torch.testing.assert_close(gradient(lambda u: u.sum(-1), u), torch.ones_like(u))


def test_jacobian():
    x = torch.tensor([2.0, -1.0, 3.0], dtype=torch.float64)
    result = jacobian(lambda x: torch.stack([x[0] * x[1], x[2] ** 2]), x)
    expected = torch.tensor([[-1.0, 2.0, 0.0], [0.0, 0.0, 6.0]], dtype=torch.float64)
    torch.testing.assert_close(result, expected, rtol=0, atol=0)
