"""Attack steps per second: our PGD beside a loop that scores the reference again in each step, torchattacks and ART.

Same images (of demo), same start, same number of steps, one process, all taking turns. Also whether they end in the
same images, and how far from the machine's limit we are. Needs the extra engines.

    python benchmarks/perf/attack_steps.py --runs 5
    python benchmarks/perf/attack_steps.py --model dists --shape 2x96x96 --steps 2 --runs 1 --clock cpu
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from figures import Figure, interleaved, parser, prepared, publish, ratios, spread
from limits import byte_rate, flop_rate, flops_and_bytes
from peers import Setting, art_pgd, loop, ours, torchattacks_pgd, whole_run
from torch import Tensor

import robustiqa as rq
from robustiqa.core.memory import keep_freed_memory
from robustiqa.core.precision import EXACT, Haste, has_bf16

Clock = Callable[[], float]
QUESTION = "attack steps per second"
MODELS = ("lpips-vgg", "lpips-alex", "dists", "birqa")
SHAPES = ("8x192x192", "1x384x512")
PEERS = ("loop", "torchattacks", "art")
WANTED = {"birqa": 1.1}  # others: 1.35; three passes become two, so that 1.5 is the limit
HASTY = {"lpips-vgg": 2.5, "dists": 2.5}


def main() -> None:
    """Print a table for each model and shape."""
    arguments = parser(__doc__)
    arguments.add_argument("--model", action="append")
    arguments.add_argument("--shape", action="append", help="such as 8x192x192: images, height, width")
    arguments.add_argument("--steps", type=int, default=10)
    arguments.add_argument("--compile", action="store_true", help="a compiled search too, which takes minutes first")
    options = arguments.parse_args()
    keep_freed_memory()  # as the command line does; all processes here share it
    clock = prepared(options)
    rates = {"fp32": flop_rate(torch.float32), "bf16": flop_rate(torch.bfloat16), "bytes": byte_rate()}
    for name in options.model or MODELS:
        model = rq.load_model(name)
        for shape in options.shape or SHAPES:
            ref, dist = images(*map(int, shape.split("x")))
            setting = Setting(model, ref, dist, options.steps)
            publish(measured(setting, shape, options, clock, rates), options.csv)


def measured(
    setting: Setting, shape: str, options: argparse.Namespace, clock: Clock, rates: dict[str, float]
) -> Iterator[Figure]:
    """Rows of one model at one shape."""
    name = setting.model.info.name
    tasks = {"ours": ours(setting), "ours, whole run": whole_run(setting), "loop": loop(setting),
             "torchattacks": torchattacks_pgd(setting), "art": art_pgd(setting)}  # fmt: skip
    hastes = {"ours, bf16": Haste("bf16")} if has_bf16(torch.device("cpu")) else {}
    if options.compile:
        hastes |= {"ours, compiled": Haste(compiled=True), "ours, bf16 compiled": Haste("bf16", compiled=True)}
    tasks |= {label: ours(setting, haste) for label, haste in hastes.items()}
    tasks |= {f"{label}, whole run": whole_run(setting, haste) for label, haste in hastes.items()}
    seconds = interleaved(tasks, options.runs, clock)
    ends = {label: task() for label, task in tasks.items()}
    best = setting.j(ends["ours, whole run"])
    for label, task_seconds in seconds.items():
        middle, low, high = spread([setting.steps / one for one in task_seconds])
        figure = Figure(QUESTION, f"{name} {shape}", label, middle, low, high, "steps/s",
                        note=agreement(setting, ends["ours"], ends[label], best, label))  # fmt: skip
        if label not in hastes:
            yield figure
            continue
        wanted = HASTY.get(name)
        yield compared(figure, ratios(seconds["loop"], task_seconds), "loop", wanted)
    wanted = WANTED.get(name, 1.35)
    for peer in PEERS:
        middle, low, high = spread([setting.steps / one for one in seconds["ours"]])
        figure = Figure(QUESTION, f"{name} {shape}", f"ours against {peer}", middle, low, high, "steps/s")
        yield compared(figure, ratios(seconds[peer], seconds["ours"]), peer, wanted)
    yield from limits(setting, f"{name} {shape}", hastes, seconds, rates)


def compared(figure: Figure, ratio: tuple[float, float, float], against: str, wanted: float | None) -> Figure:
    """The figure with its ratio, and whether its median is what was wanted."""
    middle, low, high = ratio
    text = "" if wanted is None else f"≥ {wanted} ×"
    reached = None if wanted is None else middle >= wanted
    return replace(figure, against=against, ratio=middle, ratio_low=low, ratio_high=high, wanted=text, reached=reached)


def agreement(setting: Setting, own: Tensor, theirs: Tensor, best: Tensor, label: str) -> str:
    """Of the last images: the share of equal values, and the largest relative difference of J, scored in fp32."""
    if label == "ours":
        return ""
    against = best if "whole run" in label else setting.j(own)
    gap = float(((setting.j(theirs) - against).abs() / against.abs()).max())
    same = float(((own - theirs).abs() < 1e-6).float().mean())
    return f"J differs by {100 * gap:.2g} %, {100 * same:.4g} % of values equal"


def limits(
    setting: Setting, case: str, hastes: dict[str, Haste], seconds: dict[str, list[float]], rates: dict[str, float]
) -> Iterator[Figure]:
    """What the machine's arithmetic and memory allow, and our share of it."""
    index = torch.arange(len(setting.dist))
    for label, haste in {"ours": EXACT, **hastes}.items():
        if haste.compiled:
            continue  # its kernels are not torch's, and cannot be counted
        objective = rq.Objective(setting.model, setting.ref, "up", haste=haste)
        flops, moved = flops_and_bytes(lambda one=objective: one.value_and_grad(setting.dist, index))
        rate = rates[haste.precision]
        least = max(flops / rate, moved / rates["bytes"])
        share = least * setting.steps / spread(seconds[label])[0]
        note = (f"{flops / 1e9:.3g} GFLOP at {rate / 1e9:.3g} GFLOP/s, {moved / 1e9:.3g} GB at "
                f"{rates['bytes'] / 1e9:.3g} GB/s; the slower of the two")  # fmt: skip
        limit = 1 / least
        yield Figure(QUESTION, case, f"limit of {label}", limit, limit, limit, "steps/s", label, share, share, share,
                     note=note)  # fmt: skip


def images(count: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """So many pairs of demo, their upper left corners [N, 3, H, W]."""
    dataset = rq.load_dataset("demo")
    fitting: list[tuple[Tensor, Tensor]] = []
    for pair in dataset.pairs[:: max(1, len(dataset.pairs) // (4 * count))]:
        ref, dist = (image[..., :height, :width] for image in dataset.images(pair))
        if ref.shape[-2:] == (height, width) and len(fitting) < count:
            fitting.append((ref, dist))
    if len(fitting) < count:
        raise SystemExit(f"demo has {len(fitting)} images of {height} x {width} pixels; wanted {count}.")
    refs, dists = zip(*fitting, strict=True)
    return torch.stack(refs), torch.stack(dists)


if __name__ == "__main__":
    main()
