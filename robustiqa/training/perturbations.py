"""Learn an attack's perturbation (``facpa``, ``uap``) on references that it will not be evaluated on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor

from robustiqa.attacks import ATTACKS
from robustiqa.attacks.learned import TRAIN_EPS, LearnedAttack, cached_path, target_of, write_learned
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.files import write_atomically
from robustiqa.core.images import check_pair
from robustiqa.core.model import QualityModel
from robustiqa.core.random import derive_seed, own_random_numbers
from robustiqa.datasets.base import Pair, PairDataset, references
from robustiqa.datasets.splits import split_by_reference

LEARNABLE: Final = ("facpa", "uap")
SHARES: Final = (60, 40)  # of the references: learned on, kept for evaluation
RATES: Final = {"facpa": 1e-3, "uap": 1e-3 / TRAIN_EPS}  # both papers': Adam at 1e-3, UAP's in units of a pixel
Report = Callable[[int, float], None]


@dataclass(frozen=True)
class Recipe:
    """How a perturbation is learned: Adam at 10/255 on ``batch`` crops a step, from the first ``pairs`` of the data."""

    steps: int = 400
    crop: int = 128
    width: int = 8
    batch: int = 4
    pairs: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name != "seed" and value < 1:
                raise InvalidInput(f"{name} {value!r} must be at least 1.")


def learn(
    kind: str, model: QualityModel, sign: int, dataset: PairDataset, recipe: Recipe, out: Path, report: Report
) -> dict[str, Any]:
    """Learn ``kind`` for ``model`` and direction ``sign`` (+1 up, -1 down) and write OUT with its JSON record.

    What was learned for the same model, direction, data and recipe before is taken from the cache.

    Args:
        report: called with (step, mean of J) after every step.

    Returns:
        The record: target, data, references, recipe, mean J of the first and the last step, sha256.

    Raises:
        UnknownName: no attack of that name learns.
        InvalidInput: a crop that does not fit, or data of fewer than two references.
    """
    if kind not in LEARNABLE:
        raise UnknownName("attack to train", kind, LEARNABLE)
    train, held_out = split_by_reference(references(dataset.pairs), SHARES)
    if not train or not held_out:
        raise InvalidInput(f"{dataset.name} has {len(train) + len(held_out)} references; wanted at least 2 to split.")
    target, data = target_of(kind, model, sign), {"name": dataset.name, "manifest": dataset.manifest()}
    cached = cached_path(target, data, asdict(recipe))
    if not (cached.exists() and cached.with_suffix(".json").exists()):
        pairs = [pair for pair in dataset.pairs if pair.reference in set(train)][: recipe.pairs]
        tensors, curve = _fit(kind, model, sign, _Crops.read(dataset, pairs, recipe), recipe, report)
        record = {
            "target": target, "data": data, "references": train, "held_out": held_out, "recipe": asdict(recipe),
            "eps": TRAIN_EPS, "mean_j": {"first": curve[0], "last": curve[-1]},
        }  # fmt: skip
        write_learned(cached, tensors, record)
    for file in (cached, cached.with_suffix(".json")):
        write_atomically(out.with_suffix(file.suffix), file.read_bytes())
    return cast(dict[str, Any], json.loads(cached.with_suffix(".json").read_bytes()))


@dataclass(frozen=True)
class _Crops:
    """Whole images of the pairs as uint8 [3, H, W], and crops of them, step by step."""

    images: Sequence[tuple[Tensor, Tensor]]
    recipe: Recipe

    @classmethod
    def read(cls, dataset: PairDataset, pairs: Sequence[Pair], recipe: Recipe) -> "_Crops":
        images = []
        for pair in pairs:
            ref, dist = dataset.images(pair)
            if min(ref.shape[-2:]) < recipe.crop:
                size = f"{ref.shape[-1]}x{ref.shape[-2]}"
                raise InvalidInput(f"{pair.reference}: {size} is below the crop of {recipe.crop}; lower --crop.")
            images.append(((ref * 255).round().to(torch.uint8), (dist * 255).round().to(torch.uint8)))
        return cls(images, recipe)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Reference and distorted crops [N, 3, S, S] in [0, 1], a function of (seed, step)."""
        rng = np.random.default_rng(derive_seed("learned", self.recipe.seed, step))
        refs, dists = zip(*(self._crop(rng) for _ in range(self.recipe.batch)), strict=True)
        return torch.stack(refs).float() / 255, torch.stack(dists).float() / 255

    def _crop(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        ref, dist = self.images[int(rng.integers(len(self.images)))]
        size = self.recipe.crop
        top, left = (int(rng.integers(side - size + 1)) for side in ref.shape[-2:])
        return ref[:, top : top + size, left : left + size], dist[:, top : top + size, left : left + size]


def _fit(
    kind: str, model: QualityModel, sign: int, crops: _Crops, recipe: Recipe, report: Report
) -> tuple[dict[str, Tensor], list[float]]:
    """The network's tensors, and the mean of J at every step."""
    attack = ATTACKS.get(kind)
    if not issubclass(attack, LearnedAttack):
        raise TypeError(attack)
    with own_random_numbers():
        torch.default_generator.manual_seed(derive_seed("network", recipe.seed))
        network = attack.network(recipe.width, recipe.crop).to(model.device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATES[kind])
    curve: list[float] = []
    for step in range(recipe.steps):
        ref, dist = (image.to(model.device) for image in crops.batch(step))
        check_pair(ref, dist, model.info.min_size)
        with torch.no_grad():
            prepared = model.prepare(ref).seeded([derive_seed("learned", step, i) for i in range(len(ref))])
        attacked = (dist + TRAIN_EPS * network(dist)).clamp(0, 1)
        j = (sign * model.info.orientation * model.compare(prepared, attacked)).mean()
        optimizer.zero_grad()
        (-j).backward(inputs=list(network.parameters()))  # type: ignore[no-untyped-call]
        optimizer.step()
        curve.append(float(j.detach()))
        report(step + 1, curve[-1])
    return network.eval().state_dict(), curve
