"""Templates, escaping and the content policy of the page."""

import base64
import hashlib
import re
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

# Control characters that XML forbids, and those that turn the direction of the text around them.
_CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff"
_TURNERS: Final = "\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNPRINTABLE: Final = re.compile(f"[{_CONTROLS}{_TURNERS}]")


@cache
def environment() -> Environment:
    """Jinja with autoescape on for every template, and an error for every name that is not there."""
    templates = Environment(
        loader=PackageLoader("robustiqa.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["marked"] = _marked
    return templates


def content_policy() -> str:
    """Nothing may be loaded or run but our own style sheet and script, by their sha256, and images in the page."""
    style, script = (_sha256(environment().get_template(name).render()) for name in ("style.css", "script.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _marked(text: str) -> Markup:
    """Escaped text whose parts between backticks are code."""
    parts = enumerate(text.split("`"))
    return Markup().join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in parts)


def _printable(value: object) -> object:
    """``value`` as it may stand in HTML and SVG; markup of our own templates passes."""
    return value if isinstance(value, Markup) else _UNPRINTABLE.sub("\ufffd", str(value))


def _sha256(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
