"""Is BiRQA with hard LBP robust, or is only its gradient hidden? Prints the table of docs/lbp.md.

Usage: python benchmarks/hard_lbp.py   (some minutes)
"""

import numpy as np
import torch

import robustiqa as rq
from robustiqa.core.images import center_crop

EPS, PAIRS, CROP, STEPS = 8 / 255, 14, 128, 40


def main() -> None:
    """PGD through BPDA, PGD by transfer from the smooth model, and Square, on the hard model; PGD on the smooth one."""
    demo = rq.load_dataset("demo").limited(PAIRS)
    smooth, hard = rq.load_model("birqa"), rq.load_model("birqa:lbp=hard")
    pgd, square = rq.load_attack("pgd", steps=STEPS), rq.load_attack("square", queries=300)
    cases = {
        "smooth, PGD": (smooth, smooth, pgd),
        "hard, PGD through BPDA": (hard, hard, pgd),
        "hard, PGD by transfer from smooth": (smooth, hard, pgd),
        "hard, Square": (hard, hard, square),
    }
    print("| model and attack | clean score | attacked score | gain |\n|:--|--:|--:|--:|")
    for label, (attacked, evaluated, attack) in cases.items():
        clean, after = [], []
        for pair in demo.pairs:
            ref, dist = (center_crop(image, CROP)[None] for image in demo.images(pair))
            result = attack.run(rq.Objective(attacked, ref, "up", score_with=evaluated), dist, EPS, ids=[pair.id])
            clean.append(float(result.clean_score))
            after.append(float(result.attacked_score))
        gain = float(np.mean(np.subtract(after, clean)))
        print(f"| {label} | {np.mean(clean):.3f} | {np.mean(after):.3f} | {gain:+.3f} |")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
