import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from skops import io

from sklearn_gd import GDPolynomialRegressor
from sklearn_gd._command.main import main

FAST = ["--lr", "auto", "--epochs", "2"]


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((40, 2)), columns=["a", "b $ c"])
    frame["out$"] = 3 + 2 * frame["a"] - frame["b $ c"]
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


def written(path, text):
    path.write_text(text)
    return path


def error_of(capsys, *argv):
    """The one line on stderr of a command that fails."""
    assert main([str(argument) for argument in argv]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("sklearn_gd: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_diabetes_beside_linear_regression(capsys):
    assert main([]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X, X_test, y, y_test = train_test_split(X, y, test_size=88, random_state=0)
    model = LinearRegression().fit(X, y)
    scores = [f"{model.score(X, y):.4f}", f"{model.score(X_test, y_test):.4f}"]
    lines = printed.out.split("\nR²\n")[1].splitlines()[:3]
    rows = [line.split() for line in lines if "Dummy" not in line]
    assert rows == [["GDLinearRegressor", *scores], ["LinearRegression", *scores]]
    assert "target = -308.6 - 0.1072 age" in printed.out
    assert "0.01 (largest stable 1)" in printed.out
    assert "epochs         1000" in printed.out
    assert " s\n" in printed.out
    assert max(map(len, printed.out.splitlines())) <= 79


def test_polynomial_beside_polynomial_features(capsys):
    assert main(["--degree", "2", "--lr", "auto"]) == 0
    out = capsys.readouterr().out
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X, _, y, _ = train_test_split(X, y, test_size=88, random_state=0)
    pipeline = make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression())
    assert f"{pipeline.fit(X, y).score(X, y):.4f}" in out
    assert "LinearRegression on PolynomialFeatures" in out
    assert max(map(len, out.splitlines())) <= 79


def test_equation_of_a_file(table, capsys):
    assert main([str(table), *FAST]) == 0
    out = capsys.readouterr().out
    assert "out$ = 3 + 2 a - 1 b $ c" in out
    assert "table.csv: 32 rows to train on, 8 to test; 'out$' from 2 columns" in out
    assert "learning rate  0.5" in out


def test_long_equation_is_cut(table, capsys):
    assert main([str(table), "--degree", "13", *FAST]) == 0
    assert "+ 5 more terms" in capsys.readouterr().out


def test_target_and_parquet(table, capsys):
    path = table.with_suffix(".parquet")
    pd.read_csv(table).to_parquet(path)
    assert main([str(path), "--target", "a", *FAST]) == 0
    assert "a = -1.5 + 0.5 b $ c + 0.5 out$" in capsys.readouterr().out


def test_other_optimizer_has_no_bound(capsys):
    assert main(["--optimizer", "adam", "--lr", "0.1"]) == 0
    assert "0.1 (no bound is known for this optimizer)" in capsys.readouterr().out


def test_figure(table, tmp_path, capsys):
    path = tmp_path / "out.png"
    assert main([str(table), "--figure", str(path), *FAST]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert f"wrote {path}" in capsys.readouterr().out


def test_saved_model_loads_as_printed(table, tmp_path, capsys):
    path = tmp_path / "model.skops"
    assert main([str(table), "--degree", "2", "--save", str(path), *FAST]) == 0
    trusted = ["sklearn_gd.GDPolynomialRegressor"]
    assert f"skops.io.load({str(path)!r}, trusted={trusted})" in capsys.readouterr().out
    model = io.load(path, trusted=trusted)
    frame = pd.read_csv(table)
    assert isinstance(model, GDPolynomialRegressor)
    np.testing.assert_allclose(model.predict(frame[["a", "b $ c"]]), frame["out$"], atol=1e-8)


def test_divergence_is_one_readable_line(capsys):
    assert main(["--lr", "2"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("sklearn_gd: warning: GDLinearRegressor diverged")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--lr", "fast"], "'fast' is neither a number nor 'auto'"),
        (["--lr", "-1"], "'lr' parameter"),
        (["--lr", "nan"], "'lr' parameter"),
        (["--degree", "0"], "'degree' parameter"),
        (["--degree", "two"], "--degree"),
        (["--epochs", "0"], "'epochs' parameter"),
        (["--optimizer", "newton"], "'optimizer' parameter"),
        (["--optimizer", "muon"], "Muon"),
        (["--device", "tpu"], "'device' parameter"),
        (["--device", "cuda:99"], "device='cuda:99' is not available"),
        (["--device", "mps"], "float64"),
        (["--test-size", "1"], "--test-size must be between 0 and 1"),
        (["--test-size", "nan"], "--test-size must be between 0 and 1"),
        (["--test-size", "0.001"], "too few rows"),
        (["--target", "price"], "no column 'price'"),
        (["--colour", "red"], "--colour"),
        (["--figure", "out.xyz"], "cannot write out.xyz: it must end in ."),
        (["--figure", "no/such/out.png"], "there is no directory no/such"),
        (["--save", "no/such/out.skops"], "there is no directory no/such"),
        (["--save", "."], "it is a directory"),
        (["missing.csv"], "cannot read missing.csv: No such file"),
        (["missing.xlsx"], "or .parquet; save the sheet as CSV"),
        (["."], "it is a directory"),
    ],
)
def test_mistakes(argv, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in error_of(capsys, *argv)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot read t.csv"),
        ("a,b\n1,2\n1,2,3,4\n", "cannot read t.csv"),
        ("a,b,c\nx,1,2\ny,1,2\n", "too few rows"),
        ("a,b,c\n1,2,x\n1,2,y\n", "the target 'c' of t.csv must be numbers, and holds 'x'"),
        ("a,b\n1,2\n,2\n", "missing values in 'a' of t.csv"),
        ("a,b\n1,2\n1,\n", "missing values in 'b' of t.csv"),
        ("a\n1\n2\n", "only one column"),
        ("a,b\n1,2\n3,4\n", "too few rows"),
        ("a,b\n", "too few rows"),
        ("a,b\n" + "inf,2\n3,4\n5,6\n" * 5, "infinity"),
    ],
)
def test_bad_tables(text, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in error_of(capsys, written(tmp_path / "t.csv", text).name)


def test_unreadable_files(tmp_path, capsys):
    binary = tmp_path / "binary.csv"
    binary.write_bytes(bytes(range(128, 256)))
    assert "cannot read" in error_of(capsys, binary)
    assert "cannot read" in error_of(capsys, written(tmp_path / "no.parquet", "text"))


def test_parquet_with_two_columns_of_one_name(tmp_path, capsys):
    import pyarrow as pa
    from pyarrow import parquet

    columns = [pa.array([1.0] * 20), pa.array([2.0] * 20), pa.array([3.0] * 20)]
    path = tmp_path / "twice.parquet"
    parquet.write_table(pa.Table.from_arrays(columns, names=["a", "a", "b"]), path)
    assert "of one name" in error_of(capsys, path) or "cannot read" in error_of(capsys, path)


@pytest.mark.parametrize("option", ["--figure=out.png", "--save=out.skops"])
def test_file_that_cannot_be_written(option, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", refuse)
    monkeypatch.setattr("skops.io.dump", refuse)
    assert "cannot write out." in error_of(capsys, option, *FAST)


@pytest.mark.parametrize(
    ("package", "option", "hint"),
    [
        ("matplotlib", "--figure=out.png", "pip install 'sklearn_gd[plot]'"),
        ("skops", "--save=out.skops", "pip install 'sklearn_gd[skops]'"),
        ("pyarrow", "t.parquet", "pip install 'pyarrow'"),
    ],
)
def test_package_that_is_not_there(package, option, hint, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "t.parquet", "")
    monkeypatch.setitem(sys.modules, package, None)
    assert hint in error_of(capsys, option)


def test_the_callers_warnings_are_left_alone():
    before = warnings.showwarning
    main(["--lr", "2"])
    assert warnings.showwarning is before


def test_summary(capsys):
    assert main(["--summary", *FAST]) == 0
    out = capsys.readouterr().out
    X, y = load_diabetes(return_X_y=True, scaled=False, as_frame=True)
    X, _, y, _ = train_test_split(X, y, test_size=88, random_state=0)
    theirs = sm.OLS(y, sm.add_constant(X)).fit().summary().as_text().splitlines()[12:23]
    assert len(theirs) == 11
    lines = [line.split() for line in out.splitlines()]
    assert all(line.split() in lines for line in theirs)
    assert max(map(len, out.splitlines())) <= 79


def test_no_summary_is_a_sentence(capsys):
    error = error_of(capsys, "--summary", "--degree", "2", *FAST)
    assert "no --summary: inference on GDPolynomialRegressor is not possible" in error
    assert "'sex^2'" in error


@pytest.mark.parametrize(
    ("values", "flags", "is_told"),
    [
        (range(1, 31), [], True),
        (range(30), [], True),
        (range(1990, 2020), [], False),  # such as years
        ([*range(1, 30), 31], [], False),
        (range(1, 31), ["--features", "id,a"], False),
    ],
)
def test_column_that_numbers_the_rows(values, flags, is_told, tmp_path, capsys):
    a = np.random.default_rng(0).normal(size=30)
    pd.DataFrame({"id": values, "a": a, "y": 2 * a}).to_csv(tmp_path / "t.csv", index=False)
    assert main([str(tmp_path / "t.csv"), *flags, *FAST]) == 0
    out = capsys.readouterr().out
    assert ("used, though it numbers the rows: 'id' (--drop leaves it out)" in out) == is_told
    assert "'y' from 2 columns" in out
    assert main([str(tmp_path / "t.csv"), "--drop", "id", *FAST]) == 0
    assert "'y' from 1 column\n" in capsys.readouterr().out
