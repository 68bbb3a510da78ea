"""Which coordinates are chosen."""

import warnings

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_diabetes

from sklearn_gd import GDLinearRegressor
from sklearn_gd._base.parameters import InvalidParameterError
from sklearn_gd._moments.tensor_data import TensorData
from sklearn_gd._training import coordinates
from sklearn_gd._training.coordinates import (
    choose_precondition,
    coordinates_from_columns,
    coordinates_from_moments,
    coordinates_of_stream,
)
from sklearn_gd.losses import find_loss
from tests._problem.reference import matrix_of
from tests._training import reference
from tests._training.reference import WEIGHT, deviations, fit_options, hessian_of_rows

X, Y = load_diabetes(return_X_y=True)
X4 = X[:, :4]


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_very_wide_sparse_data_descend_on_their_rows(fit_intercept, monkeypatch):
    rows = sparse.random(400, 30, density=0.3, random_state=0, format="csr")
    rng = np.random.default_rng(0)
    y = rows @ rng.normal(size=(30, 2)) + 0.1 * rng.normal(size=(400, 2)) + 1.0
    weight = rng.uniform(size=400)
    options = {"fit_intercept": fit_intercept, "precondition": "standardize", "epochs": 100}
    expected = GDLinearRegressor(**options, lr="auto").fit(rows, y, weight)
    monkeypatch.setattr(coordinates, "_MAX_FACTOR_ENTRIES", 1)
    model = GDLinearRegressor(**options, lr="auto").fit(rows, y, weight)
    assert model.precondition_ == "standardize"
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-8)
    np.testing.assert_allclose(model.loss_curve_, expected.loss_curve_, rtol=1e-9)
    assert model.max_stable_lr_ == pytest.approx(expected.max_stable_lr_, rel=1e-6)


@pytest.mark.parametrize("precondition", ["auto", None])
def test_rows_of_weight_zero_do_not_touch_sparse_data(precondition, monkeypatch):
    """Not the decision about the way either: the limit lies between the two numbers of rows."""
    rows = sparse.random(30, 12, density=0.4, random_state=0, format="csr")
    junk = sparse.random(30, 12, density=0.9, random_state=1, format="csr") * 1e3
    y = rows @ np.arange(12.0) + np.random.default_rng(0).normal(size=30)
    padded, target = sparse.vstack([rows, junk]).tocsr(), np.r_[y, np.full(30, 1e6)]
    weight = np.repeat([1.0, 0.0], 30)
    for wide in (False, True):
        data, goal = (rows.T.tocsr()[:9], y[:9]) if wide else (rows, y)
        n, p = data.shape
        if wide:
            more = sparse.random(20, p, density=0.9, random_state=1, format="csr") * 1e3
            padded, target = sparse.vstack([data, more]).tocsr(), np.r_[goal, np.full(20, 1e6)]
            weight = np.repeat([1.0, 0.0], [n, 20])
        for limit in (1, min(n, p) * p, 10**6):
            monkeypatch.setattr(coordinates, "_MAX_FACTOR_ENTRIES", limit)
            options = {"precondition": precondition, "epochs": 30, "lr": "auto"}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = GDLinearRegressor(**options).fit(data, goal)
                model = GDLinearRegressor(**options).fit(padded, target, weight)
            assert model.precondition_ == expected.precondition_
            np.testing.assert_allclose(model.loss_curve_, expected.loss_curve_, rtol=1e-9)
            np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-8, atol=1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_whitening_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(coordinates, "_MAX_WHITENED", 5)
    assert GDLinearRegressor(lr="auto", epochs=20).fit(X4, Y).precondition_ == "whiten"
    assert GDLinearRegressor(lr="auto", epochs=5).fit(X, Y).precondition_ == "standardize"
    with pytest.raises(ValueError, match="needs a factor of 10 x 10.*'standardize'"):
        GDLinearRegressor(precondition="whiten").fit(X, Y)


def tensors(x=reference.X, y=reference.Y, weight=WEIGHT):
    data = reference.training_data(x, y, weight)
    return TensorData(data, None, torch.device("cpu"))


