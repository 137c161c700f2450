"""Under what an attack was made, in words: its budget, its threat, where its images come from, what cut it short."""

from robustiqa.benchmarks.cell import CellSpec
from robustiqa.reports.formats.numbers import eps_text


def budget_text(spec: CellSpec) -> str:
    """ε, or what every sample's ε was chosen to reach."""
    wanted = spec.calibrate
    return eps_text(spec.eps) if wanted is None else f"{wanted.metric}={wanted.target:g}"


def source_text(spec: CellSpec) -> str:
    """What the images of a transfer were made against; an attacked model itself where it is none."""
    if spec.source is None:
        label, threat = spec.subject, spec.threat
    else:
        label, threat = spec.source.label, spec.source.threat
    return f"{label} (oblivious)" if threat == "oblivious" else label


def search_text(spec: CellSpec) -> str:
    """How many draws each step of the search averaged and where it was stopped, each after a comma."""
    eot = spec.eot if spec.source is None else spec.source.eot
    return "".join((
        f", EOT {eot}" if eot > 1 else "",
        "" if spec.max_queries is None else f", at most {spec.max_queries} queries",
        "" if spec.max_seconds is None else f", at most {spec.max_seconds:g} s",
    ))  # fmt: skip


def threat_text(spec: CellSpec) -> str:
    """The threat with the source of a transfer, and how the search was made."""
    origin = spec.threat if spec.source is None else f"{spec.threat} from {source_text(spec)}"
    return origin + search_text(spec)
