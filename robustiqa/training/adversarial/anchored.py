"""AAT: anchored adversarial training (BiRQA paper, section 3.3 and Algorithm 1).

Eq. (3) takes the sign of predictions: its gradient is zero almost everywhere, so it cannot be trained as printed. It
stays the monitored quantity. What is trained replaces sign(d) by tanh(d / T): it tends to eq. (3) as T tends to 0,
keeps its weights y_i - y_j, and has a gradient wherever a pair is out of order. The gradient of a pair fades once it is
out of order by several T, so T is of the size of the errors that attacks cause, in labels.
"""

from typing import Literal

import torch
from torch import Tensor

from robustiqa.training.adversarial.drill import Drill
from robustiqa.training.lesson import Learner, Taught
from robustiqa.training.losses import regression_loss
from robustiqa.training.settings import Positive, Share, Strict


class AnchoredRanking(Strict):
    """``weight`` of the anchored ranking + (1 - ``weight``) of the clean loss, eq. (7).

    Attributes:
        weight: alpha_2 of Table 9.
        temperature: T, in labels.
        regress: which predictions the clean loss, eq. (6), is taken of: ``all`` of the batch, as eq. (7) and Algorithm
            1 write it, or those of the ``anchors``, so that no attacked image is held to the label it had before.
    """

    kind: Literal["anchored"] = "anchored"
    weight: Share = 0.5
    temperature: Positive = 1.0
    regress: Literal["all", "anchors"] = "all"

    def __call__(self, learner: Learner, drill: Drill, alpha: float) -> Taught:
        label = drill.batch.label
        prediction = learner.predict(drill.batch.ref, drill.seen)
        ranking = anchored_surrogate(label, prediction, drill.mask, self.temperature)
        held = drill.mask if self.regress == "anchors" else torch.ones_like(drill.mask)
        clean = regression_loss(prediction[held], label[held], alpha)
        loss = self.weight * ranking + (1 - self.weight) * clean
        figures = {"surrogate": float(ranking.detach()), **drill.theorem(prediction)}
        return Taught(loss, prediction, label, self.passes(drill.count), figures)

    def passes(self, count: int) -> int:
        return 2 * count


def anchored_surrogate(label: Tensor, prediction: Tensor, anchors: Tensor, temperature: float) -> Tensor:
    """Mean over anchors i and all j of max(0, (y_i - y_j) tanh((y~_j - y~_i) / T)) / max |y_i - y_j|.

    It is 0 where all labels are equal.

    Args:
        label, prediction: y and y~ [N].
        anchors: which of them are S [N], at least one.
        temperature: T > 0; eq. (3) is the limit at 0.
    """
    weights = label[anchors][:, None] - label[None]
    largest = (label.max() - label.min()).clamp_min(torch.finfo(label.dtype).tiny)
    order = torch.tanh((prediction[None] - prediction[anchors][:, None]) / temperature)
    return torch.relu(weights * order).mean() / largest
