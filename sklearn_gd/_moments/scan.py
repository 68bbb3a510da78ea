"""The moments of a table that need not fit into memory: those of its chunks, added up."""

from __future__ import annotations

from contextlib import nullcontext

from sklearn_gd._base.torch_state import one_thread
from sklearn_gd._data.polynomial import monomial_basis
from sklearn_gd._data.progress import progress_bar
from sklearn_gd._data.tables import TableReader
from sklearn_gd._moments.arithmetic import add, moments_of
from sklearn_gd._moments.moments import Moments

_FEW_TERMS = 200  # with more the products take longer than the reading


def scan_moments(
    reader: TableReader, degree: int, *, interaction_only: bool, verbose: bool
) -> Moments:
    """The moments of all rows of a table, which is read once.

    A chunk whose features are within the ranges of the rows before it has the same basis, so
    that nothing is converted.
    """
    names = reader.columns.features
    basis = monomial_basis(len(names), degree, interaction_only=interaction_only)
    whole: Moments | None = None
    # the other threads read the next batch
    threads = one_thread if basis.n_terms <= _FEW_TERMS else nullcontext()
    with threads, progress_bar("Moments.scan") if verbose else nullcontext() as report:
        for data in reader.chunks(basis.n_terms, report):
            ranges = None
            if whole is not None and whole.x_low is not None and whole.x_high is not None:
                ranges = whole.x_low, whole.x_high
            part = moments_of(
                data, degree, feature_names=names, interaction_only=interaction_only, ranges=ranges
            )
            whole = part if whole is None else add(whole, part)
    if whole is None:
        raise ValueError(
            f"{reader.first.label} holds no row of positive weight. Moments need at least one."
        )
    return whole
