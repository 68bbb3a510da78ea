import inspect
import pickle
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

import sklearn_gd
from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from tests.processes import python, run_command

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "matplotlib", "dask", "skops", "polars", "skl2onnx", "onnx"}


def test_all_is_what_is_exported():
    ours = {
        name
        for name, value in vars(sklearn_gd).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("sklearn_gd")
    }
    assert ours <= set(sklearn_gd.__all__)
    assert set(sklearn_gd.__all__) <= set(dir(sklearn_gd))
    assert len(set(sklearn_gd.__all__)) == len(sklearn_gd.__all__)
    for name in sklearn_gd.__all__:
        assert getattr(sklearn_gd, name) is not None


@pytest.mark.parametrize("name", sklearn_gd.__all__)
def test_exports_are_documented_and_can_move(name):
    value = getattr(sklearn_gd, name)
    assert value.__doc__
    if inspect.isclass(value):
        assert value.__module__ == "sklearn_gd"  # so that moving a file breaks no saved model


def test_modules_are_private():
    files = {path.stem for path in (ROOT / "sklearn_gd").glob("[!_]*.py")}
    # the user imports `onnx` by name, because it needs another package
    assert files - {"onnx"} <= set(sklearn_gd.__all__)


def test_version_is_in_the_changelog():
    assert f"## {sklearn_gd.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_room_has_a_folder_of_tests_and_vice_versa():
    def rooms(folder):
        return {path.parent.name for path in (ROOT / folder).glob("_*/__init__.py")}

    assert rooms("sklearn_gd") == rooms("tests")
    for room in rooms("tests"):
        assert list((ROOT / "tests" / room).glob("test_*.py")), room
    # what is public and in no room has its tests at the top
    names = {path.stem.strip("_") for path in (ROOT / "sklearn_gd").glob("*.py")} - {"init"}
    assert all((ROOT / "tests" / f"test_{name}.py").is_file() for name in names)


def test_typed():
    assert (resources.files("sklearn_gd") / "py.typed").is_file()


def test_import_is_light():
    """Neither the import nor `dir` loads torch. The first name that needs it does."""
    loaded = python(
        "import sys, sklearn_gd; dir(sklearn_gd);"
        "print(*{m.partition('.')[0] for m in sys.modules});"
        "assert sklearn_gd.minimize.__module__ == 'sklearn_gd' and 'torch' in sys.modules"
    )
    assert not HEAVY & set(loaded)
    assert "sklearn_gd" in loaded


@pytest.mark.parametrize(
    "model",
    [GDLinearRegressor(lr="auto", epochs=20), GDPolynomialRegressor(lr="auto", epochs=20)],
    ids=str,
)
def test_unpickling_and_predicting_need_no_torch(model, tmp_path):
    X = np.arange(12.0).reshape(6, 2) ** 1.5
    model.fit(X, X.sum(axis=1))
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps((model, X)))
    code = (
        "import pickle, sys\n"
        "model, X = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(*model.predict(X), 'torch' in sys.modules)"
    )
    *predicted, torch_is_loaded = python(code, path)
    np.testing.assert_array_equal(np.array(predicted, dtype=float), model.predict(X))
    assert torch_is_loaded == "False"


def test_imports_keep_their_contracts():
    code = "from importlinter.cli import lint_imports_command as c; c()"
    done = run_command([sys.executable, "-c", code], cwd=ROOT)
    assert done.returncode == 0, done.stdout
