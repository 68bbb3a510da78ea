"""A validation set of the user's own for early stopping.

The oracle is the fit that holds out the same rows, and the loss by NumPy.
"""

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_gd import (
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    Moments,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)) + np.array([1.0, 0.0, -1.0])
TWO = np.column_stack([X @ [1.0, -2.0, 0.5] + 3.0, X[:, 0] ** 2]) + RNG.normal(size=(60, 2))
Y = TWO[:, 0]
WEIGHT = RNG.uniform(0.5, 2.0, 60) * (RNG.uniform(size=60) > 0.1)
TRAIN, HELD = train_test_split(np.arange(60), test_size=0.3, random_state=np.random.RandomState(3))
TRAIN, HELD = np.sort(TRAIN), np.sort(HELD)
OPTIONS = {"early_stopping": True, "epochs": 60, "lr": 0.1, "random_state": 3}
BOTH = [GDLinearRegressor, GDPolynomialRegressor]


@pytest.mark.parametrize("y", [Y, TWO], ids=["one target", "two targets"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    "options",
    [{}, {"loss": "huber"}, {"alpha": 0.1, "l1_ratio": 0.5}, {"precondition": None}],
    ids=str,
)
def test_it_is_as_if_these_rows_were_held_out(options, weight, y):
    options = {**OPTIONS, **options, "validation_fraction": 0.3}
    held_out = GDLinearRegressor(**options).fit(X, y, weight)
    given = GDLinearRegressor(**options).fit(
        X[TRAIN],
        y[TRAIN],
        None if weight is None else weight[TRAIN],
        X_val=X[HELD],
        y_val=y[HELD],
        sample_weight_val=None if weight is None else weight[HELD],
    )
    np.testing.assert_allclose(given.coef_, held_out.coef_, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(given.loss_curve_, held_out.loss_curve_, rtol=1e-9)
    curve = held_out.validation_loss_curve_
    np.testing.assert_allclose(given.validation_loss_curve_, curve, rtol=1e-9)
    assert (given.best_epoch_, given.n_iter_) == (held_out.best_epoch_, held_out.n_iter_)


@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize("kind", BOTH)
def test_the_kept_parameters_have_the_lowest_loss(kind, batch_size):
    model = kind(**OPTIONS, batch_size=batch_size)
    model.fit(X[TRAIN], Y[TRAIN], X_val=X[HELD], y_val=Y[HELD])
    loss = np.mean((model.predict(X[HELD]) - Y[HELD]) ** 2)
    curve = np.append(model.validation_loss_curve_, loss)
    assert loss == pytest.approx(curve[model.best_epoch_], rel=1e-9)
    assert curve.min() == pytest.approx(loss, rel=1e-9)


def test_no_row_is_held_out():
    """With the training rows as validation rows the descent is the plain one."""
    given = GDLinearRegressor(**OPTIONS).fit(X, Y, X_val=X, y_val=Y)
    plain = GDLinearRegressor(epochs=60, lr=0.1).fit(X, Y)
    np.testing.assert_allclose(given.validation_loss_curve_, given.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(given.coef_, plain.coef_, rtol=1e-10)


@pytest.mark.parametrize(
    "convert",
    [sparse.csr_array, lambda rows: rows.astype(np.float32), np.ndarray.tolist],
    ids=["sparse", "float32", "list"],
)
def test_containers(convert):
    dense = GDLinearRegressor(**OPTIONS).fit(X[TRAIN], Y[TRAIN], X_val=X[HELD], y_val=Y[HELD])
    model = GDLinearRegressor(**OPTIONS)
    model.fit(convert(X[TRAIN]), Y[TRAIN], X_val=convert(X[HELD]), y_val=list(Y[HELD]))
    np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-5)


def test_a_single_row_and_more_columns_than_rows():
    wide = RNG.normal(size=(5, 20))
    model = GDLinearRegressor(**OPTIONS).fit(wide[:4], Y[:4], X_val=wide[4:], y_val=Y[4:5])
    loss = (model.predict(wide[4:])[0] - Y[4]) ** 2
    best = np.append(model.validation_loss_curve_, loss)[model.best_epoch_]
    assert best == pytest.approx(loss, rel=1e-9)


def test_warm_start_takes_it_too():
    once = GDLinearRegressor(**{**OPTIONS, "lr": 0.01, "epochs": 20})
    once.fit(X[TRAIN], Y[TRAIN], X_val=X[HELD], y_val=Y[HELD])
    twice = GDLinearRegressor(**{**OPTIONS, "lr": 0.01, "epochs": 10}, warm_start=True)
    for _ in range(2):
        twice.fit(X[TRAIN], Y[TRAIN], X_val=X[HELD], y_val=Y[HELD])
    np.testing.assert_allclose(twice.coef_, once.coef_, rtol=1e-9)
    np.testing.assert_allclose(twice.validation_loss_curve_, once.validation_loss_curve_)


def test_a_pipeline_transforms_it():
    model = GDLinearRegressor(**OPTIONS)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = model.set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
        steps = [("scaler", StandardScaler()), ("model", routed)]
        pipeline = Pipeline(steps, transform_input=["X_val"])
        pipeline.fit(
            X[TRAIN], Y[TRAIN], X_val=X[HELD], y_val=Y[HELD], sample_weight_val=WEIGHT[HELD]
        )
    scaler = StandardScaler().fit(X[TRAIN])
    alone = GDLinearRegressor(**OPTIONS).fit(
        scaler.transform(X[TRAIN]),
        Y[TRAIN],
        X_val=scaler.transform(X[HELD]),
        y_val=Y[HELD],
        sample_weight_val=WEIGHT[HELD],
    )
    np.testing.assert_array_equal(pipeline["model"].coef_, alone.coef_)
    np.testing.assert_array_equal(
        pipeline["model"].validation_loss_curve_, alone.validation_loss_curve_
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": X}, "y_val is missing"),
        ({"y_val": Y}, "X_val is missing"),
        ({"sample_weight_val": WEIGHT}, "X_val is missing"),
        ({"X_val": X[:, :2], "y_val": Y}, "In X_val, y_val or sample_weight_val: X has 2 features"),
        ({"X_val": X[:9], "y_val": Y}, "In X_val, .*inconsistent numbers of samples"),
        ({"X_val": X * np.nan, "y_val": Y}, "In X_val, .*NaN"),
        ({"X_val": X, "y_val": Y * np.nan}, "In X_val, .*NaN"),
        ({"X_val": X[:0], "y_val": Y[:0]}, "In X_val, .*0 sample"),
        ({"X_val": X, "y_val": TWO}, "y_val has 2 targets, and y has 1"),
        ({"X_val": X, "y_val": Y, "sample_weight_val": -WEIGHT}, "In X_val, .*[Nn]egative"),
        ({"X_val": X, "y_val": Y, "sample_weight_val": 0 * WEIGHT}, "In X_val, .*non-zero"),
    ],
    ids=range(11),
)
def test_what_is_no_validation_set(given, message):
    model = GDLinearRegressor(**OPTIONS).fit(X, Y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=f"(?s){message}"):
        model.fit(X, Y, **given)
    assert all(vars(model)[name] is value for name, value in before.items())


def test_names_of_features_must_match():
    frame = pd.DataFrame(X, columns=list("abc"))
    with pytest.raises(ValueError, match="(?s)In X_val, .*feature names should match"):
        GDLinearRegressor(**OPTIONS).fit(frame, Y, X_val=frame[["b", "a", "c"]], y_val=Y)


def test_what_does_not_go_with_it():
    given = {"X_val": X, "y_val": Y}
    with pytest.raises(ValueError, match=r"early_stopping=False\. Set early_stopping=True"):
        GDLinearRegressor().fit(X, Y, **given)
    with pytest.raises(ValueError, match="given moments together with X_val"):
        GDLinearRegressor(early_stopping=True).fit(Moments.of(X, Y), **given)
    with pytest.raises(TypeError, match="In X_val, .*Moments hold no rows"):
        GDLinearRegressor(**OPTIONS).fit(X, Y, X_val=Moments.of(X, Y), y_val=Y)
    for routing in (False, True):
        with (
            sklearn.config_context(enable_metadata_routing=routing),
            pytest.raises(TypeError, match="'X_val'. A search has no early stopping"),
        ):
            GDLinearRegressorCV(epochs=2).fit(X, Y, **given)


def test_a_large_set_is_searched_for_nan():
    rows = np.zeros((2**17, 3))
    rows[-1, 2] = np.nan
    with pytest.raises(ValueError, match="In X_val, .*NaN"):
        GDLinearRegressor(**OPTIONS).fit(X, Y, X_val=rows, y_val=np.zeros(len(rows)))
