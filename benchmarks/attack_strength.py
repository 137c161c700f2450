"""Ours beside the engines': the same images, direction, ε and number of gradient steps (or of model calls, for Square).

Usage: python benchmarks/attack_strength.py --model lpips-alex --crop 96 --images 16 --out reports/attack-strength.md
       python benchmarks/attack_strength.py --model birqa --limit-of   (adds the practical limit: hours)

Needs the extra `engines`. An image counts as "at least as strong" where our gain is within the tolerance of theirs:
0.1 % of theirs and 1e-6 of the clean score, which is float32's rounding of two implementations.
"""

import argparse
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import robustiqa as rq
from robustiqa.attacks import ATTACKS
from robustiqa.core.files import write_atomically
from robustiqa.core.images import center_crop

EPS = 8 / 255
RELATIVE, ROUNDING = 1e-3, 1e-6
ALPHA = "alpha=2/255"
HEADERS = ("ours", "theirs", "ours at least as strong", "mean gain, ours", "theirs", "F + B, ours", "theirs",
           "s/image, ours", "theirs")  # fmt: skip
Images = list[tuple[str, Tensor, Tensor]]


@dataclass(frozen=True)
class Outcome:
    """Per image: gain of J, forwards and backwards of the search; and the seconds of them all."""

    gain: Tensor
    clean: Tensor
    forwards: Tensor
    backwards: Tensor
    seconds: float

    @property
    def calls(self) -> str:
        """Forwards and backwards per image."""
        return f"{float(self.forwards.float().mean()):.0f} + {float(self.backwards.float().mean()):.0f}"


def pairs_of(steps: int, apgd: int, queries: int) -> list[tuple[str, str]]:
    """(ours, theirs), as they are typed, with equal budgets; those of ours that are not installed are left out.

    The libraries' APGD takes one gradient more than its steps, so it is given one step fewer. ART's PGD has no random
    start on a regressor, so ours starts from the image too.
    """
    plain = f"steps={steps},{ALPHA}"
    every = [
        ("fgsm", "torchattacks:fgsm"),
        ("fgsm", "art:fgm"),
        (f"bim:{plain}", f"torchattacks:bim,{plain}"),
        (f"pgd:{plain}", f"torchattacks:pgd,{plain}"),
        (f"pgd:{plain},random_start=false", f"art:pgd,{plain}"),
        (f"mifgsm:{plain}", f"torchattacks:mifgsm,{plain}"),
        (f"mifgsm:{plain}", f"art:mifgsm,{plain}"),
        (f"apgd:steps={apgd}", f"torchattacks:apgd,steps={apgd - 1}"),
        (f"square:queries={queries}", f"torchattacks:square,queries={queries}"),
        (f"square:queries={queries}", f"art:square,queries={queries}"),
    ]
    return [(ours, theirs) for ours, theirs in every if ours.partition(":")[0] in ATTACKS.names()]


def run(text: str, model: rq.QualityModel, images: Images, direction: str, seed: int) -> Outcome:
    """One attack on every image, one at a time."""
    attack, start = rq.load_attack(text), time.perf_counter()
    rows = []
    for name, ref, dist in images:
        objective = rq.Objective(model, ref, direction)
        result = attack.run(objective, dist, EPS, seed, ids=[name])
        sign = model.info.orientation * objective.signs
        gain = sign * (result.attacked_score - result.clean_score)
        rows.append((gain, result.clean_score.abs(), result.cost.forwards, result.cost.backwards))
    return Outcome(*(torch.cat(column) for column in zip(*rows, strict=True)), time.perf_counter() - start)


def at_least_as_strong(ours: Outcome, theirs: Outcome) -> Tensor:
    """Which images [N]."""
    return ours.gain >= theirs.gain - RELATIVE * theirs.gain.abs() - ROUNDING * theirs.clean


