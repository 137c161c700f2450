"""Models and defenses ranked by what their worst attack does to them; what cannot be told apart shares a rank."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import pandas as pd

from robustiqa.reports.compose import View
from robustiqa.reports.draws import Estimate
from robustiqa.reports.paired import Common, Paired, flags_of_estimates
from robustiqa.reports.render import DASH, budget_text, escape, frame_csv, frame_json, interval_text, threat_text
from robustiqa.reports.rows import Row

By = Literal["srocc", "gain"]
BYS: Final[tuple[By, ...]] = get_args(By)
DIRECTION: Final[dict[By, str]] = {"srocc": "tomean", "gain": "up"}  # as bench's table has it
SEEN: Final = "labels-seen-in-training"
MISSING: Final = "attacks-missing"


@dataclass(frozen=True)
class Worst:
    """The attack, under any threat, that moved a model most; ``estimate`` is on the samples that all entries have."""

    row: Row
    value: Paired
    estimate: Estimate

    @property
    def words(self) -> str:
        """The attack and its threat."""
        spec = self.row.view.spec
        return f"{'' if spec.attack is None else spec.attack.label}, {threat_text(spec)}"


@dataclass(frozen=True)
class Entry:
    """A model with a defense, or none, in one setting.

    Attributes:
        rank: one more than the number of entries that are significantly better; None where the ranked number is
            missing. Entries of one rank are ties.
        srocc: attacked, under the attack that leaves least of it; ``gain``: under the one that gains most.
        attacks: how many distinct attacks were made on it; what was carried over from other models is none.
    """

    setting: tuple[str, ...]
    rank: int | None
    tied: bool
    subject: str
    n: int
    clean: Estimate | None
    srocc: Worst | None
    gain: Worst | None
    attacks: int
    flags: tuple[str, ...]


def leaderboard(rows: Iterable[Row], by: By = "srocc") -> list[Entry]:
    """Entries of each dataset, ε and crop, best first.

    A model that was trained on the dataset's labels is ranked among its like only.
    """
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[_setting(row)].append(row)
    return [entry for setting, group in groups.items() for entry in _ranked(setting, group, by)]


def _setting(row: Row) -> tuple[str, ...]:
    spec = row.view.spec
    crop = "whole images" if spec.crop is None else f"crop {spec.crop}"
    return (spec.dataset.name, spec.dataset.manifest[:8], budget_text(spec), crop, f"seed {spec.seed}",
            "labels seen in training" if SEEN in row.flags else "labels not seen")  # fmt: skip


def _subject(view: View) -> tuple[str, str, str]:
    """Weights tell apart what has one name."""
    spec = view.spec
    return spec.subject, spec.model.weights, "" if spec.defense is None else spec.defense.weights


def _ranked(setting: tuple[str, ...], rows: Sequence[Row], by: By) -> list[Entry]:
    subjects: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        subjects[_subject(row.view)].append(row)
    worst: dict[By, list[Worst | None]] = {kind: _worst(list(subjects.values()), kind) for kind in BYS}
    ranks = _ranks(worst[by], by)
    every = _attacks(rows)
    entries = [
        _entry(setting, rank, ranks.count(rank) > 1, own, srocc, gain, every)
        for rank, own, srocc, gain in zip(ranks, subjects.values(), worst["srocc"], worst["gain"], strict=True)
    ]
    return sorted(entries, key=lambda entry: (entry.rank is None, entry.rank or 0, -_merit(entry, by), entry.subject))


def _entry(
    setting: tuple[str, ...],
    rank: int | None,
    tied: bool,
    rows: Sequence[Row],
    srocc: Worst | None,
    gain: Worst | None,
    every: set[str],
) -> Entry:
    met = _attacks(rows)
    known = [one for one in (srocc, gain) if one is not None]
    flags = {flag for one in known for flag in (*one.row.flags, *flags_of_estimates(one.estimate))}
    return Entry(
        setting=setting,
        rank=rank,
        tied=tied and rank is not None,
        subject=rows[0].view.spec.subject,
        n=min((one.value.clustered.resamples.size for one in known), default=0),
        clean=known[0].row.srocc_clean if known else None,
        srocc=srocc,
        gain=gain,
        attacks=len(met),
        flags=tuple(sorted(flags | ({MISSING} if met != every else set()))),
    )


def _attacks(rows: Iterable[Row]) -> set[str]:
    """Attacks that were made on these models themselves, under any threat."""
    specs = [row.view.spec for row in rows]
    return {spec.attack.label for spec in specs if spec.attack is not None and spec.source is None}


def _worst(subjects: Sequence[Sequence[Row]], kind: By) -> list[Worst | None]:
    """Of each subject, on the samples that all of them have."""
    own = [[row for row in rows if row.view.direction == DIRECTION[kind]] for rows in subjects]
    views = [row.view for rows in own for row in rows]
    common = Common.of(views) if views else None
    return [None if common is None else _of(rows, common, kind) for rows in own]


def _of(rows: Sequence[Row], common: Common, kind: By) -> Worst | None:
    values = [(row, _value(row.view, common, kind)) for row in rows]
    defined = [(row, value) for row, value in values if value.clustered.estimate == value.clustered.estimate]
    if not defined:
        return None
    sign = 1 if kind == "gain" else -1
    row, value = max(defined, key=lambda item: sign * item[1].clustered.estimate)
    return Worst(row, value, value.estimate)


def _value(view: View, common: Common, kind: By) -> Paired:
    return common.gain(view) if kind == "gain" else common.srocc(view, "attacked")


def _ranks(worst: Sequence[Worst | None], by: By) -> list[int | None]:
    better = "above" if by == "srocc" else "below"
    return [
        None
        if one is None
        else 1 + sum(
            other is not None and other.value.minus(one.value).clustered.verdict == better for other in worst
        )
        for one in worst
    ]  # fmt: skip


def _merit(entry: Entry, by: By) -> float:
    found = entry.srocc if by == "srocc" else entry.gain
    if found is None:
        return 0.0
    return found.estimate.value if by == "srocc" else -found.estimate.value


def leaderboard_frame(entries: Sequence[Entry]) -> pd.DataFrame:
    """One record for each entry."""
    return pd.DataFrame([_record(entry) for entry in entries])


def _record(entry: Entry) -> dict[str, object]:
    names = ("dataset", "manifest", "eps", "images", "seed", "labels")
    record: dict[str, object] = dict(zip(names, entry.setting, strict=True))
    record |= {"rank": entry.rank, "tied": entry.tied, "model": entry.subject, "n": entry.n}
    record["srocc_clean"] = None if entry.clean is None else entry.clean.value
    for name, worst in (("srocc_attacked", entry.srocc), ("gain", entry.gain)):
        found = None if worst is None else worst.estimate.clustered
        record[name] = None if found is None else found.estimate
        record |= {f"{name}_lo": None if found is None else found.lo, f"{name}_hi": None if found is None else found.hi}
        record[f"{name}_attack"] = None if worst is None else worst.words
    return {**record, "attacks": entry.attacks, "flags": " ".join(entry.flags)}


def leaderboard_markdown(entries: Sequence[Entry], by: By) -> str:
    """A table for each setting."""
    parts = []
    for setting in dict.fromkeys(entry.setting for entry in entries):
        records = [
            {
                "rank": _rank(entry),
                "model": escape(entry.subject),
                "n": str(entry.n),
                "SROCC clean ↑": interval_text(entry.clean),
                "SROCC attacked ↑ [95 % CI]": _worst_text(entry.srocc),
                "gain ↓ [95 % CI]": _worst_text(entry.gain),
                "attacks": str(entry.attacks),
                "flags": escape(" ".join(entry.flags)),
            }
            for entry in entries
            if entry.setting == setting
        ]
        name, _, *rest = setting
        table = pd.DataFrame(records).to_markdown(index=False, disable_numparse=True)
        parts.append(f"{escape(', '.join([name, *rest]))}\n\n{table}\n")
    number = {"srocc": "attacked SROCC (tomean)", "gain": "gain (up)"}[by]
    note = (
        f"Ranked by {number}, each under its worst attack and threat. A rank is one more than the number of those that "
        "are better by a paired interval, clustered by reference, that excludes 0; those of one rank (=) cannot be "
        "told apart, and with fewer than 20 references nothing can.\n"
    )
    return "\n".join([*parts, note])


def _rank(entry: Entry) -> str:
    return DASH if entry.rank is None else f"{entry.rank}{'=' if entry.tied else ''}"


def _worst_text(worst: Worst | None) -> str:
    return DASH if worst is None else f"{interval_text(worst.estimate)} ({escape(worst.words)})"


def leaderboard_text(entries: Sequence[Entry], by: By, form: str) -> str:
    """The leaderboard as ``md``, ``csv`` or ``json``."""
    if form == "md":
        return leaderboard_markdown(entries, by)
    return (frame_csv if form == "csv" else frame_json)(leaderboard_frame(entries))
