"""Random maps between the parameters of a descent and models, and what NumPy makes of them."""

import numpy as np
import torch

from sklearn_gd._problem.parametrization import Parametrization, TargetScaling
from sklearn_gd._problem.preconditioners import (
    DeficientPreconditioner,
    DensePreconditioner,
    DiagonalPreconditioner,
    RowSpacePreconditioner,
)


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def diagonal(p=3, *, seed=0):
    """A diagonal preconditioner of one problem."""
    scale = random(1, p, seed=seed).exp()
    return DiagonalPreconditioner(scale, 1 / scale)


def dense(p=3, *, seed=0):
    """A dense preconditioner of one problem."""
    matrix = random(1, p, p, seed=seed) + 3 * torch.eye(p, dtype=torch.float64)
    return DensePreconditioner(matrix, torch.linalg.inv(matrix))


def deficient(p=4, *, others=2, constant=1, seed=0):
    """A preconditioner of one problem where some of p columns depend on others."""
    rank = p - others - constant
    inner = dense(rank, seed=seed)
    dependence, identity = random(1, rank, others, seed=seed + 1), torch.eye(others)
    # the minimum of ‖c − G·w‖² + ‖w‖² over w
    norm_map = torch.linalg.solve(identity + dependence.mT @ dependence, dependence.mT)
    order = torch.randperm(p, generator=torch.Generator().manual_seed(seed))
    return DeficientPreconditioner(inner.matrix, inner.inverse, dependence, norm_map, order[None])


def row_space(p=4, *, rows=3, kind=dense, seed=0):
    """A preconditioner of one problem with fewer rows than p columns."""
    return RowSpacePreconditioner(
        torch.linalg.qr(random(p, rows, seed=seed + 5)).Q.mT[None],
        kind(rows, seed=seed),
    )


def row_space_of_deficient_rank(p=4, *, seed=0):
    """The same where some rows depend on others."""
    return row_space(p, kind=lambda m, seed: deficient(m, others=1, seed=seed), seed=seed)


def parametrization(p=3, *, kind=dense, targets=2, has_intercept=True, power=2, seed=0):
    """The parametrization of one problem."""
    y_mean, y_scale = random(targets, seed=seed + 2), random(targets, seed=seed + 1).exp()
    scaling = TargetScaling.of(y_mean, y_scale, power)
    x_mean = random(1, p, seed=seed + 3)
    return Parametrization(kind(p, seed=seed), x_mean, scaling, has_intercept)


def matrix_of(preconditioner):
    """T of a preconditioner of one problem."""
    if isinstance(preconditioner, DiagonalPreconditioner):
        return np.diag(preconditioner.scale[0].numpy())
    if isinstance(preconditioner, RowSpacePreconditioner):
        return preconditioner.rows[0].numpy().T @ matrix_of(preconditioner.inner)
    if isinstance(preconditioner, DeficientPreconditioner):
        matrix, _, dependence, norm_map, order = (part[0].numpy() for part in preconditioner)
        others = norm_map @ matrix
        coef = np.vstack([matrix - dependence @ others, others])
        return np.pad(coef, ((0, len(order) - len(coef)), (0, 0)))[order]
    return preconditioner.matrix[0].numpy()


def model_of(parameters, u):
    """Coefficients and intercept of one run of one target of one problem, by NumPy."""
    map_, target = parameters
    scaling = map_.scaling
    v = u * scaling.y_scale[0, 0, target].item()
    first = int(map_.has_intercept)
    w = matrix_of(map_.preconditioner) @ v[first:]
    start = scaling.y_mean[0, 0, target].item() + (v[0] if first else 0.0)
    return w, start - map_.x_mean[0].numpy() @ w
