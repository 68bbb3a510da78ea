"""Models that an earlier version saved load, predict what they did, and go on."""

import json
import pickle

import numpy as np
import pytest
import skops.io

from tests.golden.configurations import (
    CONFIGURATIONS,
    FOLDER,
    PREDICTIONS,
    rows,
    table,
    train,
)

STORED = json.loads(PREDICTIONS.read_text())
SAVED = [name for name, one in CONFIGURATIONS.items() if one.is_saved]
CONTINUED = [name for name in SAVED if CONFIGURATIONS[name].go_on]


def _from_pickle(name):
    return pickle.loads((FOLDER / f"{name}.pickle").read_bytes())


def _from_skops(name):
    path = FOLDER / f"{name}.skops"
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


LOADERS = {"pickle": _from_pickle, "skops": _from_skops}


def _assert_near(values, expected, rtol):
    assert (np.shape(values), np.asarray(values).dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(values, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


def _assert_as_stored(values, stored, rtol):
    _assert_near(values, np.array(stored["values"], dtype=stored["dtype"]), rtol)


def test_every_saved_model_has_its_configuration():
    assert list(STORED) == SAVED
    files = {path.name for path in FOLDER.iterdir() if path.suffix in (".pickle", ".skops")}
    assert files == {f"{name}.{kind}" for name in SAVED for kind in LOADERS}


@pytest.mark.parametrize("name", SAVED)
def test_pickles_name_public_modules_only(name):
    # what is private may move
    assert b"sklearn_gd._" not in (FOLDER / f"{name}.pickle").read_bytes()
    types = skops.io.get_untrusted_types(file=FOLDER / f"{name}.skops")
    assert not [own for own in types if own.startswith("sklearn_gd._")]


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("name", SAVED)
def test_loaded_model_predicts_what_it_did(name, kind):
    model, configuration = LOADERS[kind](name), CONFIGURATIONS[name]
    rtol = 1e-6 if STORED[name]["now"]["dtype"] == "float32" else 1e-12
    _assert_as_stored(model.predict(rows(configuration.table)), STORED[name]["now"], rtol)
    assert np.isfinite(model.score(*table(configuration.table)))
    assert type(model).__module__ == "sklearn_gd"


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("name", SAVED)
def test_loaded_model_is_the_one_made_today(name, kind):
    model, fresh = LOADERS[kind](name), train(name)[0]
    assert type(model) is type(fresh)
    assert repr(model) == repr(fresh)  # the parameters
    own = rows(CONFIGURATIONS[name].table)
    _assert_near(model.predict(own), fresh.predict(own), CONFIGURATIONS[name].rtol)
    np.testing.assert_array_equal(model.equation(), fresh.equation())
    assert {one for one in vars(model) if not one.startswith("_")} == {
        one for one in vars(fresh) if not one.startswith("_")
    }


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("name", CONTINUED)
def test_loaded_model_goes_on_as_one_made_today_does(name, kind):
    configuration = CONFIGURATIONS[name]
    fresh, own = train(name)[0], rows(configuration.table)
    model, before = LOADERS[kind](name), fresh.predict(own)
    configuration.go_on(model)
    configuration.go_on(fresh)
    assert model.n_iter_ == fresh.n_iter_ == len(model.loss_curve_)
    assert not np.allclose(fresh.predict(own), before)
    for attribute in ("coef_", "intercept_", "loss_curve_"):
        _assert_near(getattr(model, attribute), getattr(fresh, attribute), rtol=configuration.rtol)
    _assert_as_stored(model.predict(own), STORED[name]["later"], configuration.rtol)
