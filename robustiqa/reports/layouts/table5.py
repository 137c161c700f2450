"""Table 5: PLCC and SROCC of models on several datasets. The best of every column is bold."""


from robustiqa.reports.layouts.beside import Draft, PaperFigures, PaperKey, beside, ordered, paper_model
from robustiqa.reports.layouts.clean import Subject, clean_data
from robustiqa.reports.layouts.correlations import correlation_cells, correlation_columns, field_of, sizes
from robustiqa.reports.layouts.entries import Sampler
from robustiqa.reports.layouts.notes import dataset_note, interval_note, paper_notes
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.paper_figures import DEFENSES, MODELS, paper_rows, rank_of, split_defense
from robustiqa.reports.paper_figures import printed as printed_figure
from robustiqa.reports.table import Column, Content, Table

FILE = "table5_fr_benchmarks"


def layout(run: Run, options: LayoutOptions) -> list[Table]:
    """One table of all datasets and models; PLCC is after the logistic of VQEG, fitted on the same images."""
    every = clean_data(run.cells)
    subjects = {subject.name: subject for data in every for subject in data.subjects}
    names = sorted(subjects, key=lambda name: subjects[name].order)
    cells, flags = correlation_cells(every, names, Sampler(options))
    drafts = [
        Draft(
            {"model": name, **cells[name], "flags": " ".join(sorted(flags[name]))},
            order=subjects[name].order,
            paper=method_key(subjects[name], printed_methods(FILE)),
        )
        for name in names
    ]
    figures = _figures() if options.with_paper else {}
    ours = [field_of(data.dataset.name) for data in every]
    printed = [name for name in dict.fromkeys(row["dataset"] for row in paper_rows(FILE)) if name not in ours]
    columns = (
        Column("model", "model"),
        *correlation_columns([*ours, *(printed if options.with_paper else [])]),
        Column("flags", "flags"),
    )
    wide, lines = beside(columns, drafts, figures, absent) if options.with_paper else (columns, ordered(drafts))
    notes = (
        *(dataset_note(data.dataset) for data in every),
        f"Clean scores of whole images; n: {sizes(every)}. PLCC after the 4-parameter logistic of VQEG.",
        interval_note(options, "its column"),
        *paper_notes(options, "the datasets of those names", ours),
    )
    return [Table("table5", "Table 5: PLCC and SROCC on clean images", wide, lines, notes)]


def printed_methods(file: str) -> set[str]:
    """The methods of a table of the paper, without their defenses."""
    return {split_defense(row["method"])[0] for row in paper_rows(file)}


def method_key(subject: Subject, among: set[str]) -> PaperKey | None:
    """The paper's line about a model, defended or not."""
    model = paper_model(subject.model.name, sorted(among))
    defense = "none" if subject.defense is None else subject.defense.name
    if model is None or defense not in {"none", DEFENSES["AAT"]}:
        return None
    return (model if defense == "none" else f"AAT-{model}",)


def absent(key: PaperKey) -> Draft:
    """A method of the paper that these results lack."""
    model, defense = split_defense(key[0])
    ours = MODELS[model]
    place = rank_of(ours[0]) if ours else list(MODELS).index(model)
    return Draft({"model": key[0]}, order=(place, f"~{defense}{key[0]}"), paper=key)


def _figures() -> PaperFigures:
    figures: dict[PaperKey, dict[str, Content]] = {}
    for row in paper_rows(FILE):
        own = figures.setdefault((row["method"],), {})
        own |= {f"{row['dataset']} {kind}": printed_figure(row[kind]) for kind in ("plcc", "srocc")}
    return figures
