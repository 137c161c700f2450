"""A cell: one (dataset, model, defense, attack, ε, direction, threat, seed), named by the hash of what decides it."""

import hashlib
import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from robustiqa.core.precision import Haste, Precision

Status = Literal["ok", "non-finite"]
AnyThreat = Literal["white-box", "black-box", "adaptive", "oblivious", "transfer", "none"]
SCHEMA: Final = 1
# leave no trace in the keys of older cells
LATER: Final = ("max_queries", "max_seconds", "calibrate", "source", "compiled")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DatasetRecord(_Record):
    """The dataset as a whole; ``mean_quality`` is over all its pairs, whatever the limit."""

    name: str
    manifest: str
    pairs: int
    mean_quality: float
    human_score: str
    labels: str


class ModelRecord(_Record):
    """The evaluated model; ``weights`` is the sha256 of its state, ``code`` that of a plug-in's source."""

    name: str
    lower_better: bool
    score_range: tuple[float | None, float | None]
    trained_on: tuple[str, ...]
    licence: str
    flags: tuple[str, ...]
    weights: str
    code: str


class PartRecord(_Record):
    """An attack or a defense with its resolved parameters, as it can be typed again (``label``).

    ``code`` is the sha256 of a plug-in's source, ``weights`` that of all tensors of the defended model, or of the file
    that the attack learned.
    """

    name: str
    label: str
    parameters: dict[str, JsonValue]
    weights: str = ""
    flags: tuple[str, ...] = ()
    code: str = "built-in"


class CalibrationRecord(_Record):
    """Equal visibility in place of equal ε: each sample has the largest ε at which ``metric`` still finds ``target``.

    ``metric`` compares the un-attacked image with the attacked one; ``weights`` is the sha256 of its state.
    """

    metric: str
    target: float
    weights: str


class SourceRecord(_Record):
    """What the adversarials of a transfer were made against: the model, its defense, and how it was attacked."""

    model: ModelRecord
    defense: PartRecord | None
    threat: AnyThreat
    randomised: bool
    eot: int

    @property
    def label(self) -> str:
        """The model, and the defense in front of it."""
        return self.model.name if self.defense is None else f"{self.model.name} + {self.defense.label}"


class CellSpec(_Record):
    """Everything that decides the numbers of a cell; not limit, batch size or device.

    ``purpose`` is ``attack``, or clean scoring for one of two ends: ``clean`` (whole images of the dataset) or
    ``calibration`` (the model's own range of scores). Without an attack ε is 0, direction and threat are ``none``.
    ``randomised`` says whether the evaluated model draws at random, ``eot`` of how many draws the attack took the mean.
    ``max_queries`` and ``max_seconds`` (per sample) stopped searches early; None, as in older cells, for no limit.
    With ``calibrate`` ε is the largest radius that was looked at. With ``source`` (threat ``transfer``) the images are
    the 8-bit adversarials of an attack on another model, under the source's attack, ε, direction and limits.
    ``precision`` and ``compiled`` say how the search called the model; all scores are in fp32, and not compiled.
    """

    purpose: Literal["attack", "clean", "calibration"]
    dataset: DatasetRecord
    model: ModelRecord
    defense: PartRecord | None
    attack: PartRecord | None
    eps: float
    direction: Literal["up", "down", "none"]
    threat: AnyThreat
    randomised: bool
    eot: int
    seed: int
    crop: int | None
    precision: Precision = "fp32"
    version: str
    max_queries: int | None = None
    max_seconds: float | None = None
    calibrate: CalibrationRecord | None = None
    source: SourceRecord | None = None
    compiled: Literal[True] | None = None

    @property
    def key(self) -> str:
        """sha256 of the canonical JSON of this specification; what came later and is not set leaves no trace in it."""
        fields = self.model_dump(mode="json")
        fields = {k: v for k, v in fields.items() if v is not None or k not in LATER}
        return hashlib.sha256(canonical(fields).encode()).hexdigest()[:32]

    @property
    def haste(self) -> Haste:
        """How the search called the model."""
        return Haste(self.precision, bool(self.compiled))

    @property
    def subject(self) -> str:
        """The evaluated model in words, with the defense in front of it."""
        return self.model.name if self.defense is None else f"{self.model.name} + {self.defense.label}"


PictureName = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]  # it becomes a file's name


class SavedImages(_Record):
    """Names of a sample's 8-bit pictures beside the cells, cropped as they were attacked."""

    reference: PictureName
    distorted: PictureName
    adversarial: PictureName


class SampleRow(_Record):
    """What one sample went through. Scores are native; None stands where a score is missing or not finite.

    ``dead_gradients`` were zero everywhere or not finite; ``saturated_gradients`` were sound until the loss of
    an attack library lost them. ``batch_dependent``: alone, the sample got another score; looked at while calibrating.
    ``spread`` is the standard deviation of the attacked score (without an attack, of the clean one) over the draws of
    a randomised model. ``seconds`` is the time of the thread that worked on it; several threads work at once.
    ``curve`` holds (budget, score) of the same search at smaller budgets: queries of a black-box attack, or the root
    mean square change where the attack looks for the smallest one. ``cut`` says that a limit stopped the search.
    ``rivals`` holds the comparisons in which people saw the image as p0: (id of p1, share who preferred p1).
    ``size`` is the (width, height) that was scored, after cropping; None in older cells.
    ``eps`` is the sample's own radius where the cell is calibrated; ``eps_missed`` says that every radius tried was
    too visible, or none. ``judged`` holds what other metrics say of the 8-bit adversarial beside the un-attacked image,
    by the metric's name, in its native units; None where the image is too small for it or the score is not finite.
    ``images`` names the saved pictures. ``data`` is a digest of the files that the images were read from, empty where
    they come with the install. ``halved``: the batch did not fit into memory and was computed in two halves.
    """

    id: str
    reference: str
    distortion: str
    quality: float
    status: Status
    clean: float | None
    attacked: float | None = None
    attacked_8bit: float | None = None
    spread: float | None = 0.0
    linf: float | None = None
    l2: float | None = None
    ssim: float | None = None
    psnr: float | None = None
    best_iteration: int = 0
    forwards: int = 0
    backwards: int = 0
    dead_gradients: int = 0
    saturated_gradients: int = 0
    batch_dependent: bool = False
    seconds: float = 0.0
    curve: tuple[tuple[float, float], ...] = ()
    cut: bool = False
    rivals: tuple[tuple[str, float], ...] = ()
    size: tuple[int, int] | None = None
    eps: float | None = None
    eps_missed: bool = False
    judged: dict[str, float | None] = {}
    images: SavedImages | None = None
    data: str = ""
    halved: bool = False


class Cell(_Record):
    """A specification with its rows and where they were computed; ``error`` is the traceback of a run that raised."""

    schema_version: Literal[1] = SCHEMA
    spec: CellSpec
    provenance: dict[str, JsonValue]
    samples: tuple[SampleRow, ...]
    finished: bool = True
    error: str = ""


def canonical(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """JSON with sorted keys and no spaces: equal values have equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
