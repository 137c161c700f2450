"""For authors of plug-ins: does a model keep the contract that attacks and benchmarks rely on?"""

from robustiqa.testing.models import Finding, check_model, find_faults

__all__ = ["Finding", "check_model", "find_faults"]
