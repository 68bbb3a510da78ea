"""Whatever the table and the options are, the command succeeds or prints one line of error."""

import io
import os
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from sklearn_gd.__main__ import main

FAST = ["--lr", "auto", "--epochs", "2"]
N_FUZZED = 125


def outcome(capsys, *argv):
    """The exit status, after a check that an error is one line and no traceback."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        status = main([str(argument) for argument in argv])
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    errors = [line for line in lines if not line.startswith("sklearn_gd: warning: ")]
    assert len(errors) == (status == 2), printed.err
    assert all(line.startswith("sklearn_gd: ") for line in lines)
    assert status in (0, 2)
    return status


CELLS = [
    *("1", "0", "-1", "2.5", "1e170", "-1e170", "1e308", "1.7e308", "1e-308", "5e-324", "1e400"),
    *("nan", "", "inf", "-inf", "x", "é", '"', '"a,b"', "0x10", "1_000", "True", "1+2j", " "),
    *("99999999999999999999999", "2020-01-01", "\x00", "\ufeff", "\U0001f600"),
]
NAMES = ["a", "b", "c", "", "a", "é", "x" * 300, "$", "a b", "1", "\U0001f600", "\\frac", "{", "%s"]


def random_table(rng):
    """A table of mostly plain numbers, with some cells that are not."""
    n_rows, n_columns = rng.choice([0, 1, 12, 30, 30, 30]), rng.integers(1, 5)
    cells = rng.normal(size=(n_rows, n_columns)).round(3).astype(str).astype(object)
    for _ in range(rng.choice([0, 0, 1, 3])):
        if n_rows:
            cells[rng.integers(n_rows), rng.integers(n_columns)] = str(rng.choice(CELLS))
    if rng.random() < 0.1:
        cells[:] = str(rng.choice(CELLS[:11]))
    header = [str(rng.choice(NAMES)) + str(k) * (rng.random() < 0.9) for k in range(n_columns)]
    lines = [",".join(row) for row in [header, *cells.tolist()]]
    if rng.random() < 0.1:
        lines.append("1,2,3,4,5,6,7,8,9")
    return "\n".join(lines).encode("utf-16" if rng.random() < 0.05 else "utf-8")


FLAGS = [
    *([], [], ["--degree", "2"], ["--degree", "3"], ["--degree", "0"], ["--degree", "x"]),
    *(["--target", "a"], ["--target", "x" * 300], ["--target", ""], ["--test-size", "0.5"]),
    *(["--test-size", "nan"], ["--test-size", "2"], ["--lr", "1e300"], ["--lr", "nan"]),
    *(["--lr", "-1"], ["--epochs", "0"], ["--epochs", "1e3"], ["--optimizer", "lbfgs"]),
    *(["--optimizer", "muon"], ["--optimizer", "é"], ["--device", "tpu"], ["--device", "cuda:99"]),
    *(["--bad"], ["--save", "/no/such/place.skops"], ["--figure", "x" * 300 + ".png"]),
]


@pytest.mark.parametrize("seed", range(5))
def test_random_tables_and_flags(seed, tmp_path, capsys):
    rng = np.random.default_rng(seed)
    statuses = []
    for k in range(N_FUZZED // 5):
        path = tmp_path / f"{k}{rng.choice([*['.csv'] * 9, '.parquet', '.txt', ''])}"
        path.write_bytes(random_table(rng))
        flags = FLAGS[rng.integers(len(FLAGS))] if rng.random() < 0.5 else []
        statuses.append(outcome(capsys, path, *FAST, *flags))
    assert {0, 2} == set(statuses)


@pytest.mark.parametrize("value", [1e170, 1e308, -1.7e308, 5e-324])
@pytest.mark.parametrize("degree", [1, 2, 3])
def test_values_at_the_ends_of_float64(value, degree, tmp_path, capsys):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=list("abc"))
    for column in ("a", "c", None):
        table = frame.copy()
        table.loc[::3, column or ["a", "b", "c"]] = value
        table.to_csv(tmp_path / "table.csv", index=False)
        outcome(capsys, tmp_path / "table.csv", "--degree", degree, *FAST)


def test_names_that_are_too_long(tmp_path, capsys):
    long = "x" * 300
    assert outcome(capsys, long + ".csv") == 2
    assert outcome(capsys, tmp_path / (long + ".csv")) == 2
    for flag, ending in (("--save", ".skops"), ("--figure", ".png")):
        assert outcome(capsys, *FAST, flag, tmp_path / (long + ending)) == 2
        assert outcome(capsys, *FAST, flag, tmp_path / long / ("a" + ending)) == 2
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=[long, long + "y"])
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert outcome(capsys, tmp_path / "table.csv", *FAST) == 0
    assert outcome(capsys, tmp_path / "table.csv", *FAST, "--target", long) == 0


def test_what_cannot_be_read(tmp_path, capsys, monkeypatch):
    (tmp_path / "folder.csv").mkdir()
    assert outcome(capsys, tmp_path / "folder.csv") == 2
    assert outcome(capsys, tmp_path / "missing.csv") == 2
    assert outcome(capsys, "a\0b.csv") == 2
    assert outcome(capsys, tmp_path / "folder.csv" / "inside.csv") == 2

    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setitem(main.__globals__["_READERS"], ".csv", forbidden)
    assert outcome(capsys, tmp_path / "table.csv") == 2


def test_a_terminal_of_ascii(tmp_path, monkeypatch, capsys):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=["é", "größe"])
    frame.to_csv(tmp_path / "table.csv", index=False)
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main([str(tmp_path / "table.csv"), *FAST]) == 0
    text = terminal.buffer.getvalue().decode("ascii")
    assert "R^2  " in text
    assert "gr\\xf6\\xdfe = " in text
    assert terminal.errors == "strict"
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert main(["größe.csv"]) == 2
    sys.stderr.flush()
    assert sys.stderr.buffer.getvalue().startswith(b"sklearn_gd: cannot read gr\\xf6\\xdfe.csv")


def test_a_pipe_that_is_closed_ends_the_command_quietly(monkeypatch, capsys):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(FAST) == 1
        pipe.flush()  # as the interpreter does at its end
    assert capsys.readouterr().err == ""
