"""BiRQA's network: fusion per level, CSRAM upwards in scale, SCGB back down, and a head."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from torch import Tensor, nn

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.models.birqa.csram import CSRAM, Injection
from robustiqa.models.birqa.features import FEATURES
from robustiqa.models.birqa.fusion import AdaptiveFusion
from robustiqa.models.birqa.head import PlainHead, ReliabilityAwareHead, Verdict
from robustiqa.models.birqa.replacements import CrossAttention, Product
from robustiqa.models.birqa.scgb import SCGB

Modules = Mapping[bool | str, Callable[[int], nn.Module]]
UPWARDS: Final[Modules] = {True: CSRAM, "cross-attention": CrossAttention}
DOWNWARDS: Final[Modules] = {True: SCGB, "product": Product}


@dataclass(frozen=True)
class Architecture:
    """Shape of the network; a checkpoint fits only the architecture it was trained in.

    Attributes:
        features: names of feature maps joined by ``+``.
        width: channels of every level.
        levels: of the pyramid.
        csram, scgb: the paper's module, nothing (false), or what its ablation (Table 4) puts in its place.
        rah: false replaces the reliability-aware head by pooling and an MLP, as the ablation does.
    """

    features: str = "ssim+information+gradient+color+lbp"
    width: int = 24
    levels: int = 4
    csram: Literal[True, False, "cross-attention"] = True
    scgb: Literal[True, False, "product"] = True
    rah: bool = True

    def __post_init__(self) -> None:
        if self.width < 1 or not 1 <= self.levels <= 6:
            raise InvalidInput(f"width {self.width} and levels {self.levels}; wanted width >= 1 and levels in 1..6.")
        for module, table in (("csram", UPWARDS), ("scgb", DOWNWARDS)):
            if getattr(self, module) not in (*table, False):
                raise InvalidInput(f"{module}={getattr(self, module)!r}; wanted one of {[*table, False]}.")
        for name in self.names:
            if name not in FEATURES:
                raise UnknownName("feature map", name, FEATURES)
        if len(set(self.names)) < len(self.names):
            raise InvalidInput(f"features={self.features}: a feature map is named twice; name each once.")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.features.split("+"))


class Network(nn.Module):
    """Feature maps of every level, finest first, to a verdict."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        levels, width = architecture.levels, architecture.width
        channels = [FEATURES[name].channels for name in architecture.names]
        self.fusion = nn.ModuleList(AdaptiveFusion(channels, width) for _ in range(levels))
        self.csram = nn.ModuleList(_modules(UPWARDS, architecture.csram, width, levels - 1))
        self.scgb = nn.ModuleList(_modules(DOWNWARDS, architecture.scgb, width, levels - 1))
        self.head = (ReliabilityAwareHead if architecture.rah else PlainHead)(width, levels)
        self.apply(_initialise)

    def forward(self, maps: Sequence[Sequence[Tensor]]) -> tuple[Verdict, list[Injection]]:
        """``maps[level][feature]`` to the verdict and, coarse level by coarse level, what CSRAM (if any) injected."""
        tensors, injections = self.trunk(maps)
        verdict: Verdict = self.head(tensors)
        return verdict, injections

    def trunk(self, maps: Sequence[Sequence[Tensor]]) -> tuple[list[Tensor], list[Injection]]:
        """What the head judges, one tensor [N, width, H, W] per level, and CSRAM's injections."""
        tensors = [fuse(level) for fuse, level in zip(self.fusion, maps, strict=True)]
        injections: list[Injection] = []
        for i, lift in enumerate(self.csram):
            tensors[i + 1], injection = lift(tensors[i], tensors[i + 1])
            injections += [] if injection is None else [injection]
        for i in reversed(range(len(self.scgb))):
            tensors[i] = self.scgb[i](tensors[i], tensors[i + 1])
        return tensors, injections


def _modules(table: Modules, chosen: bool | str, width: int, count: int) -> list[nn.Module]:
    """``count`` modules of the kind that ``chosen`` names; none where it is False."""
    if chosen is False:
        return []
    return [table[chosen](width) for _ in range(count)]


def _initialise(module: nn.Module) -> None:
    """He initialisation (He et al., 2015): with PyTorch's default the many gates would leave almost no signal, and the
    gradient of a correlation, which grows as predictions shrink, would drown that of the squared error.
    """
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
