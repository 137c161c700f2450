"""Pages that are written from the registry and the command line tell all that these know."""

import json
import sys

import click
import pytest

from robustiqa.cli.main import cli
from tests.command import robustiqa
from tests.docs.pages import ROOT
from tests.scripts import loaded


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder that ``python docs/site/make_pages.py`` writes."""
    folder = ROOT / "docs" / "site"
    out = tmp_path_factory.mktemp("pages")
    sys.path.insert(0, str(folder))
    try:
        loaded(folder / "make_pages.py").main(["--out", str(out)], standalone_mode=False)
    finally:
        sys.path.remove(str(folder))
    return out


@pytest.mark.parametrize("kind", ["models", "attacks", "defenses", "datasets"])
def test_every_name_has_a_page_with_all_its_parameters(pages, kind):
    """Paper, parameters with their defaults, and what the hand-written page says of it."""
    records = json.loads(robustiqa(kind, "--json").stdout)
    built_in = [record for record in records if record["origin"] == "built-in"]
    assert {path.stem for path in (pages / kind).iterdir()} == {"index", *(record["name"] for record in built_in)}
    for record in built_in:
        text = (pages / kind / f"{record['name']}.md").read_text(encoding="utf-8")
        assert "## In detail" in text, record["name"]
        assert kind == "datasets" or "known limits: " in text or "Limit: " in text.replace("\n  ", " "), record["name"]
        assert record.get("paper", "").split(",")[0] in text
        for field, default in record["parameters"].items():
            (line,) = [line for line in text.splitlines() if line.startswith(f"| `{field}` |")]
            assert record["types"][field].split(" or ")[0] in line
            assert default in {"", None} or line.count("`") == 4, line


def test_an_attack_page_has_formula_cost_and_limit(pages):
    """The formula and limit of docs/attacks.md, the passes that the attack declares."""
    text = (pages / "attacks" / "square.md").read_text(encoding="utf-8")
    assert "per image: 5000 values" in text
    assert "Limit: corners of the ball only" in text.replace("\n  ", " ")
    assert "https://arxiv.org/abs/1912.00049" in text


def test_every_command_and_option_is_in_the_reference(pages):
    """Below the heading of its own command."""
    text = (pages / "cli.md").read_text(encoding="utf-8")
    sections = dict(part.partition("\n")[::2] for part in text.split("\n## ")[1:])
    found = [
        (path, option)
        for path, command in every("robustiqa", cli)
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in (*parameter.opts, *parameter.secondary_opts)
    ]
    assert len(found) > 100
    assert [(path, option) for path, option in found if option not in sections[path]] == []


def every(path, command):
    """Commands below a group, each with what one types for it."""
    for name, inner in getattr(command, "commands", {}).items():
        yield f"{path} {name}", inner
        yield from every(f"{path} {name}", inner)
