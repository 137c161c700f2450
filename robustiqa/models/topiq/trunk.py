"""ResNet-50's five stages, in the names of torchvision and timm alike."""

from typing import Final

import torch
from torch import Tensor, nn

from robustiqa.models.backbones import DEVIATION, MEAN

CHANNELS: Final = (64, 256, 512, 1024, 2048)


class ResNet50(nn.Module):
    """ResNet-50 (He et al., 2016) after ImageNet's normalisation, without its classifier."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        import torchvision  # noqa: PLC0415 (see backbones.py)

        super().__init__()
        network = torchvision.models.resnet50(weights=None)
        self.conv1, self.bn1, self.relu, self.maxpool = network.conv1, network.bn1, network.relu, network.maxpool
        self.layer1, self.layer2 = network.layer1, network.layer2
        self.layer3, self.layer4 = network.layer3, network.layer4
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Features [N, C, H, W] at 1/2, 1/4, 1/8, 1/16 and 1/32 of ``image`` [N, 3, H, W] in [0, 1]."""
        x = (image - self.mean) / self.deviation
        stem = self.relu(self.bn1(self.conv1(x)))
        outputs, x = [stem], self.maxpool(stem)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            outputs.append(x)
        return outputs