@pytest.mark.parametrize(
    ("options", "shape", "expected"),
    [
        ({}, (60, 4), "whiten"),
        ({}, (60, 5), "standardize"),
        ({}, (4, 60), "whiten"),  # the rank is at most the number of rows
        ({}, (5, 60), "standardize"),
        ({"alpha": 0.1}, (4, 60), "whiten"),  # a penalty is added in the space of the rows
        ({"alpha": 0.1}, (5, 60), "standardize"),
        ({"alpha": 0.1}, (60, 4), "whiten"),
        ({"alpha": 0.1, "l1_ratio": 0.5}, (60, 2), "standardize"),
        ({"positive": True}, (60, 2), "standardize"),
        ({"precondition": None}, (60, 2), None),
        ({"precondition": "standardize"}, (60, 2), "standardize"),
        ({"precondition": "whiten"}, (60, 4), "whiten"),
    ],
)
def test_auto_whitens_where_it_can(options, shape, expected, monkeypatch):
    monkeypatch.setattr(coordinates, "_MAX_WHITENED", 4)
    data = tensors(np.ones(shape), np.ones((shape[0], 1)), None)
    assert choose_precondition(fit_options(**options), data, None) == expected


def test_rows_of_weight_zero_give_no_rank(monkeypatch):
    monkeypatch.setattr(coordinates, "_MAX_WHITENED", 4)
    weight = np.r_[np.ones(4), np.zeros(56)]
    data = tensors(np.ones((60, 9)), np.ones((60, 1)), weight)
    assert choose_precondition(fit_options(), data, None) == "whiten"


def test_whitening_that_does_not_fit_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(coordinates, "_MAX_FACTOR_ENTRIES", 15)
    data = tensors()
    assert choose_precondition(fit_options(), data, None) == "standardize"
    with pytest.raises(InvalidParameterError, match="of test needs a factor of 4 x 4 numbers"):
        choose_precondition(fit_options(precondition="whiten"), data, None)


def from_moments(precondition, **options):
    options, data = fit_options(precondition=precondition, **options), tensors()
    moments = data.moments(center=options.fit_intercept)
    loss = find_loss(options.loss, None, "test")
    return coordinates_from_moments(moments, options, precondition, loss, None)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 50.0])
def test_whitening_whitens_the_penalty_too(alpha):
    """The Hessian of loss and penalty is twice the identity, whatever the penalty."""
    found = from_moments("whiten", alpha=alpha)
    scale = matrix_of(found.parametrization.preconditioner)
    matrix = hessian_of_rows(with_intercept=False, scale=scale, alpha=alpha)
    np.testing.assert_allclose(matrix, 2 * np.eye(4), rtol=0, atol=1e-10)
    assert found.curvature == 2.0


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_standardizing_counts_the_penalty_as_variance(alpha):
    found = from_moments("standardize", alpha=alpha)
    scale = found.parametrization.preconditioner.scale[0]
    np.testing.assert_allclose(1 / scale.numpy(), deviations(alpha=alpha), rtol=1e-12)
    largest = np.linalg.eigvalsh(
        hessian_of_rows(with_intercept=False, scale=np.diag(scale.numpy()), alpha=alpha)
    )[-1]
    assert found.curvature == pytest.approx(largest, rel=1e-10)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_units_of_the_target_and_of_the_loss(loss):
    """A loss that grows like a power of the residual is divided by that power of the deviation."""
    mean = np.average(reference.Y, axis=0, weights=WEIGHT)
    deviation = np.sqrt(np.average((reference.Y - mean) ** 2, axis=0, weights=WEIGHT))
    scaling = from_moments("standardize", loss=loss).parametrization.scaling
    power = 2 if loss == "squared_error" else 1
    np.testing.assert_allclose(scaling.y_mean[0, 0], mean, rtol=1e-12)
    np.testing.assert_allclose(scaling.y_scale[0, 0], deviation, rtol=1e-12)
    np.testing.assert_allclose(scaling.loss_scale[0, 0], deviation**power, rtol=1e-12)
    for raw in from_moments(None, loss=loss).parametrization.scaling[1:]:
        assert (raw == 1.0).all()


