"""Tables with texts, gaps and dates: what is fitted, told, saved and predicted."""

import io

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.model_selection import train_test_split

from sklearn_gd._command.main import main

FAST = ["--lr", "auto", "--epochs", "2"]


def houses():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.uniform(30, 200, 60).round(1),
            "town": rng.choice(["Aachen", "Bonn", "Lemgo"], 60),
            "street": [f"Way {k}" for k in range(60)],
            "date": pd.date_range("2024-01-01", periods=60).strftime("%d.%m.%Y"),
            "empty": np.nan,
        }
    )
    frame["price"] = 3 * frame["size"] + 50 * (frame["town"] == "Bonn") + 7
    return frame


def run(capsys, frame, path, *flags, status=0):
    """What the command prints for a table."""
    frame.to_csv(path, index=False)
    assert main([str(path), *FAST, *map(str, flags)]) == status
    printed = capsys.readouterr()
    return printed.err if status else printed.out


def rows_of(out, label):
    """The numbers below a label of the table of scores."""
    lines = out.split(f"\n{label}")[1].splitlines()[1:4]
    return [[float(word) for word in line.split()[-2:]] for line in lines]


def test_texts_are_encoded_and_told(tmp_path, capsys):
    out = run(capsys, houses(), tmp_path / "t.csv")
    assert "'price' from 2 columns" in out
    assert "encoded one-hot: 'town', 3 texts, compared with 'Aachen'" in out
    assert "left out: 'street' (60 different texts in 60 rows: an identifier" in out
    assert "left out: 'date' (dates" in out
    assert "left out: 'empty' (empty)" in out
    assert "price = 7 + 3 size + 50 town_Bonn" in out
    assert max(map(len, out.splitlines())) <= 79


def test_scores_have_units_and_a_baseline(tmp_path, capsys):
    frame = houses()
    frame["price"] += np.random.default_rng(1).normal(size=60)
    out = run(capsys, frame, tmp_path / "t.csv", "--seed", 5, "--features", "size")
    X, X_test, y, y_test = train_test_split(
        frame[["size"]], frame["price"], test_size=12, random_state=5
    )
    line = np.polynomial.Polynomial.fit(X["size"], y, 1)
    for label, metric in (
        ("RMSE in the units of 'price'", root_mean_squared_error),
        ("MAE in the units of 'price'", mean_absolute_error),
    ):
        ours = [metric(y, line(X["size"])), metric(y_test, line(X_test["size"]))]
        mean = [metric(side, np.full(len(side), y.mean())) for side in (y, y_test)]
        np.testing.assert_allclose(rows_of(out, label), [ours, ours, mean], rtol=1e-4)
    assert rows_of(out, "R²")[2][0] == 0


def test_penalty_loss_and_preconditioner_reach_the_model(tmp_path, capsys):
    frame, path = houses(), tmp_path / "m.skops"
    flags = ["--alpha", 2, "--precondition", "none", "--lr", 1e-5, "--save", path]
    run(capsys, frame, tmp_path / "t.csv", "--loss", "huber", *flags)
    model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))[-1]
    assert (model.alpha, model.precondition, model.loss) == (2.0, None, "huber")
    out = run(capsys, frame, tmp_path / "t.csv", "--alpha", 200, "--features", "size")
    X, _, y, _ = train_test_split(frame[["size"]], frame["price"], test_size=12, random_state=0)
    ridge = Ridge(alpha=200 * len(y) / 2).fit(X, y)
    assert f"price = {ridge.intercept_:.4g} + {ridge.coef_[0]:.4g} size" in out


def test_gaps_are_an_error_or_left_out_or_filled(tmp_path, capsys):
    frame = houses().drop(columns="empty")
    frame.loc[::7, "size"] = np.nan
    frame.loc[3, "town"] = None
    frame.loc[5, "price"] = np.nan
    path = tmp_path / "t.csv"
    assert "missing values in 'size', 'town', 'price'" in run(capsys, frame, path, status=2)
    out = run(capsys, frame, path, "--missing", "drop")
    assert "left out: 11 of 60 rows with missing values" in out
    assert "price = 7 + 3 size + 50 town_Bonn" in out
    out = run(capsys, frame, path, "--missing", "mean")
    assert "left out: 1 of 60 rows with missing targets" in out
    assert "filled: missing values in 'size', 'town'" in out
    assert "47 rows to train on, 12 to test" in out


