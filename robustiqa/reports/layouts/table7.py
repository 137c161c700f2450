"""Table 7: differences of SROCC between all pairs of models, with Holm's correction and the paper's own rule."""

from collections.abc import Sequence

from robustiqa.core.errors import InvalidInput
from robustiqa.reports.layouts.beside import NOTE, paper_model
from robustiqa.reports.layouts.clean import CleanData, Subject, clean_data, references_of
from robustiqa.reports.layouts.notes import dataset_note
from robustiqa.reports.layouts.options import LayoutOptions
from robustiqa.reports.layouts.run import Run
from robustiqa.reports.paper_figures import DEFENSES, paper_rows, split_defense
from robustiqa.reports.table import Column, Content, Line, Number, Table
from robustiqa.statistics import Bootstrapped, Interval, Pair, Resamples, bootstrap_sroccs, pairwise, tie_letters

HOLM = "*"
PAPER = "†"


def layout(run: Run, options: LayoutOptions) -> list[Table]:
    """One matrix for each dataset that two or more models were scored on.

    Raises:
        InvalidInput: there is none.
    """
    every = clean_data(run.cells)
    several = [data for data in every if len(data.subjects) > 1]
    if not several:
        raise InvalidInput("table7 compares two or more models on one dataset; robustiqa evaluate --model A --model B.")
    return [_table(data, options) for data in several]


def _table(data: CleanData, options: LayoutOptions) -> Table:
    subjects = data.subjects
    qualities = [subject.quality() for subject in subjects]
    common = sorted(set.intersection(*map(set, qualities)))
    if not common:
        raise InvalidInput(f"{data.dataset.name}: no image has a finite score from every model.")
    references = references_of(subjects[0].rows, common)
    draws = Resamples.draw(list(references.values()), mode=options.mode, seed=options.seed)
    human = [subjects[0].rows[i].quality for i in references]
    models = bootstrap_sroccs(draws, human, [[quality[i] for i in references] for quality in qualities])
    pairs = {(pair.row, pair.column): pair for pair in pairwise(models)}
    letters = tie_letters([model.estimate for model in models], list(pairs.values()))
    names = _names(subjects)
    printed = _printed() if options.with_paper else {}
    keys = [_paper_name(subject) for subject in subjects]
    columns = (
        Column("model", "model"),
        Column("n", "n"),
        Column("srocc", "SROCC", better="higher"),
        Column("ties", "ties"),
        *_matrix_columns(names, keys, with_paper=options.with_paper),
        Column("flags", "flags"),
    )
    lines = []
    for row, subject in enumerate(subjects):
        cells: dict[str, Content] = {
            "model": names[row],
            "n": len(common),
            "srocc": _srocc(models[row]),
            "ties": letters[row] or None,
            "flags": " ".join(sorted(_flags(data, subject, models[row].interval()))),
        }
        for column in range(row):
            cells[f"minus {names[column]}"] = _difference(pairs[row, column])
            cells[f"minus {names[column]}, paper"] = printed.get((keys[row], keys[column]))
        lines.append(Line(cells))
    return Table("table7", f"Table 7, on {data.dataset.name}: differences of SROCC, row minus column", columns,
                 tuple(lines), _notes(data, len(common), options))  # fmt: skip


def _matrix_columns(names: Sequence[str], keys: Sequence[str | None], *, with_paper: bool) -> list[Column]:
    columns = []
    for name, key in list(zip(names, keys, strict=True))[:-1]:
        columns.append(Column(f"minus {name}", name, "row minus"))
        if with_paper and key is not None:
            columns.append(Column(f"minus {name}, paper", f"{name}, paper", "row minus", paper=True))
    return columns


def _notes(data: CleanData, count: int, options: LayoutOptions) -> tuple[str, ...]:
    excluded = max(len(subject.rows) for subject in data.subjects) - count
    how = "references" if options.mode == "cluster" else "single images (i.i.d., as the paper's)"
    left_out = f", {excluded} without a finite score from every model left out" if excluded > 0 else ""
    paper = (NOTE, "The paper's are of PIPAL, i.i.d.") if options.with_paper else ()
    return (
        dataset_note(data.dataset) + f" Clean scores of whole images, n = {count}{left_out}.",
        f"Differences: median ± half the 95 % interval of 1000 paired resamples of {how}; above 0 the row is better.",
        f"{HOLM} separable: the interval excludes 0, and Holm's correction over all pairs agrees at 5 %.",
        f"{PAPER} by the paper's rule: the interval excludes 0 and the difference is at least 0.01, uncorrected.",
        "Ties: models that share a letter cannot be separated; a has the best.",
        *paper,
    )


def _names(subjects: Sequence[Subject]) -> list[str]:
    """Names that are all different: the same name with other weights is numbered."""
    names: list[str] = []
    for subject in subjects:
        again = sum(name == subject.name or name.startswith(f"{subject.name} (") for name in names)
        names.append(f"{subject.name} ({again + 1})" if again else subject.name)
    return names


def _srocc(model: Bootstrapped) -> Number:
    interval = model.interval()
    return Number(interval.estimate, interval.lo, interval.hi)


def _difference(pair: Pair) -> Number:
    mark = (HOLM if pair.separable else "") + (PAPER if pair.significant_in_paper else "")
    return Number(pair.difference.median, pair.difference.lo, pair.difference.hi, mark=mark, half=True)


def _flags(data: CleanData, subject: Subject, interval: Interval) -> set[str]:
    return subject.flags | set(interval.flags) | ({"labels-seen-in-training"} if data.labels_seen(subject) else set())


def _paper_name(subject: Subject) -> str | None:
    """What the paper calls the model, defended or not."""
    among = {split_defense(row[side])[0] for row in paper_rows("table7_pairwise_pipal") for side in ("row", "column")}
    model = paper_model(subject.model.name, sorted(among))
    if model is None or subject.defense is None:
        return model
    return f"AAT-{model}" if DEFENSES["AAT"] == subject.defense.name else None


def _printed() -> dict[tuple[str | None, str | None], Number]:
    """The paper's differences, in both orders: ours may stand in another one."""
    found: dict[tuple[str | None, str | None], Number] = {}
    for row in paper_rows("table7_pairwise_pipal"):
        value, half = float(row["delta_srocc"]), float(row["ci95_halfwidth"])
        for key, sign in (((row["row"], row["column"]), 1), ((row["column"], row["row"]), -1)):
            found[key] = Number(sign * value, sign * value - half, sign * value + half, half=True)
    return found
