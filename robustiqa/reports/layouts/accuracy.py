"""The layout that Tables 6 and 8 share: majority accuracy on two-alternative choices, models by attacks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.layouts.attacked import (
    AttackColumn,
    Variant,
    at_text,
    attacks_at,
    calibrated,
    paper_attacks,
    radius,
    spec_of,
    spelled_attacks,
    variants,
    visibility,
)
from robustiqa.reports.layouts.beside import Draft, beside, ordered
from robustiqa.reports.layouts.choices import Attacked, Choices, accuracy_entry, choices_of
from robustiqa.reports.layouts.defended import absent_line, defended_line, grid_figures, identity_columns
from robustiqa.reports.layouts.entries import Entry, Sampler
from robustiqa.reports.layouts.notes import dataset_note, interval_note, paper_notes
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.paper_figures import ATTACK_FIELDS
from robustiqa.reports.rows import sorted_views
from robustiqa.reports.table import Column, Content, Table

SIDES: Final[dict[Attacked, str]] = {
    "preferred": "on the image that people preferred, downwards",
    "other": "on the image that people did not prefer, upwards",
}

ACCURACY: Final = (
    "Accuracy: share of choices in which the model prefers what most people preferred, a tie of the model counting "
    "half; where people are tied there is no choice. n: choices."
)


def accuracy_tables(
    run: Run,
    options: LayoutOptions,
    what: tuple[str, str],
    figures: str,
    shown: Callable[[Variant], bool],
) -> list[Table]:
    """One table per dataset of the variants that are ``shown``.

    Args:
        what: the table's number and subject.
        figures: file of the paper's own figures.

    Raises:
        InvalidInput: no variant is shown, or no two attacked images share a reference and differ in human score.
    """
    by_dataset = variants(sorted_views(run.cells))
    chosen = [[variant for variant in own if shown(variant)] for own in by_dataset]
    if not any(chosen):
        raise InvalidInput(f"{what[0]}: no attacked model to show; robustiqa bench --dataset bapps=FOLDER makes some.")
    return [_table(own, options, what, figures) for own in chosen if own]


def _table(own: Sequence[Variant], options: LayoutOptions, what: tuple[str, str], figures: str) -> Table:
    eps = radius(own, options.eps)
    options = replace(options, with_paper=options.with_paper and not calibrated(own))
    attacks = attacks_at(own, eps)
    views = [view for variant in own for (_, at, _), view in variant.views.items() if at == eps]
    dataset = spec_of(own).dataset
    choices = choices_of(max(views, key=lambda view: len(view.rows)))
    if not choices.comparisons:
        raise InvalidInput(f"{dataset.name}: no two attacked images share a reference and differ in human score.")
    side: Attacked = max(SIDES, key=lambda name: _covered(own[0], attacks, eps, choices, name))
    drafts = _drafts(own, attacks, eps, choices, side, options)
    missing = paper_attacks(attacks, ATTACK_FIELDS.values()) if options.with_paper else []
    columns, lines = tuple(_columns([*attacks, *missing])), ordered(drafts)
    if options.with_paper:
        columns, lines = beside(columns, drafts, grid_figures(figures), absent_line)
    notes = (
        dataset_note(dataset) + (" Choices are derived from the order of these scores." if choices.derived else ""),
        ACCURACY,
        f"Attacks at {at_text(own, eps)}, {SIDES[side]}{spelled_attacks(attacks)}.",
        interval_note(options, "its model"),
        *paper_notes(options, "BAPPS", [dataset.name]),
    )
    number, subject = what
    name = number.lower().replace(" ", "")
    where = f"{dataset.name}{visibility(own)}"
    return Table(name, f"{subject} on {where} (layout of the paper's {number})", columns, lines, notes)


def _covered(
    variant: Variant, attacks: Sequence[AttackColumn], eps: float, choices: Choices, side: Attacked
) -> int:
    """Choices whose ``side`` was attacked, over all attacks."""
    entries = [accuracy_entry(choices, variant.at(attack.label, eps), side) for attack in attacks]
    return sum(len(entry.ids) for entry in entries if entry is not None)


def _columns(attacks: Sequence[AttackColumn]) -> list[Column]:
    return [
        *identity_columns(),
        Column("clean", "clean", "accuracy", "higher"),
        *(Column(attack.field, attack.title, "accuracy", "higher") for attack in attacks),
        Column("flags", "flags"),
    ]


def _drafts(
    own: Sequence[Variant],
    attacks: Sequence[AttackColumn],
    eps: float,
    choices: Choices,
    side: Attacked,
    options: LayoutOptions,
) -> list[Draft]:
    sampler, drafts = Sampler(options), []
    for _, members in groupby(own, key=lambda variant: variant.group):
        group = list(members)
        entries = [_entries(variant, attacks, eps, choices, side) for variant in group]
        cells: list[dict[str, Content]] = [{} for _ in group]
        for key in entries[0]:
            for cell, number in zip(cells, sampler.numbers([e[key] for e in entries]), strict=True):
                cell[key] = number
        for variant, figures, cell in zip(group, entries, cells, strict=True):
            drafts.append(defended_line(variant, list(figures.values()), cell, variant.flags_at(eps), sampler))
    return drafts


def _entries(
    variant: Variant, attacks: Sequence[AttackColumn], eps: float, choices: Choices, side: Attacked
) -> dict[str, Entry | None]:
    views = {attack.field: variant.at(attack.label, eps) for attack in attacks}
    every = {f"{field} {direction}": view for field, own in views.items() for direction, view in own.items()}
    attacked = {field: accuracy_entry(choices, own, side) for field, own in views.items()}
    return {"clean": accuracy_entry(choices, every, None), **attacked}
