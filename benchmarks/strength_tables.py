"""The tables of attack_strength.py, from rows of cells alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Final

import pandas as pd

import robustiqa as rq
from robustiqa.attacks.autoattack import AutoAttack
from robustiqa.benchmarks.cell import SampleRow
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import ModelInfo
from robustiqa.core.parameters import spelled

RELATIVE: Final = 1e-3  # of the counterpart's gain
NEAR: Final = 1e-2  # of it
ROUNDING: Final = 1e-6  # of the clean score: float32
ENOUGH: Final = 0.95
ENSEMBLE: Final = "autoattack:standard"
STARTS: Final = "apgd:restarts=5"


@dataclass(frozen=True)
class Suite:
    """What all models share."""

    dataset: str
    eps: str
    direction: str


@dataclass(frozen=True)
class Measured:
    """Rows of one model's attacks; J = ``sign`` x score.

    ``rerounded`` are rows of the same attacks with sums taken in another order, ``alike`` groups of those whose steps
    carry a rounding equally far.
    """

    model: ModelInfo
    options: dict[str, Any]
    sign: int
    rows: dict[str, list[SampleRow]]
    rerounded: dict[str, list[SampleRow]]
    alike: list[list[str]]
    pairs: list[tuple[str, str]]
    limit: str

    def done(self, text: str) -> bool:
        return len(self.rows.get(text, ())) == int(self.options["images"])

    def calls(self, text: str) -> int:
        """Forward and backward passes of the search, over all images."""
        return sum(row.forwards + row.backwards for row in self.rows[text])

    def gains(self, text: str, *, rounded: bool = False) -> list[float]:
        """Rise of J per image, in the order of the dataset."""
        return self._gains(self.rows[text], rounded)

    def rounding(self, text: str) -> float | None:
        """The largest share of an image's gain that another order of sums gives or takes; None if not measured."""
        alike = next((group for group in self.alike if text in group), [])
        pairs = [pair for like in alike if self.done(like) and len(self.rerounded[like]) == self.options["images"]
                 for pair in zip(self.gains(like), self._gains(self.rerounded[like], rounded=False), strict=True)]
        return max((abs(a - b) / max(a, b) for a, b in pairs if max(a, b) > 0), default=None)

    def _gains(self, rows: list[SampleRow], rounded: bool) -> list[float]:
        return [self.sign * (_finite(row.attacked_8bit if rounded else row.attacked) - _finite(row.clean))
                for row in rows]  # fmt: skip


def report(measured: Sequence[Measured], suite: Suite) -> str:
    """Markdown, of the models of which there is anything."""
    head = f"""# Strength of the attacks

Made by `python benchmarks/attack_strength.py` from `benchmarks/attack-strength.toml`: the first pairs of
{suite.dataset}, ε = {suite.eps}, direction {suite.direction}, one thread. Gains are mean rises of J, in the model's
own units, of the best image found; F and B are forward and backward passes of the search per image (the harness's
scoring of the clean, last, best and rounded image is not in them); seconds are those of a shared machine. "At least as
strong" allows {RELATIVE:.1%} of the counterpart's gain and {ROUNDING:g} of the clean score; the shortfall is the
largest, on any image, of what ours lacks, as a share of the counterpart's gain. Signs and halving steps carry a
rounding far, so it is measured: ours is run once more with eight images at once in place of one, or one in place of
eight, which only adds in another order; "rounding" is the largest share of an image's gain that this gives or takes. A
row holds if ours is at least as strong on {ENOUGH:.0%} of the images for no more calls, and *to rounding* if what it
lacks is less than what rounding alone does to it. The CSV beside this file has every image.
"""
    found = [one for one in measured if any(one.rows.values())]
    return "\n".join([head, *_together(found), *map(_chapter, found)])


def to_csv(measured: Sequence[Measured]) -> str:
    """One line per model, attack and image."""
    fields = ("id", "clean", "attacked", "attacked_8bit", "linf", "ssim", "forwards", "backwards", "seconds")
    records = [
        {"model": one.model.name, "crop": one.options["crop"], "attack": text,
         **{field: getattr(row, field) for field in fields}}
        for one in measured for text, rows in one.rows.items() for row in rows
    ]  # fmt: skip
    return pd.DataFrame(records).to_csv(index=False)


def _together(measured: Sequence[Measured]) -> list[str]:
    """One row per pair of attacks, over the images of all models: a few images of one model say little of a share."""
    rows = []
    for ours, theirs in dict.fromkeys(pair for one in measured for pair in one.pairs):
        known = [one for one in measured if (ours, theirs) in one.pairs and one.done(ours) and one.done(theirs)]
        if not known:
            continue
        wins = [win for one in known for win in _at_least(one, ours, theirs, RELATIVE)]
        cheap = all(one.calls(ours) <= one.calls(theirs) for one in known)
        rows.append({
            "ours": f"`{ours}`",
            "theirs": f"`{theirs}`",
            "images": str(len(wins)),
            "ours at least as strong": f"{mean(wins):.1%}",
            "holds": "yes" if cheap and mean(wins) >= ENOUGH else "**no**",
        })  # fmt: skip
    return ["## Beside other libraries, all models", "", _table(rows), ""] if rows else []


