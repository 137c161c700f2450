"""The page as a parser sees it: well formed, self-contained, the same bytes every time, and inert whatever the names."""

import base64
import hashlib
import random
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from robustiqa.reports.html.arena import arenas
from robustiqa.reports.html.environment import content_policy
from robustiqa.reports.html.page import page
from robustiqa.reports.html.report import html_report
from robustiqa.reports.html.svg import figures_svg, svg_files
from robustiqa.reports.results import Results
from tests.reports.html.parsing import ATTACKS, Page, cells_named, named


@pytest.fixture(scope="module")
def html(results, rows):
    return page(results.cells, rows, arenas(rows))


def test_equal_cells_give_equal_bytes(results, html):
    """In whatever order the folder lists them."""
    shuffled = list(results.cells)
    random.Random(1).shuffle(shuffled)
    assert html_report(results.cells, pictures=0) == html
    assert html_report(shuffled, pictures=0) == html
    assert figures_svg(Results(tuple(shuffled)).rows()) == figures_svg(results.rows())


def test_the_page_holds_every_part(html):
    """Leaderboards, each figure, heat map, all numbers, flags, provenance."""
    titles = re.findall(r"<h[123][^>]*>(?:<[^>]*>)*([^<]+)", html)
    assert titles == [
        "How far could an attacker move the score?", "memory", "Leaderboard", "Ranking as the budget grows",
        "Gain, image by image", "Scores before and after", "Fooled, or truly changed?", "What each query buys",
        "Which distortions give way", "All numbers", "Flags", "How to read this", "Provenance",
    ]  # fmt: skip


def test_nothing_is_loaded_from_elsewhere(html):
    """No address but fragments and data; style and script are those that the policy names by hash."""
    parsed = Page(html)
    assert all(v.startswith("#") for v in parsed.values("href"))
    assert all(v.startswith("data:image/png;base64,") for v in parsed.values("src"))
    assert not re.search(r"(?<!=\")https?://|url\(|@import", html)
    (policy,) = [v for v in parsed.values("content") if "default-src" in v]
    assert policy == content_policy()
    assert policy.startswith("default-src 'none'; ")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (body,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_no_markup_needs_what_the_policy_forbids(html):
    """Neither style attributes nor event handlers."""
    names = {name for _, name, _ in Page(html).attributes}
    assert not {n for n in names if n == "style" or n.startswith("on")}


def test_the_page_can_be_navigated_without_eyes_or_mouse(html):
    """Landmarks, one h1, names for regions, scopes and captions of tables, texts for charts, ids that links find."""
    parsed = Page(html)
    tags = [tag for tag, _ in parsed.tags]
    assert {tags.count(one) for one in ("header", "main", "nav", "footer", "h1")} == {1}
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    assert {v.removeprefix("#") for v in parsed.values("href")} <= set(ids)
    assert set(" ".join(parsed.values("aria-labelledby")).split()) <= set(ids)
    assert tags.count("table") == tags.count("caption") >= 6
    assert all("scope" in names for tag, names in parsed.tags if tag == "th")
    assert all({"aria-label", "aria-hidden"} & set(names) for tag, names in parsed.tags if tag == "svg")
    assert all({"aria-label", "tabindex"} <= set(names) for tag, names in parsed.tags if ("region" in names))
    assert '<html lang="en">' in html


def test_every_flag_is_explained_where_its_link_goes(html, rows):
    """By its meaning and what to do."""
    for flag in sorted({flag for row in rows for flag in row.flags}):
        (anchor,) = re.findall(rf'<dt id="([\w-]+)">{re.escape(flag)}</dt>\s*<dd>[^<]+', html)
        assert f'<a class="flag" href="#{anchor}">' in html


@pytest.fixture(scope="module")
def benign(results, rows):
    return Page(hostile_page(results, rows, "name"))


def hostile_page(results, rows, name):
    changed = named(rows, name)
    return page(cells_named(results.cells, name), changed, arenas(changed))


NASTY = st.text(st.sampled_from("<>&\"'`{}%#=/\\\x00\x0b\u202e\u2028 ") | st.characters(codec="utf-8"), min_size=1, max_size=24)


@settings(max_examples=12)
@given(name=NASTY)
@example(name=ATTACKS[0])
@example(name=ATTACKS[1])
@example(name=ATTACKS[2])
@example(name=ATTACKS[3])
@example(name=ATTACKS[5])
@example(name=ATTACKS[6])
@example(name=ATTACKS[7])
def test_no_name_changes_the_structure_of_the_page(results, rows, benign, name):
    """Same tags with the same attributes in the same order as with a name that means no harm; the name is read back."""
    html = hostile_page(results, rows, name)
    parsed = Page(html)
    assert parsed.tags == benign.tags
    assert not {v for v in parsed.values("href") if not v.startswith("#")}
    shown = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]", "\ufffd", name)
    texts = "".join(parsed.texts)
    assert texts.replace("\r\n", "\n").count(shown.replace("\r\n", "\n")) >= 10
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", html)


@pytest.fixture(scope="module")
def plain_files(rows):
    return svg_files(arenas(named(rows, "name")))


@settings(max_examples=12)
@given(name=NASTY)
@example(name=ATTACKS[1])
@example(name=ATTACKS[6])
@example(name=ATTACKS[7])
def test_svg_files_are_well_formed_for_any_name(rows, plain_files, name):
    """XML of the same elements as with a harmless name."""
    files = svg_files(arenas(named(rows, name)))
    assert list(files) == list(plain_files)
    for text, other in zip(files.values(), plain_files.values(), strict=True):
        assert [e.tag for e in ET.fromstring(text).iter()] == [e.tag for e in ET.fromstring(other).iter()]
        assert "href" not in text


def test_svg_files_stand_alone(results):
    """Each figure by its name, with its colours inside and panels that do not overlap."""
    files = figures_svg(results.rows())
    assert list(files) == [
        "1-srocc-over-eps.svg", "1-gain-distributions.svg", "1-clean-attacked.svg", "1-gain-and-judges.svg",
        "1-query-curves.svg",
    ]  # fmt: skip
    for text in files.values():
        root = ET.fromstring(text)
        assert "--c0:" in text
        assert "prefers-color-scheme" not in text
        places = [e.get("transform") for e in root if e.get("transform")]
        assert len(places) == len(set(places))


def test_results_report_html(results):
    """The same from Python, in one call."""
    assert Results(results.cells).report("html").startswith("<!DOCTYPE html>")


def test_a_run_without_one_finite_score_still_has_a_page(results):
    """Dashes and flags in place of figures."""
    blank = {"clean": None, "attacked": None, "attacked_8bit": None, "status": "non-finite"}
    cells = [c.model_copy(update={"samples": tuple(r.model_copy(update=blank) for r in c.samples)}) for c in results.cells]
    html = html_report(cells)
    assert "Ranking as the budget grows" not in html
    assert "non-finite-scores" in html
    assert "nan" not in "".join(Page(html).texts).split()
    assert html.count('data-sort=""') > len(cells)  # undefined numbers sort by nothing, not by their dash


def test_clean_scores_alone_make_no_arena(results):
    """A folder in which nothing was attacked says so."""
    clean = [c for c in results.cells if c.spec.purpose != "attack"]
    assert "Nothing was attacked" in html_report(clean)
