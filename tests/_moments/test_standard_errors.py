"""The optimum and its statistics from moments, against statsmodels and exact arithmetic."""

import numpy as np
import pytest
import statsmodels.api as sm

from sklearn_gd._moments.estimate import root_of
from sklearn_gd._moments.standard_errors import UndefinedError, estimate_from_moments
from tests._moments.reference import moments_of

RNG = np.random.default_rng(0)


def estimate(X, y, weight=None, *, center=True, names=None):
    moments = moments_of(X, np.reshape(y, (len(X), -1)), weight, center=center)
    log_weight = 0.0 if weight is None else float(np.log(weight).sum())
    return estimate_from_moments(
        moments, n_rows=len(X), log_weight=log_weight, has_intercept=center, names=names
    )


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n", [20, 20_000])  # by QR and by the Gram matrix
def test_equals_statsmodels(n, center):
    X = RNG.normal(size=(n, 3)) @ RNG.normal(size=(3, 3)) + 2.0
    weight = RNG.uniform(0.1, 3.0, n)
    y = X @ [1.0, -2.0, 0.5] + RNG.normal(size=n)
    ours = estimate(X, y, weight, center=center)
    theirs = sm.WLS(y, sm.add_constant(X) if center else X, weights=weight).fit(method="pinv")
    to_coef = ours.to_coef()
    covariance = to_coef @ ours.covariance()[0] @ to_coef.T
    np.testing.assert_allclose(to_coef @ ours.solution()[0], theirs.params, rtol=1e-9)
    np.testing.assert_allclose(covariance, theirs.cov_params(), rtol=1e-8)
    f, p = ours.f_test(ours.covariance())
    for name, value in {
        "scale": ours.scale,
        "rsquared": ours.rsquared,
        "rsquared_adj": ours.rsquared_adj,
        "llf": ours.llf,
        "fvalue": f,
        "f_pvalue": p,
        "df_resid": ours.df_resid,
        "df_model": ours.df_model,
        "condition_number": ours.condition_number(np.eye(3 + center), np.eye(3 + center)),
    }.items():
        np.testing.assert_allclose(value, getattr(theirs, name), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("center", [True, False])
def test_coordinates_are_orthonormal(center):
    X = (RNG.normal(size=(30, 4)) + 1e3) * 10.0 ** np.array([-10, 10, 0, 3])
    weight = RNG.uniform(0.1, 3.0, 30)
    ours = estimate(X, X[:, 0], weight, center=center)
    z = ours.coordinates(X)
    np.testing.assert_allclose(z.T * weight @ z, np.eye(4 + center), atol=1e-10)


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-6])
@pytest.mark.parametrize("n", [15, 2_000, 40_000])
def test_rounding_is_told_from_noise(noise, offset, n):
    X = np.random.default_rng(n).normal(size=(n, 4))
    X[:, 3] = X[:, 2] + 1e-4 * X[:, 3]
    X *= 10.0 ** np.array([-8, 0, 3, 6])
    y = X @ (10.0 ** np.array([8.0, 0, -3, -6])) + offset
    y += noise * (1 + offset) * np.random.default_rng(1).normal(size=n)
    assert bool(estimate(X, y).is_exact[0]) == (noise == 0.0)


def test_root_of_a_covariance_without_full_rank():
    half = RNG.normal(size=(2, 4, 3))
    covariance = half @ half.swapaxes(1, 2)
    root = root_of(covariance)
    np.testing.assert_allclose(root @ root.swapaxes(1, 2), covariance, atol=1e-14)


def test_undefined():
    X = RNG.normal(size=(10, 3))
    y = X.sum(axis=1)
    with pytest.raises(UndefinedError, match=r"undefined, because there are 4 samples .* for 4 co"):
        estimate(X[:4], y[:4])
    assert estimate(X[:4], y[:4], center=False).df_resid == 1
    dependent = np.column_stack([X, X[:, 2] / 2, np.full(10, 7.0)])
    with pytest.raises(UndefinedError, match=r"have rank 3 and not 5\. .* are 3, 4\. Leave"):
        estimate(dependent, y)
    with pytest.raises(UndefinedError, match="are 'd', 'e'"):
        estimate(dependent, y, names=list("abcde"))
