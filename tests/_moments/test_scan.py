"""The moments of tables are those of their rows, whatever the table and its batches."""

import re
import sys

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from sklearn_gd import GDPolynomialRegressor, Moments
from sklearn_gd._data import tables

RNG = np.random.default_rng(0)
N = 200
X = RNG.normal(size=(N, 3)) * [1.0, 10.0, 0.1] + [1.0, 0.0, -1.0]
Y = X @ [1.0, -2.0, 0.5] + RNG.normal(size=N)
WEIGHT = RNG.uniform(0.2, 2.0, N) * (np.arange(N) % 7 > 0)
FRAME = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=Y, w=WEIGHT)
ARROW = pa.Table.from_pandas(FRAME)
CHUNK = 32  # rows
DUCKDB = duckdb.connect(config={"threads": 1})


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    """So that batches are cut, and chunks hold several batches."""
    monkeypatch.setattr(tables, "_CHUNK_ENTRIES", CHUNK * 5)


class Stream:
    """Anything with an Arrow stream, which can be read once."""

    def __arrow_c_stream__(self, requested_schema=None):
        return ARROW.to_reader(max_chunksize=9).__arrow_c_stream__(requested_schema)


def parquet(folder):
    pq.write_table(ARROW, folder / "all.parquet", row_group_size=50)
    return folder / "all.parquet"


def parquet_files(folder):
    for k in range(4):
        pq.write_table(ARROW.slice(50 * k, 50), folder / f"part-{k}.parquet")
    return str(folder / "part-*.parquet")


def csv(folder):
    FRAME.to_csv(folder / "all.csv", index=False)
    return folder / "all.csv"


def csv_gz(folder):
    FRAME.to_csv(folder / "all.csv.gz", index=False)
    return folder / "all.csv.gz"


def dataset(folder):
    return ds.dataset(folder_of(folder))


def folder_of(folder):
    parquet_files(folder)
    return folder


def other_types(folder):
    """Integers, booleans, decimals, categories and float32 are numbers too."""
    return ARROW.set_column(4, "w", ARROW["w"].cast(pa.float32()))


TABLES = {
    "a Parquet file": parquet,
    "Parquet files": parquet_files,
    "a folder": folder_of,
    "a dataset": dataset,
    "a CSV file": csv,
    "a compressed CSV file": csv_gz,
    "a table in many chunks": lambda _: pa.concat_tables([ARROW.slice(0, 3), ARROW.slice(3)]),
    "a reader": lambda _: ARROW.to_reader(max_chunksize=11),
    "a LazyFrame": lambda folder: pl.scan_parquet(parquet(folder)),
    "a polars frame": lambda _: pl.from_pandas(FRAME),
    "a pandas frame": lambda _: FRAME,
    "a relation": lambda folder: DUCKDB.read_parquet(str(parquet(folder))),
    "a stream": lambda _: Stream(),
}


