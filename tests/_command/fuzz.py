"""Random files, flags and terminals for the command.

``python -m tests._command.fuzz --cases 500 --seed 0`` runs the command that often, and prints
how the runs ended. A run is sound if it succeeds, or prints one line of error and returns 2
(1 where the reader of the output has gone).
"""

import argparse
import contextlib
import csv
import gzip
import io
import os
import re
import sys
import tempfile
import time
import warnings
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from sklearn_gd._command.main import main

FAST = ["--lr", "auto", "--epochs", "2"]
CELLS = [
    *("1", "0", "-1", "2.5", "1e170", "-1e170", "1e308", "1.7e308", "1e-308", "5e-324", "1e400"),
    *("nan", "", "inf", "-inf", "x", "é", '"', '"a,b"', "0x10", "1_000", "True", "1+2j", " "),
    *("99999999999999999999999", "2020-01-01", "\x00", "\ufeff", "\U0001f600", "1,5", "1.234,5"),
    *("01.02.2024", "?", "12%", "\x1b[31m", "\u202e", "a\tb", "yes", "no", "NA", "1,234", "'"),
]
NAMES = [
    *("a", "b", "c", "", "a", "é", "x" * 300, "$", "a b", "1", "\U0001f600", "\\frac", "{", "%s"),
    *("\x1b[2J", "\u202e", "a\rb", "kind", "-", "--drop", "a,b", "0.5"),
]
GOOD_FLAGS = [
    *(["--degree", "2"], ["--degree", "3"], ["--test-size", "0.5"], ["--lr", "1e300"]),
    *(["--optimizer", "lbfgs"], ["--optimizer", "adam"], ["--missing", "drop"]),
    *(["--missing", "drop"], ["--missing", "mean"], ["--missing", "mean"], ["--alpha", "0.1"]),
    *(["--loss", "huber"], ["--loss", "quantile"], ["--precondition", "none"], ["--seed", "7"]),
    *(["--drop", "a0"], ["--drop", "b0,b1"], ["--target", "a0"], ["--features", "a0,b1"]),
    *(["--sep", ";"], ["--sep", "tab"], ["--sep", "space"], ["--sep", "|"], ["--decimal", ","]),
    *(["--decimal", "."], ["--thousands", "."], ["--thousands", ","], ["--thousands", "'"]),
    *(["--header"], ["--no-header"], ["--na", "?"], ["--na", "x"], ["--version"], ["--help"]),
    *(["--summary"], ["--save", "saved.skops"], ["--predict", "model.skops"]),
]
BAD_FLAGS = [
    *(["--degree", "0"], ["--degree", "x"], ["--bad"], ["--target", "x" * 300]),
    *(["--target", ""], ["--target", "\x1b[2J"], ["--test-size", "nan"], ["--test-size", "2"]),
    *(["--lr", "nan"], ["--lr", "-1"], ["--epochs", "0"], ["--epochs", "1e3"]),
    *(["--optimizer", "muon"], ["--optimizer", "é"], ["--device", "tpu"], ["--device", "cuda:99"]),
    *(["--missing", "zero"], ["--alpha", "-1"], ["--alpha", "nan"], ["--loss", "hinge"]),
    *(["--precondition", "é"], ["--seed", "-1"], ["--seed", "9" * 5000], ["--features", ""]),
    *(["--drop", '"'], ["--drop", "\x1b[2J0"], ["--sep", "ab"], ["--decimal", "1"], ["--na", ""]),
    *(["--save", "/no/such/place.skops"], ["--figure", "x" * 300 + ".png"]),
    *(["--predict", "no.skops"], ["--predict", "broken.skops"], ["--predict", "0.csv"]),
]
ENDINGS = [*[".csv"] * 14, ".tsv", ".tsv", ".txt", ".csv.gz", ".csv.gz", *[".parquet"] * 3, ".xlsx"]
ENCODINGS = [*["utf-8"] * 6, "utf-8-sig", "utf-16", "cp1252", "latin-1"]


