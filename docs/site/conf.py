"""The documentation site: the Markdown of the repository where it stands, generated pages, an API read from the source.

The source folder is the repository itself, so a relative link means the same on a code forge and here. Nothing of
robustiqa is imported: what needs that, ``make_pages.py`` has written into ``generated`` before.
"""

from pathlib import Path

ROOT = Path(__file__).parents[2]

project = "robustiqa"
author = "the robustiqa maintainers"
project_copyright = "the robustiqa maintainers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "autoapi.extension"]
root_doc = "docs/site/index"
include_patterns = ["*.md", "docs/**.md", "attacks/*.md", "defenses/*.md", "benchmarks/**.md", "reports/**.md"]
exclude_patterns = [".*", "build", "dist", "runs"]
smartquotes = False  # -- is the beginning of an option
suppress_warnings = ["toc.no_title"]  # some reports are tables alone, as their commands print them

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autoapi_dirs = [str(ROOT / "robustiqa")]
autoapi_generate_api_docs = False
autoapi_options = ["members", "show-inheritance"]
autodoc_typehints = "signature"
napoleon_use_ivar = True  # a class says what its attributes are in one place
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "robustiqa"
html_copy_source = False
html_show_sphinx = False
