"""The example defense, as its author would test it."""

import pytest
import torch
from robustiqa_mine_defense import Mine

import robustiqa as rq
from robustiqa.core.errors import InvalidInput
from robustiqa.defenses import DEFENSES
from robustiqa.testing import check_defense


def test_it_keeps_the_contract():
    """Every check that robustiqa has for defenses, with the noise and without it."""
    check_defense(Mine())
    check_defense(Mine(sigma=0.0, blur=1.5))


def test_it_is_found_by_name_with_its_parameters():
    """As the command line finds it."""
    assert "mine" in DEFENSES.names()
    assert DEFENSES.origin("mine").startswith("robustiqa-mine-defense ")
    assert rq.load_defense("mine:sigma=0.1") == Mine(sigma=0.1)
    assert rq.load_defense("jpeg+mine").parts[1] == Mine()
    with pytest.raises(InvalidInput, match="sigma=2"):
        rq.load_defense("mine:sigma=2")


def test_it_takes_most_of_faint_noise_away():
    """A flat grey image under noise comes out flatter."""
    grey = torch.full((1, 3, 48, 48), 0.5)
    noisy = grey + 0.03 * torch.randn(grey.shape, generator=torch.Generator().manual_seed(0))
    assert Mine(sigma=0.0, blur=1.5).purify(noisy, [torch.Generator()]).std() < 0.5 * noisy.std()


def test_an_adaptive_attack_goes_through_it():
    """The attack averages draws (EOT), and finds more on the defended model than one that does not know of it."""
    image = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    dist = (image + 0.05 * torch.randn(image.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    model = rq.load_model("ssim")
    defended, attack = Mine().apply(model), rq.load_attack("pgd", steps=5)
    adaptive = attack.run(rq.Objective(defended, image, "down"), dist, 8 / 255)
    oblivious = attack.run(rq.Objective(model, image, "down", score_with=defended), dist, 8 / 255)
    assert adaptive.cost.forwards.tolist() == [5 * defended.info.eot] * 2
    assert (adaptive.attacked_score < oblivious.attacked_score).all()
