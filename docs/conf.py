"""Configuration of the documentation. Many pages are written from what they describe."""

from __future__ import annotations

import sys
import tomllib
from inspect import isfunction
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from api_page import api_page  # noqa: E402 - found thanks to the path above
from card_page import card_page, draw_charts  # noqa: E402 - same
from catalogue_page import catalogue_page  # noqa: E402 - same
from commands_page import commands_page  # noqa: E402 - same
from docstring_parts import verb_doc  # noqa: E402 - same
from formulas_page import formulas_page  # noqa: E402 - same
from gallery_parts import MADE  # noqa: E402 - same
from messages_page import messages_page  # noqa: E402 - same
from proofs_page import proofs_page  # noqa: E402 - same
from sources_page import sources_page  # noqa: E402 - same
from tables_page import tables_page  # noqa: E402 - same

from barometre import cohort  # noqa: E402 - same
from barometre.cards.codebook import codebook  # noqa: E402 - same
from barometre.cards.listing import load_cards  # noqa: E402 - same
from barometre.pages.frames_file import write_frame  # noqa: E402 - same

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
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
autosummary_generate_overwrite = True
exclude_patterns = ["_build", "examples", "made", "gallery/**/*.md5"]
myst_enable_extensions = ["fieldlist"]
myst_heading_anchors = 3
smartquotes = False  # the texts of the cards are shown as they are written
default_role = "py:obj"  # single backticks of the docstrings

autodoc_typehints = "none"  # types are in the docstrings
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

MADE.mkdir(exist_ok=True)
html_extra_path = ["made"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "image_scrapers": ("gallery_parts.scrape",),
    "reset_modules": ("matplotlib", "gallery_parts.clean"),
    "subsection_order": [
        f"examples/{name}"
        for name in ("niveaux", "dates", "indices", "cartes", "personnes", "pages")
    ],
    "doc_module": ("barometre",),
    "backreferences_dir": "gallery/uses",
    "abort_on_example_error": False,
    "write_computation_times": False,
    "show_signature": False,
    "show_memory": False,
    "default_thumb_file": None,
}

html_theme = "pydata_sphinx_theme"
html_title = f"barometre {release}"
html_show_copyright = False
html_sidebars = {"**": ["contents.html"]}  # all pages, by their captions
html_theme_options = {"navbar_center": []}  # they are in the sidebar


def _write_pages(app: Sphinx, _config: Config) -> None:
    """Write the generated pages, leaving alone those that have not changed."""
    source = Path(app.srcdir)
    fiches = source / "fiches"
    fiches.mkdir(exist_ok=True)
    charts = draw_charts(fiches)
    pages = {
        "api.md": api_page(),
        "catalogue.md": catalogue_page(),
        "tables.md": tables_page(),
        "sources.md": sources_page(),
        "commands.md": commands_page(),
        "messages.md": messages_page(),
        "formulas.md": formulas_page(),
        "proofs.md": proofs_page(),
        **{
            f"fiches/{name}.md": card_page(card, chart=name in charts)
            for name, card in load_cards().items()
        },
    }
    for name, page in pages.items():
        path = source / name
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")
    for kind in ("csv", "xlsx"):
        write_frame(codebook().reset_index(), MADE / f"indicateurs.{kind}", title="indicateurs")


def _trim_examples(_app: Sphinx, doctree: nodes.document) -> None:
    """Take away the empty line that ends an example, for doctest, inside its fence."""
    for block in doctree.findall(nodes.literal_block):
        if len(block) == 1:
            block.rawsource = block.astext().rstrip()
            block[:] = [nodes.Text(block.rawsource)]


def _complete_verbs(
    _app: Sphinx, what: str, name: str, method: Any, _options: object, lines: list[str]
) -> None:
    """Give the verbs of a cohort the parameters that the function of the same name describes."""
    room, _, verb = name.rpartition(".")
    if what == "method" and room == "barometre.cohort.Cohort":
        functions = {n: getattr(cohort, n) for n in dir(cohort) if isfunction(getattr(cohort, n))}
        lines[:] = verb_doc(verb, method, functions).splitlines()


def setup(app: Sphinx) -> None:
    """Connect the hooks."""
    app.connect("autodoc-process-docstring", _complete_verbs, priority=100)  # before numpydoc
    app.connect("config-inited", _write_pages)
    app.connect("doctree-read", _trim_examples)
