"""``topiq-squeeze``: TOPIQ's head at a quarter of its width on SqueezeNet 1.1, trained by us; it is not TOPIQ.

SqueezeNet's coarsest features are at 1/16 of the image; two by two of them make a token, so that there is one per 32
pixels as in TOPIQ. Only the head trains and is saved (fp16); the trunk keeps the weights that LPIPS uses as well.
"""

from dataclasses import replace
from typing import Final

from torch import nn

from robustiqa.core.model import ModelInfo
from robustiqa.models.backbones import SQUEEZENET, Trunk
from robustiqa.models.birqa.head import MIDDLE
from robustiqa.models.entry import ModelEntry, NoParameters
from robustiqa.models.topiq.model import TOPIQ, Shape
from robustiqa.models.trainable import Trainable
from robustiqa.models.weights import Tensors, WeightFile, Weights, fill, fill_parts

SHIPPED: Final = "topiq_squeeze.safetensors"
SHA256: Final = "d473fab2b9e626ec9102de45a16045462bfd0ba8ed3c959fea1a1c5a278eed5f"
COMMAND: Final = (
    f"robustiqa train --model topiq-squeeze --recipe clean --dataset kadid-style=FOLDER --out {SHIPPED}, which makes it"
)
TRUNK: Final = replace(SQUEEZENET, taps=(1, 4, 7, 10, 12), channels=(64, 128, 256, 384, 512))
SHAPE: Final = Shape(TRUNK.channels, width=64, gate=32, pool=2, spare=False)
HEAD: Final = (
    "h_emb", "w_emb", "sa_attn_blks.", "dim_reduce.", "weight_pool.", "attn_blks.", "attn_pool.", "score_linear.",
)  # fmt: skip


def _head(tensors: Tensors) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if name.startswith(HEAD)}


FILES: Final = {
    "": WeightFile(SHIPPED, SHIPPED, COMMAND, name_sha256=SHA256, package="robustiqa.models.topiq", select=_head),
    "semantic_model": TRUNK.weights,
}


def _network(info: ModelInfo) -> TOPIQ:
    return TOPIQ(info, Trunk(TRUNK), SHAPE)


def _load(_: NoParameters, weights: Weights, info: ModelInfo) -> TOPIQ:
    return fill(_network(info), FILES, weights)


def _fresh(_: NoParameters, info: ModelInfo) -> TOPIQ:
    """A random head on the genuine trunk; it starts from the middle of the labels' scale."""
    model = _network(info)
    fill_parts(model, {"semantic_model": TRUNK.weights}, None)
    nn.init.constant_(model.get_parameter("score_linear.6.bias"), MIDDLE)
    return model


TOPIQ_SQUEEZE: Final = ModelEntry(
    ModelInfo(
        "topiq-squeeze",
        lower_better=False,
        paper="ours, after Chen et al., IEEE TIP 2024, arXiv 2308.03060",
        min_size=TRUNK.min_size,
        licence="Apache-2.0 (head), BSD-3-Clause (trunk; ImageNet's terms)",
        weights=tuple(known for file in FILES.values() for known in file.digests),
        trained_on=("kadid10k-means", "cid22", "imagenet"),
    ),
    NoParameters,
    _load,
    tuple(FILES.values()),
)
TRAINABLE: Final = Trainable(
    TOPIQ_SQUEEZE, _fresh, lambda model: _head(model.state_dict()), frozen=("semantic_model",), half=True,
    before=("imagenet",),
)  # fmt: skip