def assert_same(ours, expected, rtol=1e-11):
    products, others = (
        np.hstack([m.factor, m.target]).T @ np.hstack([m.factor, m.target])
        for m in (ours, expected)
    )
    size = np.sqrt(np.diag(others))
    np.testing.assert_allclose(
        products / np.outer(size, size), others / np.outer(size, size), rtol=0, atol=rtol
    )
    np.testing.assert_allclose(ours.x_mean, expected.x_mean, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(ours.residual_norm, expected.residual_norm, rtol=rtol)
    assert ours.weight == pytest.approx(expected.weight, rel=1e-12)
    assert ours.n_samples == expected.n_samples
    assert ours.feature_names == expected.feature_names


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("name", TABLES)
def test_every_kind_of_table(name, degree, tmp_path):
    ours = Moments.scan(TABLES[name](tmp_path), "y", sample_weight="w", degree=degree)
    expected = Moments.of(FRAME[["a", "b", "c"]], Y, WEIGHT, degree=degree)
    assert_same(ours, expected)
    assert ours.has_single_target


def test_features_and_targets_by_name():
    ours = Moments.scan(ARROW, ["y", "a"], features=["c", "b"])
    expected = Moments.of(FRAME[["c", "b"]], FRAME[["y", "a"]])
    assert_same(ours, expected)
    assert not ours.has_single_target
    assert ours.feature_names == ("c", "b")
    assert Moments.scan(ARROW, "y", features=["a"]).feature_names == ("a",)


def test_what_counts_as_a_number():
    n = 40
    values = RNG.integers(0, 5, n)
    columns = {
        "int8": pa.array(values, pa.int8()),
        "uint64": pa.array(values**2, pa.uint64()),
        "bool": pa.array(values > 2),
        "half": pa.array((values / 2).astype(np.float16)),
        "float32": pa.array((values / 3).astype(np.float32)),
        "decimal": pa.array((values - 2).tolist()).cast(pa.decimal128(21, 2)),
        "category": pa.array(values * 7).dictionary_encode(),
    }
    y = RNG.normal(size=n)
    ours = Moments.scan(pa.table({**columns, "y": y}), "y")
    table = np.column_stack(
        [values, values**2, values > 2, values / 2, (values / 3).astype(np.float32), values - 2,
         values * 7]
    )  # fmt: skip
    np.testing.assert_allclose(ours.x_mean, table.mean(axis=0), rtol=1e-12)
    centred = table - table.mean(axis=0)
    np.testing.assert_allclose(ours.factor.T @ ours.factor, centred.T @ centred, atol=1e-9)


def test_integers_that_become_floats_in_a_csv_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_CHUNK_ENTRIES", 2**18)
    path = tmp_path / "late.csv"
    rows = [f"{k},{k}" for k in range(150_000)] + ["0.5,1.25"]
    path.write_text("x,y\n" + "\n".join(rows))
    moments = Moments.scan(path, "y")
    assert path.stat().st_size > 2**20  # what pyarrow reads to guess the types
    assert moments.n_samples == 150_001
    assert moments.y_mean[0] == pytest.approx((sum(range(150_000)) + 1.25) / 150_001)


def test_sorted_rows_of_a_polynomial():
    """The range of the features grows with every chunk."""
    x = np.sort(RNG.uniform(-2.0, 30.0, N))
    y = x**3 - 20 * x**2 + RNG.normal(size=N)
    moments = Moments.scan(pa.table({"x": x, "y": y}), "y", degree=4)
    options = {"degree": 4, "lr": "auto", "epochs": 40}
    ours = GDPolynomialRegressor(**options).fit(moments)
    expected = GDPolynomialRegressor(**options).fit(pd.DataFrame({"x": x}), y)
    frame = pd.DataFrame({"x": x})
    atol = 1e-9 * np.abs(y).max()
    np.testing.assert_allclose(ours.predict(frame), expected.predict(frame), rtol=0, atol=atol)


def test_weights_of_zero():
    weight = np.where(np.arange(N) < 100, 0.0, 1.0)  # some chunks have no weight
    ours = Moments.scan(FRAME.assign(w=weight), "y", sample_weight="w")
    assert_same(ours, Moments.of(FRAME[["a", "b", "c"]][100:], Y[100:]))
    with pytest.raises(ValueError, match="the DataFrame holds no row of positive weight"):
        Moments.scan(FRAME.assign(w=0.0), "y", sample_weight="w")
    with pytest.raises(ValueError, match="the DataFrame holds no row"):
        Moments.scan(FRAME[:0], "y")


def test_more_columns_than_rows():
    x = pd.DataFrame(RNG.normal(size=(40, 90))).rename(columns=str)
    y = RNG.normal(size=40)
    ours = Moments.scan(x.assign(y=y), "y")
    assert_same(ours, Moments.of(x, y), rtol=1e-10) if ours.residual_norm.all() else None
    centred = x.to_numpy() - x.to_numpy().mean(axis=0)
    np.testing.assert_allclose(ours.factor.T @ ours.factor, centred.T @ centred, atol=1e-10)


def test_a_progress_bar(tmp_path, capsys):
    Moments.scan(parquet_files(tmp_path), "y", verbose=1)
    assert re.fullmatch(r"Moments.scan ━+ 100% 200 rows +0:00:0\d\s+", capsys.readouterr().out)
    Moments.scan(FRAME, "y")
    assert not capsys.readouterr().out


TOLD = {  # batches hold at most 32 rows
    "a file of row groups": (parquet, [0.16, 0.32, 0.48, 0.64, 0.8, 0.96, 1.0]),
    "files": (parquet_files, [0.16, 0.25, 0.41, 0.5, 0.66, 0.75, 0.91, 1.0]),
    "a table of unknown length": (lambda _: ARROW.to_reader(), [1.0]),
}


@pytest.mark.parametrize("name", TOLD)
def test_progress_is_told(name, tmp_path):
    make, expected = TOLD[name]
    reader = tables.TableReader(make(tmp_path), "y", None, None)
    told = []
    for _ in reader.chunks(3, lambda *progress: told.append(progress)):
        pass
    assert told == sorted(told)
    np.testing.assert_allclose(sorted({share for share, _ in told}), expected, rtol=1e-12)
    assert told[-1] == (1.0, N)


def test_a_progress_bar_needs_rich(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with pytest.raises(ImportError, match="progress bar of Moments.scan requires rich"):
        Moments.scan(FRAME, "y", verbose=1)


def broken(column, value, row=170):
    """The table with a value in the fourth file."""
    values = FRAME[column].to_numpy().copy()
    values[row] = value
    return FRAME.assign(**{column: values})


def files(frame, folder):
    for k in range(4):
        frame[50 * k : 50 * k + 50].to_parquet(folder / f"part-{k}.parquet")
    return str(folder / "part-*.parquet")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (broken("b", np.nan), "Column 'b' of '.*part-3.parquet', batch 0 contains null: 1 val"),
        (broken("y", np.inf), "'y' of '.*part-3.parquet', batch 0 contains infinity, in row 20"),
        (broken("w", -1.0), "'w' of '.*part-3.parquet', batch 0 contains a negative weight, in"),
        (broken("w", np.inf), "'w' of '.*part-3.parquet', batch 0 contains infinity, in row 20"),
    ],
)
def test_bad_values_are_found(frame, message, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_CHUNK_ENTRIES", 64 * 5)
    with pytest.raises(ValueError, match=message):
        Moments.scan(files(frame, tmp_path), "y", sample_weight="w")


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("column", ["a", "y", "w"])
def test_nan_that_is_no_null(column, degree):
    table = pl.from_pandas(broken(column, 0.0)).with_columns(
        pl.when(pl.int_range(pl.len()) == 170).then(float("nan")).otherwise(pl.col(column))
        .alias(column)
    )  # fmt: skip
    with pytest.raises(ValueError, match=f"Column '{column}' of the DataFrame.*contains NaN"):
        Moments.scan(table, "y", sample_weight="w", degree=degree)


def test_a_folder_with_partitions(tmp_path):
    """The name of a folder is a column too. Row groups of a file are joined or read one by one."""
    for k in range(2):
        folder = tmp_path / f"year={2020 + k}"
        folder.mkdir()
        rows = ARROW.slice(100 * k, 100)
        pq.write_table(rows, folder / "all.parquet", row_group_size=[7, 50][k])
    ours = Moments.scan(tmp_path, "y", features=["b", "year"])
    x = np.column_stack([X[:, 1], 2020 + np.arange(N) // 100])
    assert_same(ours, Moments.of(pd.DataFrame(x, columns=["b", "year"]), Y))
    broken("b", np.nan).to_parquet(tmp_path / "year=2021" / "bad.parquet")
    with pytest.raises(ValueError, match="Column 'b' of '.*/year=2021/bad.parquet', batch"):
        Moments.scan(tmp_path, "y", features=["b", "year"])


def test_a_dataset_with_a_filter(tmp_path):
    ours = Moments.scan(dataset(tmp_path).filter(ds.field("b") > 3.0), "y", sample_weight="w")
    rows = X[:, 1] > 3.0
    assert_same(ours, Moments.of(FRAME[["a", "b", "c"]][rows], Y[rows], WEIGHT[rows]))


def test_a_file_of_a_folder_lacks_a_column(tmp_path):
    pq.write_table(ARROW, tmp_path / "1.parquet")
    pq.write_table(ARROW.drop_columns("b"), tmp_path / "2.parquet")
    words = "2.parquet' has no column 'b'. Its columns are"
    with pytest.raises(ValueError, match=words):
        Moments.scan(tmp_path, "y")


def test_a_relation_computes_the_columns_in_use_only():
    query = """select range % 5 as "a ""b", 'red' as c, range * 2.0 as y, error('read') as d
    from range(10000)"""
    relation = DUCKDB.sql(query)
    moments = Moments.scan(relation, "y", features=['a "b'])
    assert moments == Moments.scan(relation, "y", features=['a "b'])  # it can be read again
    assert (moments.n_samples, moments.y_mean[0]) == (10_000, 9_999.0)
    with pytest.raises(ValueError, match="Column 'c' of the relation, batch 0 holds string"):
        Moments.scan(relation, "y", features=["c"])
    with pytest.raises(ValueError, match="the relation has no column 'z'"):
        Moments.scan(relation, "z")


def test_text(tmp_path):
    frame = FRAME.assign(c=["red"] * N)
    with pytest.raises(ValueError, match="Column 'c' of the DataFrame, batch 0 holds .*string"):
        Moments.scan(frame, "y")
    frame.to_csv(tmp_path / "text.csv", index=False)
    with pytest.raises(ValueError, match="Column 'c' of '.*text.csv', batch 0 .*'red'"):
        Moments.scan(tmp_path / "text.csv", "y")


def test_files_with_other_columns(tmp_path):
    pattern = parquet_files(tmp_path)
    FRAME.drop(columns="b").to_parquet(tmp_path / "part-4.parquet")
    with pytest.raises(ValueError, match="part-4.parquet' has no column 'b'. Its columns are"):
        Moments.scan(pattern, "y")
    FRAME.assign(b="text").to_parquet(tmp_path / "part-4.parquet")
    with pytest.raises(ValueError, match="'b' of '.*part-4.parquet', batch 0 holds"):
        Moments.scan(pattern, "y")


@pytest.mark.parametrize(
    ("table", "arguments", "error", "message"),
    [
        (ARROW, {"target": "z"}, ValueError, "the Table has no column 'z'. Its columns are"),
        (ARROW, {"target": "y", "features": ["z"]}, ValueError, "no column 'z'"),
        (ARROW, {"target": "y", "sample_weight": "z"}, ValueError, "no column 'z'"),
        (ARROW, {"target": "y", "features": ["y"]}, ValueError, "'y' is named twice"),
        (ARROW, {"target": "y", "features": "a"}, ValueError, "'features' must be one or more"),
        (ARROW, {"target": "y", "features": []}, ValueError, "'features' must be one or more"),
        (ARROW, {"target": 3}, ValueError, "'target' must be one or more names"),
        (ARROW, {"target": "y", "sample_weight": WEIGHT}, ValueError, "'sample_weight' must be"),
        (ARROW, {"target": "y", "degree": 0}, ValueError, "'degree' parameter of Moments"),
        (ARROW, {"target": "y", "verbose": -1}, ValueError, "'verbose' parameter of Moments"),
        (X, {"target": "y"}, TypeError, r"and got ndarray. Use Moments.of\(X, y\)"),
        ("no/such.parquet", {"target": "y"}, FileNotFoundError, "no file 'no/such.parquet'"),
        (__file__, {"target": "y"}, ValueError, "ends neither in .parquet"),
    ],
)
def test_what_is_refused(table, arguments, error, message):
    with pytest.raises(error, match=message):
        Moments.scan(table, **arguments)