def _chapter(one: Measured) -> str:
    done = [text for text in one.rows if one.done(text)]
    missing = [text for text in one.rows if not one.done(text)]
    parts = [f"## {one.model.name}: {one.options['images']} images of {one.options['crop']} pixels"]
    if missing:
        parts.append(f"Not finished: {', '.join(f'`{text}`' for text in missing)}.")
    parts += [_table([_summary(one, text) for text in done])] if done else []
    pairs = [pair for pair in one.pairs if all(map(one.done, pair))]
    if pairs:
        parts += ["### Beside other libraries", _table([_against(one, *pair) for pair in pairs])]
    if one.done(ENSEMBLE):
        parts += ["### The ensemble beside its members", _table(_members(one))]
    known = [text for text in (ENSEMBLE, STARTS) if one.done(text) and one.done(one.limit)]
    if known:
        parts += ["### The practical limit", _table([_gap(one, text) for text in known])]
    return "\n\n".join(parts) + "\n"


def _summary(one: Measured, text: str) -> dict[str, str]:
    rows = one.rows[text]
    return {
        "attack": f"`{text}`",
        "mean gain": f"{mean(one.gains(text)):.4f}",
        "after 8 bits": f"{mean(one.gains(text, rounded=True)):.4f}",
        "SSIM": f"{mean(row.ssim for row in rows if row.ssim is not None):.3f}",
        **_cost(one, text),
    }


def _cost(one: Measured, text: str) -> dict[str, str]:
    rows, columns = one.rows[text], (("F", "forwards", 0), ("B", "backwards", 0), ("s / image", "seconds", 2))
    return {name: f"{mean(getattr(row, field) for row in rows):.{digits}f}" for name, field, digits in columns}


def _against(one: Measured, ours: str, theirs: str) -> dict[str, str]:
    gains, others = one.gains(ours), one.gains(theirs)
    shares = [mean(_at_least(one, ours, theirs, allowed)) for allowed in (RELATIVE, NEAR)]
    shortfall = max(1 - a / b if b > 0 else 0.0 for a, b in zip(gains, others, strict=True))
    shortfall, rounding = max(0.0, shortfall), one.rounding(ours)
    calls = one.calls(ours), one.calls(theirs)
    return {
        "ours": f"`{ours}`",
        "theirs": f"`{theirs}`",
        "ours at least as strong": f"{shares[0]:.1%}",
        "within 1 %": f"{shares[1]:.1%}",
        "shortfall": f"{shortfall:.2%}",
        "rounding": "-" if rounding is None else f"{rounding:.2%}",
        "mean gain, ours": f"{mean(gains):.4f}",
        "theirs ": f"{mean(others):.4f}",
        "F + B, ours": f"{calls[0] / len(gains):.0f}",
        "theirs  ": f"{calls[1] / len(gains):.0f}",
        "holds": _verdict(shares[0], shortfall, rounding or 0.0) if calls[0] <= calls[1] else "**no**",
    }


def _at_least(one: Measured, ours: str, theirs: str, allowed: float) -> list[bool]:
    """Per image, whether ours gains as much, to a share of theirs and to float32."""
    rooms = [ROUNDING * abs(_finite(row.clean)) for row in one.rows[theirs]]
    return [a >= (1 - allowed) * b - room
            for a, b, room in zip(one.gains(ours), one.gains(theirs), rooms, strict=True)]  # fmt: skip


def _verdict(share: float, shortfall: float, rounding: float) -> str:
    if share >= ENOUGH:
        return "yes"
    return "to rounding" if shortfall < rounding else "**no**"


def _members(one: Measured) -> list[dict[str, str]]:
    ensemble, records = rq.load_attack(ENSEMBLE), []
    if not isinstance(ensemble, AutoAttack):
        raise TypeError(type(ensemble))
    for member in ensemble.members:
        text = spelled(member.name, member)
        if one.done(text):
            pairs = list(zip(one.gains(ENSEMBLE), one.gains(text), strict=True))
            records.append({
                "member": f"`{text}`",
                "ensemble at least as strong": f"{mean(a >= b for a, b in pairs):.1%}",
                "member's share of the ensemble's gain": f"{sum(b for _, b in pairs) / sum(a for a, _ in pairs):.1%}",
            })  # fmt: skip
    return records


def _gap(one: Measured, text: str) -> dict[str, str]:
    """How much of the limit's gain an attack lacks; negative where it is stronger."""
    gains, best = one.gains(text), one.gains(one.limit)
    gaps = [1 - a / b for a, b in zip(gains, best, strict=True) if b > 0]
    return {
        "attack": f"`{text}`",
        "limit": f"`{one.limit}`",
        "mean gain": f"{mean(gains):.4f}",
        "limit's": f"{mean(best):.4f}",
        "gap of the means": f"{1 - sum(gains) / sum(best):+.2%}",
        "mean gap": f"{mean(gaps):+.2%}",
        "largest gap": f"{max(gaps):+.2%}",
    }


def _finite(score: float | None) -> float:
    """A score of a sample.

    Raises:
        InvalidInput: there is none, or it was not finite.
    """
    if score is None:
        raise InvalidInput("a score of these results is missing or not finite; the tables compare all images.")
    return score


def _table(records: Sequence[dict[str, str]]) -> str:
    return pd.DataFrame(records).to_markdown(index=False, disable_numparse=True)
