"""Moments of rows, and the same by NumPy in extended precision."""

import numpy as np
import torch

from sklearn_gd._moments.compute import compute_moments


def tensors(X, y, weight=None):
    """Rows as tensors."""
    parts = (torch.from_numpy(np.array(part)) for part in (X, y))
    return (*parts, None if weight is None else torch.from_numpy(np.array(weight)))


def moments_of(X, y, weight=None, *, center=True, check_finite=lambda: None):
    """The moments of rows, in one part."""
    rows = tensors(X, y, weight)

    def read(length):
        for start in range(0, len(X), length):
            part = slice(start, start + length)
            yield tuple(None if tensor is None else tensor[part] for tensor in rows)

    return compute_moments(read, *X.shape, center=center, check_finite=check_finite)


def expected_moments(X, y, weight=None, *, center=True):
    """Sum of weights, means, and the centred products XᵀWX, XᵀWy and the diagonal of yᵀWy."""
    X, y = np.asarray(X, dtype=np.longdouble), np.asarray(y, dtype=np.longdouble)
    weight = np.ones(len(X)) if weight is None else weight
    weight = np.asarray(weight, dtype=np.longdouble)
    total = weight.sum()
    x_mean, y_mean = (weight @ part / total * int(center) for part in (X, y))
    X, y = X - x_mean, y - y_mean
    products = X.T * weight @ X, X.T * weight @ y, weight @ y**2
    return tuple(np.asarray(part, dtype=np.float64) for part in (total, x_mean, y_mean, *products))


def assert_moments(moments, expected, rtol=1e-12):
    """The moments are those expected, in units of the deviations."""
    total, x_mean, y_mean, xx, xy, yy = expected
    factor, target = moments.factor.numpy(), moments.target.numpy()
    # a deviation below the rounding of its mean is no measure
    root = np.sqrt(total)
    x_size = np.maximum(np.sqrt(np.diag(xx)), 1e-9 * np.abs(x_mean) * root)
    y_size = np.maximum(np.sqrt(yy), 1e-9 * np.abs(y_mean) * root)
    x_size[x_size == 0], y_size[y_size == 0] = 1.0, 1.0
    np.testing.assert_allclose(moments.weight, total, rtol=1e-14)
    close_mean = {"rtol": 1e-13, "atol": rtol * float(x_size.max() / root)}
    np.testing.assert_allclose(moments.x_mean, x_mean, **close_mean)
    np.testing.assert_allclose(moments.y_mean, y_mean, rtol=1e-13, atol=rtol * y_size.max())
    scale = np.outer(x_size, x_size)
    np.testing.assert_allclose(factor.T @ factor / scale, xx / scale, rtol=0, atol=rtol)
    scale = np.outer(x_size, y_size)
    np.testing.assert_allclose(factor.T @ target / scale, xy / scale, rtol=0, atol=rtol)
    size = (target**2).sum(axis=0) + moments.residual_norm.numpy() ** 2
    np.testing.assert_allclose(size, yy, rtol=rtol, atol=rtol * y_size.max() ** 2)
