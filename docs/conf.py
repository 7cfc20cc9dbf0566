"""Configuration of the documentation. Four pages are written from what they describe."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from api_page import api_page  # noqa: E402 - found thanks to the path above
from catalogue_page import catalogue_page  # noqa: E402 - same
from sources_page import sources_page  # noqa: E402 - same
from tables_page import tables_page  # noqa: E402 - same

project = "barometre"
author = "The barometre developers"
version = release = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]["version"]
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
]
templates_path = ["_templates"]
autosummary_generate_overwrite = True
exclude_patterns = ["_build"]
myst_enable_extensions = ["fieldlist"]
myst_heading_anchors = 3
smartquotes = False  # the texts of the cards are shown as they are written
default_role = "py:obj"  # single backticks of the docstrings

autodoc_typehints = "none"  # types are in the docstrings
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"barometre {release}"
html_show_copyright = False
html_sidebars = {"**": ["contents.html"]}  # all pages, by their captions
html_theme_options = {"navbar_center": []}  # they are in the sidebar


def _write_pages(app: Sphinx, _config: Config) -> None:
    """Write the generated pages, leaving alone those that have not changed."""
    pages = {
        "api.md": api_page(),
        "catalogue.md": catalogue_page(),
        "tables.md": tables_page(),
        "sources.md": sources_page(),
    }
    for name, page in pages.items():
        path = Path(app.srcdir) / name
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")


def _trim_examples(_app: Sphinx, doctree: nodes.document) -> None:
    """Take away the empty line that ends an example, for doctest, inside its fence."""
    for block in doctree.findall(nodes.literal_block):
        if len(block) == 1:
            block.rawsource = block.astext().rstrip()
            block[:] = [nodes.Text(block.rawsource)]


def setup(app: Sphinx) -> None:
    """Connect the two hooks."""
    app.connect("config-inited", _write_pages)
    app.connect("doctree-read", _trim_examples)
