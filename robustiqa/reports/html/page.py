"""The page: its sections put together, and one template that writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from robustiqa.benchmarks.cell import Cell
from robustiqa.reports.html.arena import Arena
from robustiqa.reports.html.drawing import Figure
from robustiqa.reports.html.environment import content_policy, environment
from robustiqa.reports.html.figures.carried import transfer_map
from robustiqa.reports.html.figures.clean_attacked import clean_attacked
from robustiqa.reports.html.figures.distortions import heat_map
from robustiqa.reports.html.figures.eps_curves import eps_curves
from robustiqa.reports.html.figures.gain_distributions import gain_distributions
from robustiqa.reports.html.figures.ir_scores import ir_scores
from robustiqa.reports.html.figures.judges import judged
from robustiqa.reports.html.figures.query_curves import change_curves, query_curves
from robustiqa.reports.html.findings import Finding, findings, headline, images
from robustiqa.reports.html.flag_links import FlagBook
from robustiqa.reports.html.gallery import WINDOW, Card
from robustiqa.reports.html.heat import HeatMap
from robustiqa.reports.html.leaderboard import Leaderboard, leaderboards
from robustiqa.reports.html.listing import listing
from robustiqa.reports.html.provenance import provenance
from robustiqa.reports.rows import Row

FIGURES = (eps_curves, ir_scores, gain_distributions, clean_attacked, judged, query_curves, change_curves)
HEAT_MAPS = (heat_map, transfer_map)


@dataclass(frozen=True)
class Section:
    """One dataset; ``anchor`` is made of its number."""

    anchor: str
    title: str
    images: str
    labels: str
    findings: tuple[Finding, ...]
    leaderboards: tuple[Leaderboard, ...]
    figures: tuple[Figure, ...]
    heat_maps: tuple[HeatMap, ...]


def page(cells: Sequence[Cell], rows: Sequence[Row], fields: Sequence[Arena], shown: Sequence[Card] = ()) -> str:
    """The report as one HTML file, the same bytes for the same arguments."""
    book = FlagBook(rows)
    return environment().get_template("report.html.j2").render(
        policy=content_policy(),
        headline=headline(fields),
        sections=[_section(i, arena, book) for i, arena in enumerate(fields, 1)],
        cards=shown,
        listing=listing(rows, book, several=len(fields) > 1),
        flags=book.entries,
        provenance=provenance(cells),
        replicates=max((row.gain.clustered.replicates for row in rows), default=0),
        window=WINDOW,
        version=version("robustiqa"),
    )  # fmt: skip


def figures_of(arena: Arena) -> tuple[Figure, ...]:
    """All figures that the arena's trials have the numbers for."""
    return tuple(figure for draw in FIGURES if (figure := draw(arena)) is not None)


def _section(number: int, arena: Arena, book: FlagBook) -> Section:
    return Section(
        anchor=f"data-{number}",
        title=arena.title,
        images=images(arena),
        labels=arena.spec.dataset.human_score,
        findings=findings(arena),
        leaderboards=tuple(leaderboards(arena, book)),
        figures=figures_of(arena),
        heat_maps=tuple(found for draw in HEAT_MAPS if (found := draw(arena)) is not None),
    )
