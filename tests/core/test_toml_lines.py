"""Lines of a TOML file are found for any place in it."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.core.toml_lines import line_of

TEXT = '''# a comment
title = "x"  # run = 3

text = """
[[run]]
eps = 1
"""
[[run]]

models = [
  "a",
  "b",
]
eps = 2
[[run]]
nested.deep = 5
[run.table]
eps = 3
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [(("title",), 2), (("text",), 4), (("run", 0), 8), (("run", 0, "models"), 10), (("run", 0, "models", 1), 10),
     (("run", 0, "eps"), 14), (("run", 1), 15), (("run", 1, "nested", "deep"), 16), (("run", 1, "table", "eps"), 18),
     (("run", 1, "absent"), 15), (("absent",), 1), ((), 1)],
)  # fmt: skip
def test_the_line_where_a_value_begins(place, line):
    """Comments, texts and lists of several lines, tables in lists and dotted keys; of what is missing, its table's."""
    assert line_of(TEXT, place) == line


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=4), st.integers(0, 3))
def test_whatever_begins_there_holds_the_value(runs, blank):
    """The statement at the line, read alone, is the one that was asked for."""
    lines = []
    for values in runs:
        lines += ["[[run]]", *[""] * blank, "eps = [", *[f"  {value}," for value in values], "]"]
    text = "\n".join(lines)
    for index, values in enumerate(runs):
        line = line_of(text, ("run", index, "eps"))
        after = lines[line - 1 :]
        assert after[0] == "eps = ["
        assert tomllib.loads("\n".join(after[: after.index("]") + 1])) == {"eps": values}
