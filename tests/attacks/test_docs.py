"""The page on attacks speaks of every attack that there is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from robustiqa.attacks import ATTACKS

TEXT = (Path(__file__).parents[2] / "docs" / "attacks.md").read_text(encoding="utf-8")
ENTRIES = TEXT.split("## Papers, formulas")[1].split("\n## ")[0].split("\n* ")[1:]


@pytest.mark.parametrize("name", sorted(ATTACKS.builtins))
def test_an_attack_has_its_paper_and_every_parameter_in_the_docs(name):
    """In its own entry: the number of the paper that its class names, and each field by name."""
    attack = ATTACKS.get(name)
    (entry,) = [entry for entry in ENTRIES if re.search(rf"`{name}`,", entry.split(":")[0])]
    number = re.search(r"\d{4}\.\d{4,5}|10\.1145/\S+", attack.paper)
    assert number
    assert number[0] in entry
    for field in fields(attack):
        assert re.search(rf"`{field.name}[`=]", entry), field.name
    assert f"`{name}`" in TEXT.split("## Papers")[0] or f"`{name}:NAME`" in TEXT
