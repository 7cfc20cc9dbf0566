"""What several tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import barometre as bcs
from barometre.tables.table_set import Tables

# Machines differ in speed: no example has a time limit. The same examples are drawn every time, so
# that a red test is a change of ours; `make slow` draws new ones.
settings.register_profile(
    "barometre", deadline=None, derandomize=os.environ.get("BAROMETRE_SLOW") != "1"
)
settings.load_profile("barometre")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def contract() -> Tables:
    """The key figures of the contract, as tables."""
    return bcs.datasets.tables()


@pytest.fixture
def checkout() -> Path:
    """The root of the repository; the test is skipped when run without it."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("needs the repository, not only the installed package")
    return ROOT


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    """Close what a test drew; matplotlib is not loaded for those that draw nothing."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
