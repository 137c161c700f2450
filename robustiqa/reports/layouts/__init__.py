"""The paper's tables as named layouts: ``robustiqa report RUN --table table3``, one file per layout."""

from collections.abc import Callable, Mapping
from typing import Final

from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.named import named_layout
from robustiqa.reports.table import Table

Layout = Callable[[Run, LayoutOptions], list[Table]]
LAYOUTS: Final[Mapping[str, str]] = {
    "table1": "datasets: images, references, sizes",
    "table2": "correlations on several datasets, by what a model was trained on",
    "table3": "robustness of defended models: attacked SROCC and IR-Score",
    "table4": "ablation of BiRQA's modules, from a folder of robustiqa ablate",
    "table5": "correlations on several datasets",
    "table6": "two-alternative choices under attack, by defense",
    "table7": "pairwise differences of SROCC",
    "table8": "two-alternative choices under attack, purification against training",
    "defenses": "defenses side by side: clean cost, adaptive beside oblivious, the worst",
    "table9": "hyper-parameters of the shipped training recipes",
}


def make_tables(name: str, run: Run, options: LayoutOptions) -> list[Table]:
    """The layout ``name`` of a run: one table, or one per dataset.

    Raises:
        UnknownName: no such layout.
        InvalidInput: the results hold nothing that the layout shows; the message says what to run.
    """
    layout: Layout = named_layout("table", name, LAYOUTS, __name__)
    return layout(run, options)
