"""When the Gram matrix serves, and when QR must."""

import numpy as np
import pytest
import torch

from sklearn_gd import GDLinearRegressor
from sklearn_gd._moments import compute, gram
from sklearn_gd._moments.gram import certified_cholesky, moments_by_gram
from sklearn_gd._moments.tensor_moments import merge
from tests._moments.reference import assert_moments, expected_moments, moments_of, tensors
from tests.reference import least_squares


def test_tall_data_take_the_gram_and_hard_data_do_not(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120_000, 6))
    y = X @ np.arange(6.0) + rng.normal(size=120_000)
    taken = []
    by_gram = compute.moments_by_gram

    def recorded(*args, **options):
        taken.append(by_gram(*args, **options))
        return taken[-1]

    monkeypatch.setattr(compute, "moments_by_gram", recorded)
    GDLinearRegressor().fit(X, y)
    assert taken.pop() is not None
    nearly = np.hstack([X, X[:, :1] + 1e-7 * X[:, 1:2]])
    noise_free = X @ np.arange(6.0)
    constant = np.hstack([X, np.full((120_000, 1), 0.1)])
    jitter = np.hstack([X, 1e9 + 1e-7 * X[:, :1]])
    for features, target, varying, is_certified in [
        (nearly, y, nearly, False),
        (X, noise_free, X, True),  # by a second pass over the rows
        (constant, y, X, False),
        (jitter, y, X, False),  # at 1e9 a deviation of 1e-7 is rounding: a constant column
    ]:
        model = GDLinearRegressor().fit(features, target)
        assert (taken.pop() is not None) == is_certified
        error = model.predict(features[:99]) - least_squares(varying, target)(varying[:99])
        assert np.abs(error).max() < 1e-6 * target.std()


def test_drifting_data():
    X = np.linspace(0, 1e6, 80_000)[:, None] + np.random.default_rng(0).normal(size=(80_000, 2))
    y = X[:, 0] - X[:, 1] + np.random.default_rng(1).normal(size=80_000)
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
    expected = np.linalg.lstsq(X - X.mean(axis=0), y - y.mean(), rcond=None)[0]
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-7)


RNG = np.random.default_rng(0)
TALL = 6_000


def tall(p=5, targets=2):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(TALL, p)) @ rng.normal(size=(p, p)) + rng.normal(size=p)
    return X, X[:, :1] + rng.normal(size=(TALL, targets)), rng.uniform(0.1, 1.0, size=TALL)


def by_gram(X, y, weight=None, *, center=True, rows=1000):
    def read(length):
        for a in range(0, len(X), length):
            part = slice(a, a + length)
            yield tensors(X[part], y[part], None if weight is None else weight[part])

    return moments_by_gram(read, rows, center=center)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
@pytest.mark.parametrize("many_columns", [gram._MANY_COLUMNS, 3])
def test_gram_and_qr_are_the_same_moments(monkeypatch, many_columns, layout, weighted, center):
    monkeypatch.setattr(gram, "_MANY_COLUMNS", many_columns)
    X, y, weight = tall()
    weight = weight if weighted else None
    expected = expected_moments(X, y, weight, center=center)
    moments = by_gram(layout(X), y, weight, center=center)
    assert_moments(moments, expected)
    assert not moments.factor.tril(-1).any()
    np.testing.assert_array_equal(moments.abs_max, 0.0)  # no rounding to be measured: certified
    blocks = [
        moments_of(
            X[a : a + 900],
            y[a : a + 900],
            None if weight is None else weight[a : a + 900],
            center=center,
        )
        for a in range(0, TALL, 900)
    ]
    by_qr = merge(blocks)
    assert_moments(by_qr, expected)
    for name in ("factor", "target", "residual_norm"):  # both triangles are the unique one
        one, two = getattr(moments, name), getattr(by_qr, name)
        torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-9 * float(two.abs().max()))


