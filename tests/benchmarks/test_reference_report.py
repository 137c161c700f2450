"""The folder of the reference report, made of a small run."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import robustiqa as rq
from tests.scripts import loaded


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    rq.bench(models=["psnr"], attacks=["fgsm"], dataset="demo", limit=4, crop=32, out=folder / "run")
    script = loaded(Path(__file__).parents[2] / "benchmarks" / "reference_report.py")
    done = CliRunner().invoke(script.main, [str(folder / "run"), "--out", str(folder / "out")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder


def test_every_file_is_named_with_its_command_and_what_could_not_be_made_with_its_reason(report):
    """A stranger can make each again, and sees what is missing."""
    text = (report / "out" / "README.md").read_text(encoding="utf-8")
    files = [path.relative_to(report / "out") for path in (report / "out").rglob("*.*") if path.name != "README.md"]
    assert {"report.html", "report.csv", "defenses.md"} <= set(map(str, files))
    assert all(f"({file})" in text for file in files)
    assert f"robustiqa report {report / 'run'} --format html,csv --pictures 0 --out" in text
    assert "not made: `--table table6 --with-paper --format md,csv`: " in text


def test_times_and_digests_are_those_of_the_cells(report):
    """All cells of the run are counted, and the sha256 of the model stands there."""
    cells = rq.load_results(report / "run").cells
    text = (report / "out" / "README.md").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith("| psnr"))
    assert [cell.strip() for cell in line.split("|")[3:5]] == [str(len(cells)), str(sum(len(c.samples) for c in cells))]
    assert f"`{cells[0].spec.model.weights}`" in text


def test_no_photograph_is_in_it(report):
    """LIVE's must not be passed on."""
    assert "data:image" not in (report / "out" / "report.html").read_text(encoding="utf-8")
