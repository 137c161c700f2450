"""What we found: the claims of the BiRQA paper one by one, from the cells of a reference run.

Writes docs/found.md. Every figure is computed here, or read from a report that a command made; each stands beside that
command. A claim is confirmed if the interval of every difference it speaks of is above zero.

Example: python benchmarks/found.py runs/reference
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np
import pandas as pd
from found_evidence import Evidence, Verdict, defense_of, difference, verdict
from pipe_tables import table

import robustiqa as rq
from robustiqa.core.files import write_atomically
from robustiqa.reports.rows import Row
from robustiqa.statistics import Interval
from robustiqa.statistics.anchored import Anchoring

HERE: Final = Path(__file__).parent
REPORTS: Final = HERE.parent / "reports"
SUITE: Final = "robustiqa bench benchmarks/reference.toml --dataset live=LIVE --dataset tid2013=TID2013"
RUN: Final = f"{SUITE} --out runs/reference"
UNSEEN: Final = ("fgsm", "cw", "autoattack:quick", "facpa")  # the paper's four
TRAINED: Final = ("r", "at", "nt", "aat")
HIGHEST: Final = 0.57  # what the paper says attacks leave of undefended metrics, at most
SMALL, SOON = 1e-2, 500  # the anchored loss, and the steps after which the paper finds it so small
MODELS: Final = ("birqa", "lpips-alex", "topiq-squeeze")
FOUND: Final = "python benchmarks/found.py runs/reference"
HEAD: Final = """# What we found

Made by `python benchmarks/found.py` from the [reference run](../reports/reference/README.md): the claims of *BiRQA:
Bidirectional Robust Quality Assessment for Images*, tested on our training of it. Attacked SROCC is under `tomean` at
ε = 8/255 on the LIVE subset, with 95 % intervals; differences are paired. "Confirmed" asks that the interval of every
difference is above zero, "partly confirmed" that every difference is.

