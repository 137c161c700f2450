"""The table that bench prints."""

import io

import pytest
from rich.console import Console

from robustiqa.attacks import load_attack
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.bench import bench
from robustiqa.core.model import ModelInfo
from robustiqa.reports.results import load_results
from robustiqa.reports.terminal import print_table
from tests.toys import Wavy, memory


@pytest.mark.usefixtures("toy_calibration")
@pytest.mark.parametrize("width", [40, 80, 300])
def test_no_name_and_no_number_is_cut_short(tmp_path, width):
    """However narrow the console and long the name."""
    model = Wavy()
    model.info = ModelInfo("a-metric-with-a-name-of-some-length", lower_better=True, paper="toy")
    bench([model], [load_attack("pgd", steps=2, alpha=0.0123)], memory(6), calibrate="ssim=0.9", judges=(), out=tmp_path)
    out = io.StringIO()
    print_table(load_results(tmp_path).rows(), Console(file=out, width=width))
    text = out.getvalue()
    assert "…" not in text.replace("[…]", "")
    for word in (model.info.name, "pgd:steps=2,alpha=0.0123", "ssim=0.9 white-box"):
        assert word in text


@pytest.mark.usefixtures("toy_calibration")
def test_cells_that_differ_in_a_limit_alone_have_lines_of_their_own(tmp_path):
    """Each says where its search was stopped; in the Markdown and the CSV, too."""
    for limit in (None, 150):
        bench([Wavy()], ["square:queries=300"], memory(6), limits=Limits(limit), judges=(), out=tmp_path)
    results, out = load_results(tmp_path), io.StringIO()
    print_table(results.rows(["up", "tomean"]), Console(file=out, width=200))
    assert out.getvalue().count("8/255 black-box") == 2
    assert out.getvalue().count("8/255 black-box, at most 150 queries") == 1
    assert "black-box, at most 150 queries" in results.report("md")
    assert set(results.to_dataframe()["max_queries"].dropna()) == {150}
