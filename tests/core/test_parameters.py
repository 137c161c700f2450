"""From texts to the values of dataclasses."""

import math
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.parameters import build, convert, parse_eps, split_named, typed

WORD = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


@dataclass(frozen=True)
class Sample:
    steps: int = 3
    rate: float = 0.5
    fast: bool = False
    mode: Literal["soft", "hard"] = "soft"
    limit: int | None = None
    label: str = ""
    derived: int = field(default=0, init=False)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_eps_of_a_fraction_is_the_quotient_or_is_refused(over, under):
    """Correctly rounded, as Python divides; above 1 it is no ε."""
    text = f"{over}/{under}"
    if over <= under:
        assert parse_eps(text) == over / under
    else:
        with pytest.raises(InvalidInput, match=text):
            parse_eps(text)


def test_eps_above_one_is_asked_back_in_255ths():
    """The slip of those who think in 8-bit levels."""
    with pytest.raises(InvalidInput, match="'8' .*Did you mean 8/255"):
        parse_eps("8")


@pytest.mark.parametrize("text", ["1/0", "1e400", "-1e400", "8//255", "٠,5", "0x1"])
def test_numbers_that_are_none_are_refused_as_typed(text):
    """Also those that overflow: no exception of Python's comes through."""
    with pytest.raises(InvalidInput, match=f"eps '{text}'"):
        parse_eps(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8, "0.8"), (8 / 255, "8/255"), (0.2, "0.2"), (1.0, "1"), (0.0004, "0.0004"), (10, "10"), (True, "true"), (None, "none")],
)  # fmt: skip
def test_values_are_spelled_as_one_would_type_them(value, text):
    """The short decimal where it is exact, 255ths where only they are; and reading gives the value back."""
    assert typed(value) == text
    assert convert("x", text, float | int | bool | None) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_no_parameter_takes_is_spelled_all_the_same(value):
    """A message that names a value must not fail on it."""
    assert typed(value) == str(value)


@given(WORD, st.dictionaries(WORD, WORD, max_size=4))
def test_splitting_undoes_joining(name, parameters):
    """name:key=value,... in any order, blanks allowed."""
    text = name + ":" + " , ".join(f"{key} = {value}" for key, value in parameters.items())
    assert split_named(text) == (name, parameters)


@pytest.mark.parametrize("text", ["a:=3", "a:b=", "a: =", "a:b=1,=2"])
def test_parameters_without_name_or_value_are_refused(text):
    """The message shows the form."""
    with pytest.raises(InvalidInput, match="'a'.*a:PARAMETER=VALUE"):
        split_named(text)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("steps", "40", 40), ("rate", "2/255", 2 / 255), ("rate", "1e-3", 1e-3), ("rate", "2", 2.0), ("fast", "true", True),
     ("fast", "False", False), ("mode", "hard", "hard"), ("limit", "none", None), ("limit", "5", 5), ("label", "7", "7")],
)  # fmt: skip
def test_texts_become_the_type_of_their_field(name, text, value):
    """Value and type both."""
    built = getattr(build(Sample, {name: text}), name)
    assert built == value
    assert type(built) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [("steps", "4.5", "of type int"), ("steps", "four", "of type int"), ("rate", "1/0", "of type float"),
     ("rate", "1e999", "of type float"), ("fast", "1", "of type bool"), ("mode", "mild", "one of soft, hard"),
     ("limit", "few", "of type int or none")],
)  # fmt: skip
def test_texts_of_another_type_are_refused(name, text, allowed):
    """With parameter, text and what is allowed."""
    with pytest.raises(InvalidInput, match=f"{name}='{text}' is not {allowed}"):
        build(Sample, {name: text})


def test_values_that_are_no_texts_pass_unchanged():
    """Keywords of Python code need no conversion."""
    assert build(Sample, {"steps": 9, "limit": None, "label": "9"}) == Sample(steps=9, label="9")


@pytest.mark.parametrize(("name", "said"), [("step", "Did you mean 'steps'"), ("derived", "'derived'")])
def test_unknown_parameters_are_refused(name, said):
    """With the nearest; fields that no one may set are unknown as well."""
    with pytest.raises(UnknownName, match=f"parameter of Sample.*{said}"):
        build(Sample, {name: "1"})


@dataclass(frozen=True)
class Switch:
    module: Literal[True, False, "other"] = True


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("other", "other")])
def test_a_switch_with_a_third_position_reads_both_kinds(text, value):
    """Booleans stay booleans beside a name."""
    assert build(Switch, {"module": text}).module is value
    with pytest.raises(InvalidInput, match="one of true, false, other"):
        build(Switch, {"module": "on"})