def test_more_columns_than_a_small_product_has(monkeypatch):
    monkeypatch.setattr(gram, "_MANY_COLUMNS", 100)
    p = 101
    X, y = RNG.normal(size=(1100, p)) + 1.0, RNG.normal(size=(1100, 2))
    moments = by_gram(X, y, rows=500)
    X, y = X - X.mean(axis=0), y - y.mean(axis=0)
    factor = moments.factor.numpy()
    np.testing.assert_allclose(factor.T @ factor, X.T @ X, rtol=0, atol=1e-12 * 1100)
    np.testing.assert_allclose(
        factor.T @ moments.target.numpy(), X.T @ y, rtol=0, atol=1e-12 * 1100
    )


def test_the_certified_factor_reads_the_lower_triangle():
    rows = torch.from_numpy(RNG.normal(size=(30, 4)))
    full = rows.T @ rows
    expected, inverse = certified_cholesky(full)
    lower = full.tril() + torch.full_like(full, torch.nan).triu(1)
    for one, two in zip(certified_cholesky(lower), (expected, inverse), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)
    torch.testing.assert_close(expected, torch.linalg.cholesky(full), rtol=1e-13, atol=0)
    torch.testing.assert_close(inverse @ expected, torch.eye(4).double(), rtol=0, atol=1e-14)
    for bad in (torch.nan, torch.inf):
        wrong = full.clone()
        wrong[2] = wrong[:, 2] = bad
        assert certified_cholesky(wrong) is None


def test_float32_rows_are_summed_in_double_precision():
    X, y, _ = tall()
    X = (X + 1000.0).astype(np.float32)
    assert_moments(by_gram(X, y), expected_moments(X, y))


def duplicated(X, y):
    return np.hstack([X, X[:, :1]]), y


def nearly_duplicated(X, y):
    return np.hstack([X, X[:, :1] + 1e-6 * X[:, 1:2]]), y


def constant(X, y):
    return np.hstack([X, np.full((TALL, 1), 0.1)]), y


def zeros(X, y):
    return np.hstack([X, np.zeros((TALL, 1))]), y


def noise_free(X, y):
    return X, X @ np.arange(5.0)[:, None]


def one_of_several_targets_is_noise_free(X, y):
    return X, np.hstack([y, X[:, :1]])


def far_from_zero(X, y):
    return X + 1e9, y


def drifting(X, y):
    return X + np.linspace(0.0, 1e9, TALL)[:, None], y


def not_a_number(X, y):
    return np.where(np.arange(TALL)[:, None] == 4321, np.nan, X), y


def infinite_target(X, y):
    return X, np.where(np.arange(TALL)[:, None] == 4321, np.inf, y)


def overflowing(X, y):
    return X * 1e200, y


HARD = [
    duplicated,
    nearly_duplicated,
    constant,
    zeros,
    drifting,
    not_a_number,
    infinite_target,
    overflowing,
]


@pytest.mark.parametrize("spoil", HARD)
def test_what_the_gram_matrix_cannot_tell_is_left_to_qr(spoil):
    X, y, weight = tall()
    for given in (None, weight):
        assert by_gram(X, y, given) is not None
        assert by_gram(*spoil(X, y), given) is None


@pytest.mark.parametrize(
    "spoil", [duplicated, nearly_duplicated, constant, zeros, noise_free, drifting]
)
def test_qr_takes_over_and_is_accurate(spoil, monkeypatch):
    monkeypatch.setattr(compute, "_BLOCK_ENTRIES", 2**12)  # blocks are shorter than the data
    X, y = spoil(*tall()[:2])
    # the deviation of a constant column is rounding
    rtol = 1e-8 if spoil is constant else 1e-11
    assert_moments(moments_of(X, y), expected_moments(X, y), rtol)


def exactly(X, y, weight=None, *, center=True):
    """Coefficients and norms of the residuals in extended precision, by one refinement."""
    X, y = np.asarray(X, dtype=np.longdouble), np.asarray(y, dtype=np.longdouble)
    weight = np.ones(len(X)) if weight is None else weight
    root = np.sqrt(np.asarray(weight, dtype=np.longdouble))[:, None]
    mean = (root**2).ravel() / (root**2).sum()
    X, y = ((part - mean @ part * int(center)) * root for part in (X, y))
    coef = np.zeros((X.shape[1], y.shape[1]), dtype=np.longdouble)
    for _ in range(4):  # each solves for what the last one has left
        rest = np.asarray(X.T @ (y - X @ coef), dtype=np.float64)
        coef = coef + np.linalg.solve(np.asarray(X.T @ X, dtype=np.float64), rest)
    return coef, np.sqrt(((y - X @ coef) ** 2).sum(axis=0))