@pytest.mark.parametrize("missing", ["error", "mean"])
def test_a_saved_pipeline_predicts_another_table(missing, tmp_path, capsys):
    path, saved = tmp_path / "t.csv", tmp_path / "model one.skops"
    frame = houses()
    out = run(capsys, frame, path, "--save", saved, "--missing", missing)
    assert "the whole Pipeline" in out
    assert f"--predict '{saved}' new.csv > predicted.csv" in out
    new = frame.drop(columns="price").sample(frac=1, random_state=0)
    new.to_csv(tmp_path / "new.csv", sep=";", decimal=",")
    assert main(["--predict", str(saved), str(tmp_path / "new.csv")]) == 0
    printed = capsys.readouterr()
    predicted = pd.read_csv(io.StringIO(printed.out), index_col=0)["prediction"]
    pd.testing.assert_series_equal(predicted, frame["price"][new.index], check_names=False)
    assert "sklearn_gd: note: guessed: the decimal sign is ','" in printed.err


def test_gaps_in_a_table_to_predict(tmp_path, capsys):
    frame, path = houses(), tmp_path / "t.csv"
    gaps = frame.copy()
    gaps.loc[0, "size"] = np.nan
    gaps.loc[1, "town"] = None
    run(capsys, frame, path, "--save", tmp_path / "plain.skops")
    run(capsys, gaps, path, "--save", tmp_path / "mean.skops", "--missing", "mean")
    argv = ["--predict", str(tmp_path / "plain.skops"), str(path)]
    assert main(argv) == 2
    assert "missing values in 'size', 'town'" in capsys.readouterr().err
    assert main([*argv, "--missing", "drop"]) == 0
    predicted = pd.read_csv(io.StringIO(capsys.readouterr().out))["prediction"]
    np.testing.assert_allclose(
        predicted, frame["price"].where(gaps["size"].notna() & gaps["town"].notna())
    )
    assert main(["--predict", str(tmp_path / "mean.skops"), str(path)]) == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["prediction"].notna().all()


def test_texts_that_look_like_numbers_in_another_table(tmp_path, capsys):
    frame = pd.DataFrame({"kind": ["01", "1", "b", "c", "d", "e"] * 10, "x": np.arange(60.0)})
    frame["y"] = frame["x"] + 10 * (frame["kind"] == "1")
    run(capsys, frame, tmp_path / "t.csv", "--save", tmp_path / "m.skops")
    frame[frame["kind"].isin(["01", "1"])].to_csv(tmp_path / "new.csv", index=False)
    assert main(["--predict", str(tmp_path / "m.skops"), str(tmp_path / "new.csv")]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    predicted = pd.read_csv(io.StringIO(printed.out))["prediction"]
    np.testing.assert_allclose(predicted, frame["y"][frame["kind"].isin(["01", "1"])], atol=1e-9)


def test_texts_that_the_model_does_not_know_are_told(tmp_path, capsys):
    frame = houses()
    run(capsys, frame, tmp_path / "t.csv", "--save", tmp_path / "m.skops")
    frame.assign(town="Essen").to_csv(tmp_path / "new.csv", index=False)
    assert main(["--predict", str(tmp_path / "m.skops"), str(tmp_path / "new.csv")]) == 0
    printed = capsys.readouterr()
    assert printed.err == (
        "sklearn_gd: note: treated as 'Aachen': texts of 'town' that no row for training has "
        "('Essen')\n"
    )
    predicted = pd.read_csv(io.StringIO(printed.out))["prediction"]
    np.testing.assert_allclose(predicted, 3 * frame["size"] + 7)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--target", "town"], "the target 'town' of t.csv must be numbers, and holds '"),
        (["--target", "empty"], "the target 'empty' of t.csv is empty"),
        (["--features", "date"], "'date' of t.csv cannot be a feature: dates"),
        (["--features", "sizes"], "no column 'sizes'; it has 'size', 'town'"),
        (["--features", "sizes"], "did you mean 'size'?"),
        (["--features", "size,price", "--target", "price"], "and not the target"),
        (["--features", "size", "--drop", "size"], "'size' is named in --drop, and asked for too"),
        (["--drop", "size,town,street,date,empty"], "no column to predict 'price' from"),
        (["--features", "\x1b[2J"], "no column '\\x1b[2J'"),
        (["--alpha", "-1"], "'alpha' parameter"),
        (["--loss", "hinge"], "'loss' parameter"),
        (["--precondition", "full"], "'precondition' parameter"),
        (["--seed", "-1"], "'-1' is not a whole number"),
        (["--missing", "fill"], "--missing"),
    ],
)
def test_mistakes_are_one_line(flags, words, tmp_path, capsys):
    err = run(capsys, houses(), tmp_path / "t.csv", *flags, status=2)
    assert words in err
    assert err.count("\n") == 1
    assert err.replace("\n", "").isprintable()


