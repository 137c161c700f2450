"""How many cases a fuzz test tries: few by default, ten thousand where nightly tests are asked for."""

from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings

FEW, MANY = 60, 10_000
cases = pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.nightly)])


def fuzzing(count):
    """Settings for so many cases, however slow the machine."""
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def answered(kind, mention=""):
    """Either all goes well, or an error of ours that mentions where."""
    try:
        yield
    except kind as error:
        if mention not in str(error):
            raise AssertionError(f"{mention!r} is not named in: {error}") from error
