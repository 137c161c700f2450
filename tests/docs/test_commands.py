"""What the pages tell people to type is what the command line takes."""

import ast
import re

import click
import pytest

from robustiqa.attacks import ATTACKS
from robustiqa.cli.main import cli
from robustiqa.core.errors import InvalidInput, UnknownName
from robustiqa.core.parameters import build, split_named
from robustiqa.defenses import DEFENSES
from robustiqa.models import MODELS
from robustiqa.models.entry import as_entry
from tests.docs.pages import PAGES, ROOT, blocks, commands, named, spans

OTHER_TOOLS = {"--gres", "--quick"}  # of Slurm and of benchmarks/perf
PLACEHOLDER = re.compile(r"[A-Z_]+|\.\.\.|…|.*[A-Z]…")
BLOCKS = [
    pytest.param(path, arguments, id=f"{named(path)}: {' '.join(arguments)[:60]}")
    for path in PAGES
    for block in blocks(path.read_text(encoding="utf-8"), "sh", "bash", "text")
    for arguments in commands(block)
]
SPANS = [
    pytest.param(span.split()[1:], id=f"{named(path)}: {span[:60]}")
    for path in PAGES
    for span in spans(path.read_text(encoding="utf-8"))
    if span.startswith("robustiqa ") and "..." not in span and "…" not in span
]


@pytest.fixture(autouse=True)
def any_path(monkeypatch):
    """Folders of an example need not exist here."""
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _parameter, _context: value)


def parsed(arguments):
    """The context of the innermost command that ``arguments`` name, with its values converted; nothing is run."""
    command, context = cli, cli.make_context("robustiqa", list(arguments))
    while isinstance(command, click.Group):
        named = "_protected_args" if hasattr(context, "_protected_args") else "protected_args"  # before click 8.2
        rest = [*getattr(context, named), *context.args]
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
    return context


@pytest.mark.parametrize(("path", "arguments"), BLOCKS)
def test_a_command_in_a_block_can_be_typed(path, arguments):
    """The command exists, takes these options and values, and the things it names exist with these parameters."""
    if arguments[:1] == ["--help"]:
        return
    values = parsed(arguments).params
    for name in (*values.get("models", ()), *filter(None, [values.get("model")])):
        known_model(name)
    for kind, registry in (("attacks", ATTACKS), ("defenses", DEFENSES)):
        for text in values.get(kind) or ():
            for part in text.split("+"):
                known(registry, part)
    suite = values.get("suite")
    assert suite is None or suite.isupper() or suite == "SUITE.toml" or (ROOT / suite).is_file(), suite


def test_commands_are_found_and_wrong_ones_noticed():
    """The tests above have something to look at, and would fail."""
    found = [" ".join(value.values[1]) for value in BLOCKS]
    assert len(found) > 40
    assert any("--shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" in text for text in found)  # over two lines
    assert any("--eps 10/255 --limit 28" in text for text in found)  # out of the block's variables
    assert any(text.startswith("merge runs/table3/*") for text in found)  # in the quotes of another command
    for wrong in (["bench", "--no-such"], ["bench", "--eps", "8"], ["bnch"]):
        with pytest.raises((click.UsageError, InvalidInput)):
            parsed(wrong)
    with pytest.raises(UnknownName):
        known(ATTACKS, "pgd:stepps=3")


def known_model(text):
    """The model has these parameters; weights are not looked for."""
    if text.startswith("pyiqa:") or ".py:" in text or PLACEHOLDER.fullmatch(text):
        return
    name, parameters = split_named(text)
    parameters.pop("weights", None)
    build(as_entry(name, MODELS.get(name)).parameters, parameters)


def known(registry, text):
    """The attack or defense exists and can be built; ``mine`` is the example plug-in."""
    name, parameters = split_named(text)
    if name not in {"none", "mine"}:
        build(registry.get(name), parameters)


@pytest.mark.parametrize("arguments", SPANS)
def test_a_command_in_prose_names_what_there_is(arguments):
    """Prose may leave things out, but names no command and no option that does not exist."""
    problem = ""
    try:
        parsed(arguments)
    except click.UsageError as error:
        problem = str(error)
    assert not problem.startswith("No such")


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_an_option_in_prose_exists(path):
    """``--like-this`` is an option of some command."""
    parameters = [parameter for command in every(cli) for parameter in command.params]
    known_options = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
    for span in spans(path.read_text(encoding="utf-8")):
        if span.startswith("--"):
            assert span.split()[0].split("=")[0] in known_options | OTHER_TOOLS | {"--help"}, span


def every(command):
    """A command and all below it."""
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from every(inner)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_python_in_a_page_is_python(path):
    """It parses, and what it takes from robustiqa exists."""
    import robustiqa

    for block in blocks(path.read_text(encoding="utf-8"), "python", "py"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "rq":
                assert node.attr in robustiqa.__all__, node.attr
