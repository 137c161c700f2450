"""Convolutional trunks of torchvision, trained on ImageNet, that LPIPS and DISTS take features from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from robustiqa.models.pooling import MaxPool2x2
from robustiqa.models.weights import Tensors, WeightFile

HUB: Final = "https://download.pytorch.org/models"
MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Backbone:
    """A network of torchvision.

    Attributes:
        constructor: its name in ``torchvision.models``.
        taps: layers of its ``features`` whose outputs are taken; what follows the last is left out.
        channels: of those outputs.
        min_size: smallest height and width in pixels that leaves each of them a position.
        weights: its ``features`` in torchvision's names; keys of the classifier are ignored.
    """

    constructor: str
    taps: tuple[int, ...]
    channels: tuple[int, ...]
    min_size: int
    weights: WeightFile


class Tapped(nn.Module):
    """Layers after ImageNet's normalisation, some of whose outputs are taken.

    Args:
        features: the layers, in order.
        taps: numbers of those whose outputs are taken.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: nn.Sequential, taps: tuple[int, ...]) -> None:
        super().__init__()
        self.taps = taps
        self.features = features
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """The outputs at the taps, [N, C, H, W] each, of ``image`` [N, 3, H, W] in [0, 1]."""
        x = self.normalised(image)
        outputs = []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.taps:
                outputs.append(x)
        return outputs

    def normalised(self, image: Tensor) -> Tensor:
        """``image`` as the first layer sees it."""
        return (image - self.mean) / self.deviation


class Trunk(Tapped):
    """The ``features`` of a backbone.

    Args:
        pooling: makes the layer (of so many channels) that replaces each max-pooling; None keeps them.
    """

    def __init__(self, backbone: Backbone, pooling: Callable[[int], nn.Module] | None = None) -> None:
        features = _layers(backbone)
        _replace_pooling(features, pooling)
        super().__init__(features, backbone.taps)


def _layers(backbone: Backbone) -> nn.Sequential:
    """The layers up to the last tap; the classifier, most of VGG16's memory, is never allocated."""
    import torchvision  # noqa: PLC0415 (as slow an import as torch's own, and most models need none of it)

    with torch.device("meta"):
        network = getattr(torchvision.models, backbone.constructor)(weights=None)
    layers: nn.Sequential = network.features[: backbone.taps[-1] + 1].to_empty(device="cpu")
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
    return layers


def _replace_pooling(layers: nn.Sequential, pooling: Callable[[int], nn.Module] | None) -> None:
    channels = 0
    for number, layer in enumerate(layers):
        if isinstance(layer, nn.Conv2d):
            channels = layer.out_channels
        elif isinstance(layer, nn.MaxPool2d) and pooling is not None:
            layers[number] = pooling(channels)
        elif isinstance(layer, nn.MaxPool2d) and (layer.kernel_size, layer.stride, layer.padding) == (2, 2, 0):
            layers[number] = MaxPool2x2()


def _features(tensors: Tensors) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if name.startswith("features.")}


def _torchvision(title: str, own: str, own_sha256: str, official: str, sha256: str) -> WeightFile:
    source = f"torchvision's {title}, IMAGENET1K_V1, {HUB}/{official}"
    return WeightFile(own, official, source, f"{HUB}/{official}", sha256, own_sha256, _features)


ALEXNET: Final = Backbone(
    "alexnet",
    taps=(1, 4, 7, 9, 11),
    channels=(64, 192, 384, 256, 256),
    min_size=31,
    weights=_torchvision(
        "AlexNet",
        "alexnet_features.safetensors",
        "9f97fd313f4da83dbe6bbfbe6effca1241de9edfcd7c53386261ed9697286dd9",
        "alexnet-owt-7be5be79.pth",
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    ),
)
VGG16: Final = Backbone(
    "vgg16",
    taps=(3, 8, 15, 22, 29),
    channels=(64, 128, 256, 512, 512),
    min_size=16,
    weights=_torchvision(
        "VGG16",
        "vgg16_features_fp16.safetensors",
        "319e3ceb68521edc49f955b215ae4f3fad44d5441c7799bffbe01cf7213d0cb2",
        "vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    ),
)
SQUEEZENET: Final = Backbone(
    "squeezenet1_1",
    taps=(1, 4, 7, 9, 10, 11, 12),
    channels=(64, 128, 256, 384, 384, 512, 512),
    min_size=17,
    weights=_torchvision(
        "SqueezeNet 1.1",
        "squeezenet1_1_fp16.safetensors",
        "96a4b662bedd50905054b1e43e048305ea292e69541106a7dcd14a2c129d4e08",
        "squeezenet1_1-b8a52dc0.pth",
        "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
    ),
)
