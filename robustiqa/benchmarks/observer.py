"""What is noted of an adversarial beside its scores: how other metrics judge it, and the picture itself.

A gain is only a fooled metric if the image did not change in quality, so each is recorded beside what the judges say of
the 8-bit adversarial against the un-attacked image. Nothing here decides a number of a cell.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import torch
from torch import Tensor

from robustiqa.benchmarks.cell import CellSpec, SampleRow, SavedImages
from robustiqa.benchmarks.pictures import Pictures
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.core.parameters import split_named
from robustiqa.models import load_model
from robustiqa.models.dists import FILES as DISTS_FILES
from robustiqa.models.weights import nearby

USUAL: Final = ("dists", "fsim", "ssim")
Judges = Callable[[], tuple[QualityModel, ...]]  # asked late: loading them takes longer than to look at a finished run


@dataclass(frozen=True)
class Observer:
    """Looks at adversarials of attacks.

    Attributes:
        judges: metrics that compare the adversarial with the un-attacked image; one under attack itself is not asked.
        insist: whether rows from before that lack a judge's word are attacked again where no picture was saved.
        pictures: the saved 8-bit pictures of the run; None where there can be none.
        keep: whether pictures are to be saved.
    """

    judges: Judges = tuple
    insist: bool = False
    pictures: Pictures | None = None
    keep: bool = False

    def satisfied(self, row: SampleRow, spec: CellSpec) -> bool:
        """Whether a finished row holds all that is wanted of it, or what is needed to judge it."""
        if spec.purpose != "attack" or spec.source is not None:
            return True
        pictured = self.pictures is not None and self.pictures.holds(row.images)
        return pictured or not (self.keep or (self.insist and self._unheard(row, spec)))

    def note(
        self, rows: Sequence[SampleRow], spec: CellSpec, ref: Tensor, dist: Tensor, adversarial: Tensor
    ) -> list[SampleRow]:
        """The rows of a batch with what is to be seen of it: images [N, 3, H, W], the adversarial ones on 8 bits."""
        words = {judge.info.name: _opinions(judge, dist, adversarial) for judge in _impartial(self.judges(), spec)}
        noted = []
        for i, row in enumerate(rows):
            judged = {name: values[i] for name, values in words.items()}
            images = self._saved(ref[i], dist[i], adversarial[i])
            noted.append(row.model_copy(update={"judged": judged, "images": images}))
        return noted

    def late(self, rows: Iterable[SampleRow], spec: CellSpec) -> list[SampleRow]:
        """Rows from before whose saved pictures can be judged now, with the words that they lacked."""
        pictures = self.pictures
        if pictures is None or spec.purpose != "attack" or spec.source is not None:
            return []
        return [
            self._reheard(row, row.images, pictures, spec)
            for row in rows
            if row.images is not None and pictures.holds(row.images) and self._unheard(row, spec)
        ]

    def _reheard(self, row: SampleRow, images: SavedImages, pictures: Pictures, spec: CellSpec) -> SampleRow:
        dist, adversarial = (pictures.read(name)[None] for name in (images.distorted, images.adversarial))
        words = {judge.info.name: _opinions(judge, dist, adversarial)[0] for judge in self._unheard(row, spec)}
        return row.model_copy(update={"judged": {**row.judged, **words}})

    def _unheard(self, row: SampleRow, spec: CellSpec) -> list[QualityModel]:
        """The judges whose word a row lacks."""
        return [judge for judge in _impartial(self.judges(), spec) if judge.info.name not in row.judged]

    def _saved(self, ref: Tensor, dist: Tensor, adversarial: Tensor) -> SavedImages | None:
        if self.pictures is None or not self.keep:
            return None
        keep = self.pictures.keep
        return SavedImages(reference=keep(ref), distorted=keep(dist), adversarial=keep(adversarial))


NOTHING: Final = Observer()


def usual_judges() -> Judges:
    """DISTS, FSIM and SSIM; DISTS only where its weights are at hand, without a download."""
    return _Usual(tuple(name for name in USUAL if name != "dists" or nearby(DISTS_FILES)))


def named_judges(names: Iterable[str]) -> Judges:
    """Judges by the names of models, loaded here: workers elsewhere may not have the files that these name.

    Raises:
        InvalidInput: an unknown name, missing weights, random weights, or a judge that draws at random.
    """
    judges = _judges(tuple(dict.fromkeys(names)))
    for judge in judges:
        if judge.info.flags or not judge.info.deterministic:
            reason = ", ".join(judge.info.flags) or "its score is random"
            raise InvalidInput(f"judge {judge.info.name!r} cannot be relied on ({reason}); name another one.")
    return partial(tuple, judges)


@dataclass(frozen=True)
class _Usual:
    names: tuple[str, ...]

    def __call__(self) -> tuple[QualityModel, ...]:
        return _judges(self.names)

    def __reduce__(self) -> tuple[object, ...]:
        return partial, (tuple, self())  # loaded before they are sent: their weights need not be where they arrive


def _judges(names: tuple[str, ...]) -> tuple[QualityModel, ...]:
    return tuple(map(_judge, names))


@cache
def _judge(name: str) -> QualityModel:
    """Loaded once, however many benches ask."""
    return load_model(name)


def _impartial(judges: Sequence[QualityModel], spec: CellSpec) -> list[QualityModel]:
    attacked = split_named(spec.model.name)[0]
    return [judge for judge in judges if split_named(judge.info.name)[0] != attacked]


def _opinions(judge: QualityModel, dist: Tensor, adversarial: Tensor) -> list[float | None]:
    if min(dist.shape[-2:]) < judge.info.min_size:
        return [None] * len(dist)
    with torch.no_grad():
        scores = judge.to(dist.device).score(dist, adversarial).tolist()
    return [score if math.isfinite(score) else None for score in scores]
