"""Text files as people have them: the table that comes out, and what is told of the guesses."""

import gzip
import re

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from sklearn_gd._command.messages import UserError
from sklearn_gd._command.options import parse
from sklearn_gd._command.read_table import read_table

TRUE = pd.DataFrame({"Größe": [1.5, 2.25, 1000.0], "Stück": [1, 2, 3], "Ort": ["Köln", "B", "C"]})


def read(path, content, *flags, texts=()):
    """The table that is read from a file with this content, and the notes."""
    path.write_bytes(content)
    table = read_table(parse([str(path), *flags]), texts)
    return table.frame, " | ".join(table.notes)


def written(frame=TRUE, encoding="utf-8", **options):
    return frame.to_csv(index=False, **options).encode(encoding)


@pytest.mark.parametrize(
    ("ending", "content", "told"),
    [
        ("csv", written(), ""),
        ("csv", written().replace(b"\n", b"\r\n"), ""),
        ("csv", written().replace(b"\n", b"\r"), ""),
        ("csv", written(encoding="utf-8-sig"), ""),
        ("csv", written(encoding="cp1252"), "Windows-1252"),
        ("csv", written(sep=";"), "separated by ';'"),
        ("csv", written(sep=";", decimal=","), "decimal sign is ','"),
        ("csv", written(sep=";", decimal=",", encoding="utf-8-sig"), "decimal sign is ','"),
        ("csv", b"sep=;\r\n" + written(sep=";", decimal=","), "decimal sign is ','"),
        ("tsv", written(sep="\t"), "separated by tabs"),
        ("txt", written(sep="\t", decimal=",", encoding="utf-16"), "UTF-16"),
        ("txt", written(sep="|"), "separated by '|'"),
        ("txt", written(sep=" "), "separated by spaces"),
        ("csv.gz", gzip.compress(written(), mtime=0), ""),
        ("csv", written().replace(b",", b", "), ""),
        ("CSV", written(), ""),
    ],
)
def test_one_table_in_many_formats(ending, content, told, tmp_path):
    frame, notes = read(tmp_path / f"table.{ending}", content)
    assert_frame_equal(frame, TRUE, check_dtype=False)
    assert told in notes
    assert bool(told) == bool(notes)


@pytest.mark.parametrize(
    ("content", "flags"),
    [
        (b"a;b\n1.234,5;2\n7;8\n", ["--decimal", ",", "--thousands", "."]),
        (b"a;b\n1.234,5;2\n7;8\n", ["--thousands", "."]),
        (b"a;b\n1234,5;2\n7;8\n", ["--thousands", "."]),
        (b'a,b\n"1,234.5",2\n7,8\n', ["--thousands", ","]),
        (b"a;b\n1234,5;2\n7;8\n", []),
        (b'a,b\n"1234,5",2\n7,8\n', ["--decimal", ","]),
        (b"a b\n1234.5    2\n7         8\n", []),
        (b"a~b\n1234.5~2\n7~8\n", ["--sep", "~"]),
    ],
)
def test_ways_to_write_numbers(content, flags, tmp_path):
    frame, _ = read(tmp_path / "t.csv", content, *flags)
    np.testing.assert_array_equal(frame[["a", "b"]], [[1234.5, 2], [7, 8]])


def test_a_sign_between_thousands_does_not_make_numbers_of_dates(tmp_path):
    content = b"a;b\n01.02.2024;1.234,5\n03.02.2024;7\n"
    frame, _ = read(tmp_path / "t.csv", content, "--thousands", ".")
    assert list(frame["a"]) == ["01.02.2024", "03.02.2024"]
    assert list(frame["b"]) == [1234.5, 7]


def test_commas_that_may_stand_between_thousands_are_not_guessed(tmp_path):
    frame, _ = read(tmp_path / "t.tsv", b"a\tb\n1,234\t2\n12,345\t8\n")
    assert list(frame["a"]) == ["1,234", "12,345"]


@pytest.mark.parametrize(
    ("content", "names", "told"),
    [
        (b",a,b\n0,1,2\n1,3,4\n", "ab", "has no name and is left out as an index"),
        (b'"a" "b"\n"x" 1 2\n"y" 3 4\n', "ab", "has no name and is left out as an index"),
        (b"a,b\n1,2,\n3,4,\n", "ab", ""),
        (b"1,2\n3,4\n", ["column1", "column2"], "the first row has no names"),
        (b"1,5;2\n3;4\n", ["column1", "column2"], "the first row has no names"),
        (b"a,a\n1,2\n3,4\n", ["a", "a.1"], "several columns have one name"),
    ],
)
def test_names_and_indices(content, names, told, tmp_path):
    frame, notes = read(tmp_path / "t.csv", content)
    assert list(frame.columns) == list(names)
    assert told in notes
    first = 1.5 if b"1,5" in content else 1
    np.testing.assert_array_equal(frame, [[first, 2], [3, 4]])


def test_header_as_told(tmp_path):
    frame, _ = read(tmp_path / "t.csv", b"1,2\n3,4\n", "--header")
    assert list(frame.columns) == ["1", "2"]
    frame, _ = read(tmp_path / "t.csv", b"a,b\n3,4\n", "--no-header")
    assert list(frame["column1"]) == ["a", "3"]


def test_marks_of_missing_values(tmp_path):
    frame, _ = read(tmp_path / "t.csv", b"a,b\n1,?\n3,4\n", "--na", "?")
    np.testing.assert_array_equal(frame, [[1, np.nan], [3, 4]])


def test_columns_that_were_text_stay_text(tmp_path):
    frame, _ = read(tmp_path / "t.csv", b"a,b\n01,2\n3,4\n", texts=["a", "not there"])
    assert list(frame["a"]) == ["01", "3"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--decimal", ",", "--thousands", ","], "the same sign"),
        (["--sep", "|"], "cannot read"),
        (["--sep", "ab"], "is not one sign"),
        (["--decimal", "x"], "is not one sign"),
    ],
)
def test_flags_that_cannot_be(flags, words, tmp_path):
    with pytest.raises(UserError, match=words):
        read(tmp_path / "t.csv", b"a,b\n1,2,|3|4\n3,4,|5|6\n", *flags)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "it is empty"),
        (bytes(range(128, 256)), "it is no text in UTF-8, UTF-16 or Windows-1252"),
        (b"# by me\n\na,b,c\n1,2,3\n", "more cells than there are names; remove lines that"),
        (b"# by me\n# a\na,b,c\n1,2,3\n", "line 3 has 3 cells separated by ','"),
        (b"a;b\n1;2\n3;4;5\n", "line 3 has 3 cells separated by ';'"),
        (b"sep=;\na;b\n1;2\n3;4;5\n", "line 4 has 3 cells separated by ';'"),
        (b"a\tb\n1\t2\n\n3\t4\t5\n", "line 4 has 3 cells separated by tabs"),
    ],
)
def test_what_is_no_table_is_told(content, words, tmp_path):
    with pytest.raises(UserError, match=re.escape(words)) as caught:
        read(tmp_path / "t.csv", content)
    assert str(caught.value).startswith(f"cannot read {tmp_path / 't.csv'}: ")