class Outcome(NamedTuple):
    status: int | str  # the exit status, or the error that escaped
    out: str
    err: str


def random_text(rng):
    """A table of mostly plain numbers, with some cells that are not."""
    n_rows, n_columns = (
        rng.choice([0, 1, *[12, 30, 30, 30] * 4]),
        rng.choice([1, 2, 3, 3, 3, 4, 4, 5, 5]),
    )
    cells = rng.normal(size=(n_rows, n_columns)).round(3).astype(str).astype(object)
    for _ in range(rng.choice([0, 0, 0, 1, 3])):
        if n_rows:
            cells[rng.integers(n_rows), rng.integers(n_columns)] = str(rng.choice(CELLS))
    if rng.random() < 0.3:  # a column of texts
        cells[:, rng.integers(n_columns)] = rng.choice(CELLS[-12:], n_rows)
    if rng.random() < 0.1:
        cells[:] = str(rng.choice(CELLS[:11]))
    header = [str(rng.choice(NAMES)) + str(k) * (rng.random() < 0.9) for k in range(n_columns)]
    if rng.random() < 0.6:
        header = [f"{'abc'[k % 3]}{k}" for k in range(n_columns)]
    sep = str(rng.choice([",", ",", ",", ";", "\t", "|", " "]))
    if sep != "," and rng.random() < 0.5:
        cells = np.array([[cell.replace(".", ",") for cell in row] for row in cells], dtype=object)
    rows = [*([header] if rng.random() < 0.9 else []), *cells.tolist()]
    if rng.random() < 0.1:  # an index without a name, or a separator at the end of each row
        rows = [["", *row] for row in rows] if rng.random() < 0.5 else [[*r, ""] for r in rows]
    if rng.random() < 0.05:
        rows.append([*"123456789"])
    newline = str(rng.choice(["\n", "\n", "\r\n", "\r"]))
    written = io.StringIO(newline="")
    if rng.random() < 0.8:
        csv.writer(written, delimiter=sep, lineterminator=newline).writerows(rows)
    else:  # nothing is quoted
        written.write(newline.join(sep.join(row) for row in rows))
    encoded = written.getvalue().encode(str(rng.choice(ENCODINGS)), errors="replace")
    return bytes(rng.integers(0, 256, 200).astype(np.uint8)) if rng.random() < 0.03 else encoded


def random_parquet(rng):
    """A table of columns of all types."""
    n_rows = int(rng.choice([0, 1, 30, 30, 30]))
    whole = rng.integers(0, 9, n_rows)
    columns = [
        pd.Series(rng.normal(size=n_rows)),
        pd.Series(whole),
        pd.Series(rng.normal(size=n_rows).astype("float32")),
        pd.Series(whole > 4),
        pd.Series(whole.astype(str)).where(whole > 1),
        pd.Series(whole, dtype="Int64").where(whole > 1),
        pd.Series([Decimal(int(each)) / 4 for each in whole], dtype=object),
        pd.Series(pd.to_datetime(whole, unit="D")),
        pd.Series(pd.to_timedelta(whole, unit="D")),
        pd.Series(whole.astype(str)).astype("category"),
        pd.Series([b"x"] * n_rows, dtype=object),
        pd.Series([[1.0, 2.0]] * n_rows, dtype=object),
        pd.Series([None] * n_rows, dtype=object),
    ]
    chosen = [*rng.permutation(len(columns))[:4], 0, 1][: rng.integers(1, 7)]
    return pd.DataFrame({f"{'abc'[k % 3]}{k}": columns[i] for k, i in enumerate(chosen)})


