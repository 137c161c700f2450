"""Table 4: BiRQA with its modules replaced, from the files that ``robustiqa ablate`` leaves."""

import math

from robustiqa.core.errors import InvalidInput
from robustiqa.core.parameters import build, split_named
from robustiqa.models.birqa.model import Settings
from robustiqa.reports.lab import read_trials
from robustiqa.reports.layouts.beside import NOTE, Draft, PaperFigures, PaperKey, beside, ordered
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.paper_figures import paper_rows, printed
from robustiqa.reports.table import Column, Content, Number, Table
from robustiqa.training.ablation import Modules
from robustiqa.training.trial import Trial

COLUMNS = (
    Column("csram", "CSRAM"),
    Column("scgb", "SCGB"),
    Column("rah", "RAH"),
    Column("plcc", "PLCC", better="higher"),
    Column("srocc", "SROCC", better="higher"),
    Column("within", "SROCC within type", better="higher"),
    Column("n", "references"),
    Column("parameters", "parameters"),
    Column("steps", "steps"),
)
PAPER_NOTE = "The paper's are of KADID-10k. Its last row leaves CSRAM's mark unreadable; it is taken for yes."


def layout(run: Run, options: LayoutOptions) -> list[Table]:
    """One table of all trials in the folders.

    Raises:
        InvalidInput: there are none.
    """
    trials = read_trials(run.folders, "ablate")
    best = max(trials, key=lambda trial: -math.inf if math.isnan(trial.srocc) else trial.srocc)
    drafts = [_draft(trial, best=trial is best) for trial in trials]
    columns: tuple[Column, ...] = COLUMNS
    lines = ordered(drafts)
    if options.with_paper:
        columns, lines = beside(COLUMNS, drafts, _figures(), _absent)
    notes = (
        "A dash: the module is replaced, CSRAM by cross-attention, SCGB by a product, RAH by pooling and an MLP.",
        "Expected human scores of the validation references; one training run each, so there are no intervals or ties.",
        *((NOTE, PAPER_NOTE) if options.with_paper else ()),
    )
    return [Table("table4", "Ablation of BiRQA (layout of the paper's Table 4)", columns, lines, notes)]


def modules_of(trial: Trial) -> Modules:
    """Which of the paper's modules the trial's architecture has."""
    name, parameters = split_named(trial.model)
    if name != "birqa":
        raise InvalidInput(f"trial of {trial.model!r}: an ablation is of birqa.")
    settings = build(Settings, parameters)
    return Modules(csram=settings.csram is True, scgb=settings.scgb is True, rah=settings.rah)


def _draft(trial: Trial, *, best: bool) -> Draft:
    modules = modules_of(trial)
    return Draft(
        {
            **_marks(modules),
            "plcc": Number(trial.plcc),
            "srocc": Number(trial.srocc, best=best),
            "within": Number(trial.within_type),
            "n": trial.references,
            "parameters": trial.parameters,
            "steps": trial.steps,
        },
        order=(sum(modules), [not there for there in modules]),
        paper=tuple("yes" if there else "no" for there in modules),
    )


def _marks(modules: Modules) -> dict[str, Content]:
    return {name: "yes" if there else None for name, there in modules._asdict().items()}


def _figures() -> PaperFigures:
    return {
        tuple("yes" if row[name] == "?" else row[name] for name in Modules._fields): {
            "plcc": printed(row["plcc"]),
            "srocc": printed(row["srocc"]),
        }
        for row in paper_rows("table4_ablation_kadid")
    }


def _absent(key: PaperKey) -> Draft:
    modules = Modules(*(mark == "yes" for mark in key))
    return Draft(_marks(modules), order=(sum(modules), [not there for there in modules]), paper=key)
