"""The warnings of scorers: a search gives each of them once, and names the candidates."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sklearn_gd._base.types import Results

_MAX_NAMED = 5


class ScoreWarnings:
    """Keeps what scorers warn of on all splits until the search has ended."""

    def __init__(self, params: Sequence[Results]):
        self.params = params  # of every candidate
        self.found: dict[tuple[type[Warning], str], set[int]] = {}  # candidates by warning

    @contextmanager
    def collect(self, candidates: range) -> Iterator[None]:
        """Keep the warnings that are given while these candidates are scored."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        for warning in caught:
            key = warning.category, str(warning.message)
            self.found.setdefault(key, set()).update(candidates)

    def give(self, stacklevel: int) -> None:
        """Give every warning once."""
        for (category, message), candidates in self.found.items():
            names = name_candidates(self.params, sorted(candidates))
            text = f"{message} This concerns the scores of {names}."
            warnings.warn(text, category, stacklevel=stacklevel + 1)


def name_candidates(params: Sequence[Results], candidates: Sequence[int]) -> str:
    """Some candidates by their parameters, such as "(lr=0.1), (lr=0.2) and 3 more"."""
    named = [
        ", ".join(f"{name}={value}" for name, value in params[k].items())
        for k in candidates[:_MAX_NAMED]
    ]
    left = len(candidates) - _MAX_NAMED
    return f"({'), ('.join(named)})" + (f" and {left} more" if left > 0 else "")
