"""The paper's own figures, read from the package's data, and which of our names they are figures of."""

import csv
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from robustiqa.reports.table import Number

CITATION: Final = "BiRQA: Bidirectional Robust Quality Assessment for Images (anonymous authors, under review)"

MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "PSNR": ("psnr",),
    "SSIM": ("ssim",),
    "MS-SSIM": ("ms-ssim",),
    "VIF": ("vif",),
    "MAD": ("pyiqa:mad",),
    "VSI": ("vsi",),
    "DeepQA": (),
    "WaDIQaM": ("pyiqa:wadiqam_fr",),
    "WaDIQaM-FR": ("pyiqa:wadiqam_fr",),
    "PieAPP": ("pyiqa:pieapp",),
    "LPIPS": ("lpips-alex", "lpips-vgg", "lpips-squeeze"),
    "LPIPS-VGG": ("lpips-vgg",),
    "DISTS": ("dists",),
    "JND-SalCAR": (),
    "AHIQ": ("pyiqa:ahiq",),
    "TOPIQ": ("topiq",),
    "BiRQA": ("birqa",),
}
"""Our models by the paper's name, in its order. Its Tables 3, 6 and 7 do not say which LPIPS they mean."""
DEFENSES: Final[Mapping[str, str]] = {
    "base": "none",
    "R": "r",
    "AT": "at",
    "AAT": "aat",
    "random-flip": "flip",
    "random-rotate": "rotate",
    "diffpure": "diffpure",
}
ATTACKS: Final[Mapping[str, str]] = {
    "fgsm": "FGSM",
    "cw": "C&W",
    "autoattack": "AutoAttack",
    "facpa": "FACPA",
    "perceptual": "Zhang et al.",
    "square": "SquareAttack",
    "parsimonious": "Parsimonious",
}
"""The paper's titles by our names, in the paper's order."""
ATTACK_FIELDS: Final[Mapping[str, str]] = {name: name for name in ATTACKS} | {"perceptual": "zhang"}
DATASETS: Final[Mapping[str, str]] = {
    "live": "LIVE",
    "csiq": "CSIQ",
    "tid2013": "TID2013",
    "kadid10k": "KADID-10k",
    "pipal": "PIPAL",
    "pieapp-test": "PieAPP",
}


def paper_rows(file: str) -> list[dict[str, str]]:
    """The rows of ``paper/FILE.csv``, as printed."""
    text = files("robustiqa.reports").joinpath("paper", f"{file}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def printed(text: str | None) -> Number | None:
    """A printed figure with as many digits; None where the paper has a dash."""
    return Number(float(text), digits=len(text.partition(".")[2])) if text else None


def split_defense(method: str) -> tuple[str, str]:
    """``AAT-BiRQA`` to ``("BiRQA", "AAT")``; a method without a defense is ``base``."""
    prefix, dash, model = method.partition("-")
    return (model, prefix) if dash and prefix in DEFENSES else (method, "base")


def rank_of(model: str) -> int:
    """Place of our model in the paper's order; models that the paper has not got come last."""
    order = list(MODELS.values())
    return next((i for i, names in enumerate(order) if model in names), len(order))
