"""Defenses in a row."""

import pytest
import torch

from robustiqa.benchmarks.records import defense_record
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.defenses import load_defense
from robustiqa.defenses.base import Defense
from robustiqa.defenses.compose import Composition, compose
from robustiqa.models.psnr import PSNR
from tests.attacks.cases import images


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
