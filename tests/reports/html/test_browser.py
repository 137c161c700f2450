"""The page in Chromium: names that mean harm do nothing, tables sort, pictures blink, nothing overflows, texts can be read."""

import numpy as np
import pytest

from robustiqa.reports.html.arena import arenas
from robustiqa.reports.html.gallery import card, shots
from robustiqa.reports.html.page import page
from robustiqa.reports.html.pictures import Pictures
from tests.reports.html.browser import chromium, look
from tests.reports.html.parsing import ATTACKS, cells_named, named

HARM = "".join(ATTACKS)
CLICKS = """
const table = page.querySelector("table.board"), body = table.tBodies[0], said = page.getElementById("said");
const column = (i) => [...body.rows].map((row) => row.cells[i].dataset.sort ?? row.cells[i].textContent.trim());
const headings = table.tHead.rows[0].cells, result = {sorts: []};
for (const i of [3, 3, 1]) {
  headings[i].querySelector("button").click();
  result.sorts.push([headings[i].getAttribute("aria-sort"), column(i), said.textContent,
                     [...headings].filter((h) => h.hasAttribute("aria-sort")).length]);
}
body.rows[0].cells[3].dataset.sort = "";  // as what is undefined
result.empty = [0, 1].map(() => { headings[3].querySelector("button").click(); return column(3).at(-1); });
const shot = page.querySelector(".shot"), images = [...shot.querySelectorAll("img")], blink = shot.querySelector(".blink");
const pictures = () => images.map((image) => image.src.length);
result.pictures = [pictures()];
for (let i = 0; i < 2; i++) { blink.click(); result.pictures.push(pictures()); }
result.loaded = images.every((image) => image.naturalWidth > 0);
return result;
"""
LAYOUT = """
page.querySelectorAll("details").forEach((one) => { one.open = true; });
const wide = page.documentElement, inner = view.innerWidth;
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const colour = parse(view.getComputedStyle(one).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
let counted = 0;
for (const element of page.body.querySelectorAll("*")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || ["SCRIPT", "STYLE", "title"].includes(element.tagName) || !element.checkVisibility()) continue;
  const style = view.getComputedStyle(element), svg = element.namespaceURI.endsWith("svg");
  const [one, other] = [light(parse(svg ? style.fill : style.color)), light(ground(element))].sort((a, b) => b - a);
  counted += 1;
  if ((one + 0.05) / (other + 0.05) < 4.5) poor.push(element.tagName + ": " + element.textContent.slice(0, 30));
}
const small = [...page.querySelectorAll(".panel text")].filter((text) => text.getBoundingClientRect().height < 9).length;
return {overflow: wide.scrollWidth - inner, poor, counted, small, dark: view.matchMedia("(prefers-color-scheme: dark)").matches};
"""
HARMED = """
return {harmed: view.pwned ?? window.pwned ?? 0, scripts: page.scripts.length, title: page.title,
        images: page.images.length, focused: page.activeElement.tagName, rows: page.querySelectorAll("tbody tr").length,
        sorts: page.querySelectorAll("th button").length};
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    chromium()
    return tmp_path_factory.mktemp("chromium")


@pytest.fixture(scope="module")
def html(results, rows):
    """With two cards of different pictures."""
    fields = arenas(rows)
    grey = [np.full((24, 24, 3), level, dtype=np.uint8) for level in (40, 60, 220)]
    noisy = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    pictures = Pictures(grey[0], grey[1], noisy)
    return page(results.cells, rows, fields, [card(shot, pictures) for shot in shots(fields, 2)])


def test_names_that_mean_harm_do_nothing(folder, results, rows):
    """Under the policy, and without it: escaping alone is enough. The page's own script still runs under the policy."""
    changed = named(rows, HARM)
    guarded = page(cells_named(results.cells, HARM), changed, arenas(changed))
    start, end = guarded.index('<meta http-equiv="Content-Security-Policy"'), guarded.index('<meta name="viewport"')
    seen = look(folder, {"guarded": (guarded, 1200), "bare": (guarded[:start] + guarded[end:], 1200)}, HARMED)
    for one in seen.values():
        assert one["harmed"] == 0
        assert (one["scripts"], one["images"], one["focused"]) == (1, 0, "BODY")
        assert one["title"] == "Robustness of image quality metrics"
        assert one["rows"] >= len(rows)
        assert one["sorts"] > 10


def test_the_policy_stops_what_escaping_would_let_through(folder, html):
    """A script, a handler and a style that were written into the page do not run; without the policy they do."""
    planted = '<script>window.pwned = 1</script><img src="x" onerror="window.pwned = 2"><p id="styled" style="color: red"></p>'
    broken = html.replace("<main", f"{planted}<main", 1)
    start, end = broken.index('<meta http-equiv="Content-Security-Policy"'), broken.index('<meta name="viewport"')
    script = 'return [view.pwned ?? 0, view.getComputedStyle(page.getElementById("styled")).color];'
    seen = look(folder, {"guarded": (broken, 1200), "bare": (broken[:start] + broken[end:], 1200)}, script)
    assert seen["guarded"][0] == 0
    assert seen["guarded"][1] != "rgb(255, 0, 0)"
    assert seen["bare"][0] > 0
    assert seen["bare"][1] == "rgb(255, 0, 0)"


def test_tables_sort_and_pictures_blink(folder, html):
    """A click sorts downwards, another upwards, names by the alphabet; screen readers hear it. Blink swaps and gives back."""
    seen = look(folder, {"page": (html, 1200)}, CLICKS)["page"]
    (first, gains, said, one), (second, turned, _, _), (third, names, _, _) = seen["sorts"]
    assert (first, second, third) == ("descending", "ascending", "ascending")
    numbers = [float(v) for v in gains]
    assert numbers == sorted(numbers, reverse=True)
    assert turned == gains[::-1]
    assert names == sorted(names)
    assert said == "Sorted by gain ↓, descending."
    assert one == 1
    assert seen["empty"] == ["", ""]  # last, in either order
    before, swapped, after = seen["pictures"]
    assert swapped[2] == before[1] != before[2]
    assert swapped[:2] == before[:2]
    assert after == before
    assert seen["loaded"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(folder, html, scheme):
    """On a phone and a desktop, light and dark: no sideways scrolling, every text at 4.5 or more, no tiny labels."""
    flag = f"--blink-settings=preferredColorScheme={['dark', 'light'].index(scheme)}"
    seen = look(folder, {"phone": (html, 390), "desktop": (html, 1280)}, LAYOUT, flag)
    for one in seen.values():
        assert one["dark"] == (scheme == "dark")
        assert one["overflow"] <= 0
        assert one["poor"] == []
        assert one["counted"] > 200
        assert one["small"] == 0
