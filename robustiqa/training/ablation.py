"""The paper's ablation (Table 4): its modules replaced, and put back one by one."""

from dataclasses import replace
from typing import Final, NamedTuple

from robustiqa.models.birqa.model import Settings


class Modules(NamedTuple):
    """Which of the paper's modules are there; the others are replaced."""

    csram: bool
    scgb: bool
    rah: bool

    def settings(self, base: Settings) -> Settings:
        """``base`` with cross-attention for CSRAM, a product for SCGB, and pooling with an MLP for the head."""
        return replace(
            base,
            csram=True if self.csram else "cross-attention",
            scgb=True if self.scgb else "product",
            rah=self.rah,
        )


TABLE: Final = (
    Modules(csram=False, scgb=False, rah=False),
    Modules(csram=True, scgb=False, rah=False),
    Modules(csram=True, scgb=True, rah=False),
    Modules(csram=True, scgb=True, rah=True),
)
ALONE: Final = (Modules(csram=False, scgb=True, rah=True), Modules(csram=True, scgb=False, rah=True))
"""Each module replaced alone, beyond the rows of ``TABLE``, which holds the head's."""