def compare(model: rq.QualityModel, images: Images, options: argparse.Namespace) -> list[str]:
    """One line of the table per pair of attacks."""
    lines = [f"| {' | '.join(HEADERS)} |", "|:--|:--|" + "--:|" * (len(HEADERS) - 2)]
    known: dict[str, Outcome] = {}
    for pair in pairs_of(options.steps, options.apgd, options.queries):
        for text in pair:
            if text not in known:
                known[text] = run(text, model, images, options.direction, options.seed)
                print(f"{text}: {float(known[text].gain.mean()):.4f} in {known[text].seconds:.1f} s", flush=True)
        ours, theirs = (known[text] for text in pair)
        share = float(at_least_as_strong(ours, theirs).float().mean())
        columns = [
            f"`{pair[0]}`", f"`{pair[1]}`", f"{share:.1%}", *(f"{float(o.gain.mean()):.4f}" for o in (ours, theirs)),
            ours.calls, theirs.calls, *(f"{o.seconds / len(images):.2f}" for o in (ours, theirs)),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(columns)} |")
    return lines


def practical_limit(model: rq.QualityModel, images: Images, options: argparse.Namespace) -> list[str]:
    """How much a PGD of many steps and restarts gains over the ensemble and over APGD from five starts."""
    limit = f"pgd:steps={options.limit_steps},restarts={options.limit_restarts},alpha=1/255"
    best = run(limit, model, images, options.direction, options.seed)
    lines = [f"| attack | mean gain | gap to `{limit}` | largest gap | F + B |", "|:--|--:|--:|--:|--:|"]
    for text in (limit, "autoattack:standard", "apgd:steps=100,restarts=5"):
        one = best if text == limit else run(text, model, images, options.direction, options.seed)
        gap = (best.gain - one.gain) / best.gain.clamp_min(ROUNDING)
        mean = 1 - float(one.gain.mean() / best.gain.mean())
        gain, largest = float(one.gain.mean()), float(gap.max())
        lines.append(f"| `{text}` | {gain:.4f} | {mean:+.2%} | {largest:+.2%} | {one.calls} |")
        print(lines[-1], flush=True)
    return ["", "## The practical limit", "", *lines]


def load_images(dataset: str, count: int, crop: int) -> Images:
    """The first ``count`` pairs, central windows of ``crop`` pixels [1, 3, crop, crop]."""
    data = rq.load_dataset(dataset).limited(count)
    return [(pair.id, *(center_crop(image, crop)[None] for image in data.images(pair))) for pair in data.pairs]


def read_options() -> argparse.Namespace:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lpips-alex")
    parser.add_argument("--dataset", default="demo")
    parser.add_argument("--crop", type=int, default=96)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--direction", choices=["up", "down"], default="up")
    parser.add_argument("--steps", type=int, default=10, help="of BIM, PGD and MI-FGSM")
    parser.add_argument("--apgd", type=int, default=100, help="gradients of APGD")
    parser.add_argument("--queries", type=int, default=1000, help="model calls of Square")
    parser.add_argument("--limit-of", action="store_true", help="measure the practical limit as well")
    parser.add_argument("--limit-steps", type=int, default=1000)
    parser.add_argument("--limit-restarts", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="Markdown file; printed in any case")
    return parser.parse_args()


def main() -> None:
    """Print the tables, and write them."""
    options = read_options()
    torch.set_num_threads(1)
    model, images = rq.load_model(options.model), load_images(options.dataset, options.images, options.crop)
    setting = f"{len(images)} images of {options.crop} pixels, ε = 8/255, direction {options.direction}, one thread."
    meaning = (
        "Gains are of the best image found, in the score's units; F + B are the search's passes per image. "
        f"At least as strong: within {RELATIVE:.1%} of the other's gain. A negative gap: stronger than the limit."
    )
    lines = [
        f"# Strength of attacks on {options.model}",
        "",
        f"`python benchmarks/attack_strength.py {shlex.join(sys.argv[1:])}`",
        "",
        setting,
        meaning,
        "",
        *compare(model, images, options),
        *(practical_limit(model, images, options) if options.limit_of else []),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out is not None:
        write_atomically(options.out, text.encode())


if __name__ == "__main__":
    main()
