"""Table 3: clean and attacked SROCC, and the IR-Score, of models and their defenses. The best of each model is bold."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from robustiqa.reports.compose import View
from robustiqa.reports.draws import Deck
from robustiqa.reports.ir import IRResult, ir_results
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
from robustiqa.reports.layouts.defended import absent_line, defended_line, grid_figures, identity_columns
from robustiqa.reports.layouts.entries import Entry, Sampler, mean_entry, srocc_entry
from robustiqa.reports.layouts.notes import dataset_note, interval_note, paper_notes
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.rows import sorted_views
from robustiqa.reports.rows_table import ir_note
from robustiqa.reports.table import Column, Content, Table

PAPER_FIELDS = ("fgsm", "cw", "autoattack", "facpa")


def layout(run: Run, options: LayoutOptions) -> list[Table]:
    """One table per dataset; attacked SROCC under ``tomean``, IR-Scores from ``up``.

    Calibrated attacks have a table of their own, without IR-Scores and the paper's figures, which are of equal ε.
    """
    views = sorted_views(run.cells)
    raised = [view for view in views if view.direction == "up"]
    results = ir_results(raised, options.domain, Deck(options.seed))
    irs = {view.keys: result for view, result in zip(raised, results, strict=True)}
    return [_table(own, irs, options) for own in variants(views)]


def _table(own: Sequence[Variant], irs: Mapping[tuple[str, ...], IRResult | None], options: LayoutOptions) -> Table:
    eps = radius(own, options.eps)
    options = replace(options, with_paper=options.with_paper and not calibrated(own))
    attacks = attacks_at(own, eps)
    shown = [*attacks, *(paper_attacks(attacks, PAPER_FIELDS) if options.with_paper else [])]
    columns = _columns(shown, options)
    results = [[_ir(variant, attack, eps, irs) for attack in attacks] for variant in own]
    drafts = _drafts(own, attacks, eps, results, options)
    lines = ordered(drafts)
    if options.with_paper:
        columns, lines = beside(columns, drafts, grid_figures("table3_robustness_kadid"), absent_line)
    dataset = spec_of(own).dataset
    found = [result for row in results for result in row if result is not None]
    notes = (
        dataset_note(dataset),
        f"Attacks at {at_text(own, eps)}{spelled_attacks(attacks)}.",
        "Attacked SROCC: tomean (up where human quality is below the dataset's mean, else down). IR-Score: up.",
        interval_note(options, "its model"),
        *((ir_note(found),) if found else ()),
        *paper_notes(options, "KADID-10k", [dataset.name]),
    )
    where = f"{dataset.name}{visibility(own)}"
    title = f"Robustness of models and their defenses on {where} (layout of the paper's Table 3)"
    return Table("table3", title, tuple(columns), lines, notes)


def _columns(attacks: Sequence[AttackColumn], options: LayoutOptions) -> Sequence[Column]:
    return [
        *identity_columns(),
        Column("srocc_clean", "clean", "SROCC", "higher"),
        *(Column(f"srocc_{attack.field}", attack.title, "SROCC", "higher") for attack in attacks),
        *(Column(f"ir_{attack.field}", attack.title, "IR-Score", "higher") for attack in attacks),
        *([Column("train_min_paper", "training (min), paper", paper=True)] if options.with_paper else []),
        Column("flags", "flags"),
    ]


def _drafts(
    own: Sequence[Variant], attacks: Sequence[AttackColumn], eps: float, results: Sequence[Sequence[IRResult | None]],
    options: LayoutOptions,
) -> list[Draft]:
    sampler, drafts = Sampler(options), []
    for _, members in groupby(zip(own, results, strict=True), key=lambda pair: pair[0].group):
        group = list(members)
        sroccs = [_sroccs(variant, attacks, eps) for variant, _ in group]
        cells: list[dict[str, Content]] = [{} for _ in group]
        for key in sroccs[0]:
            for cell, number in zip(cells, sampler.numbers([own[key] for own in sroccs]), strict=True):
                cell[key] = number
        for i, attack in enumerate(attacks):
            entries = [None if row[i] is None else _ir_entry(row[i]) for _, row in group]
            for cell, number in zip(cells, sampler.numbers(entries), strict=True):
                cell[f"ir_{attack.field}"] = number
        for (variant, row), entries_of, cell in zip(group, sroccs, cells, strict=True):
            flags = {*variant.flags_at(eps), *(flag for result in row if result is not None for flag in result.flags)}
            drafts.append(defended_line(variant, list(entries_of.values()), cell, flags, sampler))
    return drafts


def _sroccs(variant: Variant, attacks: Sequence[AttackColumn], eps: float) -> dict[str, Entry | None]:
    attacked = {attack: variant.at(attack.label, eps) for attack in attacks}
    views = [view for own in attacked.values() for view in own.values()]
    clean = max(views, key=lambda view: len(view.rows), default=None)
    return {
        "srocc_clean": None if clean is None else _srocc(clean, "clean"),
        **{
            f"srocc_{attack.field}": _srocc(own["tomean"], "attacked") if "tomean" in own else None
            for attack, own in attacked.items()
        },
    }


def _srocc(view: View, field: str) -> Entry:
    scores = view.quality(field)
    valid = [(row, float(score)) for row, score in zip(view.rows, scores, strict=True) if row.status == "ok"]
    references = {row.id: row.reference for row, _ in valid}
    quality = {row.id: score for row, score in valid}
    return srocc_entry(references, {row.id: row.quality for row, _ in valid}, quality, len(view.rows) - len(valid))


def _ir(
    variant: Variant, attack: AttackColumn, eps: float, irs: Mapping[tuple[str, ...], IRResult | None]
) -> IRResult | None:
    view = variant.at(attack.label, eps).get("up")
    return None if view is None else irs.get(view.keys)


def _ir_entry(result: IRResult | None) -> Entry | None:
    return None if result is None else mean_entry(result.references, result.differences)
