"""The package as installed: public surface, light import, documented functions, tidy sources."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import assert_type

import pandas as pd
import pytest

import barometre as bcs
from barometre.table_set import Tables

PUBLIC = [
    "BarometreError",
    "Bounds",
    "Design",
    "EquivalentYear",
    "Household",
    "Suppressed",
    "Tables",
    "TheilParts",
    "aggregate",
    "apply_passage",
    "audit_suppression",
    "calibrate_idt",
    "catalogue",
    "check_files",
    "cohort",
    "combine",
    "composite",
    "compute",
    "consumption_units",
    "cumulative_disadvantage",
    "datasets",
    "diagnose",
    "equivalent_year",
    "equivalised_income",
    "evolution",
    "fragility_75",
    "fragility_scores",
    "gap",
    "idh4",
    "idt",
    "indicator_card",
    "level_of",
    "membership",
    "newcombe",
    "poverty_line",
    "priorities",
    "qpv_correspondence",
    "rank",
    "read",
    "read_membership",
    "read_passage",
    "repair_codes",
    "round_half_up",
    "shrink",
    "shrink_rates",
    "suppress",
    "theil",
    "to_2024",
    "union_intervals",
    "weighted_cv",
    "wilson",
]
LAYERS = [
    "errors", "rounding", "numeric_arguments", "households", "tables", "card_schema", "card_reader", "cards", "table_checks", "table_set",
    "formulas", "synthetic", "synthetic_cohort", "themes", "datasets", "results", "uncertainty", "rounded_counts", "intervals", "compute",
    "aggregate", "territories", "formatting", "sources", "union_intervals", "shrinkage", "result_rows", "compare", "evolution", "ranking",
    "equivalent_year", "secrecy_table", "secrecy_audit", "secrecy_pattern", "secrecy", "dispersion", "zone_choice", "diagnostic",
    "disadvantage", "priority_order", "fragility", "composite", "cohort", "export", "plots", "cohort_page", "demo", "cli", "__main__",
]  # fmt: skip


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(bcs.__path__, "barometre.")
    return [importlib.import_module(m.name) for m in found if m.name != "barometre.__main__"]


def test_the_public_surface() -> None:
    assert sorted(bcs.__all__) == bcs.__all__ == PUBLIC
    assert all(hasattr(bcs, name) for name in PUBLIC)


def test_names_loaded_later_are_there_and_are_no_module() -> None:
    assert set(bcs._LATER) <= set(bcs.__all__)
    for name, module in bcs._LATER.items():
        assert importlib.util.find_spec(f"barometre.{name}") is None
        assert getattr(bcs, name) is getattr(importlib.import_module(module), name)
    with pytest.raises(AttributeError, match="no attribute 'compare_all'"):
        getattr(bcs, "compare_all")  # noqa: B009 - a name that type checkers refuse


def test_types_of_the_main_calls(contract: Tables) -> None:
    assert_type(bcs.compute(contract), pd.DataFrame)
    assert_type(bcs.poverty_line((2, 2)), int)
    assert_type(bcs.round_half_up(46.5), float)
    assert_type(bcs.consumption_units(2, 2), float)
    assert_type(bcs.datasets.tables(), Tables)
    assert (Path(bcs.__file__).parent / "py.typed").exists()


def test_import_is_light() -> None:
    heavy = (
        "statsmodels",
        "matplotlib",
        "scipy",
        "openpyxl",
        "typer",
        "rich",
        "pytest",
        "pyarrow.parquet",
    )
    program = f"import sys, barometre; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_imports_go_one_way(module: ModuleType) -> None:
    """A module imports only those below it; what it needs above it would be a knot."""
    layer = module.__name__.split(".")[1]
    for name in re.findall(r"^ *(?:from|import) barometre\.(\w+)", inspect.getsource(module), re.M):
        assert LAYERS.index(name) <= LAYERS.index(layer), f"{module.__name__} imports {name}"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_files_stay_short_and_described(module: ModuleType) -> None:
    assert module.__doc__
    assert len(inspect.getsource(module).splitlines()) <= 400


def test_test_files_stay_short_too(checkout: Path) -> None:
    sizes = {p.name: len(p.read_text("utf-8").splitlines()) for p in checkout.glob("tests/*.py")}
    assert {name: size for name, size in sizes.items() if size > 400} == {}


def _public_functions() -> list[tuple[str, object]]:
    return [(name, getattr(bcs, name)) for name in bcs.__all__ if callable(getattr(bcs, name))] + [
        (f"datasets.{name}", getattr(bcs.datasets, name))
        for name in ("load", "tables", "make_tables")
    ]


@pytest.mark.parametrize(
    ("name", "thing"), _public_functions(), ids=[name for name, _ in _public_functions()]
)
def test_public_docstrings_are_numpydoc(name: str, thing: object) -> None:
    doc = inspect.getdoc(thing) or ""
    if inspect.isclass(thing):
        assert doc
        return
    assert callable(thing)
    if inspect.signature(thing).parameters:
        assert "Parameters\n----------" in doc
    assert "Returns\n-------" in doc


def test_nothing_of_the_machine_or_the_network_in_the_tree(checkout: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=checkout, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("needs a git checkout")
    forbidden = re.compile(r"/wor[k]/|/hom[e]/|/roo[t]/|pypi\.or[g]|htt[p]s?://")
    for name in tracked.stdout.splitlines():
        text = (checkout / name).read_text(encoding="utf-8", errors="replace")
        assert not forbidden.search(text), f"{name}: {forbidden.search(text)}"
