"""What a descent found, in the units of the data, and what it warns of."""

import math

import numpy as np
import pytest

from sklearn_gd import Moments
from sklearn_gd._training.fit import fit_model
from sklearn_gd._training.mini_batch_pass import fit_pass
from sklearn_gd._training.partial_fit import fit_on_moments
from tests._training.reference import WEIGHT, X, Y, fit_options, training_data


def fit(*, data=None, validation=None, **parameters):
    return fit_model(
        data or training_data(), None, fit_options(**parameters), validation=validation
    )


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
def test_losses_are_those_of_the_model_in_the_units_of_the_data(precondition, loss):
    result = fit(precondition=precondition, loss=loss, alpha=0.3, epochs=7, lr=0.01)
    assert result.coef.shape == (2, 4)
    r = np.abs(X @ result.coef.T + result.intercept - Y)
    value = r**2 if loss == "squared_error" else np.where(r <= 1.35, r**2 / 2, 1.35 * (r - 0.675))
    expected = np.average(value, axis=0, weights=WEIGHT) + 0.15 * (result.coef**2).sum(axis=1)
    assert result.loss == pytest.approx(expected.mean(), rel=1e-10)  # the mean over targets
    assert result.loss_curve.shape == (7,)
    assert result.loss < result.loss_curve[-1] < result.loss_curve[0]
    assert (result.lr, result.diverged, result.interrupted) == (0.01, False, False)
    assert result.validation_curve is result.validation_loss is None


def test_what_is_found_is_numpy():
    result = fit(epochs=3, validation=training_data())
    for name, value in result._asdict().items():
        assert value is None or isinstance(value, np.ndarray | float | int | bool | str | tuple), (
            name
        )
    options = fit_options(optimizer="adam")
    moments = Moments.of(X, Y, WEIGHT)
    result = fit_on_moments(training_data(), moments, None, options, start=None)
    assert isinstance(result.coef, np.ndarray)
    _, state = fit_pass(training_data(), None, options, start=None, state=None, seed=0)
    assert set(state) == {
        "scale",
        "inverse_scale",
        "x_mean",
        "y_mean",
        "y_scale",
        "y_deviation",
        "first_objective",
        "optimizers",
    }
    for name, value in state.items():
        assert name == "optimizers" or isinstance(value, np.ndarray)
    for kept in state["optimizers"]:
        (values,) = kept["optimizer"].values()
        assert all(isinstance(value, np.ndarray) for value in values.values())


def test_validation_losses():
    result = fit(epochs=9, validation=training_data(weight=None), tol=None)
    r = X @ result.coef.T + result.intercept - Y
    assert result.validation_loss == pytest.approx((r**2).mean(), rel=1e-10)
    assert len(result.validation_curve) == 9
    assert result.best_epoch == 9


@pytest.mark.parametrize("lr", [0.01, 0.1, 0.3])
def test_far_from_the_optimum_is_a_thousandth_of_the_way(lr):
    """Whitened, the distance to the optimum is (1 - 2·lr)^(2·epochs) of that of the start."""
    exact = math.log(1e-3) / (2 * math.log(1 - 2 * lr))
    for epochs, is_far in ((math.floor(exact * 0.99), True), (math.ceil(exact * 1.01), False)):
        result = fit(lr=lr, epochs=epochs)
        assert result.is_far_from_optimum is is_far
        message = result.warning("Model")
        assert bool(message) is is_far
        if is_far:
            assert message.startswith(
                f"Model was still far from the optimum at epoch {epochs} with"
            )
            assert "largest stable lr is 1 (max_stable_lr_)" in message


def test_a_fit_that_ended_early_is_not_far_from_anything():
    assert not fit(lr=1e-6, epochs=100, tol=1e-3).is_far_from_optimum
    assert not fit(lr=1e-6, epochs=3, validation=training_data()).is_far_from_optimum
    assert not fit(lr=1e-6, epochs=3, batch_size=10).is_far_from_optimum
    assert fit(lr=1e-6, epochs=3).is_far_from_optimum


