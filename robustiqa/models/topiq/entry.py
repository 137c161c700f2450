"""TOPIQ-FR by name: its authors' published checkpoint, which is not shipped."""

from typing import Final

from robustiqa.core.model import ModelInfo
from robustiqa.models.entry import ModelEntry, NoParameters
from robustiqa.models.topiq.model import TOPIQ, Shape
from robustiqa.models.topiq.trunk import CHANNELS, ResNet50
from robustiqa.models.weights import WeightFile, Weights, fill

CHECKPOINT: Final = "cfanet_fr_kadid_res50-2c4cc61d.pth"
FILES: Final = {
    "": WeightFile(
        "topiq_fr_kadid.safetensors",
        CHECKPOINT,
        "the authors' checkpoint of TOPIQ-FR, trained on KADID-10k, as pyiqa's topiq_fr takes it (CC BY-NC-SA 4.0)",
        f"https://huggingface.co/chaofengc/IQA-PyTorch-Weights/resolve/main/{CHECKPOINT}",
    )
}


def _load(_: NoParameters, weights: Weights, info: ModelInfo) -> TOPIQ:
    return fill(TOPIQ(info, ResNet50(), Shape(CHANNELS)), FILES, weights)


TOPIQ_FR: Final = ModelEntry(
    ModelInfo(
        "topiq",
        lower_better=False,
        paper="Chen et al., IEEE TIP 2024, arXiv 2308.03060",
        min_size=32,
        licence="Apache-2.0 (code), CC BY-NC-SA 4.0 (published checkpoint)",
        weights=tuple(known for file in FILES.values() for known in file.digests),
        trained_on=("kadid10k", "imagenet"),
    ),
    NoParameters,
    _load,
    tuple(FILES.values()),
)
