"""A link in a page leads somewhere on a code forge; the site's build checks the same links in its own way."""

import re
from urllib.parse import unquote

import pytest

from tests.docs.pages import PAGES, named, prose

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def slugs(text):
    """Anchors that a forge gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_a_relative_link_leads_to_a_file_and_its_heading(path):
    """From where the page stands."""
    for link in LINK.findall(re.sub(r"`[^`]*`", "", prose(path.read_text(encoding="utf-8")))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor:
            assert anchor in slugs(target.read_text(encoding="utf-8")), link
