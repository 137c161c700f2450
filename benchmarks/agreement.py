"""How far each model's scores and gradients are from independent implementations, on the developers' oracles.

Usage: python benchmarks/agreement.py ORACLES [--st-lpips FILE] > reports/agreement.md     (minutes)

ORACLES is the folder with golden_scores.csv, gradients.npz and pairs/. Weights are found as always. ``--st-lpips``
adds a row with the authors' own fp32 weights, which their package stlpips-pytorch brings.
"""

import argparse
import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import robustiqa as rq
from robustiqa.core.images import read_image

SCORES = {
    "psnr": "psnr_rgb",
    "ssim": "ssim_y.wang_valid_unrounded",
    "ms-ssim": "ms_ssim_y.piq",
    "ms-ssim:channels=rgb": "ms_ssim_rgb.piq",
    "vif": "vif_pixel_y.piq",
    "fsim": "fsimc.piq",
    "fsim:chromatic=false": "fsim.piq",
    "vsi": "vsi.piq",
    "gmsd": "gmsd.piq",
    "mdsi": "mdsi.piq",
    "haarpsi": "haarpsi.piq",
    "sr-sim": "srsimc.piq",
    "sr-sim:chromatic=false": "srsim.piq",
    "lpips-alex": "lpips_alex",
    "lpips-vgg": "lpips_vgg",
    "lpips-squeeze": "lpips_squeeze",
    "dists": "dists",
    "st-lpips": "stlpips_alex",
}
GRADIENTS = {"ssim": "ssim_y_piq_f64", "lpips-alex": "lpips_alex", "lpips-vgg": "lpips_vgg",
             "lpips-squeeze": "lpips_squeeze", "dists": "dists"}  # fmt: skip
CAP = 100.0  # decibels: our declared PSNR of identical images, where the oracle says infinite


class Golden(NamedTuple):
    """A score that an independent implementation gave."""

    pair: str
    value: float
    tolerance: float
    source: str


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("oracles", type=Path)
    parser.add_argument("--st-lpips", type=Path, default=None)
    options = parser.parse_args()
    models = [(name, metric, name, None) for name, metric in SCORES.items()]
    if options.st_lpips is not None:
        models.append(("st-lpips, the authors' fp32 weights", SCORES["st-lpips"], "st-lpips", options.st_lpips))
    rows = [row(options.oracles, title, metric, rq.load_model(name, weights=weights))
            for title, metric, name, weights in models]  # fmt: skip
    print("# Agreement with independent implementations\n\nPrinted by `benchmarks/agreement.py`. ", end="")
    print("Error: absolute, the largest over the pairs. Gradient: the largest relative L2 error of two crops.\n")
    print(pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True))


def row(oracles: Path, title: str, metric: str, model: rq.QualityModel) -> dict[str, str]:
    """One line of the table."""
    golden = golden_scores(oracles, metric)
    errors = [abs(score(oracles, one.pair, model) - min(one.value, CAP)) for one in golden]
    tolerance = min(one.tolerance for one in golden)
    return {
        "model": title,
        "peer": f"{metric}: {golden[0].source}",
        "pairs": str(len(golden)),
        "largest error": f"{max(errors):.1e}",
        "tolerance": f"{tolerance:.0e}",
        "within": "yes" if max(errors) <= tolerance else "no",
        "gradient": gradient_error(oracles, GRADIENTS[title], model) if title in GRADIENTS else "—",
    }


def golden_scores(oracles: Path, metric: str) -> list[Golden]:
    """All pairs of one metric."""
    with (oracles / "golden_scores.csv").open(newline="", encoding="utf-8") as file:
        rows = [line for line in csv.DictReader(file) if line["metric"] == metric]
    return [Golden(r["pair"], float(r["value"]), float(r["tolerance"]), r["source"]) for r in rows]


def score(oracles: Path, pair: str, model: rq.QualityModel) -> float:
    """Our score of a golden pair: ``NAME``, ``NAME:identical``, or one of LPIPS' examples."""
    names = [f"{pair}_ref", f"{pair}_dist"]
    if pair.endswith(":identical"):
        names = [pair.removesuffix(":identical")] * 2
    elif pair.startswith("ex_"):
        names = ["ex_ref", pair]
    ref, dist = (read_image(oracles / "pairs" / f"{name}.png")[None] for name in names)
    with torch.no_grad():
        return float(model(ref, dist))


def gradient_error(oracles: Path, name: str, model: rq.QualityModel) -> str:
    """Relative L2 distance of the gradient with respect to the distorted image."""
    arrays = np.load(oracles / "gradients.npz")
    worst = 0.0
    for crop in ("I03", "own_jpeg"):
        ref, dist = (_image(arrays[f"{crop}.{part}_u8"]) for part in ("ref", "dist"))
        (gradient,) = torch.autograd.grad(model(ref, dist.requires_grad_()).sum(), dist)
        wanted = arrays[f"{crop}.{name}.grad"].astype(np.float64)
        worst = max(worst, float(np.linalg.norm(gradient[0].numpy() - wanted) / np.linalg.norm(wanted)))
    return f"{worst:.1e}"


def _image(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels.transpose(2, 0, 1) / np.float32(255))[None]


if __name__ == "__main__":
    main()
