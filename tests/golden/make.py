"""Write the golden files anew: python -m tests.golden.make.

Run it only when results change on purpose, and say in the commit why they did. It refuses a
configuration whose tolerance is narrower than ten times what rounding does to it.
"""

import json
import pickle
import zipfile
from typing import Any

import numpy as np
import skops.io

from tests.golden.configurations import (
    CONFIGURATIONS,
    FOLDER,
    NUMBERS,
    PREDICTIONS,
    furthest,
    nudged,
    numbers,
    rows,
    train,
)

SEEDS = range(4)
PROTOCOL = 4


def main() -> None:
    """Write numbers, models and predictions."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    found = {name: _checked_numbers(name) for name in CONFIGURATIONS}
    _write(NUMBERS, found)
    saved = [name for name, one in CONFIGURATIONS.items() if one.is_saved]
    _write(PREDICTIONS, {name: _saved(name) for name in saved})


def _checked_numbers(name: str) -> Any:
    """The numbers of a configuration, whose tolerance is wide enough for rounding."""
    found, rtol = numbers(name), CONFIGURATIONS[name].rtol
    again, where = max(furthest(found, numbers(name, nudged(seed))) for seed in SEEDS)
    print(f"{name:32} rounding moves it by {again:.0e} (tolerance {rtol:.0e})")
    if not 10 * again <= rtol:
        raise SystemExit(f"{name}: rounding moves {where} by {again:.1e}, and rtol is {rtol:.0e}")
    return found


def _saved(name: str) -> dict[str, Any]:
    """Save a model in both formats; what it predicts, also after going on."""
    model, go_on = train(name)[0], CONFIGURATIONS[name].go_on
    (FOLDER / f"{name}.pickle").write_bytes(pickle.dumps(model, protocol=PROTOCOL))
    skops.io.dump(model, FOLDER / f"{name}.skops", compression=zipfile.ZIP_DEFLATED)
    own = rows(CONFIGURATIONS[name].table)
    predicted = {"now": _plain(model.predict(own))}
    return predicted if go_on is None else {**predicted, "later": _plain(go_on(model).predict(own))}


def _plain(values: np.ndarray) -> dict[str, Any]:
    return {"dtype": str(values.dtype), "values": values.tolist()}


def _write(path: Any, found: dict[str, Any]) -> None:
    """JSON with a line for each configuration."""
    lines = [f"{json.dumps(name)}: {json.dumps(own)}" for name, own in found.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
