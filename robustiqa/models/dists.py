"""DISTS (Ding, Ma, Wang and Simoncelli, IEEE TPAMI 44(5), 2022, arXiv 2004.07728), without resizing."""

from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from robustiqa.core.model import ModelInfo, QualityModel, Reference
from robustiqa.core.precision import full_precision, widened
from robustiqa.models.backbones import VGG16, Trunk
from robustiqa.models.entry import ModelEntry, NoParameters
from robustiqa.models.weights import Tensors, WeightFile, Weights, fill

CHANNELS: Final = (3, *VGG16.channels)
C1: Final = 1e-6
C2: Final = 1e-6
REPOSITORY: Final = "https://raw.githubusercontent.com/dingkeyan93/DISTS/1267d8cb626c98706db3697422701c56a85ebf2e"


class L2Pooling(nn.Module):
    """Root of the blurred squares at half the size, rounded up (Henaff and Simoncelli, 2016): no aliasing."""

    window: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        hann = torch.hann_window(5, periodic=False, dtype=torch.float64)[1:-1]
        window = torch.outer(hann, hann)
        kernels = (window / window.sum()).float().repeat(channels, 1, 1, 1)
        self.register_buffer("window", kernels, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        with full_precision(x):  # in bfloat16 a convolution of single channels is slower, above all backwards
            wide = widened(x)
            blurred = F.conv2d(wide * wide, self.window, stride=2, padding=1, groups=x.shape[1])
            return (blurred + 1e-12).sqrt()


class Layer(NamedTuple):
    """Features [N, C, H, W] less their means over space, those means [N, C], and the variances [N, C]."""

    centred: Tensor
    mean: Tensor
    variance: Tensor


class DISTS(QualityModel):
    """One minus the weighted similarities of means (texture) and covariances (structure) of all channels: the
    image's and those of five layers of VGG16 (equation 7).
    """

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.info = info
        self.trunk = Trunk(VGG16, L2Pooling)
        self.similarity = nn.ParameterDict({name: torch.rand(sum(CHANNELS)) for name in ("alpha", "beta")})

    def prepare(self, ref: Tensor) -> Reference:
        return Reference(ref, tuple(tensor for layer in self._layers(ref) for tensor in layer))

    def compare(self, reference: Reference, dist: Tensor) -> Tensor:
        size = len(Layer._fields)
        refs = [Layer(*reference.features[i : i + size]) for i in range(0, len(reference.features), size)]
        alpha, beta = self.similarity["alpha"], self.similarity["beta"]
        layers = zip(refs, self.feature_layers(reference, dist), strict=True)
        pairs = [(ref, _against(ref.centred, own)) for ref, own in layers]
        texture = torch.cat([_texture(ref, own) for ref, own in pairs], 1)
        structure = torch.cat([_structure(ref, own) for ref, own in pairs], 1)
        distance: Tensor = (alpha * texture + beta * structure).sum(1) / (alpha.sum() + beta.sum())
        return distance

    def feature_layers(self, reference: Reference, dist: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG002
        """The image and the five layers of VGG16, whatever the reference."""
        return (dist, *self.trunk(dist))

    def _layers(self, image: Tensor) -> list[Layer]:
        return [_moments(features) for features in (image, *self.trunk(image))]


class Beside(NamedTuple):
    """Of features beside a reference's, each [N, C]: means, variances, and mean squared differences once centred."""

    mean: Tensor
    variance: Tensor
    gap: Tensor


def _against(centred: Tensor, features: Tensor) -> Beside:
    if not torch.compiler.is_compiling():
        return Beside(*_Against.apply(centred, features))
    own = _moments(features)
    return Beside(own.mean, own.variance, ((centred - own.centred) ** 2).mean((2, 3)))


class _Against(torch.autograd.Function):
    """Autograd would go over the features four times as often, backwards."""

    @staticmethod
    def forward(ctx: Any, ref: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # noqa: ANN401
        wide = widened(features)
        mean = wide.mean((2, 3))
        own = wide - mean[:, :, None, None]
        ctx.save_for_backward(ref, own)
        ctx.dtype = features.dtype
        return mean, _mean_square(own), _mean_square(ref - own)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, mean: Tensor, variance: Tensor, gap: Tensor) -> tuple[Tensor | None, Tensor]:  # noqa: ANN401
        ref, own = ctx.saved_tensors  # both sum to 0 over space, so centring passes their slopes on as they are
        pixels = own.shape[-2] * own.shape[-1]
        flat, steep, apart = (rows[:, :, None, None] / pixels for rows in (mean, 2 * variance, 2 * gap))
        slope = torch.addcmul(flat, own, steep + apart).addcmul_(ref, apart, value=-1)
        return (ref - own).mul_(apart) if ctx.needs_input_grad[0] else None, slope.to(ctx.dtype)


def _mean_square(x: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(x, dim=(2, 3))
    return norm.square_() / (x.shape[-2] * x.shape[-1])


def _moments(features: Tensor) -> Layer:
    features = widened(features)
    mean = features.mean((2, 3))
    centred = features - mean[:, :, None, None]
    return Layer(centred, mean, (centred * centred).mean((2, 3)))


def _texture(ref: Layer, dist: Beside) -> Tensor:
    """1 - l with l = (2 m m' + c) / (m^2 + m'^2 + c) (equation 5), a form without cancellation."""
    return (ref.mean - dist.mean) ** 2 / (ref.mean**2 + dist.mean**2 + C1)


def _structure(ref: Layer, dist: Beside) -> Tensor:
    """1 - s with s = (2 cov + c) / (v + v' + c) (equation 6), in the same way."""
    return dist.gap / (ref.variance + dist.variance + C2)


def _alpha_beta(tensors: Tensors) -> Tensors:
    return {name: tensors[name].flatten() for name in ("alpha", "beta") if name in tensors}


FILES: Final = {
    "trunk": VGG16.weights,
    "similarity": WeightFile(
        "dists_alpha_beta.safetensors",
        "weights.pt",
        "pip install dists-pytorch, which brings it in DISTS_pytorch",
        f"{REPOSITORY}/DISTS_pytorch/weights.pt",
        "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
        "745cdae1b30c00fe14c81d72f852015ae5c33dc3d83c49d4c928295c1cfc4ce9",
        _alpha_beta,
    ),
}


def _load(_: NoParameters, weights: Weights, info: ModelInfo) -> DISTS:
    return fill(DISTS(info), FILES, weights)


DISTS_VGG: Final = ModelEntry(
    ModelInfo(
        "dists",
        lower_better=True,
        paper="Ding et al., IEEE TPAMI 2022, arXiv 2004.07728",
        score_range=(0.0, 2.0),
        min_size=VGG16.min_size,
        licence="MIT (alpha and beta), BSD-3-Clause (trunk; ImageNet's terms)",
        weights=tuple(known for file in FILES.values() for known in file.digests),
        trained_on=("kadid10k", "dtd", "imagenet"),
    ),
    NoParameters,
    _load,
    tuple(FILES.values()),
)
