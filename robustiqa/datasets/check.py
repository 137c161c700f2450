"""Is a dataset's folder whole? Counts, names, sizes, and whether every image can be read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import read_rgb
from robustiqa.datasets.base import PairDataset, references
from robustiqa.datasets.files import FolderPairs, inside
from robustiqa.datasets.triplets import TripletDataset

SHOWN: Final = 20  # problems of one kind that are spelled out


@dataclass
class Findings:
    """What a check found: how much there is, and what is wrong with it, by kind."""

    name: str
    pairs: int
    references: int
    images: int = 0
    problems: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, text: str) -> None:
        self.problems.setdefault(kind, []).append(text)

    @property
    def sound(self) -> bool:
        return not self.problems

    def lines(self) -> Iterator[str]:
        """The findings as text: a summary, then each kind of problem with its first cases."""
        state = "sound" if self.sound else f"{sum(map(len, self.problems.values()))} problems"
        yield f"{self.name}: {self.pairs} pairs, {self.references} references, {self.images} images read: {state}"
        for kind, cases in self.problems.items():
            yield from (f"  {kind}: {case}" for case in cases[:SHOWN])
            if len(cases) > SHOWN:
                yield f"  {kind}: and {len(cases) - SHOWN} more"


def check_folder(dataset: PairDataset, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Findings:
    """Compare a dataset with what its authors published and decode every image once.

    Args:
        progress: called with (images read, images to read) after each image.

    Raises:
        InvalidInput: the dataset has no files of its own, such as ``demo``.
    """
    source = dataset.source if isinstance(dataset, TripletDataset) else dataset
    if not isinstance(source, FolderPairs):
        raise InvalidInput(f"{dataset.name} is made on the fly: it has no files to check.")
    findings = Findings(dataset.name, len(source.pairs), len(references(source.pairs)))
    _counts(dataset, source, findings)
    sizes = _read_all(source, findings, progress)
    _sizes(source, sizes, findings)
    return findings


def _counts(dataset: PairDataset, source: FolderPairs, findings: Findings) -> None:
    published = source.published
    if published is None:
        return
    found = {"pairs": (findings.pairs, published.pairs), "references": (findings.references, published.references)}
    if isinstance(dataset, TripletDataset) and published.triplets is not None:
        found["comparisons"] = (len(dataset.triplets), published.triplets)
    for what, (here, there) in found.items():
        if here != there:
            findings.add("count", f"{here} {what}; the published dataset has {there}")


def _read_all(source: FolderPairs, findings: Findings, progress: Callable[[int, int], None]) -> dict[str, str]:
    """Sizes of all readable files by name, as WIDTHxHEIGHT; what cannot be read becomes a finding."""
    names = sorted({name for pair in source.pairs for name in source.paths[pair.id]})
    sizes = {}
    for done, name in enumerate(names, start=1):
        try:
            path = inside(source.root, name)
            if path.exists():
                height, width = read_rgb(path).shape[:2]
                sizes[name] = f"{width}x{height}"
            else:
                findings.add("missing", name)
        except InvalidInput as error:
            findings.add("unreadable", str(error))
        progress(done, len(names))
    findings.images = len(sizes)
    return sizes


def _sizes(source: FolderPairs, sizes: dict[str, str], findings: Findings) -> None:
    for pair in source.pairs:
        reference, distorted = source.paths[pair.id]
        if reference in sizes and distorted in sizes and sizes[reference] != sizes[distorted]:
            findings.add("sizes", f"{distorted} is {sizes[distorted]}, its reference {reference} {sizes[reference]}")
    if source.published is not None and source.published.size is not None:
        wanted = "{}x{}".format(*source.published.size)
        for name, size in sizes.items():
            if size != wanted:
                findings.add("size", f"{name} is {size}; the published images are {wanted}")