{summary}
"""


@dataclass(frozen=True)
class Found:
    """What is said of a claim here."""

    verdict: Verdict
    figures: str
    command: str = RUN


@dataclass(frozen=True)
class Claim:
    """A statement of the paper, and where it stands there."""

    says: str
    where: str
    judge: Callable[[Evidence], Found]


def attacked(row: Row | None) -> Interval | None:
    return row.srocc_attacked.clustered if row else None


def shown(interval: Interval | None) -> str:
    if interval is None or np.isnan(interval.estimate):
        return "-"
    return f"{interval.estimate:.2f} [{interval.lo:.2f}, {interval.hi:.2f}]"


def vulnerable(evidence: Evidence) -> Found:
    lines, ends = [], []
    for model in MODELS:
        scores = [attacked(evidence.row(model, "none", attack)) for attack in UNSEEN]
        ends += [score.hi for score in scores if score]
        lines.append([model, *map(shown, scores)])
    judged: Verdict = "confirmed" if max(ends, default=1.0) < HIGHEST else "not confirmed"
    return Found(judged if ends else "could not be tested here", table(["undefended", *UNSEEN], lines))


def better_than(*others: str, field: str = "attacked") -> Callable[[Evidence], Found]:
    """Whether AAT is above each of the others on BiRQA, attack by attack; clean scores are the same under each."""
    attacks = UNSEEN if field == "attacked" else UNSEEN[:1]

    def judge(evidence: Evidence) -> Found:
        lines, differences = [], []
        for model in MODELS:
            for other in others:
                changes = [
                    difference(ours, theirs, field) if ours and theirs else None
                    for ours, theirs in ((evidence.row(model, name, one) for name in ("aat", other)) for one in attacks)
                ]
                differences += [change for change in changes if change and model == "birqa"]
                lines.append([f"{model}, aat minus {other}", *map(shown, changes)])
        heads = UNSEEN if field == "attacked" else ("clean",)
        return Found(verdict(differences), table([f"{field} SROCC", *heads], lines))

    return judge


def sturdier(evidence: Evidence) -> Found:
    """Whether undefended BiRQA is above the other undefended models, attack by attack."""
    own, lines, differences = [evidence.row("birqa", "none", one) for one in UNSEEN], [], []
    for other in MODELS[1:]:
        theirs = [evidence.row(other, "none", one) for one in UNSEEN]
        changes = [difference(a, b) if a and b else None for a, b in zip(own, theirs, strict=True)]
        differences += [change for change in changes if change]
        lines.append([f"birqa minus {other}", *map(shown, changes)])
    return Found(verdict(differences), table(["attacked SROCC, undefended", *UNSEEN], lines))


def convergence(_: Evidence) -> Found:
    """What the log of the AAT that ships says of its loss and of both bounds."""
    log = pd.read_csv(REPORTS / "training" / "birqa-aat.csv")
    below = log.loc[log["anchored_average"] < SMALL, "step"]
    holds = log[log["conditions_hold"] == 1]
    figures = {
        "steps": len(log),
        f"first step with an average below {SMALL:g}": int(below.iloc[0]) if len(below) else "none",
        "average at the end": f"{log['anchored_average'].iloc[-1]:.3f}",
        "steps on which the corrected bound applies": len(holds),
        "of those, error above it": int((holds["max_error"] > holds["bound_corrected"]).sum()),
        "error above the printed bound": int((log["max_error"] > log["bound_paper"]).sum()),
    }
    early = len(below) > 0 and below.iloc[0] <= SOON
    command = "robustiqa train --model birqa --recipe aat --dataset kadid-style=PHOTOGRAPHS --out birqa-aat.safetensors"
    lines = [[what, str(value)] for what, value in figures.items()]
    return Found("confirmed" if early else "not confirmed", table(["", "birqa-aat"], lines), command)


def clean_cost(evidence: Evidence) -> Found:
    changes = {model: [evidence.clean_change(model, defense) for defense in TRAINED] for model in MODELS}
    lines = [[model, *map(shown, found)] for model, found in changes.items()]
    own = changes["birqa"][TRAINED.index("aat")]
    judged: Verdict = (
        "could not be tested here" if own is None else "confirmed" if own.estimate >= -0.02 else "not confirmed"
    )
    return Found(judged, table(["clean SROCC, change", *TRAINED], lines))


def above_purifiers(evidence: Evidence) -> Found:
    """AAT beside every purifier, each attacked by one who knows it, and beside what an unknowing attacker leaves."""
    attack = "apgd:steps=25"
    own, lines, differences = evidence.row("birqa", "aat", attack), [], []
    for defense in sorted({*map(defense_of, evidence.rows("birqa", attack))} - {*TRAINED, "none"}):
        knowing = evidence.row("birqa", defense, attack)
        unknowing = evidence.row("birqa", defense, attack, "oblivious")
        change = difference(own, knowing) if own and knowing else None
        differences += [change] if change else []
        lines.append([defense, shown(attacked(knowing)), shown(attacked(unknowing)), shown(change)])
    lines.append(["aat", shown(attacked(own)), "-", "-"])
    heads = ["attacked SROCC, apgd:steps=25", "adaptive", "oblivious", "aat minus adaptive"]
    return Found(verdict(differences), table(heads, lines))


def theorem(_: Evidence) -> Found:
    """Both bounds where 8 to 24 evenly spaced anchors have no error, and one image between two of them has any."""
    draw, broken, batches = np.random.default_rng(0), {"printed": 0, "corrected": 0}, 5_000
    for _batch in range(batches):
        anchors = np.linspace(1, 5, int(draw.integers(8, 25)))
        label = draw.choice((anchors[:-1] + anchors[1:]) / 2)
        labels, predictions = np.append(anchors, label), np.append(anchors, draw.uniform(1, 5))
        one = Anchoring.of(labels, predictions, np.arange(len(anchors)))
        broken["printed"] += one.conditions_hold and one.error > one.bound_paper
        broken["corrected"] += one.conditions_hold and one.error > one.bound_corrected
    lines = [[f"bound as {name}", f"{batches:,}", f"{count:,}"] for name, count in broken.items()]
    return Found("not confirmed" if broken["printed"] else "confirmed", table(["", "batches", "broken"], lines), FOUND)


def hard_patterns(evidence: Evidence) -> Found:
    """Hard patterns beside smooth ones, where gradients are lent (BPDA) and where none are asked for."""
    attacks = ("fgsm", "apgd:steps=25", "square:queries=500")
    smooth, hard = ([evidence.row(model, "none", one) for one in attacks] for model in ("birqa", "birqa:lbp=hard"))
    lines = [[name, *(shown(attacked(row)) for row in rows)] for name, rows in (("smooth", smooth), ("hard", hard))]
    differences = [difference(after, before) for before, after in zip(smooth, hard, strict=True) if before and after]
    return Found(verdict(differences), table(["attacked SROCC", *attacks], lines))


def robustness_score(evidence: Evidence) -> Found:
    """IR-Scores of the trained defenses over the four budgets."""
    lines, own = [], []
    for model in MODELS:
        scores = {name: evidence.robustness(model, name, "apgd:steps=25") for name in TRAINED}
        lines.append([model, *map(shown, scores.values())])
        own += [scores["aat"]] if scores["aat"] and model == "birqa" else []
    return Found(verdict(own), table(["IR-Score, apgd:steps=25", *TRAINED], lines))


def faster(_: Evidence) -> Found:
    """Seconds of a forward pass at 1080p, as the committed report measured them."""
    file = REPORTS / "speed" / "1080p.json"
    models = {one["model"]: one["forward_s"] for one in json.loads(file.read_text(encoding="utf-8"))["models"]}
    lines = [[name, f"{seconds:.2f}", f"{seconds / models['birqa']:.1f}"] for name, seconds in models.items()]
    judged: Verdict = "confirmed" if models["topiq"] >= 3 * models["birqa"] else "not confirmed"
    command = "robustiqa speed --size 1920x1080 --model birqa --model topiq --model lpips-vgg --model dists"
    return Found(judged, table(["one CPU", "seconds", "times birqa's"], lines), command)


def untested(why: str) -> Callable[[Evidence], Found]:
    """A claim for which something is missing here."""
    return lambda _: Found("could not be tested here", why, "")


NO_IMAGES: Final = """\
It was trained on KADID-10k's images, which may not be passed on. Ours was trained on other photographs with expected
scores; [its card](birqa-card.md) says what it reaches on LIVE and TID2013."""
NO_DATASET: Final = """\
Neither dataset was at hand. The suites for them are there ([reproducing](reproducing.md)); choices made of LIVE's
scores are in [the reference report](../reports/reference/README.md)."""
CLAIMS: Final = (
    Claim("Attacks bring undefended metrics down to an SROCC of 0.30 to 0.57", "abstract, Table 3", vulnerable),
    Claim("Undefended BiRQA keeps more than LPIPS and TOPIQ", "section 5, Figure 7", sturdier),
    Claim("Anchored adversarial training raises SROCC under unseen attacks", "abstract, Table 3", better_than("none")),
    Claim("It does so by more than R- and AT-training", "section 5, Table 3", better_than("r", "at")),
    Claim("It costs 0.02 of clean SROCC at most", "Table 3", clean_cost),
    Claim("It costs less than other trainings", "section 5, Table 3", better_than("r", "at", field="clean")),
    Claim("It is above purification", "Appendix D, Table 8", above_purifiers),
    Claim("It improves integral robustness scores", "section 1, Table 3", robustness_score),
    Claim("Its loss falls below 0.01 within 500 steps", "section 5, Figure 6", convergence),
    Claim("That loss bounds the largest error: Theorem 1", "section 3.3, Appendix A", theorem),
    Claim("Local binary patterns help under attack", "section 3.1", hard_patterns),
    Claim("BiRQA is about three times as fast as TOPIQ at 1920 x 1080", "abstract, Figure 3", faster),
    Claim("It runs at 15 frames a second", "section 1", untested("The paper's figure is of a GPU; none was at hand.")),
    Claim("It matches or surpasses the state of the art on five benchmarks", "Tables 2 and 5", untested(NO_IMAGES)),
    Claim("Attacked choices on BAPPS, pairwise differences on PIPAL", "Tables 6 and 7", untested(NO_DATASET)),
)


def page(evidence: Evidence, claims: Sequence[Claim] = CLAIMS) -> str:
    """The claims in a table, then each with its figures and the command that makes them."""
    found = [(claim, claim.judge(evidence)) for claim in claims]
    summary = table(["claim", "in the paper", "here"], [[c.says, c.where, f"**{f.verdict}**"] for c, f in found])
    parts = [HEAD.format(summary=summary)]
    for number, (claim, one) in enumerate(found, 1):
        command = f"\n\n```sh\n{one.command}\n```" if one.command else ""
        parts.append(f"## {number}. {claim.says}\n{claim.where}: **{one.verdict}**.\n\n{one.figures}{command}\n")
    return "\n".join(parts)


@click.command(help=__doc__)
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=HERE.parent / "docs" / "found.md", show_default=True)
def main(runs: tuple[Path, ...], out: Path) -> None:
    rows = [row for run in runs for row in rq.load_results(run).rows()]
    write_atomically(out, page(Evidence(rows)))
    click.echo(out)


if __name__ == "__main__":
    main()
