"""Dask collections in place of arrays and data frames: results as in memory, nothing gathered."""

import numpy as np
import pandas as pd
import pytest

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor, Moments

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")


@pytest.fixture(autouse=True)
def _one_worker():
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


def rows(n=60, p=3, targets=None, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(3.0, 2.0, size=(n, p)) * 10.0 ** np.arange(p)
    coef = rng.normal(size=(p,) if targets is None else (p, targets))
    y = X @ coef + rng.normal(size=(n,) if targets is None else (n, targets))
    return X, y, rng.uniform(0.5, 2.0, size=n)


def close(model, expected):
    scale = np.abs(expected.coef_).max(axis=-1, keepdims=True)
    np.testing.assert_allclose(model.coef_ / scale, expected.coef_ / scale, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, rtol=1e-8)


@pytest.mark.parametrize("chunks", [(20, 3), (7, 2), ((1, 40, 0, 19), (1, 2)), (60, 3)])
@pytest.mark.parametrize("targets", [None, 2])
def test_arrays_of_any_chunks(chunks, targets):
    X, y, weight = rows(targets=targets)
    lazy = da.from_array(X, chunks=chunks), da.from_array(y, chunks=25)
    model = GDLinearRegressor(lr="auto", epochs=20, alpha=0.1).fit(
        *lazy, da.from_array(weight, chunks=11)
    )
    close(model, GDLinearRegressor(lr="auto", epochs=20, alpha=0.1).fit(X, y, weight))
    score = model.score(*lazy, da.from_array(weight, chunks=60))
    np.testing.assert_allclose(score, model.score(X, y, weight), rtol=1e-9)


@pytest.mark.parametrize("degree", [1, 2, 4])
def test_polynomials_have_one_range(degree):
    X, y, _ = rows(p=2)
    X = np.sort(X, axis=0)  # each block has another range
    model = GDPolynomialRegressor(degree=degree, lr="auto", epochs=20)
    lazy = model.fit(da.from_array(X, chunks=(9, 2)), da.from_array(y, chunks=9)).predict(X)
    np.testing.assert_allclose(lazy, model.fit(X, y).predict(X), rtol=1e-8)


def frame(X, y, weight):
    names = [f"x{j}" for j in range(X.shape[1])]
    return pd.DataFrame(X, columns=names).assign(y=y, w=weight, row=np.arange(len(X))), names


def test_data_frames_keep_names_and_index():
    X, y, weight = rows()
    table, names = frame(X, y, weight)
    lazy = dd.from_pandas(table, npartitions=5)
    model = GDLinearRegressor(lr="auto", epochs=20).fit(lazy[names], lazy["y"], lazy["w"])
    close(model, GDLinearRegressor(lr="auto", epochs=20).fit(table[names], y, weight))
    assert model.feature_names_in_.tolist() == names
    predicted = model.predict(lazy[names])
    assert isinstance(predicted, dd.Series)
    pd.testing.assert_series_equal(
        predicted.compute(), pd.Series(model.predict(table[names]), index=table.index)
    )


def test_x_and_y_of_one_parquet_read_stay_aligned(tmp_path):
    X, y, weight = rows(n=100)
    table, names = frame(X, y, weight)
    for k in range(5):
        table[20 * k : 20 * k + 20].to_parquet(tmp_path / f"{k}.parquet")
    lazy = dd.read_parquet(tmp_path)
    model = GDLinearRegressor(lr="auto", epochs=20).fit(lazy[names], lazy["y"], lazy["w"])
    close(model, GDLinearRegressor(lr="auto", epochs=20).fit(table[names], y, weight))


def test_unknown_lengths_and_empty_blocks():
    X, y, _ = rows()
    table, names = frame(X, y, 1.0)
    lazy = dd.from_pandas(table, npartitions=4)
    kept = lazy[lazy["x0"] > 3.0]  # unknown lengths
    in_memory = table[table["x0"] > 3.0]
    expected = GDLinearRegressor(lr="auto", epochs=20).fit(
        in_memory[names].to_numpy(), in_memory["y"]
    )
    arrays = kept[names].to_dask_array(), kept["y"].to_dask_array()
    close(GDLinearRegressor(lr="auto", epochs=20).fit(*arrays), expected)
    late = lazy[lazy["row"] >= 30]  # the first blocks are empty
    model = GDLinearRegressor(lr="auto", epochs=20).fit(late[names], late["y"])
    close(model, GDLinearRegressor(lr="auto", epochs=20).fit(table[names][30:], y[30:]))


def test_predictions_are_lazy_and_of_the_kind_of_the_input():
    X, y, _ = rows(targets=2)
    lazy = da.from_array(X, chunks=(20, 2))
    model = GDLinearRegressor(lr="auto", epochs=20).fit(X, y)
    predicted = model.predict(lazy)
    assert isinstance(predicted, da.Array)
    assert predicted.shape == (60, 2)
    np.testing.assert_array_equal(predicted.compute(), model.predict(X))
    single = GDPolynomialRegressor(lr="auto", epochs=20).fit(X, y[:, 0])
    assert single.predict(lazy).shape == (60,)
    np.testing.assert_allclose(single.predict(lazy).compute(), single.predict(X), rtol=1e-12)


def test_partial_fit_merges_collections():
    X, y, _ = rows()
    model = GDLinearRegressor(lr="auto", epochs=20)
    for half in (slice(0, 30), slice(30, 60)):
        model.partial_fit(da.from_array(X[half], chunks=(8, 3)), da.from_array(y[half], chunks=8))
    close(model, GDLinearRegressor(lr="auto", epochs=20).fit(X, y))


def test_moments_of_a_collection_with_rows_of_weight_zero():
    X, y, weight = rows()
    weight[:25] = 0.0
    lazy = (da.from_array(part, chunks=10) for part in (X, y, weight))
    moments, expected = Moments.of(*lazy), Moments.of(X, y, weight)
    assert moments.n_samples == expected.n_samples == 35
    np.testing.assert_allclose(moments.x_mean, expected.x_mean, rtol=1e-12)
    np.testing.assert_allclose(
        moments.factor.T @ moments.factor, expected.factor.T @ expected.factor, rtol=1e-9
    )


def test_a_fault_names_its_block():
    X, y, _ = rows()
    X[45, 1] = np.nan
    with pytest.raises(ValueError, match=r"In block 2 of the Dask collection: .*NaN"):
        GDLinearRegressor().fit(da.from_array(X, chunks=(20, 3)), da.from_array(y, chunks=20))


@pytest.mark.parametrize(
    "params", [{"loss": "huber"}, {"batch_size": 8}, {"early_stopping": True}], ids=str
)
def test_what_needs_rows_says_so(params):
    X, y, _ = rows()
    (name,) = params
    with pytest.raises(ValueError, match=rf"{name}=.*Dask collection .*X.compute\(\)"):
        GDLinearRegressor(**params).fit(da.from_array(X), da.from_array(y))


def test_other_faults():
    X, y, _ = rows()
    lazy = da.from_array(X, chunks=20)
    with pytest.raises(ValueError, match="requires y to be passed"):
        GDLinearRegressor().fit(lazy)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[60, 59\]"):
        GDLinearRegressor().fit(lazy, da.from_array(y[:59]))
    unknown = lazy[lazy[:, 0] > -np.inf]
    with pytest.raises(TypeError, match="y is a ndarray. Pass y as a Dask collection"):
        GDLinearRegressor().fit(unknown, y)
    with pytest.raises(ValueError, match=r"0 sample\(s\) of positive weight"):
        GDLinearRegressor().fit(lazy, da.from_array(y), da.zeros(60))
    model = GDLinearRegressor(lr="auto", epochs=20).fit(
        lazy, y
    )  # in-memory targets of known length
    close(model, GDLinearRegressor(lr="auto", epochs=20).fit(X, y))


def test_scan_takes_data_frames():
    X, y, weight = rows()
    table, names = frame(X, y, weight)
    lazy = dd.from_pandas(table, npartitions=5)
    moments = Moments.scan(lazy, "y", features=names, sample_weight="w")
    expected = Moments.of(table[names], y, weight)
    assert moments.feature_names == tuple(names)
    np.testing.assert_allclose(moments.x_mean, expected.x_mean, rtol=1e-12)
    np.testing.assert_allclose(moments.log_weight, expected.log_weight, rtol=1e-12)
    with pytest.raises(ValueError, match="has no column 'z'"):
        Moments.scan(lazy, "z")
    with pytest.raises(TypeError, match="needs columns with names, and Array has none"):
        Moments.scan(da.from_array(X), "y")
