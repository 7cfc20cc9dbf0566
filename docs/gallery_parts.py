"""What the gallery shows beside charts: the pages and files that an example has written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import matplotlib_scraper

MADE = Path(__file__).parent / "made"
"""Pages made by the build, copied as they are to the root of the site."""

_FRAME = """.. raw:: html

   <p><a href="../../{where}">La page entière</a></p>
   <iframe class="made" src="../../{where}" title="{title}" loading="lazy"></iframe>

"""


def scrape(block: Any, variables: dict[str, Any], gallery: dict[str, Any]) -> str:
    """Keep the charts of a block, and the page that it has written under the name ``page``."""
    shown = str(matplotlib_scraper(block, variables, gallery))
    page = variables["example_globals"].get("page")
    if not isinstance(page, Path) or "page =" not in block.content:
        return shown
    source = Path(variables["src_file"])
    folder = MADE / "pages" / source.stem.removeprefix("plot_")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree((source.parent / page).parent, folder)
    return shown + _FRAME.format(where=f"pages/{folder.name}/{page.name}", title=page.stem)


def clean(_gallery: dict[str, Any], example: str) -> None:
    """Take away what an example has written, so that each begins in an empty folder."""
    for folder in (Path(__file__).parent / "examples").glob("*/sortie"):
        shutil.rmtree(folder)