@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-8, 1e-6])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_a_second_pass_keeps_the_digits_of_small_residuals(weighted, center, noise):
    X, _, weight = tall()
    weight = weight if weighted else None
    y = X @ RNG.normal(size=(5, 2)) + noise * RNG.normal(size=(TALL, 2)) + 3.0 * center
    y[:, 1] += 1e-3 * RNG.normal(size=TALL)  # a larger residual beside it
    moments = by_gram(X, y, weight, center=center)
    coef, size = exactly(X, y, weight, center=center)
    ours = np.linalg.solve(moments.factor.numpy(), moments.target.numpy())
    scale = np.abs(np.asarray(coef, dtype=np.float64)).max(axis=0)
    assert (np.abs(ours - coef) / scale).max() < 1e-13
    # rounding of the residual of a row is relative to the size of the target
    rounding = 1e-15 * np.abs(y).max() * np.sqrt(TALL)
    np.testing.assert_allclose(
        moments.residual_norm, np.asarray(size, dtype=np.float64), rtol=1e-7, atol=rounding
    )


@pytest.mark.parametrize("spoil", [noise_free, one_of_several_targets_is_noise_free])
def test_small_residuals_are_read_twice_and_large_ones_once(spoil):
    X, y, _ = tall()
    for target, n_passes in ((y, 1), (spoil(X, y)[1], 2)):
        passes = []

        def read(rows, target=target, passes=passes):
            passes.append(rows)
            for a in range(0, TALL, rows):
                yield tensors(X[a : a + rows], target[a : a + rows])

        assert moments_by_gram(read, 1000, center=True) is not None
        assert passes == [1000] * n_passes


def test_large_means_alone_are_easy():
    """Rows are shifted by the means of the first block before they are multiplied."""
    far, y = far_from_zero(*tall()[:2])
    factor = by_gram(far, y).factor.numpy()
    xx = expected_moments(far, y)[3]
    size = np.sqrt(np.diag(xx))
    np.testing.assert_allclose(
        factor.T @ factor / np.outer(size, size), xx / np.outer(size, size), rtol=0, atol=1e-12
    )


def test_a_target_of_zeros_is_easy():
    X, y, _ = tall()
    moments = by_gram(X, y * 0.0)
    assert not moments.target.any()
    assert not moments.residual_norm.any()


def test_no_blocks_are_no_moments():
    assert moments_by_gram(lambda rows: iter([]), 1000, center=True) is None


@pytest.mark.parametrize("bound", [1.0, 0.1])
def test_the_certificate_bounds_the_error_of_coefficients(bound):
    """Columns closer and closer: what is certified is accurate to 1e-10 of the target."""
    X, y, _ = tall(targets=1)
    certified = 0
    for gap in np.geomspace(1.0, 1e-8, 17) * bound:
        near = np.hstack([X, X[:, :1] + gap * RNG.normal(size=(TALL, 1))])
        moments = by_gram(near, y)
        if moments is None:
            continue
        certified += 1
        centred = near - near.mean(axis=0)
        coef = np.linalg.lstsq(centred, y - y.mean(axis=0), rcond=None)[0]
        ours = np.linalg.lstsq(moments.factor.numpy(), moments.target.numpy(), rcond=None)[0]
        error = centred @ (ours - coef)
        assert np.sqrt((error**2).mean()) < 1e-9 * y.std()
    assert 2 <= certified < 17


def test_data_are_checked_only_where_qr_reads_them(monkeypatch):
    monkeypatch.setattr(compute, "_BLOCK_ENTRIES", 2**12)
    X, y, _ = tall()
    for features, n_checks in ((X, 0), (constant(X, y)[0], 1)):
        checks = []
        moments_of(features, y, check_finite=lambda checks=checks: checks.append(True))
        assert len(checks) == n_checks
