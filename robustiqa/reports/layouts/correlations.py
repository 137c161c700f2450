"""PLCC and SROCC on clean images: models by datasets, what Tables 2 and 5 are made of."""

from collections.abc import Mapping, Sequence

from robustiqa.reports.layouts.clean import CleanData, Subject, references_of
from robustiqa.reports.layouts.entries import Entry, Sampler, plcc_entry, srocc_entry
from robustiqa.reports.paper_figures import DATASETS
from robustiqa.reports.table import Column, Content

STATISTICS = {"plcc": plcc_entry, "srocc": srocc_entry}


def field_of(dataset: str) -> str:
    """The paper's name of a dataset of ours that is one of its own; else its own name."""
    return DATASETS.get(dataset, dataset)


def correlation_columns(datasets: Sequence[str]) -> list[Column]:
    """PLCC and SROCC of every dataset, under its name."""
    return [Column(f"{name} {kind}", kind.upper(), name, "higher") for name in datasets for kind in STATISTICS]


def correlation_cells(
    every: Sequence[CleanData], names: Sequence[str], sampler: Sampler
) -> tuple[dict[str, dict[str, Content]], dict[str, set[str]]]:
    """By model name, its cells and its flags; the best of every column is marked."""
    cells: dict[str, dict[str, Content]] = {name: {} for name in names}
    flags: dict[str, set[str]] = {name: set() for name in names}
    for data in every:
        own = {subject.name: subject for subject in data.subjects}
        entries = {kind: {name: _entry(own.get(name), kind) for name in names} for kind in STATISTICS}
        for kind, found in entries.items():
            for name, number in zip(names, sampler.numbers(list(found.values())), strict=True):
                cells[name][f"{field_of(data.dataset.name)} {kind}"] = number
        few = sampler.few_clusters([entry for found in entries.values() for entry in found.values()])
        for name, subject in own.items():
            flags[name] |= subject.flags | {f"{flag} ({data.dataset.name})" for flag in few}
            if data.labels_seen(subject):
                flags[name].add(f"labels-seen-in-training ({data.dataset.name})")
    return cells, flags


def _entry(subject: Subject | None, kind: str) -> Entry | None:
    if subject is None:
        return None
    quality = subject.quality()
    human: Mapping[str, float] = {i: subject.rows[i].quality for i in quality}
    return STATISTICS[kind](references_of(subject.rows, quality), human, quality, len(subject.rows) - len(quality))


def sizes(every: Sequence[CleanData]) -> str:
    """How many images of each dataset were scored."""
    counts = {data.dataset.name: {len(subject.quality()) for subject in data.subjects} for data in every}
    return ", ".join(f"{name} {' or '.join(map(str, sorted(found)))}" for name, found in counts.items())
