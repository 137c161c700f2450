"""All that looks for lost, mixed or broken results, and the page of its counts: kills, faults on writes, fuzzing.

Half an hour of one core. What --out holds is not done again. Fuzzing by coverage needs ``pip install atheris``.

Usage: OMP_NUM_THREADS=1 python benchmarks/reliability_report.py --out runs/reliability > reports/reliability.md
"""

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tabulate import tabulate

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
KILLS: Final = {"kills-one": ("--kills", "60"), "kills-jobs": ("--kills", "30", "--jobs", "2", "--seed", "1")}
TESTS: Final = {
    "faults": ("tests/core/test_files.py", "tests/benchmarks/test_faults.py"),
    "fuzz": ("-m", "nightly", "tests/security/test_fuzz.py"),
    "code": ("tests/security/test_no_code_runs.py", "tests/security/test_network.py"),
}
COVERAGE: Final = ("images", "results")
SECONDS: Final = 600  # of each target of the fuzzing by coverage
Rows = list[list[object]]


def main() -> None:
    """Do what was not done yet, and print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/reliability"))
    out: Path = parser.parse_args().out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    for name, options in KILLS.items():
        if not (out / name / "kills.json").exists():
            call("benchmarks/kill_test.py", *options, "--out", str(out / name))
    for name, options in TESTS.items():
        if not (out / f"{name}.xml").exists():
            call("-m", "pytest", "-q", "--numprocesses=0", f"--junitxml={out / name}.xml", *options)
    if importlib.util.find_spec("atheris"):
        for name in COVERAGE:
            if not (out / f"{name}.log").exists():
                fuzz_by_coverage(name, out)
    print(page(out))


def call(*arguments: str) -> None:
    """A script or module, whose failure is a result too: it stands in what it wrote."""
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=sys.stderr, check=False)  # noqa: S603


def fuzz_by_coverage(name: str, out: Path) -> None:
    """What libFuzzer says to a log, and what it found beside it."""
    script = ROOT / "tests" / "security" / "coverage_fuzz.py"
    command = [sys.executable, str(script), name, f"-max_total_time={SECONDS}", f"-artifact_prefix={out}/{name}-"]
    half = out / f"{name}.log.part"
    with half.open("wb") as log:
        subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False)  # noqa: S603
    half.rename(out / f"{name}.log")


def page(out: Path) -> str:
    """The page of what ``out`` holds."""
    kills = {name: json.loads((out / name / "kills.json").read_text(encoding="utf-8")) for name in KILLS}
    tests = {name: Suite.read(out / f"{name}.xml") for name in TESTS}
    return f"""# Kills, faults and hostile input

Printed by `benchmarks/reliability_report.py`. What is promised: [reliability](../docs/reliability.md),
[security](../SECURITY.md).

## Kills of a real bench

A bench is ended at random moments and resumed until it is through, again and again. Wrong would be a row lost, changed
or computed twice, a finished cell that changed, an exit code that is neither the signal's nor 130, or a report that
differs in one byte from that of a run that nobody disturbed. "Left" are half-written files at the end of a run.

{table(kill_rows(kills), ["processes", "kills", "by", "when", "runs", "left", "wrong"])}

## Faults on writes

Each test makes calls of the system fail (disk full, I/O error, quota, read-only, no permission, short write, failing
flush or rename, interrupt, a second process); `test_faults.py` fails every write, flush and rename of a bench in turn.

{table(tests["faults"].by_test(), ["test", "cases", "passed"])}

## Random input

Only our own errors may come out, naming what was read.

{table(tests["fuzz"].fuzzing(), ["test", "inputs", "seconds", "result"])}

Guided by coverage:

{coverage_table(out)}

## Hostile files, and no network

{table(tests["code"].by_test(), ["test", "cases", "passed"])}
"""


def table(rows: Rows, heads: list[str]) -> str:
    text: str = tabulate(rows, heads, tablefmt="pipe", disable_numparse=True)
    return text


def kill_rows(kills: Mapping[str, Mapping[str, object]]) -> Rows:
    rows: Rows = []
    for facts in kills.values():
        by, places = (Counter[str](facts[key]) for key in ("kills", "places"))  # type: ignore[call-overload]
        wrong = facts["wrong"]
        rows.append(
            [facts["jobs"], by.total(), spelled(by), spelled(places), facts["rounds"], facts["leftovers"],
             "; ".join(wrong) if isinstance(wrong, list) and wrong else "nothing"]
        )  # fmt: skip
    return rows


def spelled(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


@dataclass(frozen=True)
class Suite:
    """Test cases of a run: name, seconds, and whether it passed."""

    cases: list[tuple[str, float, bool]]

    @classmethod
    def read(cls, path: Path) -> "Suite":
        found = ET.parse(path).getroot().iter("testcase")  # noqa: S314 (our own file)
        return cls([(one.attrib["name"], float(one.attrib["time"]), len(one) == 0) for one in found])

    def by_test(self) -> Rows:
        """One row per test function."""
        names = [name.partition("[")[0] for name, _, _ in self.cases]
        passed = Counter(name.partition("[")[0] for name, _, good in self.cases if good)
        return [[f"`{name}`", count, passed[name]] for name, count in Counter(names).items()]

    def fuzzing(self) -> Rows:
        """One row per reader; the parameter of the test is how many inputs it tries."""
        rows: Rows = []
        for name, seconds, good in self.cases:
            test, _, count = name.rstrip("]").partition("[")
            rows.append([f"`{test}`", f"{int(count):,}", f"{seconds:.0f}", "nothing found" if good else "FAILED"])
        return rows


def coverage_table(out: Path) -> str:
    logs = {name: out / f"{name}.log" for name in COVERAGE}
    texts = {name: path.read_text(encoding="utf-8", errors="replace") for name, path in logs.items() if path.exists()}
    rows: Rows = [[f"`{name}`", *outcome(text)] for name, text in texts.items()]
    return table(rows, ["reader", "inputs", "seconds", "result"]) if rows else "not run: atheris is not installed."


def outcome(log: str) -> list[str]:
    """Inputs, seconds and result of a log of libFuzzer."""
    done = re.search(r"Done (\d+) runs in (\d+) second", log)
    if done is None:
        return ["", "", "FAILED: " + log.strip().splitlines()[-1]]
    return [f"{int(done[1]):,}", done[2], "nothing found"]


if __name__ == "__main__":
    main()
