"""The example attack, as its author would test it."""

import pytest
import torch
from robustiqa_mine_attack import Mine

import robustiqa as rq
from robustiqa.attacks import ATTACKS
from robustiqa.core.errors import InvalidInput
from robustiqa.testing import check_attack


def pair():
    small = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    ref = torch.nn.functional.interpolate(small, (48, 48), mode="bicubic").clamp(0, 1)
    return ref, (ref + 0.05 * torch.randn(ref.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)


def test_it_keeps_the_contract():
    """Every check that robustiqa has for attacks, at one step and at several."""
    check_attack(Mine())
    check_attack(Mine(steps=1))


def test_it_is_found_by_name_with_its_parameters():
    """As the command line finds it."""
    assert "mine" in ATTACKS.names()
    assert ATTACKS.origin("mine").startswith("robustiqa-mine-attack ")
    assert rq.load_attack("mine:steps=4") == Mine(steps=4)
    with pytest.raises(InvalidInput, match="steps=0"):
        rq.load_attack("mine:steps=0")


def test_ten_steps_beat_one_and_cost_what_they_say():
    """Within the same ball, on SSIM; a forward and a backward pass a step."""
    ref, dist = pair()
    objective = lambda: rq.Objective(rq.load_model("ssim"), ref, "down")  # noqa: E731
    mine, single = (rq.load_attack(name).run(objective(), dist, 8 / 255) for name in ("mine", "mine:steps=1"))
    assert (mine.attacked_score < single.attacked_score).all()
    assert mine.cost.forwards.tolist() == mine.cost.backwards.tolist() == [10, 10]
    assert ((mine.adversarial - dist).abs() <= 8 / 255).all()
