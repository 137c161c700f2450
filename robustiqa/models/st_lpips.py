"""ST-LPIPS: shift-tolerant LPIPS with AlexNet (Ghildyal and Liu, ECCV 2022, arXiv 2207.13686)."""

import re
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustiqa.core.model import ModelInfo
from robustiqa.models.backbones import Tapped
from robustiqa.models.entry import ModelEntry, NoParameters
from robustiqa.models.lpips import LPIPS
from robustiqa.models.weights import Tensors, WeightFile, Weights, fill

CHANNELS: Final = (64, 192, 384, 256, 256)
CONVOLUTIONS: Final = (0, 5, 9, 11, 13)  # their places among the layers
TAPS: Final = (2, 6, 10, 12, 14)  # the ReLU that follows each
PADDING: Final = 2  # reflected pixels before each blur, one more than its window needs


class BlurPool(nn.Module):
    """A binomial blur [1 2 1] / 4 along both axes at half the size (Zhang, ICML 2019, section 3.2)."""

    window: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        binomial = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("window", torch.outer(binomial, binomial).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (PADDING,) * 4, mode="reflect")
        return F.conv2d(padded, self.window, stride=2, groups=x.shape[1])


def _layers() -> nn.Sequential:
    """AlexNet's convolutions, the first of stride 1; every other stride is a blur's."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, padding=2), BlurPool(64), nn.ReLU(),
        nn.MaxPool2d(3, 1), BlurPool(64), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(),
        nn.MaxPool2d(3, 1), BlurPool(192), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
    )  # fmt: skip


def _convolutions(tensors: Tensors) -> Tensors:
    """``conv0.weight``, or the authors' package's ``net.slice1.0.weight``, by place."""
    names = re.compile(r"(?:conv(\d)|net\.slice(\d)\.\d+)\.(weight|bias)")
    matches = ((names.fullmatch(name), tensor) for name, tensor in tensors.items())
    return {
        f"features.{CONVOLUTIONS[int(match[1]) if match[1] else int(match[2]) - 1]}.{match[3]}": tensor
        for match, tensor in matches
        if match
    }


def _heads(tensors: Tensors) -> Tensors:
    """``lin0`` [C], or the package's ``lin0.model.1.weight`` [1, C, 1, 1]."""
    names = re.compile(r"lin(\d)(?:\.model\.1\.weight)?")
    matches = ((names.fullmatch(name), tensor) for name, tensor in tensors.items())
    return {match[1]: tensor.flatten() for match, tensor in matches if match}


def _file(select: Callable[[Tensors], Tensors]) -> WeightFile:
    return WeightFile(
        "stlpips_alex_fp16.safetensors",
        "alex_shift_tolerant.pth",
        "pip install stlpips-pytorch, or stlpips/weights/vST0.0 of github.com/abhijay9/ShiftTolerant-LPIPS",
        name_sha256="9cafd6c111e2312207174f3f4db11be56a0ece58675afc4c90a5e2497a2cc3f2",
        select=select,
    )


FILES: Final = {"trunk": _file(_convolutions), "heads": _file(_heads)}


def _load(_: NoParameters, weights: Weights, info: ModelInfo) -> LPIPS:
    return fill(LPIPS(Tapped(_layers(), TAPS), CHANNELS, info), FILES, weights)


ST_LPIPS: Final = ModelEntry(
    ModelInfo(
        "st-lpips",
        lower_better=True,
        paper="Ghildyal and Liu, ECCV 2022, arXiv 2207.13686",
        score_range=(0.0, None),
        min_size=21,
        licence="BSD-2-Clause",
        weights=FILES["trunk"].digests,
        trained_on=("bapps",),
    ),
    NoParameters,
    _load,
    tuple(FILES.values()),
)
