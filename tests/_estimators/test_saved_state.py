"""Saved models: what skops must trust, and the version that they carry."""

import copy
import pickle
import re

import numpy as np
import pytest
import skops.io
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_gd
from sklearn_gd import (
    SKOPS_TRUSTED_TYPES,
    GDLinearRegressor,
    GDLinearRegressorCV,
    GDPolynomialRegressor,
    GDPolynomialRegressorCV,
)
from tests.laws.common import DRAWN, FULL_BATCH, over, without

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
Y = X @ RNG.normal(size=(3, 2)) + RNG.normal(size=(24, 2))
KINDS = [GDLinearRegressor, GDPolynomialRegressor, GDLinearRegressorCV, GDPolynomialRegressorCV]
SEARCHES = {
    "defaults": {},
    "penalties": {"alphas": (0.0, 0.1), "l1_ratio": 0.5},
    "lrs": {"lrs": np.array([0.1, 0.2])},
    "scores": {"scoring": ["r2", "neg_mean_squared_error"], "refit": "r2"},
    "epochs": {"select_epochs": True, "scoring": "neg_mean_absolute_error"},
    "no refit": {"refit": False},
    "batches": {"batch_size": 8, "random_state": np.random.RandomState(0)},
    "huber": {"loss": "huber", "lrs": ("auto", 0.1), "loss_params": {"delta": 1.0}},
    "splits": {"cv": [(np.arange(12), np.arange(12, 24))]},
}


def load(stored):
    return skops.io.loads(stored, trusted=SKOPS_TRUSTED_TYPES)


# a scheduler and a loss of torch are no plain parameters
@over(without({**FULL_BATCH, **DRAWN}, "own_loss", "scheduler"))
def test_skops_loads_regressors(kind, options):
    models = [kind(**options).fit(X, Y), kind(**options).fit(X, Y[:, 0])]
    if hasattr(models[0], "partial_fit"):
        models.append(kind(**options).partial_fit(X, Y))
    for model in models:
        loaded = load(skops.io.dumps(model))
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@over(SEARCHES, [GDLinearRegressorCV, GDPolynomialRegressorCV])
def test_skops_loads_searches(kind, options):
    model = kind(**{"cv": 2, **options}).fit(X, Y)
    loaded = load(skops.io.dumps(model))
    assert loaded.cv_results_.keys() == model.cv_results_.keys()
    if model.refit:
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_skops_loads_a_pipeline_from_a_file(tmp_path):
    model = make_pipeline(StandardScaler(), GDLinearRegressor(lr="auto", epochs=20)).fit(X, Y)
    skops.io.dump(model, tmp_path / "model.skops")
    loaded = skops.io.load(tmp_path / "model.skops", trusted=SKOPS_TRUSTED_TYPES)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("kind", KINDS)
def test_every_trusted_type_is_needed(kind):
    name = f"sklearn_gd.{kind.__name__}"
    assert name in SKOPS_TRUSTED_TYPES
    others = [trusted for trusted in SKOPS_TRUSTED_TYPES if trusted != name]
    with pytest.raises(skops.io.exceptions.UntrustedTypesFoundException, match=name):
        skops.io.loads(skops.io.dumps(kind()), trusted=others)


@pytest.mark.parametrize("kind", KINDS)
def test_saved_models_carry_the_version(kind):
    model = kind(epochs=5).fit(X, Y)
    assert model.__getstate__()["_sklearn_gd_version"] == sklearn_gd.__version__
    assert sklearn_gd.__version__.encode() in pickle.dumps(model)
    for other in (pickle.loads(pickle.dumps(model)), load(skops.io.dumps(model))):
        assert vars(other).keys() == vars(model).keys()
    assert vars(copy.copy(model)).keys() == vars(model).keys()


def saved_by(version, monkeypatch, dumps):
    with monkeypatch.context() as context:
        context.setattr("sklearn_gd._estimators.saved_state.__version__", version)
        return dumps(GDLinearRegressor(epochs=5).fit(X, Y))


@pytest.mark.parametrize("through", [(pickle.dumps, pickle.loads), (skops.io.dumps, load)])
@pytest.mark.parametrize("version", ["99.0.0", "99.0.0rc1", "0.1.1", "0.10.0"])
def test_a_newer_model_warns(version, through, monkeypatch):
    dumps, loads = through
    stored = saved_by(version, monkeypatch, dumps)
    words = f"GDLinearRegressor was saved by sklearn_gd {version}, "
    words += f"and sklearn_gd {sklearn_gd.__version__} reads it"
    with pytest.warns(InconsistentVersionWarning, match=re.escape(words)) as caught:
        model = loads(stored)
    assert caught[0].message.original_sklearn_version == version
    assert caught[0].message.current_sklearn_version == sklearn_gd.__version__
    assert model.predict(X).shape == Y.shape


def test_the_warning_of_a_newer_pickle_names_the_line_that_loads_it(monkeypatch):
    stored = saved_by("99.0.0", monkeypatch, pickle.dumps)
    with pytest.warns(InconsistentVersionWarning) as caught:
        pickle.loads(stored)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("version", ["0.0.9", "0.1.0rc1", "0.1.0"])
def test_an_older_model_does_not_warn(version, monkeypatch):
    stored = saved_by(version, monkeypatch, pickle.dumps)
    assert pickle.loads(stored).predict(X).shape == Y.shape


def test_a_model_without_a_version_is_an_old_one():
    model = GDLinearRegressor(epochs=5).fit(X, Y)
    other = GDLinearRegressor()
    other.__setstate__(vars(model))
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


@pytest.mark.parametrize("kind", [GDLinearRegressor, GDPolynomialRegressorCV])
def test_parameters_that_are_younger_than_a_model_have_their_defaults(kind):
    model = kind()
    state = model.__getstate__()
    younger = [name for name in ("average", "error_score") if name in state]
    for name in younger:
        del state[name]
    loaded = kind.__new__(kind)
    loaded.__setstate__(state)
    assert younger
    assert loaded.get_params() == model.get_params()


def test_a_stream_of_older_moments_goes_on():
    model = GDLinearRegressor(lr="auto", epochs=20).partial_fit(X[:12], Y[:12])
    state = model.__getstate__()
    for name in ("x_mean_rest", "y_mean_rest"):
        state["_partial_fit_state_"] = {**state["_partial_fit_state_"]}
        del state["_partial_fit_state_"][name]
    loaded = GDLinearRegressor()
    loaded.__setstate__(state)
    loaded.partial_fit(X[12:], Y[12:])
    design = np.c_[np.ones(len(X)), X]
    expected = np.linalg.lstsq(design, Y, rcond=None)[0]
    np.testing.assert_allclose(loaded.coef_, expected[1:].T, rtol=1e-8)
