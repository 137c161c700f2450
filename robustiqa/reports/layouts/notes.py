"""Sentences that stand under several tables."""

from collections.abc import Sequence
from typing import Final

from robustiqa.benchmarks.cell import DatasetRecord
from robustiqa.reports.layouts.beside import NOTE
from robustiqa.reports.layouts.options import LayoutOptions

RANKING: Final = "bold: the best of its group; ≈: not separable from it (their paired difference may be 0)."


def interval_note(options: LayoutOptions, group: str) -> str:
    """How intervals were made, and what bold and ≈ mean."""
    how = "clustered by reference" if options.mode == "cluster" else "of single images (i.i.d.)"
    return f"Brackets: 95 % CI, paired bootstrap {how}, 1000 resamples; {RANKING.replace('its group', group)}"


def dataset_note(dataset: DatasetRecord) -> str:
    """Which human scores these are."""
    return f"{dataset.name}: {dataset.human_score}."


def paper_notes(options: LayoutOptions, where: str, ours: Sequence[str]) -> tuple[str, ...]:
    """Whose figures stand in the paper's columns, and on which data, where they are shown."""
    if not options.with_paper:
        return ()
    return (NOTE, f"The paper's are of {where}, ours of {', '.join(ours)}.")