def random_case(rng, folder, k):
    """Write a file. Returns the arguments of the command."""
    ending = str(rng.choice(ENDINGS))
    path = folder / f"{k}{rng.choice(['', ' é', chr(27) + '[2J', '%s{'])}{ending}"
    raw = random_text(rng)
    path.write_bytes(
        gzip.compress(raw, mtime=0) if ending.endswith(".gz") and rng.random() < 0.9 else raw
    )
    if ending == ".parquet" and rng.random() < 0.8:
        random_parquet(rng).to_parquet(path)
    flags = []
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        kind = GOOD_FLAGS if rng.random() < 0.8 else BAD_FLAGS
        flags += kind[rng.integers(len(kind))]
    known = {"saved.skops", "model.skops", "no.skops", "broken.skops", "0.csv"}
    words = [str(folder / word) if word in known else word for word in flags]
    is_prediction = "--predict" in words and rng.random() < 0.8
    return [str(path), *([] if is_prediction else FAST), *words]


def prepare(folder):
    """Write a saved model, and a broken one."""
    rows = [f"{k},{'xy'[k % 2]},{k * k}" for k in range(30)]
    (folder / "train.csv").write_text("\n".join(["a0,b1,c2", *rows]))
    run([str(folder / "train.csv"), *FAST, "--save", str(folder / "model.skops")])
    saved = (folder / "model.skops").read_bytes()
    (folder / "broken.skops").write_bytes(saved[: len(saved) // 2])


def run(argv, encoding="utf-8", closed=False):
    """Run the command in this process, with a terminal of an encoding or a closed pipe."""
    err = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    if closed:
        reading, writing = os.pipe()
        os.close(reading)
        out = open(writing, "w", encoding=encoding)  # noqa: SIM115
    else:
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default")
                status = main(argv)
        except BaseException as error:
            status = f"{type(error).__name__}: {error}"
    err.flush()
    text = "" if closed else (out.flush(), out.buffer.getvalue().decode(encoding))[1]
    out.close()
    return Outcome(status, text, err.buffer.getvalue().decode(encoding))


def fault(outcome, closed, is_prediction):
    """What is wrong with an outcome, or None."""
    lines = outcome.err.splitlines()
    errors = [
        line
        for line in lines
        if not line.startswith(("sklearn_gd: warning: ", "sklearn_gd: note: "))
    ]
    if outcome.status not in ((0, 1, 2) if closed else (0, 2)):
        return f"status {outcome.status}"
    if len(errors) != (outcome.status == 2):
        return f"{len(errors)} lines of error with status {outcome.status}"
    if any(re.match(r"sklearn_gd: \w+(Error|Exception): ", line) for line in errors):
        return "an error that the command does not expect"
    if not all(line.startswith("sklearn_gd: ") for line in lines):
        return "a line without the name of the command"
    printed = outcome.err + ("" if is_prediction else outcome.out)
    if not printed.replace("\n", "").isprintable():
        return "control characters"
    return None


def fuzz(n_cases, seed, folder):
    """Run random cases. Returns how they ended, and the sound and the unsound ones."""
    rng = np.random.default_rng(seed)
    prepare(folder)
    ends, faults = Counter(), []
    for k in range(n_cases):
        argv = random_case(rng, folder, k)
        closed = bool(rng.random() < 0.05)
        encoding = str(rng.choice(["utf-8", "utf-8", "ascii", "cp1252"]))
        outcome = run(argv, encoding, closed)
        problem = fault(outcome, closed, "--predict" in argv)
        if problem is not None:
            faults.append(f"case {k}: {problem}: {argv!r}: {outcome.err[-300:]!r}")
        ends[outcome.status] += 1
    return ends, faults


def report(argv=None):
    """Fuzz as the options say, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        ends, faults = fuzz(options.cases, options.seed, Path(folder))
    print(f"{options.cases} cases with seed {options.seed}: {time.perf_counter() - start:.0f} s")
    for status, meaning in ((0, "success"), (2, "one line of error"), (1, "the pipe was closed")):
        print(f"{meaning:20}{ends[status]:6}")
    print(f"{'unsound':20}{len(faults):6}")
    print("\n".join(faults))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(report())
