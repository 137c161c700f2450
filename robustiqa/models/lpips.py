"""LPIPS v0.1 with its linear heads (Zhang, Isola, Efros, Shechtman and Wang, CVPR 2018, arXiv 1801.03924)."""

import re
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.models.backbones import ALEXNET, SQUEEZENET, VGG16, Backbone, Tapped, Trunk
from robustiqa.models.entry import ModelEntry, NoParameters
from robustiqa.models.lpips_distance import unit_normalised, weighted_distance
from robustiqa.models.trainable import Trainable
from robustiqa.models.weights import Tensors, WeightFile, Weights, fill, pick

REPOSITORY: Final = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/082bb24f84c091ea94de2867d34c4544f68e0963"
)


class LPIPS(QualityModel):
    """Squared differences of unit-normalised features, weighted per channel, averaged over space and summed
    over layers (equation 1).
    """

    def __init__(self, trunk: Tapped, channels: Sequence[int], info: ModelInfo) -> None:
        super().__init__()
        self.info = info
        self.trunk = trunk
        self.heads = nn.ParameterList(torch.rand(count) for count in channels)

    def prepare(self, ref: Tensor) -> Reference:
        return Reference(ref, self._features(ref))

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        return weighted_distance(reference.features, self.trunk(dist), self.heads)

    def feature_layers(self, reference: Reference, dist: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG002
        """The normalised layers of ``dist``, whatever the reference."""
        return self._features(dist)

    def _features(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(unit_normalised(layer) for layer in self.trunk(image))


def _heads(network: str, sha256: str) -> WeightFile:
    """One network's heads: ``alex.lin0`` [C], or the lpips package's ``lin0.model.1.weight`` [1, C, 1, 1]."""
    head = re.compile(rf"(?:{network}\.lin(\d+)|lin(\d+)\.model\.1\.weight)")

    def select(tensors: Tensors) -> Tensors:
        matches = ((head.fullmatch(name), tensor) for name, tensor in tensors.items())
        return {match[1] or match[2]: tensor.flatten() for match, tensor in matches if match}

    return WeightFile(
        "lpips_lin_v0.1.safetensors",
        f"{network}.pth",
        "pip install lpips, which brings it in lpips/weights/v0.1",
        f"{REPOSITORY}/lpips/weights/v0.1/{network}.pth",
        sha256,
        "b0460fdd6fe3245558fd6a260bffa99496b25175a83945ac6de3c1ba2ad0a874",
        select,
    )


def _entry(network: str, backbone: Backbone, heads_sha256: str) -> ModelEntry[NoParameters]:
    files = {"trunk": backbone.weights, "heads": _heads(network, heads_sha256)}
    info = ModelInfo(
        f"lpips-{network}",
        lower_better=True,
        paper="Zhang et al., CVPR 2018, arXiv 1801.03924",
        score_range=(0.0, None),
        min_size=backbone.min_size,
        licence="BSD-2-Clause (heads), BSD-3-Clause (trunk; ImageNet's terms)",
        weights=tuple(known for file in files.values() for known in file.digests),
        trained_on=("bapps", "imagenet"),
    )

    def load(_: NoParameters, weights: Weights, info: ModelInfo) -> LPIPS:
        return fill(LPIPS(Trunk(backbone), backbone.channels, info), files, weights)

    return ModelEntry(info, NoParameters, load, tuple(files.values()))


ALEX: Final = _entry("alex", ALEXNET, "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0")
VGG: Final = _entry("vgg", VGG16, "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868")
SQUEEZE: Final = _entry("squeeze", SQUEEZENET, "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76")


def _published(_: NoParameters, info: ModelInfo) -> QualityModel:
    """Where training starts: an untrained LPIPS is no distance that a few thousand steps could mend."""
    return ALEX.load(NoParameters(), None, info)


def _saved(model: QualityModel) -> Tensors:
    state = model.state_dict()
    heads = {f"alex.lin{number}": head for number, head in pick(state, "heads.").items()}
    return {**pick(state, "trunk."), **heads}


def _keep_a_distance(model: nn.Module) -> None:
    """Project the heads on w >= 0, as the paper does: otherwise a difference could lower the distance."""
    with torch.no_grad():
        for head in model.get_submodule("heads").parameters():
            head.clamp_(min=0)


TRAINABLE: Final = Trainable(
    ALEX, _published, _saved, half=True, on_label_scale=False, constrain=_keep_a_distance, before=ALEX.info.trained_on
)