def test_divergence_is_what_is_warned_of_first():
    result = fit(lr=1.5, epochs=100)
    message = result.warning("Model")
    assert message.startswith(
        "Model diverged for targets [0, 1] in epoch 14 with lr=1.5; the parameters of the low"
    )
    assert (result.diverged_targets, result.n_targets) == ((0, 1), 2)
    alone = fit(lr=1.5, epochs=100, data=training_data(y=Y[:, :1]))
    assert alone.warning("Model").startswith("Model diverged in epoch 14 with lr=1.5; the")
    assert "largest stable lr is 1 (max_stable_lr_)" in message
    adam = fit(optimizer="adam", lr=1e300, epochs=10)
    assert "largest stable" not in adam.warning("Model")
    assert adam.diverged


class Counted:
    """A loss of the user that counts its calls. Rows are told from the trial by their number."""

    def __init__(self):
        self.rows = []

    def __call__(self, prediction, target):
        self.rows.append(prediction.shape[-2])
        return (prediction - target) ** 2

    @property
    def on_data(self):
        return sum(rows == len(X) for rows in self.rows)


@pytest.mark.parametrize(
    ("options", "n_more"),
    [
        ({"epochs": 13}, 0),
        ({"epochs": 500, "tol": 1e-4, "lr": 0.1}, 0),
        ({"epochs": 500, "lr": 1.5}, 2),  # the epoch that began beyond all bounds; the lowest point
        ({"epochs": 5, "lr": 1.1}, 1),  # ends above its start: the lowest point
        ({"epochs": 500, "optimizer": "adam", "tol": 1e-3, "lr": 0.1}, 0),
    ],
)
def test_a_loss_of_the_user_is_called_once_an_epoch(options, n_more):
    """And on the data twice more: at zeros, the measure of divergence, and at the end.

    Before them comes a trial on three samples of two targets, which says whether it is
    elementwise. No epoch follows the one that ends the descent.
    """
    loss = Counted()
    result = fit(loss=loss, **options)
    n_iter = len(result.loss_curve)
    assert loss.on_data == 1 + n_iter + 1 + n_more
    assert loss.rows[0] == 3
    assert len(loss.rows) == loss.on_data + 1
    if options["epochs"] == 500:
        assert 3 < n_iter < 200


def test_a_loss_of_the_user_on_validation_rows():
    """Once an epoch, at the end, where it is lowest, and for the result."""
    loss = Counted()
    held = X[:7] + 0.1, Y[:7], None
    result = fit(loss=loss, epochs=20, tol=None, validation=training_data(*held), lr=0.1)
    n_iter = len(result.loss_curve)
    assert sum(rows == 7 for rows in loss.rows) == n_iter + 1 + 1
    goes_back = result.best_epoch < n_iter
    assert loss.on_data == 1 + n_iter + 1 + goes_back


@pytest.mark.parametrize(
    ("options", "is_told"),
    [
        ({"loss": "huber", "lr": 1.5}, True),
        ({"loss": "huber", "lr": 1.5, "bounds": (0, 2)}, True),
        ({"loss": "log_cosh", "lr": 1.5, "bounds": (0, 2)}, True),
        ({"loss": "huber", "lr": "auto"}, False),
        ({"loss": "huber", "lr": "auto", "bounds": (0, 2)}, False),
        ({"loss": "huber", "lr": 0.02, "optimizer": "adam"}, False),
        ({"lr": "auto", "bounds": (0, 0.5), "alpha": 0.1, "l1_ratio": 0.5}, False),
        ({"lr": 1.5, "loss": "huber", "optimizer_params": {"weight_decay": 0.1}}, False),
    ],
)
def test_a_descent_that_oscillates_is_told(options, is_told):
    """Its objective ends below its start and does not fall, which looks like an optimum."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 3))
    x[:, 1] = x[:, 0] + 0.3 * x[:, 1]
    y = (x @ [1.0, 1.0, 0.2] + 0.1 * rng.normal(size=60))[:, None]
    parameters = {"precondition": "standardize", "epochs": 201, **options}
    data = training_data(x, y, None)
    result = fit_model(data, None, fit_options(n_features=3, **parameters))
    assert not result.diverged
    assert result.is_far_from_optimum == is_told
    assert result.advice.startswith("Lower lr") == is_told
