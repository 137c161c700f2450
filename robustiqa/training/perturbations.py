"""Learn an attack's perturbation (``facpa``, ``uap``) on references that it will not be evaluated on."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from robustiqa.attacks import ATTACKS
from robustiqa.attacks.learned import TRAIN_EPS, LearnedAttack, cached_path, target_of, write_learned
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.files import write_atomically
from robustiqa.core.images import check_pair
from robustiqa.core.model import QualityModel, Reference
from robustiqa.core.random import derive_seed, own_random_numbers
from robustiqa.datasets.base import PairDataset, references
from robustiqa.datasets.splits import split_by_reference

LEARNABLE: Final = ("facpa", "uap")
SHARES: Final = (60, 40)  # of the references: learned on, kept for evaluation
# Both papers train for epochs with Adam at 1e-3, UAP's in units of a pixel. In few steps facpa needs more. The rate
# falls linearly to 0, so that it settles; uap learns as much with it as without.
RATES: Final = {"facpa": 1e-2, "uap": 1e-3 / TRAIN_EPS}
HELD_OUT_BATCHES: Final = 8
Report = Callable[[int, float], None]


@dataclass(frozen=True)
class Recipe:
    """How a perturbation is learned: Adam at 10/255 on ``batch`` crops a step, from the first ``pairs`` of the data.

    With ``reference`` facpa's network sees the reference beside the image.
    """

    steps: int = 400
    crop: int = 128
    width: int = 8
    batch: int = 4
    pairs: int = 60
    reference: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name not in {"seed", "reference"} and value < 1:
                raise InvalidInput(f"{name} {value!r} must be at least 1.")


def learn(
    kind: str, model: QualityModel, sign: int, dataset: PairDataset, recipe: Recipe, out: Path, report: Report
) -> dict[str, Any]:
    """Learn ``kind`` for ``model`` and direction ``sign`` (+1 up, -1 down) and write OUT with its JSON record.

    What was learned for the same model, direction, data and recipe before is taken from the cache.

    Args:
        report: called with (step, mean of J) after every step.

    Returns:
        The record: target, data, references, recipe, sha256, and mean J of held-out crops: clean, with random signs
        of 10/255, and attacked at 10/255.

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
        crops, unseen = (_Crops.read(dataset, part, recipe) for part in (train, held_out))
        network = _fit(kind, model, sign, crops, recipe, report)
        record = {
            "target": target, "data": data, "references": train, "held_out": held_out, "recipe": asdict(recipe),
            "eps": TRAIN_EPS, "held_out_j": _held_out_j(network, model, sign, unseen),
        }  # fmt: skip
        write_learned(cached, network.state_dict(), record)
    for file in (cached, cached.with_suffix(".json")):
        write_atomically(out.with_suffix(file.suffix), file.read_bytes())
    return cast(dict[str, Any], json.loads(cached.with_suffix(".json").read_bytes()))


@dataclass(frozen=True)
class _Crops:
    """Whole images of the pairs as uint8 [3, H, W], and crops of them, step by step."""

    images: Sequence[tuple[Tensor, Tensor]]
    recipe: Recipe

    @classmethod
    def read(cls, dataset: PairDataset, names: Sequence[str], recipe: Recipe) -> "_Crops":
        images = []
        for pair in [pair for pair in dataset.pairs if pair.reference in set(names)][: recipe.pairs]:
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
) -> nn.Module:
    """The trained network, in evaluation mode."""
    attack = ATTACKS.get(kind)
    if not issubclass(attack, LearnedAttack):
        raise TypeError(attack)
    with own_random_numbers():
        torch.default_generator.manual_seed(derive_seed("network", recipe.seed))
        network = attack.network(recipe.width, recipe.crop, reference=recipe.reference).to(model.device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATES[kind])
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / recipe.steps)
    for step in range(recipe.steps):
        batch = _Batch.prepared(model, crops, step)
        j = batch.mean_j(model, sign, batch.attacked(network))
        optimizer.zero_grad()
        (-j).backward(inputs=list(network.parameters()))  # type: ignore[no-untyped-call]
        optimizer.step()
        falling.step()
        report(step + 1, float(j.detach()))
    return network.eval()


@torch.no_grad()
def _held_out_j(network: nn.Module, model: QualityModel, sign: int, crops: _Crops) -> dict[str, float]:
    """Mean J of the same crops untouched, with random signs, which is what not learning gives, and attacked."""
    found: dict[str, list[float]] = {"clean": [], "random_signs": [], "attacked": []}
    for step in range(HELD_OUT_BATCHES):
        batch = _Batch.prepared(model, crops, step)
        generator = torch.Generator().manual_seed(derive_seed("signs", step))
        signs = (torch.randint(0, 2, batch.dist.shape, generator=generator) * 2 - 1).to(batch.dist)
        images = (batch.dist, batch.dist + TRAIN_EPS * signs, batch.attacked(network))
        for values, x in zip(found.values(), images, strict=True):
            values.append(float(batch.mean_j(model, sign, x)))
    return {name: statistics.mean(values) for name, values in found.items()}


class _Batch(NamedTuple):
    """Crops [N, 3, S, S] in [0, 1] and the prepared references, with seeds of a randomised model's draws."""

    ref: Tensor
    dist: Tensor
    prepared_ref: Reference

    @classmethod
    def prepared(cls, model: QualityModel, crops: _Crops, step: int) -> "_Batch":
        ref, dist = (image.to(model.device) for image in crops.batch(step))
        check_pair(ref, dist, model.info.min_size)
        with torch.no_grad():
            reference = model.prepare(ref).seeded([derive_seed("learned", step, i) for i in range(len(ref))])
        return cls(ref, dist, reference)

    def attacked(self, network: nn.Module) -> Tensor:
        """The distorted crops at 10/255; may leave [0, 1]."""
        moved: Tensor = self.dist + TRAIN_EPS * network(self.dist, (self.ref - self.dist) / TRAIN_EPS)
        return moved

    def mean_j(self, model: QualityModel, sign: int, x: Tensor) -> Tensor:
        return (sign * model.info.orientation * model.compare(self.prepared_ref, x.clamp(0, 1))).mean()
