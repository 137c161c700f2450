"""One pair under attack: the adversarial picture, what changed in it, and the scores before and after."""

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from robustiqa.attacks.base import Attack, AttackResult
from robustiqa.attacks.limits import Limits
from robustiqa.benchmarks.perturbation import perturbations
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.core.images import png_bytes, to_rgb
from robustiqa.core.objective import Objective
from robustiqa.core.parameters import spelled


@dataclass(frozen=True)
class Attacked:
    """An attacked pair: its images [3, H, W] in [0, 1] on the 8-bit grid, and its record for JSON."""

    clean: Tensor
    adversarial: Tensor
    record: dict[str, Any]

    def difference(self, amplify: float) -> Tensor:
        """What the attack added, ``amplify`` times, on middle grey."""
        return (0.5 + amplify * (self.adversarial - self.clean)).clamp(0, 1)


def attack_pair(
    objective: Objective,
    attack: Attack,
    dist: Tensor,
    direction: str,
    eps: float,
    seed: int = 0,
    limits: Limits | None = None,
) -> Attacked:
    """Attack the image ``dist`` [3, H, W] within radius ``eps`` in [0, 1] units, of the attack's norm.

    Args:
        limits: where the search stops early; flagged ``budget-cut`` where it did.

    Raises:
        InvalidInput: images of different sizes or too small for the model, ε out of (0, 1], or scores that are not
            finite.
    """
    start = time.perf_counter()
    model = objective.model
    result = attack.run(objective, dist[None], eps, seed, limits=limits)
    rounded, change = (perturbations(dist[None], x)[0] for x in (result.adversarial_8bit, result.adversarial))
    record = {
        "model": model.info.name,
        "lower_better": model.info.lower_better,
        "attack": spelled(attack.name, attack),
        "direction": direction,
        "eps": eps,
        **_scores(result, model.info.name),
        **asdict(change),
        "linf_8bit": rounded.linf,
        "curve": [[point.at, float(point.score)] for point in result.curve if math.isfinite(float(point.score))],
        "seconds": time.perf_counter() - start,
        "flags": sorted({*model.info.flags, *attack.flags, *_of_the_search(objective, result)}),
    }
    return Attacked(dist, result.adversarial_8bit[0], record)


def _scores(result: AttackResult, name: str) -> dict[str, float | int]:
    scores = {
        "clean_score": float(result.clean_score),
        "attacked_score": float(result.attacked_score),
        "attacked_score_8bit": float(result.attacked_score_8bit),
        "spread": float(result.attacked_spread),
    }
    if not all(map(math.isfinite, scores.values())):
        raise InvalidInput(f"{name} gave scores that are not finite: {scores}.")
    return {**scores, "forwards": int(result.cost.forwards), "backwards": int(result.cost.backwards)}


def _of_the_search(objective: Objective, result: AttackResult) -> list[str]:
    """The flags of ``docs/flags.md`` that one search can raise."""
    raised = {
        "budget-cut": result.cut.any(),
        "dead-gradients": result.cost.dead.any(),
        "saturated": result.cost.saturated.any(),
        "randomised-without-eot": not objective.model.info.deterministic and objective.passes == 1,
    }
    return [flag for flag, applies in raised.items() if applies]


def write_png(path: Path, image: Tensor) -> None:
    """``image`` [3, H, W] in [0, 1] as an 8-bit PNG, atomically."""
    write_atomically(path, png_bytes(to_rgb(image)))