@pytest.mark.parametrize(
    ("options", "has_intercept"),
    [
        ({"precondition": "whiten"}, False),  # eliminated: squared error on centred columns
        ({"precondition": None}, True),
        ({"precondition": "whiten", "loss": "huber"}, True),
        ({"precondition": None, "fit_intercept": False}, False),
        ({"precondition": "standardize", "fit_intercept": False, "loss": "huber"}, False),
    ],
)
def test_when_the_intercept_is_a_coordinate(options, has_intercept):
    found = from_moments(**options).parametrization
    assert found.has_intercept == has_intercept
    assert found.n_coordinates == 4 + has_intercept


@pytest.mark.parametrize("alpha", [0.0, 0.6])
@pytest.mark.parametrize("precondition", ["standardize", None])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_columns_give_the_coordinates_that_moments_give(fit_intercept, precondition, alpha):
    x = np.where(reference.X > 0.3, reference.X, 0.0)
    options = fit_options(precondition=precondition, fit_intercept=fit_intercept, alpha=alpha)
    data, loss = tensors(sparse.csr_matrix(x)), find_loss("squared_error", None, "test")
    weight = WEIGHT / WEIGHT.sum()
    found = coordinates_from_columns(data, options, precondition, loss)
    mean = weight @ x if fit_intercept else np.zeros(4)
    deviation = np.sqrt(weight @ (x - mean) ** 2 + alpha / 2)
    y_mean = weight @ reference.Y if fit_intercept else np.zeros(2)
    y_deviation = np.sqrt(weight @ (reference.Y - y_mean) ** 2)
    np.testing.assert_allclose(found.y_deviation, y_deviation, rtol=1e-12)
    map_ = found.parametrization
    assert found.squared_error is None
    assert map_.has_intercept == (fit_intercept and precondition is None)
    if precondition is None:
        assert (map_.preconditioner.scale == 1.0).all()
        assert not map_.x_mean.any()
    else:
        np.testing.assert_allclose(map_.preconditioner.scale[0], 1 / deviation, rtol=1e-12)
        np.testing.assert_allclose(map_.preconditioner.inverse[0], deviation, rtol=1e-12)
        np.testing.assert_allclose(map_.x_mean[0], mean, rtol=1e-12)
        np.testing.assert_allclose(map_.scaling.y_scale[0, 0], y_deviation, rtol=1e-12)
    table = (x - map_.x_mean[0].numpy()) * map_.preconditioner.scale[0].numpy()
    penalty = alpha * np.diag(map_.preconditioner.scale[0].numpy() ** 2)
    if map_.has_intercept:
        table = np.column_stack([np.ones(len(table)), table])
        penalty = np.pad(penalty, ((1, 0), (1, 0)))
    largest = np.linalg.eigvalsh(2 * table.T * weight @ table + penalty)[-1]
    assert found.curvature == pytest.approx(largest, rel=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_stream_has_the_coordinates_of_its_first_rows(fit_intercept):
    x = reference.X.copy()
    x[:, 2] = 5.0 if fit_intercept else 0.0  # it may vary later
    options = fit_options(fit_intercept=fit_intercept)
    loss = find_loss("squared_error", None, "test")
    map_ = coordinates_of_stream(tensors(x), options, loss).parametrization
    weight = WEIGHT / WEIGHT.sum()
    mean = weight @ x if fit_intercept else np.zeros(4)
    deviation = np.sqrt(weight @ (x - mean) ** 2)
    deviation[2] = 1.0
    np.testing.assert_allclose(map_.preconditioner.scale[0], 1 / deviation, rtol=1e-12)
    np.testing.assert_allclose(map_.x_mean[0], mean, rtol=1e-12)
    assert map_.has_intercept == fit_intercept
    raw = coordinates_of_stream(tensors(x), options._replace(precondition=None), loss)
    assert (raw.parametrization.preconditioner.scale == 1.0).all()
    assert not raw.parametrization.x_mean.any()
    assert (raw.parametrization.scaling.y_scale == 1.0).all()
