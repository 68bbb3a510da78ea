"""Set before scikit-learn is imported, so that none of its checks is skipped."""

import os

import pytest

os.environ.setdefault("SCIPY_ARRAY_API", "1")
# what asserts outside of test files
pytest.register_assert_rewrite(
    "tests.reference", "tests._model_selection.reference", "tests._moments.reference"
)


def pytest_collection_modifyitems(items):
    """Known: L-BFGS on wide polynomials depends on the rounding of its line search."""
    known = ("nothing[Polynomial-lbfgs]", "two_rows[Polynomial-lbfgs]")
    for item in items:
        if item.nodeid.endswith(known):
            item.add_marker(pytest.mark.xfail(strict=False, reason="line search of L-BFGS"))
