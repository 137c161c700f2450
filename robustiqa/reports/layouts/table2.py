"""Table 2: PLCC and SROCC on other datasets than a model was trained on."""


from robustiqa.reports.layouts.beside import Draft, PaperFigures, PaperKey, beside, ordered
from robustiqa.reports.layouts.clean import CleanData, Subject, clean_data
from robustiqa.reports.layouts.correlations import correlation_cells, correlation_columns, field_of, sizes
from robustiqa.reports.layouts.entries import Sampler
from robustiqa.reports.layouts.notes import dataset_note, interval_note, paper_notes
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.layouts.table5 import absent as absent_method
from robustiqa.reports.layouts.table5 import method_key, printed_methods
from robustiqa.reports.paper_figures import DATASETS, paper_rows
from robustiqa.reports.paper_figures import printed as printed_figure
from robustiqa.reports.table import Column, Content, Table

FILE = "table2_cross_dataset"


def layout(run: Run, options: LayoutOptions) -> list[Table]:
    """One table; figures on a dataset whose labels the model was trained on are left out, as in the paper."""
    every = [_others(data) for data in clean_data(run.cells)]
    subjects = {subject.name: subject for data in every for subject in data.subjects}
    names = sorted(subjects, key=lambda name: subjects[name].order)
    cells, flags = correlation_cells(every, names, Sampler(options))
    drafts = [
        Draft(
            {
                "model": name,
                "trained": trained_on(subjects[name]),
                **cells[name],
                "flags": " ".join(sorted(flags[name])),
            },
            order=subjects[name].order,
            paper=_key(subjects[name]),
        )
        for name in names
    ]
    ours = [field_of(data.dataset.name) for data in every]
    printed = [name for name in dict.fromkeys(row["tested_on"] for row in paper_rows(FILE)) if name not in ours]
    columns = (
        Column("model", "model"),
        Column("trained", "trained on"),
        *correlation_columns([*ours, *(printed if options.with_paper else [])]),
        Column("flags", "flags"),
    )
    wide, lines = beside(columns, drafts, _figures(), _absent) if options.with_paper else (columns, ordered(drafts))
    notes = (
        *(dataset_note(data.dataset) for data in every),
        f"Clean scores of whole images; n: {sizes(every)}. PLCC after the 4-parameter logistic of VQEG.",
        interval_note(options, "its column"),
        *paper_notes(options, "the datasets of those names", ours),
    )
    return [Table("table2", "Table 2: PLCC and SROCC across datasets", wide, lines, notes)]


def trained_on(subject: Subject) -> str:
    """Where the model's labels came from, by the paper's names where it has one."""
    labels = [DATASETS.get(label, label) for label in subject.model.trained_on]
    return ", ".join(labels) or "no human scores declared"


def _others(data: CleanData) -> CleanData:
    return CleanData(data.dataset, tuple(subject for subject in data.subjects if not data.labels_seen(subject)))


def _key(subject: Subject) -> PaperKey | None:
    method = method_key(subject, printed_methods(FILE))
    trained = trained_on(subject)
    return None if method is None or trained not in {"KADID-10k", "PIPAL"} else (*method, trained)


def _absent(key: PaperKey) -> Draft:
    draft = absent_method(key)
    return Draft({**draft.cells, "trained": key[1]}, (*draft.order, key[1]), key)


def _figures() -> PaperFigures:
    figures: dict[PaperKey, dict[str, Content]] = {}
    for row in paper_rows(FILE):
        own = figures.setdefault((row["method"], row["trained_on"]), {})
        own |= {f"{row['tested_on']} {kind}": printed_figure(row[kind]) for kind in ("plcc", "srocc")}
    return figures
