"""Convolutional denoisers: DnCNN and FFDNet (Zhang, Zuo, Chen, Meng and Zhang; Zhang, Zuo and Zhang)."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from robustiqa.core.random import own_random_numbers
from robustiqa.models.weights import Tensors, WeightFile, fill_parts

SOURCE: Final = "KAIR's releases, github.com/cszn/KAIR"
FFDNET_DEEPEST: Final = 75 / 255  # FFDNet was trained on noise deviations from 0 to here


class DnCNN(nn.Module):
    """Twenty convolutions that predict the noise (IEEE TIP 26(7), 2017, arXiv 1608.03981), blind to its level."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = _convolutions(3, 64, 3, depth=20)

    def forward(self, x: Tensor) -> Tensor:
        """Denoised images of ``x`` [N, 3, H, W], not clipped."""
        noise: Tensor = self.layers(x)
        return x - noise


class FFDNet(nn.Module):
    """Twelve convolutions at half resolution, told the noise level (IEEE TIP 27(9), 2018, arXiv 1710.04026)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = _convolutions(13, 96, 12, depth=12)

    def forward(self, x: Tensor, sigma: float) -> Tensor:
        """Denoised images of ``x`` [N, 3, H, W], not clipped; ``sigma`` is the noise deviation for images in [0, 1]."""
        height, width = x.shape[-2:]
        packed = F.pixel_unshuffle(F.pad(x, (0, width % 2, 0, height % 2), mode="replicate"), 2)
        level = torch.full_like(packed[:, :1], sigma)
        denoised: Tensor = F.pixel_shuffle(self.layers(torch.cat((packed, level), 1)), 2)
        return denoised[..., :height, :width]


def load_dncnn(weights: str | None) -> DnCNN:
    """DnCNN-B for colour with its genuine weights, by the rule of :mod:`robustiqa.models.weights`.

    Raises:
        MissingWeights: found nowhere (with every way to get them).
    """
    with own_random_numbers():
        network = DnCNN()
    fill_parts(network, {"layers": FILES["dncnn"]}, weights)
    return network.eval().requires_grad_(requires_grad=False)


def load_ffdnet(weights: str | None) -> FFDNet:
    """FFDNet for colour with its genuine weights, by the rule of :mod:`robustiqa.models.weights`.

    Raises:
        MissingWeights: found nowhere (with every way to get them).
    """
    with own_random_numbers():
        network = FFDNet()
    fill_parts(network, {"layers": FILES["ffdnet"]}, weights)
    return network.eval().requires_grad_(requires_grad=False)


def _convolutions(inputs: int, width: int, outputs: int, depth: int) -> nn.Sequential:
    channels = [inputs, *[width] * (depth - 1), outputs]
    layers: list[nn.Module] = []
    for i in range(depth):
        layers += [nn.Conv2d(channels[i], channels[i + 1], 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _in_order(tensors: Tensors) -> Tensors:
    """``convN`` of robustiqa's files and ``model.2N`` of the official ones, as :func:`_convolutions` counts."""
    renamed = {}
    for name, tensor in tensors.items():
        first, *middle, last = name.split(".")
        number = middle[0] if middle else str(2 * int(first.removeprefix("conv")))
        renamed[f"{number}.{last}"] = tensor
    return renamed


def _file(name: str, sha256: str) -> WeightFile:
    return WeightFile(f"{name}_fp16.safetensors", f"{name}.pth", SOURCE, name_sha256=sha256, select=_in_order)


DNCNN_SHA256: Final = "ec944359b614f056b9cbb497d388688843b5c63c8f5917cfe89e4dc91aa872b2"
FFDNET_SHA256: Final = "665f42bbaed45e8252a6b22ad0e0a52a3aaae60d6e8b6ed582ebd769cefe2e8b"
FILES: Final = {
    "dncnn": _file("dncnn_color_blind", DNCNN_SHA256),
    "ffdnet": _file("ffdnet_color", FFDNET_SHA256),
}
