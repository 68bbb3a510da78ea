"""Every configuration still comes to the numbers that an earlier version came to."""

import json

import pytest

from tests.golden.configurations import CONFIGURATIONS, NUMBERS, RTOL, deviations, numbers

STORED = json.loads(NUMBERS.read_text())


def test_every_configuration_is_stored():
    assert list(STORED) == list(CONFIGURATIONS)


def test_every_tolerance_of_its_own_has_a_reason():
    assert not [name for name, one in CONFIGURATIONS.items() if (one.rtol != RTOL) != bool(one.why)]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_numbers(name):
    rtol, now = CONFIGURATIONS[name].rtol, numbers(name)
    far = {where: f"{own:.1e}" for own, where in deviations(STORED[name], now) if not own <= rtol}
    assert not far, f"relative to the largest entry, with a tolerance of {rtol:.0e}"
