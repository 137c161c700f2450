"""Cells of a small genuine run, shared by the tests of the page: two metrics, three attacks, two budgets."""

from dataclasses import replace

import pytest

from robustiqa.benchmarks.bench import bench
from robustiqa.reports.html.arena import arenas
from robustiqa.reports.results import load_results
from tests.toys import Linear, Wavy, memory


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """24 images of 24 references, so that ranks may be claimed."""
    data = memory(24)
    data = replace(data, pairs=tuple(replace(p, reference=f"r{p.id}") for p in data.pairs))
    out = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robustiqa.benchmarks.plan.load_demo", lambda: replace(memory(12), name="calibration"))
        bench([Linear(), Wavy()], ["fgsm", "pgd:steps=3"], data, eps=[2 / 255, 8 / 255], out=out, batch_size=24)
        bench([Linear(), Wavy()], ["square:queries=300"], data, eps=[8 / 255], out=out, batch_size=24)
    return load_results(out)


@pytest.fixture(scope="session")
def rows(results):
    return results.rows()


@pytest.fixture(scope="session")
def arena(rows):
    (only,) = arenas(rows)
    return only