def test_numbers_that_cannot_be_read_are_an_error(tmp_path, capsys):
    frame = houses().astype({"size": object})
    frame.loc[7, "size"] = "?"
    err = run(capsys, frame, tmp_path / "t.csv", status=2)
    assert "'size' of t.csv holds numbers that cannot be read, such as '?'" in err
    out = run(capsys, frame, tmp_path / "t.csv", "--na", "?", "--missing", "drop")
    assert "price = 7 + 3 size" in out


def test_columns_of_parquet(tmp_path, capsys):
    frame = houses()
    whole = np.arange(60)
    frame["nullable"] = pd.Series(whole, dtype="Int64").where(whole > 1)
    frame["when"] = pd.Timestamp("2024-01-01")
    frame["many"] = [[1.0]] * 60
    frame["kind"] = pd.Categorical(np.where(whole % 2, "odd", "even"))
    path = tmp_path / "t.parquet"
    frame.to_parquet(path)
    assert main([str(path), *FAST, "--target", "price", "--missing", "mean"]) == 0
    out = capsys.readouterr().out
    assert "left out: 'when' (dates or times" in out
    assert "left out: 'many' (neither numbers nor text" in out
    assert "'kind', 2 texts, compared with 'even'" in out
    assert "filled: missing values in 'nullable'" in out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["m.skops", "no.csv"], "cannot read no.csv"),
        (["no.skops", "t.csv"], "cannot read no.skops: No such file"),
        (["t.csv", "t.csv"], "cannot read t.csv: File is not a zip file"),
        ([".", "t.csv"], "it is a directory"),
        (["m.skops"], "--predict needs a table"),
        (["m.skops", "t.csv", "--alpha", "1"], "--alpha is not for use with --predict"),
        (["m.skops", "other.csv"], "other.csv has no column 'size'"),
        (["m.skops", "words.csv"], "cannot predict words.csv: could not convert string"),
        (["foreign.skops", "t.csv"], "the command loads only its own kinds of models"),
        (["array.skops", "t.csv"], "holds no model that was fitted to columns with names"),
    ],
)
def test_mistakes_in_a_prediction(argv, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(capsys, houses(), tmp_path / "t.csv", "--save", "m.skops")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "words.csv").write_text("size,town\nlarge,Bonn\n")
    skops.io.dump(np.zeros(2), "array.skops")
    skops.io.dump(FakeModel(), "foreign.skops")
    assert main(["--predict", *argv]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


class FakeModel:
    """A class that the command does not know."""

    def __init__(self):
        self.value = 1


def test_a_full_disk_is_one_line(monkeypatch, capsys):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    monkeypatch.setattr("sklearn_gd._command.main.discard_output", lambda: None)
    assert main(FAST) == 2
    assert capsys.readouterr().err == (
        "sklearn_gd: cannot write the output: No space left on device\n"
    )


def test_an_interrupt_is_one_line(monkeypatch, capsys):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn_gd._command.main.read_table", interrupt)
    assert main([]) == 130
    assert capsys.readouterr().err == "sklearn_gd: interrupted\n"


def test_streams_that_are_not_there(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    assert main(FAST) == 0
    assert main(["no.csv"]) == 2


def test_version_and_help(capsys):
    from sklearn_gd import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"sklearn_gd {__version__}\n"
    assert main(["--help"]) == 0
    assert "--predict model.skops new.csv > predicted.csv" in capsys.readouterr().out
