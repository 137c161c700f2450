"""What a reader of a named table may choose."""

from dataclasses import dataclass, field

from robustiqa.reports.ir import DomainChoice
from robustiqa.statistics import Mode


@dataclass(frozen=True)
class LayoutOptions:
    """Choices that all layouts share.

    Attributes:
        with_paper: show the paper's own figures in columns of their own.
        mode: bootstrap clustered by reference, or i.i.d. as the paper's.
        domain: where scores are mapped to for IR-Scores.
        eps: radius of attacked SROCC and accuracy.
        seed: of the resamples.
    """

    with_paper: bool = False
    mode: Mode = "cluster"
    domain: DomainChoice = field(default_factory=DomainChoice)
    eps: float = 8 / 255
    seed: int = 0
