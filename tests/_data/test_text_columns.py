"""Errors of data that are not numbers say which columns are text."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sklearn_gd import GDLinearRegressor, Moments

FRAME = pd.DataFrame({"area": [1.0, 2.0, 4.0], "town": ["A", "B", "A"], "rooms": ["1", "2", "2"]})
Y = [1.0, 2.0, 3.0]


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
@pytest.mark.parametrize("use", [GDLinearRegressor().fit, Moments.of], ids=["fit", "Moments.of"])
def test_columns_are_named(convert, use):
    told = r"could not convert string to float: 'A'\nColumns of X .*numbers: 'town'\. Encode them"
    with pytest.raises(ValueError, match=told):
        use(convert(FRAME), Y)


def test_texts_of_numbers_are_numbers():
    model = GDLinearRegressor(lr="auto").fit(FRAME[["area", "rooms"]], Y)
    expected = GDLinearRegressor(lr="auto").fit(FRAME[["area", "rooms"]].astype(float), Y)
    np.testing.assert_array_equal(model.coef_, expected.coef_)


def test_dates_beside_numbers():
    frame = FRAME[["area"]].assign(sold=pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]))
    with pytest.raises(TypeError, match="not numbers: 'sold'"):
        GDLinearRegressor().fit(frame, Y)


def test_rows_to_predict():
    model = GDLinearRegressor().fit(FRAME[["area"]], Y)
    with pytest.raises(ValueError, match="not numbers: 'area'"):
        model.predict(FRAME[["town"]].set_axis(["area"], axis=1))


def test_many_columns():
    frame = pd.DataFrame({f"c{i}": ["a", "b"] for i in range(8)})
    with pytest.raises(ValueError, match=r"'c0', 'c1', 'c2', 'c3', 'c4' and 3 more\."):
        GDLinearRegressor().fit(frame, Y[:2])


def test_targets():
    with pytest.raises(ValueError, match=r"float: 'A'\ny is not numbers\. .* use a classifier"):
        GDLinearRegressor().fit(FRAME[["area"]], FRAME["town"])


def test_rows_of_different_lengths_are_not_called_text():
    with pytest.raises(ValueError, match="inhomogeneous") as caught:
        GDLinearRegressor().fit([[1.0], [2.0]], [[1.0, 2.0], [3.0]])
    assert "not numbers" not in str(caught.value)


def test_other_errors_stay_as_they_are():
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[3, 2\]$"):
        GDLinearRegressor().fit(FRAME[["area"]], Y[:2])
