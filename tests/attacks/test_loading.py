"""Attacks by their spelling."""

import pytest

from robustiqa.attacks import ATTACKS, load_attack
from robustiqa.attacks.base import Attack
from robustiqa.attacks.pgd import PGD
from robustiqa.core.errors import InvalidInput, MissingExtra, UnknownName


@pytest.mark.parametrize("name", sorted(ATTACKS.builtins))
def test_every_builtin_loads_with_its_defaults_and_says_what_it_is(name):
    """The registry's name is the attack's own; paper and access are stated."""
    try:
        attack = load_attack(name)
    except MissingExtra as missing:
        pytest.skip(str(missing))
    assert isinstance(attack, Attack)
    assert attack.name == name
    assert "arXiv" in attack.paper or "doi" in attack.paper
    assert attack.access == ("black-box" if name in {"nes", "parsimonious", "square"} else "white-box")


def test_parameters_are_spelled_or_given_and_the_given_win():
    """Fractions, booleans and blanks are read; equal spellings make equal attacks."""
    assert load_attack("pgd: steps=40, alpha=1/255,random_start=False") == PGD(40, 1 / 255, random_start=False)
    assert load_attack("pgd:steps=40", steps=7, restarts="3") == PGD(steps=7, restarts=3)
    assert load_attack("pgd") == PGD()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pdg", "'pdg'.*Did you mean 'pgd'"),
        ("", "unknown attack ''"),
        ("pgd:step=3", "'step'.*Did you mean 'steps'"),
        ("fgsm:steps=3", "'steps'"),
        ("pgd:quick", "'version'"),
    ],
)
def test_unknown_names_are_refused_by_name(text, said):
    """With the nearest, where there is one."""
    with pytest.raises(UnknownName, match=said):
        load_attack(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pgd:steps=0", "pgd: steps=0 must be a whole number, at least 1"),
        ("pgd:steps=2.5", r"steps='2\.5' is not of type int"),
        ("pgd:alpha=0", r"alpha=0\.0 must be above 0"),
        ("pgd:alpha=1/0", "alpha='1/0' is not of type float"),
        ("pgd:alpha=1e999", "alpha='1e999' is not of type float"),
        ("pgd:random_start=maybe", "random_start='maybe' is not of type bool"),
        ("apgd:restarts=0", "apgd: restarts=0"),
        ("bim:alpha=-1", r"bim: alpha=-1\.0"),
        ("square:queries=-1", "square: queries=-1"),
        ("square:p_init=0", r"square: p_init=0\.0"),
        ("apgd:norm=l1", "norm='l1' is not one of linf, l2"),
        ("apgd:loss=ce", "loss='ce' is not one of score, features"),
        ("mifgsm:decay=0", r"mifgsm: decay=0\.0 must be above 0"),
        ("nes:queries=1", "nes: queries=1"),
        ("parsimonious:block=0", "parsimonious: block=0"),
        ("perceptual:budget=0", "perceptual: budget=0"),
        ("cw-min:tau=-1", r"cw-min: tau=-1\.0"),
        ("autoattack:fast", "version='fast' is not one of standard, quick"),
        ("pgd:steps=", "'steps='"),
    ],
)
def test_bad_values_are_refused_with_parameter_and_value(text, said):
    """As are those of the wrong kind."""
    with pytest.raises(InvalidInput, match=said):
        load_attack(text)


@pytest.mark.parametrize("parameters", [{"alpha": 0}, {"alpha": float("nan")}, {"steps": 2.5}, {"restarts": 0}])
def test_bad_values_by_keyword_are_refused_too(parameters):
    """There no text is converted; an int 0 for a step size is still 0."""
    (name,) = parameters
    with pytest.raises(InvalidInput, match=f"pgd: {name}="):
        load_attack("pgd", **parameters)
