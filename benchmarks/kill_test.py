"""Kill a real bench at random moments, resume it, and look for anything lost, mixed or done twice.

Each round runs a small bench into a folder of its own and ends it at a random moment, by SIGKILL, SIGTERM and SIGINT in
turn, until it comes to its end. After every kill the folder must hold every row that it held before, to the last bit
and with the same time (so none was computed again), and every finished cell as it was. At the end of a round the
report must equal that of an undisturbed run byte for byte. Exit code 1 if anything was not so.

Example: OMP_NUM_THREADS=1 python benchmarks/kill_test.py --kills 60 --out runs/kills
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from robustiqa.benchmarks.cell import SampleRow
from robustiqa.benchmarks.folder.store import Store
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.reports.results import load_results

SIGNALS: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
EARLY: Final = 0.1  # share of kills before the first cell is begun
STRIDE: Final = 0.2  # of all that a run writes, at most, from its start to its kill
PAUSE: Final = 0.2  # seconds, at most, from a write to the kill
GLANCE: Final = 0.005  # seconds between looks at the folder
INTERRUPTED: Final = 130
COMMAND: Final = (sys.executable, "-c", "from robustiqa.cli.main import main; main()", "bench")
BENCH: Final = (
    "--model", "psnr", "--model", "ssim", "--attack", "fgsm", "--attack", "pgd:steps=10", "--attack",
    "square:queries=60", "--limit", "10", "--crop", "32", "--batch-size", "4", "--judges", "ssim", "--save-images",
)  # fmt: skip

Rows = dict[tuple[str, str], SampleRow]


@dataclass
class Tally:
    """What happened so far; ``wrong`` is what must not happen."""

    kills: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    leftovers: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class State:
    """What a folder holds: rows by cell and sample, and the bytes of finished cells by file."""

    rows: Rows
    finished: dict[str, bytes]

    @classmethod
    def of(cls, folder: Path) -> "State":
        try:
            cells = Store(folder).cells()
        except InvalidInput as error:
            if "holds no results" not in str(error):
                raise
            cells = []
        rows = {(cell.spec.key, row.id): row for cell in cells for row in cell.samples}
        return cls(rows, {path.name: path.read_bytes() for path in (folder / "cells").glob("*.json")})

    def lost_since(self, before: "State") -> list[str]:
        """What was there before and is gone or another one now."""
        gone = [place for place, row in before.rows.items() if self.rows.get(place) != row]
        rows = [f"row {name!r} of cell {key}" for key, name in gone]
        return rows + [f"cell {name}" for name, old in before.finished.items() if self.finished.get(name) != old]


def report(folder: Path) -> dict[str, str]:
    """The report's texts, without times."""
    results = load_results(folder).timeless()
    return {"csv": results.report("csv"), "md": results.report("md")}


def start(folder: Path, jobs: int) -> subprocess.Popen[bytes]:
    sharing = ("--jobs", str(jobs)) if jobs > 1 else ("--threads", "1")
    with (folder.parent / f"{folder.name}.log").open("ab") as log:
        return subprocess.Popen([*COMMAND, *BENCH, *sharing, "--out", str(folder)], stdout=log, stderr=log)  # noqa: S603


def undisturbed(folder: Path, jobs: int) -> float:
    """Seconds until the first cell was begun, of a run that nobody kills."""
    begun, process, first = time.monotonic(), start(folder, jobs), 0.0
    while process.poll() is None:
        if not first and any((folder / "cells").glob("*.json*")):
            first = time.monotonic() - begun
        time.sleep(GLANCE)
    if process.returncode:
        raise click.ClickException(f"the undisturbed run ended with {process.returncode}; see {folder}.log.")
    return first


def written(folder: Path) -> int:
    """Bytes of all cells; a cell that ends between two looks at it is not counted."""
    size = 0
    for path in (folder / "cells").glob("*.json*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


@dataclass(frozen=True)
class Moment:
    """When to kill: so many bytes of cells after the start, and so many seconds after that."""

    growth: int
    seconds: float

    def wait(self, folder: Path, process: subprocess.Popen[bytes]) -> bool:
        """Whether the moment came before the end of the process."""
        wanted = written(folder) + self.growth
        while self.growth and process.poll() is None and written(folder) < wanted:
            time.sleep(GLANCE)
        try:
            process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            return True
        return False


def kill_once(folder: Path, jobs: int, moment: Moment | None, number: int, tally: Tally) -> bool:
    """Start, wait, kill, look; whether the run came to its end before. Without a moment it is left to do so."""
    before, process = State.of(folder), start(folder, jobs)
    if moment is not None and moment.wait(folder, process):
        chosen = SIGNALS[number % len(SIGNALS)]
        process.send_signal(chosen)
        code = process.wait()
        tally.kills[chosen.name] += 1
        tally.codes[f"{chosen.name}: {code}"] += 1
        if code not in {-chosen, INTERRUPTED, 0}:
            tally.wrong.append(f"{chosen.name} ended the run with {code}")
    elif process.wait():
        tally.wrong.append(f"a resumed run ended with {process.returncode}")
    after = State.of(folder)
    tally.wrong += [f"kill {number}, {folder.name}: lost or changed: {what}" for what in after.lost_since(before)]
    tally.places["no row yet" if not after.rows else "unfinished" if process.returncode else "finished"] += 1
    return process.returncode == 0


@click.command()
@click.option("--kills", type=click.IntRange(min=1), default=60, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Worker processes of the bench.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/kills"), show_default=True)
def main(kills: int, jobs: int, seed: int, out: Path) -> None:
    """Kill, resume, compare; the counts are printed and written to OUT/kills.json."""
    if out.exists():
        raise click.ClickException(f"{out} exists; give a new folder.")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in a shell's background ignores it
    os.environ.setdefault("ROBUSTIQA_CACHE", str(out.absolute() / "cache"))
    out.mkdir(parents=True)
    first = undisturbed(out / "whole", jobs)
    whole = written(out / "whole")
    wanted, moments, tally = report(out / "whole"), random.Random(seed), Tally()  # noqa: S311 (no secret)
    while sum(tally.kills.values()) < kills and not tally.wrong:
        tally.rounds += 1
        folder = out / f"round-{tally.rounds}"
        while True:
            number = sum(tally.kills.values())
            early = Moment(0, moments.uniform(0, first))
            later = Moment(1 + int(moments.uniform(0, STRIDE) * whole), moments.uniform(0, PAUSE))
            moment = early if moments.random() < EARLY else later
            if kill_once(folder, jobs, moment if number < kills else None, number, tally) or tally.wrong:
                break
            click.echo(f"{number + 1} of {kills} kills", err=True)
        if not tally.wrong and report(folder) != wanted:
            tally.wrong.append(f"{folder}: the report differs from that of the undisturbed run")
        tally.leftovers += len(list(folder.rglob("*.tmp")))
    record = {"seed": seed, "jobs": jobs, **vars(tally)}
    write_atomically(out / "kills.json", json.dumps(record, indent=1) + "\n")
    click.echo(json.dumps(record, indent=1))
    sys.exit(1 if tally.wrong else 0)


if __name__ == "__main__":
    main()
