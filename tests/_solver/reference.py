"""Objectives in plain torch, and the loop that everyone writes by hand."""

import torch

from sklearn_gd._solver.loop import descend
from sklearn_gd._solver.monitor import StoppingRule


class Bowls:
    """‖u·A − b‖² of every problem and target. It counts how often it is evaluated."""

    def __init__(self, designs, targets, counter=None):
        self.designs = designs  # (problems, coordinates, m)
        self.targets = targets  # (problems, targets, m)
        self.calls = [] if counter is None else counter

    def __call__(self, u):
        self.calls.append(u.detach().clone())
        fitted = torch.einsum("prtc,pcm->prtm", u, self.designs)
        return (fitted - self.targets[:, None]).square().sum(-1)

    def batches(self, epoch):
        return ((self, 1.0),)

    def select(self, problem, target):
        one = slice(problem, problem + 1)
        targets = self.targets[one, target : target + 1]
        return Bowls(self.designs[one], targets, self.calls)


def bowls(problems=1, targets=2, coordinates=3, seed=0):
    """Random bowls whose largest curvature is 2, so that any lr below 1 is stable."""
    generator = torch.Generator().manual_seed(seed)
    options = {"generator": generator, "dtype": torch.float64}
    designs = torch.randn(problems, coordinates, 5, **options)
    designs = designs / torch.linalg.matrix_norm(designs, ord=2)[:, None, None]
    return Bowls(designs, torch.randn(problems, targets, 5, **options))


def valley(curvatures, heights):
    """The objective (√c·u − √h)² of one parameter. A step multiplies its root by 1 − 2·lr·c."""
    root = torch.tensor(curvatures, dtype=torch.float64).sqrt().view(-1, 1, 1)
    return Bowls(root, torch.tensor(heights, dtype=torch.float64).sqrt().view(-1, 1, 1))


def open_ended(first):
    """Limits of divergence: 1e8 times the first value."""
    return torch.full_like(first, -torch.inf), 1e8 * first.abs()


def run(factory, lrs, epochs=200, *, objective=None, rule=None, **options):
    """Descend from zeros. ``lrs`` is a list for all problems, or a list for each problem."""
    objective = objective or bowls()
    problems, coordinates, _ = objective.designs.shape
    lrs = torch.tensor(lrs, dtype=torch.float64)
    lrs = lrs.expand(problems, -1) if lrs.ndim == 1 else lrs
    start = torch.zeros(problems, lrs.shape[1], objective.targets.shape[1], coordinates)
    rule = rule or StoppingRule(open_ended)
    return descend(objective, start.double(), factory, lrs, epochs, rule, **options)


def bare_loop(make, design, target, lr, epochs):
    """One run of one target in a bare torch loop: the end, and the value of every epoch."""
    leaf = torch.zeros(design.shape[0], dtype=torch.float64, requires_grad=True)
    optimizer = make(leaf, lr)

    def closure():
        optimizer.zero_grad()
        value = (leaf @ design - target).square().sum()
        value.backward()
        return value

    values = [optimizer.step(closure).item() for _ in range(epochs)]
    return leaf.detach(), values
