"""Defenses by name: one file each. Plug-ins register under the entry-point group ``robustiqa.defenses``."""

from typing import TYPE_CHECKING, Final

from robustiqa.core.parameters import build, split_named
from robustiqa.core.registry import Registry

if TYPE_CHECKING:
    from robustiqa.defenses.base import Defense

DEFENSES: Final[Registry[type["Defense"]]] = Registry(
    "defense",
    "robustiqa.defenses",
    {
        "aat": "robustiqa.defenses.trained:AAT",
        "at": "robustiqa.defenses.trained:AT",
        "bilateral": "robustiqa.defenses.purifiers.bilateral:Bilateral",
        "bit-depth": "robustiqa.defenses.purifiers.bit_depth:BitDepth",
        "crop": "robustiqa.defenses.purifiers.crop:Crop",
        "diffpure": "robustiqa.defenses.purifiers.diffpure:DiffPure",
        "dncnn": "robustiqa.defenses.purifiers.dncnn:DnCNNPurifier",
        "ffdnet": "robustiqa.defenses.purifiers.ffdnet:FFDNetPurifier",
        "flip": "robustiqa.defenses.purifiers.flip:Flip",
        "gaussian": "robustiqa.defenses.purifiers.gaussian:Gaussian",
        "jpeg": "robustiqa.defenses.purifiers.jpeg:JPEG",
        "median": "robustiqa.defenses.purifiers.median:Median",
        "nt": "robustiqa.defenses.trained:NT",
        "noise": "robustiqa.defenses.purifiers.noise:Noise",
        "r": "robustiqa.defenses.trained:R",
        "resize": "robustiqa.defenses.purifiers.resize:Resize",
        "rotate": "robustiqa.defenses.purifiers.rotate:Rotate",
        "tv": "robustiqa.defenses.purifiers.tv:TotalVariation",
    },
)


def load_defense(text: str, **parameters: float | bool | str) -> "Defense":
    """The defense spelled ``name``, ``name:parameter=value,...``, or several of them joined by ``+``.

    Args:
        text: such as ``jpeg``, ``jpeg:quality=30,apply_to=both`` or ``aat+jpeg``: JPEG first, then the AAT model.
        parameters: the same by keyword, for a single defense; they win over those in ``text``.

    Raises:
        UnknownName: no such defense or parameter (with the nearest name).
        InvalidInput: a value out of range, keywords for several defenses, or an order that makes no sense.
    """
    from robustiqa.defenses.compose import compose  # noqa: PLC0415 (imports torch; listing names must not)

    named = [split_named(part) for part in text.split("+")]
    parts = [build(DEFENSES.get(name), {**spelled, **parameters}) for name, spelled in named]
    return compose(parts)
