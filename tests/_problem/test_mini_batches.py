"""Batches of rows."""

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, losses
from sklearn_gd._problem import mini_batches
from sklearn_gd._problem.empirical_risk import RegularizedLoss
from sklearn_gd._problem.mini_batches import MiniBatches
from sklearn_gd._problem.parametrization import Parametrization, TargetScaling
from sklearn_gd._problem.penalties import RidgeTerm
from sklearn_gd._problem.preconditioners import DiagonalPreconditioner
from tests._problem.reference import model_of, parametrization, random

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


rng = np.random.default_rng(0)
N = 103
X = np.array([1.0, 0.0, -1.0]) + rng.normal(size=(N, 3))
Y = X @ [1.0, -2.0, 0.5] + 3.0 + rng.normal(size=N)
WEIGHT = rng.uniform(0.5, 2.0, size=N)
BOTH = [GDLinearRegressor, GDPolynomialRegressor]


def identity(targets=1):
    """The coordinates of the user."""
    one, zeros = torch.ones(1, 1, dtype=torch.float64), torch.zeros(targets, dtype=torch.float64)
    scaling = TargetScaling.of(zeros, zeros + 1.0, 2)
    return Parametrization(DiagonalPreconditioner(one, one), 0.0 * one, scaling, False)


def test_every_row_once_an_epoch():
    size, n = 10, 53
    seen = []
    ones = torch.ones(n, dtype=torch.float64)
    loss = RegularizedLoss(losses.squared_error, identity())
    rows = torch.arange(n, dtype=torch.float64)[:, None]
    batches = MiniBatches(loss, lambda r: rows[r], ones[:, None], ones / n, size, seed=7)
    for epoch in range(3):
        parts = list(batches.batches(epoch))
        assert [len(part.z) for part, _ in parts] == [10, 10, 10, 10, 10, 3]
        assert sum(share for _, share in parts) == pytest.approx(1.0)
        seen.append(torch.cat([part.z[:, 0] for part, _ in parts]))
        assert sorted(seen[-1].tolist()) == list(range(n))
    assert not torch.equal(seen[0], seen[1])


def batches_of(map_, *, batch_size=10, seed=None, ridge=None):
    x = torch.from_numpy(X)
    y = torch.from_numpy(np.column_stack([Y, Y**2]))[:, : map_.scaling.y_scale.shape[-1]]
    weight = torch.from_numpy(WEIGHT / WEIGHT.sum())
    return MiniBatches(
        RegularizedLoss(losses.huber, map_, ridge),
        lambda rows: x[rows],
        y,
        weight,
        batch_size,
        seed,
    )


def expected_batch(map_, target, u, rows, ridge=None):
    """The objective of a batch, by NumPy."""
    coef, intercept = model_of((map_, target), u)
    r = np.abs(X[rows] @ coef + intercept - np.column_stack([Y, Y**2])[rows, target])
    value = np.where(r <= 1.35, r**2 / 2, 1.35 * (r - 0.675))
    penalty = 0.0 if ridge is None else ridge.l2.item() / 2 * coef @ coef
    mean = np.average(value, weights=WEIGHT[rows])
    return (mean + penalty) / map_.scaling.loss_scale[0, 0, target].item()


@pytest.mark.parametrize("gathered", [1, 2**18])  # batches are gathered one by one, or together
@pytest.mark.parametrize("targets", [1, 2])
@pytest.mark.parametrize("has_intercept", [True, False])
@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_batches_and_their_mean(l2, has_intercept, targets, gathered, monkeypatch):
    monkeypatch.setattr(mini_batches, "_GATHERED_ENTRIES", gathered)
    map_ = parametrization(3, targets=targets, has_intercept=has_intercept)
    ridge = RidgeTerm(torch.full((1, 1, 1), l2, dtype=torch.float64), None) if l2 else None
    objective = batches_of(map_, ridge=ridge)
    u = random(1, 3, targets, 3 + has_intercept, seed=5)
    parts = list(objective.batches(0))
    assert len(parts) == 11
    total = 0.0
    for start, (batch, share) in zip(range(0, N, 10), parts, strict=True):
        rows = np.arange(start, min(start + 10, N))
        assert share == pytest.approx(WEIGHT[rows].sum() / WEIGHT.sum(), rel=1e-13)
        values = batch(u)
        total = total + share * values
        for run in range(3):
            for k in range(targets):
                expected = expected_batch(map_, k, u[0, run, k].numpy(), rows, ridge)
                assert values[0, run, k].item() == pytest.approx(expected, rel=1e-11)
        torch.testing.assert_close(batch(u[:, 1:2]), values[:, 1:2], rtol=1e-12, atol=0)
    # the whole is the mean over all rows, and that of the batches by their shares
    for run in range(3):
        for k in range(targets):
            expected = expected_batch(map_, k, u[0, run, k].numpy(), np.arange(N), ridge)
            assert objective(u)[0, run, k].item() == pytest.approx(expected, rel=1e-11)
    torch.testing.assert_close(total, objective(u), rtol=1e-12, atol=0)


def test_one_target_of_several():
    objective = batches_of(parametrization(3, targets=2))
    u = random(1, 3, 2, 4, seed=5)
    for k in range(2):
        alone = objective.select(0, k)
        own = u[:, :, k : k + 1]
        torch.testing.assert_close(alone(own), objective(u)[:, :, k : k + 1], rtol=1e-12, atol=0)
        for (batch, _), (narrow, _) in zip(objective.batches(0), alone.batches(0), strict=True):
            torch.testing.assert_close(narrow(own), batch(u)[:, :, k : k + 1], rtol=1e-12, atol=0)


def test_batches_depend_on_seed_and_epoch_only():
    """Runs that step apart see the same batches, and torch's own random numbers do not count."""

    def rows(seed, epoch, targets=1):
        objective = batches_of(parametrization(3, targets=targets), seed=seed)
        return torch.cat([batch.y[:, 0] for batch, _ in objective.batches(epoch)])

    before = torch.get_rng_state()
    first = rows(1, 0)
    torch.manual_seed(99)
    assert torch.equal(rows(1, 0), first)
    assert torch.equal(rows(1, 0, targets=2), first)
    torch.set_rng_state(before)
    assert not torch.equal(rows(1, 1), first)
    assert not torch.equal(rows(2, 0), first)
    assert torch.equal(first.sort().values, torch.from_numpy(np.sort(Y)))
    assert torch.equal(rows(None, 3), torch.from_numpy(Y))


def test_moments_give_the_mean_over_all_rows_where_they_are_known():
    objective = batches_of(parametrization(3, targets=1))
    known = objective._replace(full_objective=lambda u: u[..., 0] * 0.0 + 7.0)
    assert (known(random(1, 3, 1, 4)) == 7.0).all()


@pytest.mark.parametrize("kind", BOTH)
def test_batches_of_sparse_rows_and_of_rows_of_weight_zero(kind):
    weight = WEIGHT.copy()
    weight[::4] = 0.0
    options = {"batch_size": 20, "epochs": 5, "shuffle": False}
    expected = kind(**options).fit(X[weight > 0], Y[weight > 0], weight[weight > 0])
    for container in (X, sparse.csr_matrix(X)):
        model = kind(**options).fit(container, Y, weight)
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-10)
