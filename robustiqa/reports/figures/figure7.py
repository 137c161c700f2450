"""Figure 7: SROCC over ε, a panel per attack, from the cells of ``robustiqa bench``."""

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.html.arena import arenas
from robustiqa.reports.html.figures.eps_curves import eps_curves
from robustiqa.reports.html.svg import figure_svg
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.plots import numbered
from robustiqa.reports.rows import make_rows


def layout(run: Run) -> dict[str, str]:
    """One file per dataset, numbered where there are several.

    Raises:
        InvalidInput: no attack has a defined SROCC.
    """
    drawn = [picture for arena in arenas(make_rows(run.cells)) if (picture := eps_curves(arena)) is not None]
    if not drawn:
        raise InvalidInput("no attack with a defined SROCC; robustiqa bench --out DIR makes some.")
    return numbered("figure7", [figure_svg(picture) for picture in drawn])
