"""So that the examples of the pages run in an empty folder, where they may write files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

collect_ignore = ["conf.py", "gallery_parts.py"]  # need Sphinx, and are run by the build
collect_ignore_glob = ["examples/*", "gallery/*", "fiches/*", "made/*"]  # same
sys.path.insert(0, str(Path(__file__).parent))  # the page modules import one another


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
