"""Set before scikit-learn is imported, so that none of its checks is skipped."""

import os

import pytest

os.environ.setdefault("SCIPY_ARRAY_API", "1")
# what asserts outside of test files
pytest.register_assert_rewrite(
    "tests.reference", "tests._model_selection.reference", "tests._moments.reference"
)
