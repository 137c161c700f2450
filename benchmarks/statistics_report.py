"""How fast the bootstrap is beside the plain loop, and how far the exact and the neural optimal transport map agree.

Usage: OMP_NUM_THREADS=1 python benchmarks/statistics_report.py > reports/statistics.md     (minutes)

Times are of Table 7 at PIPAL's size, on random scores (perf/bootstrap.py). Maps and IR-Scores are of classical metrics
attacked on ``demo`` here, so that nothing needs to be downloaded.
"""

import argparse
import os
import platform
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from perf.bootstrap import Timed, measure

import robustiqa as rq
from robustiqa.reports.compose import View
from robustiqa.reports.ir import DomainChoice
from robustiqa.reports.results import Results
from robustiqa.statistics import PAPER_EPS, fit_map

MODELS = ("psnr", "ssim", "gmsd")
DEFENSES = ("jpeg", "bit-depth:bits=3")
LOOP = 5


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/statistics"), help="folder of the bench; it is reused")
    options = parser.parse_args()
    torch.set_num_threads(1)
    timed = [measure(mode=mode, loop=LOOP) for mode in ("cluster", "iid")]
    print("# Statistics: time and agreement\n\nPrinted by `benchmarks/statistics_report.py`.\n")
    print("## Table 7 at PIPAL's size\n")
    print(table(map(bootstrap_row, timed)))
    print(
        f"\nOne process, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}, {platform.machine()}, numpy "
        f"{np.__version__}; wall times far above the CPU's tell of other work on the core. The loop calls "
        f"`scipy.stats.spearmanr` on every metric of every resample; {LOOP} of its resamples were timed, and scaled to "
        "all. Memory: peak of the process, libraries and whatever ran before included.\n"
    )
    results = attacked(options.run)
    print("## Exact and neural optimal transport\n")
    views = {r.view.spec.model.name: r.view for r in results.rows(["up"]) if r.view.spec.defense is None}
    print(table(map_row(name, view) for name, view in views.items()))
    print("\nMaps of clean calibration scores to human scores, both in [0, 1]; differences of mapped scores, there.\n")
    print(table(ir_rows(results)))
    radii = ", ".join(f"{eps * 255:.0f}" for eps in PAPER_EPS)
    print(f"\nIR-Scores under FGSM at ε = {radii} (of 255), direction up, on 35 pairs of demo cropped to 96 pixels.")


def table(rows: Iterable[dict[str, str]]) -> str:
    """Records as a Markdown table."""
    return pd.DataFrame(list(rows)).to_markdown(index=False, disable_numparse=True)


def bootstrap_row(one: Timed) -> dict[str, str]:
    """One line of the times."""
    return {
        "bootstrap": "by reference" if one.mode == "cluster" else "i.i.d.",
        "metrics": str(one.metrics),
        "images": f"{one.images:,}",
        "resamples": f"{one.resamples:,}",
        "differences": str(one.differences),
        "wall time": f"{one.wall:.1f} s",
        "CPU": f"{one.fast:.1f} s",
        "CPU of a loop over scipy": f"{one.slow:.0f} s",
        "ratio": f"{one.slow / one.fast:.0f}",
        "largest difference of a replicate": f"{one.difference:.1e}",
        "peak memory": f"{one.memory:.0f} MB",
    }


def attacked(folder: Path) -> Results:
    """A small genuine run: classical metrics without and behind defenses, at the radii of eq. 8."""
    rq.bench(MODELS, ["fgsm"], "demo", [None, *DEFENSES], eps=PAPER_EPS, limit=35, crop=96, directions=["up"],
             judges=[], out=folder)  # fmt: skip
    return rq.load_results(folder)


def map_row(name: str, view: View) -> dict[str, str]:
    """How far the two maps of a model's calibration scores are apart."""
    rows = [row for row in view.calibration if row.status == "ok"]
    clean = view.orientation * np.array([row.clean for row in rows])
    human = np.array([row.quality for row in rows])
    exact, neural = (fit_map(clean, human, domain)(clean) for domain in ("ot", "neural"))
    apart = np.abs(exact - neural)
    return {"model": name, "scores": str(clean.size), "mean difference": f"{apart.mean():.4f}",
            "largest difference": f"{apart.max():.4f}"}  # fmt: skip


def ir_rows(results: Results) -> list[dict[str, str]]:
    """IR-Scores in both domains, one line for each defended model."""
    exact, neural = (
        {r.ir: r for r in results.rows(["up"], DomainChoice(domain)) if r.ir} for domain in ("ot", "neural")
    )
    lines = []
    for a, b in zip(exact.values(), neural.values(), strict=True):
        interval = a.ir.score.clustered
        lines.append({
            "model": a.view.spec.subject,
            "IR-Score, exact": f"{interval.estimate:.4f} [{interval.lo:.4f}, {interval.hi:.4f}]",
            "neural": f"{b.ir.score.value:.4f}",
            "difference": f"{abs(interval.estimate - b.ir.score.value):.4f}",
        })  # fmt: skip
    return lines


if __name__ == "__main__":
    main()
