"""Local binary patterns (Ojala et al., 1996), smooth or hard.

A bit says whether a neighbour is at least as bright as the centre. As a step it has no gradient; a metric whose
gradient is hidden is not robust, so the default is a sigmoid, scored and differentiated alike. The hard pattern
keeps the step in the score and lends the sigmoid's gradient to the backward pass (BPDA, Athalye et al., 2018).

Of the eight neighbours four suffice: the bit towards the opposite neighbour is the complement, one pixel on.
"""

from typing import Final, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

LBP = Literal["smooth", "hard"]
TEMPERATURE: Final = 4 / 255  # a difference of four grey levels moves a bit by 0.23: below it is noise, not texture
NEIGHBOURS: Final = ((0, 1), (1, 0), (1, 1), (1, -1))


def bits(y: Tensor, lbp: LBP) -> Tensor:
    """The four bits [N, 4, H, W], in [0, 1], of luma ``y`` [N, 1, H, W] in [0, 1]."""
    height, width = y.shape[-2:]
    padded = F.pad(y, (1, 1, 1, 1), mode="replicate")
    shifted = [padded[..., 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width] for dy, dx in NEIGHBOURS]
    difference = torch.cat(shifted, 1) - y
    smooth = torch.sigmoid(difference / TEMPERATURE)
    if lbp == "smooth":
        return smooth
    return (difference >= 0).to(y.dtype) + (smooth - smooth.detach())
