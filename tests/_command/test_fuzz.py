"""Whatever the table and the options are, the command succeeds or prints one line of error."""

import io
import os
import sys

import numpy as np
import pandas as pd
import pytest

from sklearn_gd._command.main import main
from tests._command.fuzz import FAST, fault, fuzz, run


def outcome(*argv):
    """The exit status, after a check that an error is one line and no traceback."""
    result = run([str(argument) for argument in argv])
    assert fault(result, closed=False, is_prediction=False) is None, result
    return result.status


@pytest.mark.parametrize("seed", range(5))
def test_a_sample_of_the_fuzz(seed, tmp_path):
    ends, faults = fuzz(10, seed, tmp_path)
    assert not faults, "\n".join(faults)
    assert ends[0] > 0
    assert ends[2] > 0


def test_what_the_fuzz_calls_unsound(monkeypatch):
    def broken(argv):
        print("\x1b[2J")
        raise ZeroDivisionError

    monkeypatch.setattr("tests._command.fuzz.main", broken)
    result = run([])
    assert "ZeroDivisionError" in fault(result, closed=False, is_prediction=False)
    silent = result._replace(status=2)
    assert fault(silent, False, False) == "0 lines of error with status 2"
    assert fault(silent._replace(status=0), False, False) == "control characters"


@pytest.mark.parametrize("value", [1e170, 1e308, -1.7e308, 5e-324])
@pytest.mark.parametrize("degree", [1, 2, 3])
def test_values_at_the_ends_of_float64(value, degree, tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=list("abc"))
    for column in ("a", "c", None):
        table = frame.copy()
        table.loc[::3, column or ["a", "b", "c"]] = value
        table.to_csv(tmp_path / "table.csv", index=False)
        outcome(tmp_path / "table.csv", "--degree", degree, *FAST)


def test_names_that_are_too_long(tmp_path):
    long = "x" * 300
    assert outcome(long + ".csv") == 2
    assert outcome(tmp_path / (long + ".csv")) == 2
    for flag, ending in (("--save", ".skops"), ("--figure", ".png")):
        assert outcome(*FAST, flag, tmp_path / (long + ending)) == 2
        assert outcome(*FAST, flag, tmp_path / long / ("a" + ending)) == 2
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=[long, long + "y"])
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert outcome(tmp_path / "table.csv", *FAST) == 0
    assert outcome(tmp_path / "table.csv", *FAST, "--target", long) == 0


def test_what_cannot_be_read(tmp_path, monkeypatch):
    (tmp_path / "folder.csv").mkdir()
    assert outcome(tmp_path / "folder.csv") == 2
    assert outcome(tmp_path / "missing.csv") == 2
    assert outcome("a\0b.csv") == 2
    assert outcome(tmp_path / "folder.csv" / "inside.csv") == 2

    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", forbidden)
    assert outcome(tmp_path / "table.csv") == 2


def test_a_terminal_of_ascii(tmp_path, monkeypatch, capsys):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=["é", "größe"])
    frame.to_csv(tmp_path / "table.csv", index=False)
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main([str(tmp_path / "table.csv"), *FAST]) == 0
    text = terminal.buffer.getvalue().decode("ascii")
    assert "\nR^2\n" in text
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
