"""Defects of published attack code on quality metrics, each shown by itself, and that ours has not got them.

Korhonen's cancelled map and Parsimonious's added-up margins are shown beside the other tests of those attacks, those of
attack libraries beside their engines.
"""

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.attacks.adam import Adam
from robustiqa.core.model import ModelInfo, QualityModel
from robustiqa.core.objective import Objective
from robustiqa.training.perturbations import Recipe, learn
from tests.attacks.cases import EPS, attack, images
from tests.attacks.test_guarantees import SMALL
from tests.toys import Linear, Wavy, memory


@pytest.mark.parametrize("text", ["bim", "pgd", "mifgsm", "apgd", "pgd-adam", "cw", "korhonen", "perceptual:budget=9"])
def test_default_steps_can_reach_the_face_of_the_ball(text):
    """Eight steps of 0.001, as MADC's code takes them, end at 2.04/255: its limit of 10/255 never binds."""
    assert pytest.approx(2.04) == 8 * 0.001 * 255
    ref, dist = images(2, 12)
    inside = 0.2 + 0.6 * dist
    result = attack(text, Linear(), ref, inside)
    assert float((result.adversarial - inside).abs().max()) > 0.9 * EPS


def test_an_adam_that_is_made_anew_at_every_step_follows_signs_and_ours_keeps_its_moments():
    """The first step of Adam is lr times a sign, so that Zhang et al.'s code takes 200 steps of equal size."""
    gradients = [torch.tensor([1.0, 1e-3, -5.0]), torch.tensor([-0.1, 1e-3, -5.0])]
    anew = torch.zeros(3, requires_grad=True)
    for gradient in gradients:
        anew.grad = -gradient
        torch.optim.Adam([anew], lr=0.5).step()
    assert torch.allclose(anew.detach(), 0.5 * sum(g.sign() for g in gradients), atol=1e-4)
    kept, ours = Adam(torch.zeros(3)), torch.zeros(3)
    for gradient in gradients:
        ours += 0.5 * kept.direction(gradient)
    assert torch.allclose(ours[1:], anew.detach()[1:], atol=1e-3)
    assert float(ours[0]) > 0.5  # a small gradient the other way does not undo a large one


class Pedantic(QualityModel):
    """Refuses references that are not its own, distorted images out of [0, 1], and takes neither for the other."""

    info = ModelInfo("pedantic", lower_better=True, paper="toy")

    def __init__(self, ref):
        super().__init__()
        self.known = ref

    def compare(self, reference, dist):
        assert all(any(torch.equal(one, known) for known in self.known) for one in reference.image)
        assert float(dist.detach().min()) >= 0
        assert float(dist.detach().max()) <= 1
        return ((2 * dist - reference.image) ** 2).flatten(1).sum(1)


@pytest.mark.parametrize("text", SMALL)
def test_references_stay_references_and_every_scored_image_is_one(text, tmp_path):
    """Published black boxes exchange the two images, published universal attacks score what they have not clipped."""
    ref, dist = images(3, 24)
    model = Pedantic(ref)
    if text in {"facpa", "uap"}:
        free = Pedantic(ref)
        free.compare = lambda reference, x: ((2 * x - reference.image) ** 2).flatten(1).sum(1)
        learn(text, free, 1, memory(), Recipe(steps=2, crop=24, width=2), tmp_path / "f.safetensors", lambda *_: None)
    result = load_attack(text).run(Objective(model, ref), dist, EPS)
    assert (result.attacked_score <= result.clean_score).all()


def test_a_universal_pattern_is_clipped_before_it_is_scored(tmp_path):
    """On black and white images most of a pattern falls out of [0, 1]; what is scored is what is returned."""
    ref, dist = images(2, 24)
    dist = dist.round()
    learn("uap", Wavy(), 1, memory(), Recipe(steps=3, crop=24), tmp_path / "uap.safetensors", lambda *_: None)
    result = load_attack("uap", up=str(tmp_path / "uap.safetensors")).run(Objective(Wavy(), ref), dist, EPS)
    assert torch.equal(result.attacked_score, Wavy()(ref, result.adversarial))
    assert 0 <= float(result.adversarial.min()) <= float(result.adversarial.max()) <= 1
