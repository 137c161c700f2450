"""Defenses in a row."""

import pytest
import torch

from robustiqa.attacks import load_attack
from robustiqa.benchmarks.records import defense_record
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.objective import Objective
from robustiqa.defenses import load_defense
from robustiqa.defenses.base import Defense
from robustiqa.defenses.compose import Composition, compose
from robustiqa.models.psnr import PSNR
from tests.attacks.cases import EPS, images
from tests.toys import Wavy


def test_the_image_meets_them_in_the_order_they_are_written():
    """bit-depth+gaussian: rounded first, blurred then, scored last."""
    ref, dist = images(2, 24)
    first, second = load_defense("bit-depth:bits=2"), load_defense("gaussian:sigma=2")
    by_hand = PSNR()(ref, second.purify(first.purify(dist, []), []))
    composed = load_defense("bit-depth:bits=2+gaussian:sigma=2").apply(PSNR())
    assert torch.allclose(composed(ref, dist), by_hand)
    assert not torch.allclose(load_defense("gaussian:sigma=2+bit-depth:bits=2").apply(PSNR())(ref, dist), by_hand)


def test_it_is_randomised_if_a_part_is():
    """Its model declares it, and asks for the draws that the part asks for."""
    assert load_defense("jpeg+flip").apply(PSNR()).info.eot == 8
    assert load_defense("jpeg+gaussian").apply(PSNR()).info.deterministic


def test_a_defense_that_changes_the_model_comes_first():
    """A purifier cannot be retrained."""

    class Retrained(Defense):
        name = "retrained"

        def apply(self, model):
            return PSNR()

    assert isinstance(compose((Retrained(), load_defense("jpeg"))), Composition)
    with pytest.raises(InvalidInput, match="'retrained'.*first"):
        compose((load_defense("jpeg"), Retrained()))


def test_the_record_names_every_part_with_its_parameters():
    """Two orders, or two qualities, are two records; the label can be typed again."""
    texts = ["jpeg:quality=30+flip", "flip+jpeg:quality=30", "jpeg+flip", "jpeg:quality=30"]
    records = [defense_record(load_defense(text), load_defense(text).apply(PSNR())) for text in texts]
    assert [record.label for record in records] == texts
    assert len({record.model_dump_json() for record in records}) == 4
    assert records[0].parameters["0:jpeg"]["quality"] == 30


def test_unknown_parts_are_named():
    """With the nearest name."""
    with pytest.raises(UnknownName, match="'jpg'.*'jpeg'"):
        load_defense("flip+jpg")


@pytest.mark.parametrize("text", ["pgd:steps=6,random_start=false", "torchattacks:pgd,steps=6,random_start=false"])
def test_an_adaptive_attack_goes_through_every_part_and_beats_the_oblivious_one(text):
    """BPDA through the staircase and the true gradient through the blur behind it; both report the defended model."""
    ref, dist = images(2, 24)
    defended = load_defense("bit-depth:bits=5+gaussian:sigma=1.5").apply(Wavy())
    attack = load_attack(text)
    adaptive = attack.run(Objective(defended, ref), dist, EPS)
    oblivious = attack.run(Objective(Wavy(), ref, score_with=defended), dist, EPS)
    assert torch.equal(adaptive.clean_score, oblivious.clean_score)
    assert torch.equal(adaptive.clean_score, defended(ref, dist))
    assert (adaptive.attacked_score < oblivious.attacked_score).all()


def test_eot_counts_every_draw_of_a_composition():
    """Four draws a step through two randomised parts; clean and attacked scores share the reported draws."""
    ref, dist = images(2, 24)
    defended = load_defense("noise:sigma=0.02+flip").apply(Wavy())
    result = load_attack("pgd:steps=3").run(Objective(defended, ref, eot=4), dist, EPS)
    assert result.cost.forwards.tolist() == result.cost.backwards.tolist() == [12, 12]
    again = load_attack("fgsm").run(Objective(Wavy(), ref, score_with=defended), dist, EPS)
    assert torch.equal(result.clean_score, again.clean_score)
