"""One page for each model, attack, defense and dataset: what the registry knows of it without loading weights.

Formulas, variants and limits are not told twice: they are lines of ``docs/attacks.md``, ``defenses.md``, ``models.md``
and ``datasets.md``, taken from there.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from page_parts import DOCS, rows_of, table

from robustiqa.cli.catalogue import CATALOGUES, describe
from robustiqa.core.parameters import typed
from robustiqa.defenses.purifiers.base import EOT
from robustiqa.reports.formats.markdown import escape

Record = Mapping[str, Any]
CARDS: Final = {"birqa": "birqa-card", "topiq-squeeze": "topiq-squeeze-card"}


def pages() -> dict[str, str]:
    """Path below ``generated`` → text, with an index page for each kind."""
    written = {}
    for kind, registry in CATALOGUES.items():
        names = sorted(registry.builtins)
        records = [describe(kind, registry, name) for name in names]
        written[f"{kind}/index.md"] = _index(kind, records)
        for record in records:
            written[f"{kind}/{record['name']}.md"] = _page(kind, record)
    return written


def _index(kind: str, records: list[Record]) -> str:
    lines = [(f"[`{record['name']}`]({record['name']}.md)", _prose(record["summary"])) for record in records]
    toctree = "\n".join(["```{toctree}", ":hidden:", "", *(record["name"] for record in records), "```"])
    return f"# {kind.capitalize()} one by one\n\n{table(('name', 'what it is'), lines)}\n{toctree}\n"


def _page(kind: str, record: Record) -> str:
    name = record["name"]
    parts = [
        f"# {name}\n",
        "" if kind == "models" else f"{_prose(record['summary'])}\n",  # a model's is its paper and direction, below
        table(("", ""), _FACTS[kind](record)),
        _parameters(record),
        _from_docs(kind, name),
        f"`robustiqa {kind} {name}` prints what the registry knows of it, `--json` for scripts.",
        f"All of them: [{kind}](../../../{kind}.md).\n",
    ]
    return "\n".join(filter(None, parts))


def _parameters(record: Record) -> str:
    lines = [
        (f"`{field}`", escape(record["types"][field]), f"`{typed(default)}`" if typed(default) else "")
        for field, default in record["parameters"].items()
    ]
    text = table(("parameter", "type", "default"), lines)
    return f"## Parameters\n\n{text}" if text else "It has no parameters.\n"


def _model(record: Record) -> list[tuple[str, str]]:
    low, high = record["score_range"]
    bounds = f"{_bound(low)} to {_bound(high)}" if (low, high) != (None, None) else "not bounded"
    weights = "; ".join(f"`{file}`, sha256 `{digest or 'not known'}`" for file, digest in record["weights"])
    draws = "a pair has one score" if record["deterministic"] else f"random; an attack averages {record['eot']} draws"
    facts = [
        ("paper", _paper(record["paper"])),
        ("score", f"{'lower' if record['lower_better'] else 'higher'} is better; {bounds}"),
        ("smallest image", f"{record['min_size']} pixels a side"),
        ("randomness", draws),
        ("gradient", "useful" if record["differentiable"] else "none that is useful: attack it with a black box"),
        ("weights", weights or "none"),
        ("trained on", escape(", ".join(record["trained_on"])) or "nothing"),
        ("licence", escape(record["licence"])),
    ]
    if record["name"] in CARDS:
        facts.append(("card", f"[how it was trained, and its limits](../../../{CARDS[record['name']]}.md)"))
    return facts


def _bound(value: float | None) -> str:
    return "unbounded" if value is None else f"{value:g}"


def _attack(record: Record) -> list[tuple[str, str]]:
    calls = record["calls"]
    passes = ", ".join(f"{count} {what}" for what, count in (calls or {}).items() if count)
    cost = "not told beforehand" if calls is None else f"at most, per image: {passes or 'none; it was learned before'}"
    return [
        ("paper", _paper(record["paper"])),
        ("access", record["access"]),
        ("cost with its defaults", f"{cost} (a gradient is a forward and a backward pass)"),
    ]


def _defense(record: Record) -> list[tuple[str, str]]:
    once = "one pass through it in each step of an adaptive attack"
    cost = f"an adaptive attack averages {EOT} draws in each step (`--eot`)" if record["randomised"] else once
    return [
        ("paper", _paper(record["paper"])),
        ("randomness", "draws for every image" if record["randomised"] else "none"),
        ("what it changes", "both images alike" if record["paired"] else "see `apply_to`, or the model's weights"),
        ("cost", cost),
    ]


def _from_docs(kind: str, name: str) -> str:
    """What the hand-written page of the kind says of ``name``."""
    said = [f"* {_row(name, row)}" for row in rows_of(kind, name)]
    if kind == "attacks":
        said.append(f"* {_attack_entry(name)}")
    return "## In detail\n\n" + _rebased("\n".join(said)) + "\n" if said else ""


def _row(name: str, row: Mapping[str, str]) -> str:
    """A row's cells behind their headings; the name only where it is more than the page's."""
    (_, first), *others = row.items()
    named = "" if first == f"`{name}`" else f"{first}: "
    return named + "; ".join(f"{heading}: {cell}" for heading, cell in others if cell) + "."


def _attack_entry(name: str) -> str:
    """Formula, parameters and limit of an attack."""
    text = (DOCS / "attacks.md").read_text(encoding="utf-8")
    entries = text.split("## Papers, formulas")[1].split("\n## ")[0].split("\n* ")[1:]
    return next(entry for entry in entries if re.search(rf"`{re.escape(name)}`,", entry.split(":")[0])).strip()


def _paper(text: str) -> str:
    """A paper's name, its arXiv number or DOI as a link."""
    linked = re.sub(r"arXiv (\d{4}\.\d{4,5})", r"[arXiv \1](https://arxiv.org/abs/\1)", escape(text))
    return re.sub(r"doi (10\.\d+/[\w.]+)", r"[doi \1](https://doi.org/\1)", linked)


def _rebased(text: str) -> str:
    """Relative links of a page in ``docs``, as a page of ``docs/site/generated/KIND`` must write them."""
    return re.sub(r"\]\((?![a-z]+:|#)", "](../../../", text)


def _prose(text: str) -> str:
    """A docstring's line: double backticks are code in Markdown too, the rest is plain."""
    return "".join(part if part.startswith("``") else escape(part) for part in re.split(r"(``[^`]+``)", text))


_FACTS: Final[Mapping[str, Callable[[Record], list[tuple[str, str]]]]] = {
    "models": _model,
    "attacks": _attack,
    "defenses": _defense,
    "datasets": lambda _record: [],
}
