"""The page of kills, faults and fuzzing says what its files say, failures above all."""

import json
from pathlib import Path

import pytest

from tests.scripts import loaded

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "reliability_report.py"
KILLS = {"seed": 0, "jobs": 1, "kills": {"SIGKILL": 2, "SIGINT": 1}, "places": {"unfinished": 3}, "codes": {}, "rounds": 1, "leftovers": 0}
XML = (
    '<testsuites><testsuite><testcase name="test_a[1]" time="1.5"/><testcase name="test_a[2]" time="2"><failure/></testcase>'
    "</testsuite></testsuites>"
)


@pytest.fixture(scope="module")
def script():
    return loaded(SCRIPT)


@pytest.fixture
def folder(tmp_path, script):
    for name, wrong in zip(script.KILLS, ([], ["kill 7, round-2: lost or changed: row 'x'"]), strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kills.json").write_text(json.dumps({**KILLS, "wrong": wrong}))
    for name in script.TESTS:
        (tmp_path / f"{name}.xml").write_text(XML)
    return tmp_path


def test_what_went_wrong_stands_on_the_page(script, folder):
    """A lost row, a failed case among its fellows, and a reader that crashed."""
    (folder / "images.log").write_text("#2 INITED\nDone 4533 runs in 601 second(s)\n")
    (folder / "results.log").write_text("=== Uncaught Python exception: ===\nKeyError: 'spec'\n==1== ERROR: libFuzzer: fuzz target exited\n")
    lines = [[word.strip() for word in line.strip("|").split("|")] for line in script.page(folder).splitlines() if line.startswith("|")]
    assert ["1", "3", "SIGINT 1, SIGKILL 2", "unfinished 3", "1", "0", "nothing"] in lines
    assert ["1", "3", "SIGINT 1, SIGKILL 2", "unfinished 3", "1", "0", "kill 7, round-2: lost or changed: row 'x'"] in lines
    assert ["`test_a`", "2", "1"] in lines
    assert [line for line in lines if len(line) == 4 and "test_a" in line[0]] == [["`test_a`", "1", "2", "nothing found"], ["`test_a`", "2", "2", "FAILED"]]
    assert ["`images`", "4,533", "601", "nothing found"] in lines
    assert ["`results`", "", "", "FAILED: ==1== ERROR: libFuzzer: fuzz target exited"] in lines


def test_what_was_not_run_is_not_called_passed(script, folder):
    """Without the fuzzer's package there is no log."""
    assert "not run: atheris is not installed." in script.page(folder)
