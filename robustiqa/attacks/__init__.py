"""Attacks by name: one file per paper."""

from typing import TYPE_CHECKING, Final

from robustiqa.core.parameters import build, split_named
from robustiqa.core.registry import Registry

if TYPE_CHECKING:
    from robustiqa.attacks.base import Attack

ATTACKS: Final[Registry[type["Attack"]]] = Registry(
    "attack",
    "robustiqa.attacks",
    {
        "apgd": "robustiqa.attacks.apgd:APGD",
        "art": "robustiqa.attacks.engines.art:ART",
        "autoattack": "robustiqa.attacks.autoattack:AutoAttack",
        "bim": "robustiqa.attacks.bim:BIM",
        "cw": "robustiqa.attacks.cw:CW",
        "cw-min": "robustiqa.attacks.cw_min:CWMin",
        "facpa": "robustiqa.attacks.facpa:FACPA",
        "fgsm": "robustiqa.attacks.fgsm:FGSM",
        "korhonen": "robustiqa.attacks.korhonen:Korhonen",
        "mifgsm": "robustiqa.attacks.mifgsm:MIFGSM",
        "nes": "robustiqa.attacks.nes:NES",
        "parsimonious": "robustiqa.attacks.parsimonious:Parsimonious",
        "perceptual": "robustiqa.attacks.perceptual:Perceptual",
        "pgd": "robustiqa.attacks.pgd:PGD",
        "pgd-adam": "robustiqa.attacks.pgd_adam:PGDAdam",
        "square": "robustiqa.attacks.square:Square",
        "torchattacks": "robustiqa.attacks.engines.torchattacks:TorchAttacks",
        "uap": "robustiqa.attacks.uap:UAP",
    },
)


def load_attack(text: str, **parameters: float | bool | str) -> "Attack":
    """The attack spelled ``name``, ``name:parameter=value,...`` or, where it has versions, ``name:version``.

    Args:
        text: such as ``pgd``, ``pgd:steps=40``, ``autoattack:quick`` or ``torchattacks:pgd,steps=40``.
        parameters: the same by keyword, as in ``load_attack("pgd", steps=40)``; they win over those in ``text``.

    Raises:
        UnknownName: no such attack or parameter (with the nearest name).
        InvalidInput: a value out of range.
    """
    name, spelled = split_named(text)
    return build(ATTACKS.get(name), {**spelled, **parameters})
