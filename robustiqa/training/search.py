"""The paper's search for a feature set (Appendix B): sets of one to three, fewer candidates, sets of four, a fifth."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.models.birqa.features import FEATURES
from robustiqa.statistics import pareto_ranks
from robustiqa.training.trial import Trial

CANDIDATES: Final = (
    "ssim", "information", "color", "lbp", "gabor", "wavelet", "entropy", "edge", "dlm", "vif", "saliency",
)  # fmt: skip
CONTROL: Final = "raw"
LARGEST: Final = 5

Set = tuple[str, ...]
Try = Callable[[Set], Trial]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        trials: by feature set, in the order in which they were tried.
        weakness: mean Pareto rank of the sets of up to three that hold a feature, 0 (best) to 1, for each candidate.
        dropped: the weakest, of which no set of four was tried.
    """

    trials: dict[Set, Trial]
    weakness: dict[str, float]
    dropped: tuple[str, ...]


def search(candidates: Iterable[str], largest: int, drop: int, size: str, attempt: Try) -> Found:
    """The paper's search, up to sets of ``largest`` features; ``attempt`` trains, or remembers, the trial of a set.

    Beyond the sets of the candidates, raw pixels are tried alone and added to the best set of four, as in the paper.

    Args:
        drop: how many features are left out of the sets of four; so few that five stay.
        size: which of a trial's timings counts.

    Raises:
        UnknownName, InvalidInput: a candidate that does not exist, or is named twice; ``largest`` out of 1..5.
    """
    names = checked(candidates)
    if not 1 <= largest <= LARGEST:
        raise InvalidInput(f"sets of {largest}: the search has sets of 1 to {LARGEST} features.")
    control = () if CONTROL in names else (CONTROL,)
    trials = {chosen: attempt(chosen) for chosen in (*first_sets(names, largest), *((c,) for c in control))}
    weakness = weaknesses({chosen: trial for chosen, trial in trials.items() if set(chosen) <= set(names)}, size)
    dropped = sorted(names, key=lambda name: -weakness[name])[: max(0, min(drop, len(names) - LARGEST))]
    dropped = dropped if largest > 3 else []
    survivors = [name for name in names if name not in dropped]
    if largest > 3:
        fours: dict[Set, Trial] = {chosen: attempt(chosen) for chosen in combinations(survivors, 4)}
        trials |= fours
        if largest > 4 and fours:
            best = max(fours, key=lambda chosen: np.nan_to_num(fours[chosen].srocc, nan=-2))
            fifths = [name for name in (*survivors, *control) if name not in best]
            trials |= {chosen: attempt(chosen) for chosen in (in_order((*best, name)) for name in fifths)}
    return Found(trials, weakness, tuple(dropped))


def checked(candidates: Iterable[str]) -> Set:
    """The candidates, in the order of the feature table."""
    names = tuple(candidates)
    for name in names:
        if name not in FEATURES:
            raise UnknownName("feature map", name, FEATURES)
    if len(set(names)) < len(names):
        raise InvalidInput(f"candidates {'+'.join(names)}: a feature map is named twice; name each once.")
    return in_order(names)


def in_order(names: Iterable[str]) -> Set:
    """A set written in one way only: in the order of the feature table."""
    return tuple(sorted(names, key=list(FEATURES).index))


def first_sets(names: Sequence[str], largest: int) -> list[Set]:
    """All sets of one, two and three features, as far as ``largest``: 231 of eleven."""
    return [chosen for count in range(1, min(3, largest) + 1) for chosen in combinations(names, count)]


def weaknesses(trials: dict[Set, Trial], size: str) -> dict[str, float]:
    """For each feature the mean, over the sets that hold it, of the set's Pareto rank in SROCC and speed.

    Ranks are taken among sets of one size, and divided by that size's last rank, so that sizes count alike. The paper
    says that the three weakest were dropped "based on joint accuracy-speed", without a formula.
    """
    ranks: dict[Set, float] = {}
    for count in {len(chosen) for chosen in trials}:
        group = [chosen for chosen in trials if len(chosen) == count]
        order = pareto_ranks([(trials[c].srocc, trials[c].timings[size].speed) for c in group])
        ranks |= dict(zip(group, (order / max(1, order.max())).tolist(), strict=True))
    names = in_order({name for chosen in trials for name in chosen})
    return {name: float(np.mean([rank for chosen, rank in ranks.items() if name in chosen])) for name in names}
