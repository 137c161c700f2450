"""From cells to the HTML report: rows, pictures, page."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from robustiqa.benchmarks.cell import Cell
from robustiqa.core.errors import RobustIQAError
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import PairDataset
from robustiqa.reports.html.arena import arenas
from robustiqa.reports.html.gallery import Card, Shot, card, shots
from robustiqa.reports.html.page import page
from robustiqa.reports.html.pictures import Kept, Pictures, Recomputed
from robustiqa.reports.rows import Row, make_rows

PICTURES: Final = 12
PATIENCE: Final = 60.0  # seconds that pictures may take where nobody asked for a number of them
Progress = Callable[[int, int], None]


def html_report(
    cells: Sequence[Cell],
    datasets: Iterable[PairDataset] = (),
    pictures: int | None = None,
    progress: Progress = lambda _done, _total: None,
    folders: Iterable[Path] = (),
    rows: Sequence[Row] | None = None,
) -> str:
    """One self-contained HTML file.

    Args:
        cells: what to report.
        datasets: where to read images from, to show the most-moved ones; ``demo`` is always at hand.
        pictures: how many to show; None for up to 12, as long as the attacks to be made again took a minute in all.
            Where no pictures were kept, attacks on single images are computed again, and must give the scores of the
            run.
        progress: called with (done, total) before and after each picture.
        folders: of the results, where pictures may have been kept.
        rows: of the cells, where they were computed before.
    """
    rows = make_rows(cells) if rows is None else rows
    fields = arenas(rows)
    chosen = shots(fields, PICTURES if pictures is None else pictures)
    known = {data.manifest(): data for data in (*datasets, load_dataset("demo"))}
    shown = _cards(chosen, Kept(folders), Recomputed(known), PATIENCE if pictures is None else None, progress)
    return page(cells, rows, fields, tuple(shown))


def _cards(
    chosen: Sequence[Shot], kept: Kept, recomputed: Recomputed, patience: float | None, progress: Progress
) -> Iterator[Card]:
    """A card for each shot; the times of the run decide whose pictures are worth the wait, not the clock."""
    spent = 0.0
    for done, shot in enumerate(chosen):
        progress(done, len(chosen))
        try:
            found: Pictures | str | None = kept(shot.row)
            if found is None:
                spent += shot.row.seconds
                late = patience is not None and spent > patience
                found = _late(shot, len(chosen)) if late else recomputed(shot.view, shot.row)
        except RobustIQAError as error:
            found = f"they cannot be had: {error}"
        yield card(shot, found)
    progress(len(chosen), len(chosen))


def _late(shot: Shot, count: int) -> str:
    return f"it would take about {shot.row.seconds:.0f} s more; ask for --pictures {count}"
