"""A real browser without a window: the page in frames of its own, and a script outside of them that looks and clicks."""

import html
import json
import os
import re
import shutil
import subprocess
import tempfile

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
HARNESS = """<!DOCTYPE html><meta charset="utf-8">{frames}<pre id="seen"></pre><script>
addEventListener("load", () => {{
  const seen = {{}};
  const look = (view, page) => {{ {script} }};
  try {{
    for (const frame of document.querySelectorAll("iframe")) seen[frame.id] = look(frame.contentWindow, frame.contentDocument);
  }} catch (error) {{ seen.error = String(error); }}
  document.getElementById("seen").textContent = JSON.stringify(seen);
}});
</script>"""


def chromium():
    """The browser's program; the test is skipped where there is none."""
    found = os.environ.get("ROBUSTIQA_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("needs Chromium: no chromium or google-chrome on the path; set ROBUSTIQA_CHROMIUM to have it elsewhere")
    return found


def look(folder, pages, script, *flags):
    """What ``script`` (a function's body, of ``view`` and ``page``) returns for each page once all has loaded or failed to.

    ``pages``: by name, the HTML and the width in pixels that it is laid out in.
    """
    frames = "".join(
        f'<iframe id="{name}" width="{width}" height="900" srcdoc="{html.escape(text)}"></iframe>'
        for name, (text, width) in pages.items()
    )
    file = folder / "harness.html"
    file.write_text(HARNESS.format(frames=frames, script=script), encoding="utf-8")
    out = _run("--dump-dom", *flags, file.as_uri())
    (seen,) = re.findall(r'<pre id="seen">(.*?)</pre>', out, re.DOTALL)
    found = json.loads(html.unescape(seen))
    assert "error" not in found, found["error"]
    return found


def _run(*arguments):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium(), *FLAGS, f"--user-data-dir={profile}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=True).stdout
