"""For authors of plug-ins: does a model, an attack or a defense keep the contract that benchmarks rely on?"""

from robustiqa.testing.attacks import check_attack, find_attack_faults
from robustiqa.testing.defenses import check_defense, find_defense_faults
from robustiqa.testing.findings import Finding
from robustiqa.testing.models import check_model, find_faults

__all__ = [
    "Finding",
    "check_attack",
    "check_defense",
    "check_model",
    "find_attack_faults",
    "find_defense_faults",
    "find_faults",
]
