"""From cells to the HTML report: rows, pictures, page."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from robustiqa.benchmarks.cell import Cell
from robustiqa.core.errors import RobustIQAError
from robustiqa.datasets import load_dataset
from robustiqa.datasets.base import PairDataset
from robustiqa.reports.html.arena import arenas
from robustiqa.reports.html.gallery import Card, Shot, card, shots
from robustiqa.reports.html.page import page
from robustiqa.reports.html.pictures import Recomputed
from robustiqa.reports.rows import make_rows

PICTURES: Final = 12
PATIENCE: Final = 60.0  # seconds that pictures may take where nobody asked for a number of them
Progress = Callable[[int, int], None]


def html_report(
    cells: Sequence[Cell],
    datasets: Iterable[PairDataset] = (),
    pictures: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> str:
    """One self-contained HTML file.

    Args:
        cells: what to report.
        datasets: where to read images from, to show the most-moved ones; ``demo`` is always at hand.
        pictures: how many to show; None for up to 12, as long as their attacks took a minute in all. Attacks on
            single images are computed again for them, and must give the scores of the run.
        progress: called with (done, total) before and after each picture.
    """
    rows = make_rows(cells)
    fields = arenas(rows)
    chosen = shots(fields, PICTURES if pictures is None else pictures)
    known = {data.manifest(): data for data in (*datasets, load_dataset("demo"))}
    shown = _cards(chosen, Recomputed(known), PATIENCE if pictures is None else None, progress)
    return page(cells, rows, fields, tuple(shown))


def _cards(
    chosen: Sequence[Shot], recomputed: Recomputed, patience: float | None, progress: Progress
) -> Iterator[Card]:
    """A card for each shot; the times of the run decide whose pictures are worth the wait, not the clock."""
    spent = 0.0
    for done, shot in enumerate(chosen):
        progress(done, len(chosen))
        spent += shot.row.seconds
        if patience is not None and spent > patience:
            yield card(shot, f"it would take about {shot.row.seconds:.0f} s more; ask for --pictures {len(chosen)}")
            continue
        try:
            yield card(shot, recomputed(shot.view, shot.row))
        except RobustIQAError as error:
            yield card(shot, f"it could not be computed again: {error}")
    progress(len(chosen), len(chosen))
