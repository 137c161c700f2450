"""Attacks that learned their perturbation before: where it is kept, and for whom it was learned.

A file FILE.safetensors holds the tensors and FILE.json beside it says what they are: the model (name, defense, sha256
of its weights), the direction, the recipe, the references that it was learned on, and the sha256 of the file. Files are
named in the attack's ``up`` and ``down``, or found in the cache by what they were learned for.
"""

import hashlib
import json
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from robustiqa.attacks.base import Attack, Calls, Learned
from robustiqa.attacks.budget import Ball
from robustiqa.attacks.search import Search
from robustiqa.core.cache import cache_folder
from robustiqa.core.digests import weights_digest
from robustiqa.core.errors import InvalidInput
from robustiqa.core.files import write_atomically
from robustiqa.core.model import QualityModel
from robustiqa.core.random import RandomStreams

TRAIN_EPS: Final = 10 / 255
LAYOUT: Final = "2"  # of the networks; raise it when their tensors or inputs change, so that old files are not taken
DIRECTIONS: Final = {1: "up", -1: "down"}


@dataclass(frozen=True)
class LearnedAttack(Attack):
    """One pass of a learned network per image, scaled to ε; the attacked model is not asked at all.

    ``up`` and ``down`` name the files; empty, they are looked for in the cache, where training leaves them.
    """

    up: str = ""
    down: str = ""

    @staticmethod
    @abstractmethod
    def network(width: int, crop: int, *, reference: bool) -> nn.Module:
        """Images and what they lack of their references, both [N, 3, H, W], to perturbations in [-1, 1]; untrained.

        What an image lacks is (reference - image) / ε: with it, a network means the same at every ε.
        """

    def learned(self, model: QualityModel, sign: int) -> Learned:
        """The file for ``model`` and ``sign``: its sha256 and the references that it saw.

        Raises:
            InvalidInput: there is none (with the command that makes it), several, or it is for another model.
        """
        _, record = self._read(model, sign)
        return Learned(record["sha256"], frozenset(record["references"]))

    @property
    def calls(self) -> Calls:
        return Calls()

    def _search(self, search: Search, x: Tensor, ball: Ball, random: RandomStreams) -> Tensor:  # noqa: ARG002
        signs = [int(sign) for sign in search.signs.tolist()]
        networks = {sign: self._load(search.model, sign).to(x.device) for sign in sorted(set(signs))}
        lacks = (search.ref.float() - x.float()) / ball.eps
        with torch.no_grad():  # image by image: the result must not hang on the batch
            moves = [
                networks[sign](image[None].float(), lack[None])[0]
                for sign, image, lack in zip(signs, x, lacks, strict=True)
            ]
        return ball.project(x + ball.eps * torch.stack(moves))

    def _load(self, model: QualityModel, sign: int) -> nn.Module:
        tensors, record = self._read(model, sign)
        recipe = record["recipe"]
        with torch.device("meta"):  # without weights of its own: random ones would move the global generator
            network = self.network(recipe["width"], recipe["crop"], reference=recipe["reference"])
        network.load_state_dict(tensors, assign=True)
        return network.eval().requires_grad_(requires_grad=False)

    def _read(self, model: QualityModel, sign: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
        target = target_of(self.name, model, sign)
        named = self.up if sign > 0 else self.down
        path = Path(named) if named else self._cached(target)
        data, record = _open(path)
        if record["target"] != target:
            raise InvalidInput(f"{path} was learned for {record['target']}, not for {target}; {_how(target)}")
        return load_tensors(data), record

    def _cached(self, target: dict[str, str]) -> Path:
        files = sorted(cache_folder("learned").glob(f"{self.name}-{digest(target)}-*.safetensors"))
        if len(files) == 1:
            return files[0]
        direction = target["direction"]
        if files:
            choice = ", ".join(map(str, files))
            raise InvalidInput(f"{self.name}: several files fit; name one as {self.name}:{direction}=FILE of {choice}.")
        raise InvalidInput(f"{self.name} has learned nothing for {target['model']!r} {direction}; {_how(target)}")


def target_of(kind: str, model: QualityModel, sign: int) -> dict[str, str]:
    """What a perturbation is learned for."""
    return {
        "attack": kind,
        "model": model.info.name,
        "defense": model.info.defense,
        "weights": weights_digest(model),
        "direction": DIRECTIONS[sign],
        "layout": LAYOUT,
    }


def digest(value: object) -> str:
    """16 hexadecimal digits of any JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def cached_path(target: dict[str, str], data: object, recipe: object) -> Path:
    """Where what was learned for ``target`` from ``data`` by ``recipe`` is kept."""
    return cache_folder("learned") / f"{target['attack']}-{digest(target)}-{digest([data, recipe])}.safetensors"


def write_learned(path: Path, tensors: dict[str, Tensor], record: dict[str, Any]) -> None:
    """The tensors, and their record with the file's sha256 beside them; both atomically."""
    content = save_tensors({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    record = {**record, "sha256": hashlib.sha256(content).hexdigest()}
    write_atomically(path, content)
    write_atomically(path.with_suffix(".json"), json.dumps(record, indent=1) + "\n")


def _open(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        content = path.read_bytes()
        record = cast(dict[str, Any], json.loads(path.with_suffix(".json").read_bytes()))
        sha256 = record["sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(f"{path} with its .json beside it cannot be read: {error!r}; train it again.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidInput(f"{path} is not the file that its .json speaks of (sha256 {sha256}); train it again.")
    return content, record


def _how(target: dict[str, str]) -> str:
    defense = f" --defense {target['defense']}" if target["defense"] else ""
    return (
        f"make it with: robustiqa train-attack {target['attack']} --model {target['model']}{defense} "
        f"--direction {target['direction']} --dataset kadid-style=FOLDER --out FILE.safetensors"
    )
