"""Clean scores of whole images, by dataset and model: what the tables of correlations are made of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from robustiqa.benchmarks.cell import Cell, DatasetRecord, ModelRecord, PartRecord, SampleRow, canonical
from robustiqa.core.errors import InvalidInput
from robustiqa.reports.paper_figures import rank_of


@dataclass
class Subject:
    """A model, defended or not, with its clean rows of one dataset by sample id."""

    model: ModelRecord
    defense: PartRecord | None
    rows: dict[str, SampleRow] = field(default_factory=dict)
    finished: bool = True

    @property
    def name(self) -> str:
        """``birqa``, or ``birqa + aat`` where it is defended."""
        return self.model.name if self.defense is None else f"{self.model.name} + {self.defense.label}"

    @property
    def order(self) -> tuple[int, str]:
        """Place in the paper's order of models."""
        return rank_of(self.model.name), self.name

    def quality(self) -> dict[str, float]:
        """Scores oriented so that higher is better, by sample id, of rows that have one."""
        sign = -1 if self.model.lower_better else 1
        return {i: sign * row.clean for i, row in self.rows.items() if row.status == "ok" and row.clean is not None}

    @property
    def flags(self) -> set[str]:
        found = set(self.model.flags) | ({"unfinished"} if not self.finished else set())
        return found | ({"plug-in"} if self.model.code != "built-in" else set())


@dataclass(frozen=True)
class CleanData:
    """One dataset with the models that were scored on it."""

    dataset: DatasetRecord
    subjects: tuple[Subject, ...]

    def labels_seen(self, subject: Subject) -> bool:
        """Whether the model was trained on this dataset's labels."""
        return self.dataset.labels in subject.model.trained_on


def clean_data(cells: Iterable[Cell]) -> list[CleanData]:
    """Every dataset of the cells with clean scores of whole images, by name.

    They are in cells of ``evaluate``, in those that ``bench`` makes beside cropped attacks, and in uncropped attacks.

    Raises:
        InvalidInput: there are none.
    """
    datasets: dict[str, DatasetRecord] = {}
    subjects: dict[str, dict[str, Subject]] = {}
    for cell in _whole(cells):
        spec = cell.spec
        datasets.setdefault(spec.dataset.manifest, spec.dataset)
        defense = None if spec.defense is None else spec.defense.model_dump(mode="json")
        key = canonical([spec.model.model_dump(mode="json"), defense])
        known = subjects.setdefault(spec.dataset.manifest, {})
        subject = known.setdefault(key, Subject(spec.model, spec.defense))
        subject.rows.update({row.id: row for row in cell.samples if row.id not in subject.rows})
        subject.finished &= cell.finished
    if not datasets:
        raise InvalidInput("no clean scores of whole images; make some with: robustiqa evaluate --out DIR.")
    found = [CleanData(d, tuple(sorted(subjects[m].values(), key=lambda s: s.order))) for m, d in datasets.items()]
    return sorted(found, key=lambda data: data.dataset.name)


def _whole(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Cells without an attack first: theirs are the scores that are kept where both are there."""
    whole = [cell for cell in cells if cell.spec.crop is None and cell.spec.purpose in {"clean", "attack"}]
    yield from sorted(whole, key=lambda cell: (cell.spec.purpose != "clean", cell.spec.key))


def references_of(rows: Mapping[str, SampleRow], ids: Iterable[str]) -> dict[str, str]:
    """Reference of every sample of ``ids``, sorted by id."""
    return {i: rows[i].reference for i in sorted(ids)}
