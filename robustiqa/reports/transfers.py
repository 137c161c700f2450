"""Source x target: how far each model is moved by the 8-bit adversarials that were made against each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from robustiqa.reports.compose import View
from robustiqa.reports.conditions import source_text
from robustiqa.reports.draws import Estimate
from robustiqa.reports.paired import Common, flags_of_estimates
from robustiqa.reports.render import DASH, budget_text, escape, frame_csv, frame_json, interval_text
from robustiqa.reports.rows import Row


@dataclass(frozen=True)
class Transfer:
    """One target on one source's images, or a model on its own; ``gain`` is of the 8-bit images, in the target's unit.

    ``flags`` are those of the target's row, and of the interval.
    """

    setting: tuple[str, ...]
    source: str
    target: str
    own: bool
    n: int
    n_excluded: int
    gain: Estimate
    flags: tuple[str, ...]


def transfers(rows: Iterable[Row], directions: Sequence[str] = ("up",)) -> list[Transfer]:
    """Entries of the matrices, from rows with and without a source; attacks of which nothing was carried over are not
    in them.
    """
    rows = [row for row in rows if row.view.direction in directions]
    carried = {(setting_of(row.view), source_text(row.view.spec)) for row in rows if row.view.spec.source is not None}
    found = [_entry(row) for row in rows if (setting_of(row.view), source_text(row.view.spec)) in carried]
    return [entry for entry in found if entry is not None]


def setting_of(view: View) -> tuple[str, ...]:
    """What all entries of one matrix share."""
    spec = view.spec
    attack = "" if spec.attack is None else spec.attack.label
    crop = "whole images" if spec.crop is None else f"crop {spec.crop}"
    return spec.dataset.name, attack, budget_text(spec), view.direction, crop, f"seed {spec.seed}"


def _entry(row: Row) -> Transfer | None:
    common = Common.of([row.view])
    if common is None:
        return None
    gain = common.gain(row.view, "attacked_8bit").estimate
    return Transfer(
        setting=setting_of(row.view),
        source=source_text(row.view.spec),
        target=row.view.spec.subject,
        own=row.view.spec.source is None,
        n=row.n,
        n_excluded=row.n_excluded,
        gain=gain,
        flags=tuple(sorted({*row.flags, *flags_of_estimates(gain)})),
    )


def transfers_frame(entries: Sequence[Transfer]) -> pd.DataFrame:
    """One record for each entry."""
    return pd.DataFrame(
        [
            {
                **dict(zip(("dataset", "attack", "eps", "direction", "images", "seed"), one.setting, strict=True)),
                "source": one.source,
                "target": one.target,
                "own": one.own,
                "n": one.n,
                "n_excluded": one.n_excluded,
                "gain_8bit": one.gain.clustered.estimate,
                "gain_8bit_lo": one.gain.clustered.lo,
                "gain_8bit_hi": one.gain.clustered.hi,
                "gain_8bit_iid_lo": one.gain.iid.lo,
                "gain_8bit_iid_hi": one.gain.iid.hi,
                "flags": " ".join(one.flags),
            }
            for one in entries
        ]
    )


def transfers_markdown(entries: Sequence[Transfer]) -> str:
    """A matrix for each setting: sources down, targets across, a model's own attack in bold; flags below."""
    parts = []
    for setting in dict.fromkeys(one.setting for one in entries):
        own = [one for one in entries if one.setting == setting]
        targets = sorted({one.target for one in own})
        records = [
            {"made on": escape(source), **{f"on {escape(t)}": _cell(own, source, t) for t in targets}}
            for source in sorted({one.source for one in own})
        ]
        table = pd.DataFrame(records).to_markdown(index=False, disable_numparse=True)
        flags = "\n".join(f"* {escape(one.source)} on {escape(one.target)}: {' '.join(one.flags)}" for one in own)
        parts.append(f"{escape(', '.join(setting))}\n\n{table}\n\n{flags}\n")
    note = (
        "Gain ↓ [95 % CI] of the column's model on 8-bit adversarials made on the row's, in units of its own range of "
        "clean scores; bold: the attack on the model itself. Paired bootstrap clustered by reference.\n"
    )
    return "\n".join([*parts, note])


def _cell(entries: Sequence[Transfer], source: str, target: str) -> str:
    found = next((one for one in entries if (one.source, one.target) == (source, target)), None)
    if found is None:
        return DASH
    return f"**{interval_text(found.gain)}**" if found.own else interval_text(found.gain)


def transfers_text(entries: Sequence[Transfer], form: str) -> str:
    """The matrices as ``md``, ``csv`` or ``json``."""
    if form == "md":
        return transfers_markdown(entries)
    return (frame_csv if form == "csv" else frame_json)(transfers_frame(entries))
