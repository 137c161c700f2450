"""What all tests share: the developers' folder, a hypothesis profile without deadlines, one torch thread, a cache."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

settings.register_profile("robustiqa", deadline=None)
settings.load_profile("robustiqa")
torch.set_num_threads(1)

SHARED = Path(os.environ.get("ROBUSTIQA_SHARED") or Path(__file__).parents[2] / "shared")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Nightly tests run only where they are asked for by name."""
    if "nightly" not in config.option.markexpr:
        for item in items:
            if "nightly" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="thousands of cases; run with -m nightly"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of weights, oracles and data that developers and CI have beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the developers' data: no folder {SHARED}; set ROBUSTIQA_SHARED to have it elsewhere")
    return SHARED


@pytest.fixture
def genuine_weights(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The genuine weights of LPIPS, DISTS and others, found the way a user's are."""
    monkeypatch.setenv("ROBUSTIQA_WEIGHTS", str(shared / "weights"))
    return shared / "weights"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test run's own: neither read from the user's nor left there."""
    monkeypatch.setenv("ROBUSTIQA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
