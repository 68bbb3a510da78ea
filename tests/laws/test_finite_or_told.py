"""A sample of random cases: each is finite and right, or tells the user what is wrong.

`python -m tests.laws.finite_or_told --cases 5000` runs more, and so does the suite with
SKLEARN_GD_EXAMPLES=1000.
"""

import os

import pytest

from tests.laws.finite_or_told import random_case, run, simplify

CASES = int(os.environ.get("SKLEARN_GD_EXAMPLES", "50"))


@pytest.mark.parametrize("first", range(0, CASES, 10))
def test_finite_or_told(first):
    for index in range(first, first + 10):
        case = random_case(0, index)
        outcome = run(case)
        if outcome.result == "failed":
            pytest.fail(f"Case {index}: {outcome.kind}\n\n{simplify(case, outcome.kind)}")
