"""The entry of the command. Its parts are tested in tests/_command."""

import runpy

import pytest

import sklearn_gd


@pytest.mark.parametrize(("flag", "status"), [("--version", 0), ("--colour", 2)])
def test_the_module_runs_as_a_command(flag, status, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["sklearn_gd", flag])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("sklearn_gd", run_name="__main__")
    assert end.value.code == status
    printed = capsys.readouterr()
    assert (sklearn_gd.__version__ in printed.out) == (status == 0)
    assert bool(printed.err) == (status == 2)
