"""What the paper's ablation (Table 4) puts in the place of CSRAM and SCGB; the plain head stands in ``head.py``."""

from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F

GRID: Final = 8  # keys per side: attention between all pixels of two levels would cost the square of the image


class CrossAttention(nn.Module):
    """Instead of CSRAM: every pixel of the coarse level attends to the finer level, and adds what it finds.

    Keys and values are the finer level's means over a grid of 8 x 8 (spatial reduction, cf. Wang et al., 2021).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = next(count for count in (4, 2, 1) if width % count == 0)
        self.query = nn.Conv2d(width, width, 1)
        self.key_value = nn.Conv2d(width, 2 * width, 1)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> tuple[Tensor, None]:
        """``fine`` [N, C, H, W] and ``coarse`` [N, C, h, w] to the new coarse tensor; there is no injection to show."""
        grid = F.adaptive_avg_pool2d(fine, (min(GRID, fine.shape[-2]), min(GRID, fine.shape[-1])))
        key, value = self.key_value(grid).chunk(2, 1)
        query = self._split(self.query(coarse))
        found = F.scaled_dot_product_attention(query, self._split(key), self._split(value))
        return coarse + self.out(found.transpose(2, 3).reshape(coarse.shape)), None

    def _split(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to [N, heads, H W, C / heads]."""
        count, width = x.shape[:2]
        return x.reshape(count, self.heads, width // self.heads, -1).transpose(2, 3)


class Product(nn.Module):
    """Instead of SCGB: G_fine * G_coarse, the coarse level enlarged to the finer one's size."""

    def __init__(self, _width: int) -> None:
        super().__init__()

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """``fine`` [N, C, H, W] and ``coarse`` [N, C, h, w] to the new fine tensor."""
        return fine * F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
