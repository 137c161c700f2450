"""A calibration set that costs nothing, for tests that are about other things."""

from dataclasses import replace

import pytest

from robustiqa.benchmarks import plan as planning
from tests.toys import memory


@pytest.fixture
def toy_calibration(monkeypatch):
    """Calibrate on twelve toy images in place of seventy photographs."""
    monkeypatch.setattr(planning, "load_demo", lambda: replace(memory(12), name="calibration"))
