"""What a cell's specification says of the dataset, the model, the defense and the attack it was made with."""

import dataclasses
import statistics
from collections.abc import Collection, Sequence

from pydantic import JsonValue

from robustiqa.attacks.autoattack import AutoAttack
from robustiqa.attacks.base import Attack, Learned
from robustiqa.benchmarks.cell import DatasetRecord, ModelRecord, PartRecord
from robustiqa.benchmarks.provenance import code_digest
from robustiqa.core.digests import weights_digest
from robustiqa.core.errors import InvalidInput
from robustiqa.core.model import QualityModel
from robustiqa.core.parameters import spelled
from robustiqa.datasets.base import PairDataset
from robustiqa.defenses.base import Defense
from robustiqa.defenses.compose import Composition


def attack_record(attack: Attack, learned: Learned | None = None, evaluated_on: Collection[str] = ()) -> PartRecord:
    """Name, resolved parameters, flags and code of an attack, and what it has learned.

    Ensembles list their members: what they hold may change under the same name.
    """
    parameters: dict[str, JsonValue] = dataclasses.asdict(attack)
    if isinstance(attack, AutoAttack):
        parameters["members"] = [spelled(one.name, one) for one in attack.members]
    seen = learned is not None and not learned.references.isdisjoint(evaluated_on)
    return PartRecord(
        name=attack.name,
        label=spelled(attack.name, attack),
        parameters=parameters,
        weights="" if learned is None else learned.sha256,
        flags=(*attack.flags, *(["attack-saw-references"] if seen else [])),
        code=code_digest(attack),
    )


def defense_record(defense: Defense, defended: QualityModel, flags: Collection[str] = ()) -> PartRecord:
    """The same of a defense, with the weights of the model that it made."""
    parts = defense.parts if isinstance(defense, Composition) else (defense,)
    made = [thing for part in parts for thing in (part, getattr(part, "network", None)) if thing is not None]
    codes = [code_digest(thing) for thing in made]
    parameters: dict[str, JsonValue] = {f"{i}:{part.name}": dataclasses.asdict(part) for i, part in enumerate(parts)}
    return PartRecord(
        name="+".join(part.name for part in parts),
        label="+".join(spelled(part.name, part) for part in parts),
        parameters=parameters,
        weights=weights_digest(defended),
        flags=tuple(flags),
        code="built-in" if set(codes) == {"built-in"} else "+".join(codes),
    )


def dataset_record(dataset: PairDataset) -> DatasetRecord:
    """The whole dataset, whatever the limit."""
    return DatasetRecord(
        name=dataset.name,
        manifest=dataset.manifest(),
        pairs=len(dataset.pairs),
        mean_quality=statistics.mean(dataset.quality().tolist()),  # exact, as in tomean_signs
        human_score=dataset.human_score,
        labels=dataset.labels,
    )


def model_record(model: QualityModel) -> ModelRecord:
    """The undefended model, with the sha256 of its state."""
    info = model.info
    return ModelRecord(
        name=info.name,
        lower_better=info.lower_better,
        score_range=info.score_range,
        trained_on=info.trained_on,
        licence=info.licence,
        flags=info.flags,
        weights=weights_digest(model),
        code=code_digest(model),
    )


def check_distinct(models: Sequence[QualityModel]) -> None:
    """Refuse models of the caller's own that a cell could not tell apart.

    Raises:
        InvalidInput: two instances differ in their settings, but neither in name and weights nor in code.
    """
    known: dict[str, QualityModel] = {}
    for model in models:
        record = model_record(model)
        other = known.setdefault(record.model_dump_json(), model)
        if record.code != "built-in" and _settings(other) != _settings(model):
            raise InvalidInput(
                f"two models called {record.name!r} differ in their settings alone, which cells do not hold; "
                "give each an info with a name of its own."
            )


def _settings(model: QualityModel) -> dict[str, object]:
    """Plain public attributes of all sub-modules."""
    return {
        f"{name}.{key}": value
        for name, module in model.named_modules()
        for key, value in vars(module).items()
        if isinstance(value, int | float | str) and not key.startswith("_")
    }
