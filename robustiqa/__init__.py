"""robustiqa: how far can an attacker move a full-reference image quality metric, and how much does a defense help?

    import robustiqa as rq
    model = rq.load_model("lpips-alex")
    attack = rq.load_attack("pgd", steps=10)
    result = attack.run(rq.Objective(model, ref, direction="up"), dist, eps=8 / 255)

Importing this package does not import torch; the names below are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robustiqa.attacks import load_attack as load_attack
    from robustiqa.attacks.base import Attack as Attack
    from robustiqa.benchmarks.bench import bench as bench
    from robustiqa.core.model import ModelInfo as ModelInfo
    from robustiqa.core.model import QualityModel as QualityModel
    from robustiqa.core.model import Reference as Reference
    from robustiqa.core.objective import Objective as Objective
    from robustiqa.datasets import load_dataset as load_dataset
    from robustiqa.defenses import load_defense as load_defense
    from robustiqa.defenses.base import Defense as Defense
    from robustiqa.models import load_model as load_model
    from robustiqa.reports.results import load_results as load_results

_PUBLIC = {
    "Attack": "robustiqa.attacks.base",
    "Defense": "robustiqa.defenses.base",
    "ModelInfo": "robustiqa.core.model",
    "Objective": "robustiqa.core.objective",
    "QualityModel": "robustiqa.core.model",
    "Reference": "robustiqa.core.model",
    "bench": "robustiqa.benchmarks.bench",
    "load_attack": "robustiqa.attacks",
    "load_dataset": "robustiqa.datasets",
    "load_defense": "robustiqa.defenses",
    "load_model": "robustiqa.models",
    "load_results": "robustiqa.reports.results",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:  # noqa: ANN401 (PEP 562)
    if name not in _PUBLIC:
        raise AttributeError(f"module 'robustiqa' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(_PUBLIC)
