"""The weighted mean of a loss over rows, against a loss in plain NumPy."""

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_gd import losses
from sklearn_gd._moments.tensor_data import SparseRows
from sklearn_gd._problem.empirical_risk import EmpiricalRisk, RegularizedLoss
from sklearn_gd._problem.parametrization import Parametrization
from sklearn_gd._problem.penalties import RidgeTerm
from tests._problem.reference import dense, diagonal, model_of, parametrization, random

RNG = np.random.default_rng(0)
N = 25
X, Y = RNG.normal(size=(N, 4)), RNG.normal(size=(N, 2)) * 2.0
WEIGHT = RNG.uniform(0.1, 1.0, size=N)

# the loss in torch, the same in NumPy, and the power of the residual by which it grows
LOSSES = {
    "squared": (losses.squared_error, lambda r: r**2, 2),
    "absolute": (losses.absolute_error, np.abs, 1),
    "huber": (
        losses.huber,
        lambda r: np.where(abs(r) <= 1.35, r**2 / 2, 1.35 * (abs(r) - 0.675)),
        2,
    ),
    "quantile": (losses.quantile, lambda r: np.maximum(-0.5 * r, 0.5 * r), 1),
    "user": (lambda p, t: torch.exp(p) - t * p, None, 2),
}


def elementwise(name, prediction, target):
    """The loss by NumPy."""
    if name == "user":
        return np.exp(prediction) - target * prediction
    return LOSSES[name][1](prediction - target)


def tensor(values):
    return torch.from_numpy(np.array(values))


def sparse_rows(x):
    return SparseRows(tensor(x).to_sparse_csr(), tensor(x.T).to_sparse_csr())


def rows(container=np.asarray, *, p=4, weight=WEIGHT):
    x = X[:, :p]
    return (
        sparse_rows(x) if container is sparse else tensor(x),
        tensor(Y),
        tensor(weight / weight.sum()),
    )


def ridge_term(p=4, *, l2=0.7, with_matrix=True, seed=50):
    matrix = random(1, p, p, seed=seed) if with_matrix else None
    return RidgeTerm(torch.full((1, 1, 1), l2, dtype=torch.float64), matrix)


def expected_risk(name, parameters, u, *, x=X, y=Y, weight=WEIGHT, ridge=None):
    """The objective of one run of one target of one problem."""
    map_, target = parameters
    coef, intercept = model_of(parameters, u)
    value = elementwise(name, x @ coef + intercept, y[:, target])
    total = np.average(value, weights=weight)
    if ridge is not None:
        original = coef if ridge.to_original is None else coef @ ridge.to_original[0].numpy()
        total += ridge.l2.item() / 2 * original @ original
    return total / map_.scaling.loss_scale[0, 0, target].item()


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.parametrize("container", [np.asarray, sparse])
@pytest.mark.parametrize("kind", [dense, diagonal])
@pytest.mark.parametrize("has_intercept", [True, False])
@pytest.mark.parametrize("name", LOSSES)
def test_value(name, has_intercept, kind, container):
    map_ = parametrization(4, kind=kind, has_intercept=has_intercept, power=LOSSES[name][2])
    for ridge in (None, ridge_term(), ridge_term(with_matrix=False)):
        loss = RegularizedLoss(LOSSES[name][0], map_, ridge)
        risk = EmpiricalRisk.of(loss, rows(container))
        u = 0.3 * random(1, 3, 2, 4 + has_intercept, seed=5)
        values = risk(u)
        assert values.shape == (1, 3, 2)
        for run in range(3):
            for k in range(2):
                expected = expected_risk(name, (map_, k), u[0, run, k].numpy(), ridge=ridge)
                assert values[0, run, k].item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.parametrize("kind", [dense, diagonal])
@pytest.mark.parametrize("with_zeros", [True, False])
def test_sparse_rows_have_the_gradient_of_dense_rows(with_zeros, kind):
    x = np.where(RNG.random((N, 4)) < 0.3, X, 0.0) if with_zeros else X
    loss = RegularizedLoss(losses.log_cosh, parametrization(4, kind=kind), ridge_term())
    gradients = []
    for given in (tensor(x), sparse_rows(x)):
        u = random(1, 3, 2, 5, seed=5).requires_grad_()
        risk = EmpiricalRisk.of(loss, (given, *rows()[1:]))
        gradients.extend(torch.autograd.grad(risk(u).square().sum(), u))
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-12, atol=1e-14)


def test_gradient_is_that_of_central_differences():
    map_ = parametrization(4, power=2)
    risk = EmpiricalRisk.of(RegularizedLoss(losses.log_cosh, map_, ridge_term()), rows())
    u = random(1, 2, 2, 5, seed=5).requires_grad_()
    (gradient,) = torch.autograd.grad(risk(u).sum(), u)
    for index in np.ndindex(2, 2, 5):
        step = torch.zeros_like(u)
        step[(0, *index)] = 1e-5
        with torch.no_grad():
            slope = (risk(u + step) - risk(u - step)).sum() / 2e-5
        assert gradient[(0, *index)].item() == pytest.approx(slope.item(), rel=1e-7, abs=1e-8)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.parametrize("container", [np.asarray, sparse])
def test_other_rows_without_the_penalty(container):
    map_ = parametrization(3)
    loss = RegularizedLoss(losses.huber, map_, ridge_term(3))
    risk = EmpiricalRisk.of(loss, rows(p=3))
    wider = tensor(X[:7] + 1.0), tensor(Y[:7]), tensor(np.full(7, 1 / 7))
    if container is sparse:
        wider = sparse_rows(X[:7, :3] + 1.0), *wider[1:]
    u = random(1, 3, 2, 4, seed=5)
    values = risk.on_rows(wider)(u)  # its first columns
    for run in range(3):
        for k in range(2):
            expected = expected_risk(
                "huber",
                (map_, k),
                u[0, run, k].numpy(),
                x=X[:7, :3] + 1.0,
                y=Y[:7],
                weight=np.ones(7),
            )
            assert values[0, run, k].item() == pytest.approx(expected, rel=1e-12)


def stacked(sizes, kinds=(dense, diagonal), ridges=(True, True), *, has_intercept=True):
    """Problems whose columns are the leading ones of the widest, each with its own weights."""
    parts = []
    for k, (p, kind) in enumerate(zip(sizes, kinds, strict=True)):
        map_ = parametrization(p, kind=kind, has_intercept=has_intercept, seed=20 * k)
        ridge = ridge_term(p, l2=0.3 + k, seed=50 + k) if ridges[k] else None
        weight = WEIGHT * (np.arange(N) % (k + 2) > 0)  # each holds out rows of its own
        loss = RegularizedLoss(losses.huber, map_, ridge)
        parts.append(EmpiricalRisk.of(loss, rows(p=p, weight=weight)))
    return parts, EmpiricalRisk.stack(parts)


@pytest.mark.parametrize("has_intercept", [True, False])
@pytest.mark.parametrize("ridges", [(True, True), (False, False), (True, False), (False, True)])
@pytest.mark.parametrize("sizes", [(4, 4), (2, 4), (4, 3)])
def test_stacked_problems_are_the_problems(sizes, ridges, has_intercept):
    parts, stack = stacked(sizes, ridges=ridges, has_intercept=has_intercept)
    first = int(has_intercept)
    u = torch.zeros(2, 3, 2, max(sizes) + first, dtype=torch.float64)
    for k, p in enumerate(sizes):
        u[k, ..., : p + first] = random(3, 2, p + first, seed=30 + k)
    u.requires_grad_()
    values = stack(u)
    (gradient,) = torch.autograd.grad(values.sum(), u, retain_graph=True)
    for k, (part, p) in enumerate(zip(parts, sizes, strict=True)):
        own = u[k : k + 1, ..., : p + first]
        torch.testing.assert_close(values[k : k + 1], part(own), rtol=1e-12, atol=1e-12)
        assert not gradient[k, ..., p + first :].any()
        for t in range(2):
            alone = stack.select(k, t)(u[k : k + 1, :, t : t + 1])
            torch.testing.assert_close(alone, values[k : k + 1, :, t : t + 1])
    if sizes == (4, 4):
        for t in range(2):
            again = EmpiricalRisk.stack([stack.select(k, t) for k in range(2)])
            torch.testing.assert_close(again(u[:, :, t : t + 1]), values[:, :, t : t + 1])


def test_rows_that_a_problem_does_not_use_may_have_any_loss():
    """A loss that is not finite there, and its gradient, must not reach the others."""

    def barrier(prediction, target):
        return (prediction - target) ** 2 - 1e-3 * torch.log(prediction)

    kept = np.arange(N) < 15
    spoiled, target = np.abs(X) + 0.1, np.abs(Y) + 1.0
    spoiled[~kept] *= -1000.0
    map_ = Parametrization(
        diagonal(4),
        torch.zeros(1, 4, dtype=torch.float64),
        parametrization(4).scaling._replace(
            y_mean=torch.ones(1, 1, 2, dtype=torch.float64),
            y_scale=torch.ones(1, 1, 2, dtype=torch.float64),
            loss_scale=torch.ones(1, 1, 2, dtype=torch.float64),
        ),
        False,
    )
    weight = WEIGHT * kept
    risk = EmpiricalRisk.of(
        RegularizedLoss(barrier, map_),
        (tensor(spoiled), tensor(target), tensor(weight / weight.sum())),
    )
    u = random(1, 2, 2, 4, seed=5).abs().requires_grad_()
    assert risk(u).isnan().all()
    narrow = risk._replace(uses_row=risk.weight > 0)
    values = narrow(u)
    (gradient,) = torch.autograd.grad(values.sum(), u)
    own = EmpiricalRisk.of(
        RegularizedLoss(barrier, map_),
        (tensor(spoiled[kept]), tensor(target[kept]), tensor(WEIGHT[kept] / WEIGHT[kept].sum())),
    )
    torch.testing.assert_close(values, own(u), rtol=1e-12, atol=0)
    (expected,) = torch.autograd.grad(own(u).sum(), u)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-14)
    assert narrow.select(0, 1)(u[:, :, 1:]).isfinite().all()
    two = EmpiricalRisk.stack([narrow, narrow])
    torch.testing.assert_close(two(torch.cat([u, u])), torch.cat([values, values]))


def test_all_rows_are_the_only_batch():
    risk = EmpiricalRisk.of(RegularizedLoss(losses.huber, parametrization(4)), rows())
    assert list(risk.batches(3)) == [(risk, 1.0)]
    assert risk.entries_per_run == 2 * N
