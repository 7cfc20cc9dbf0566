"""The package as installed: public surface, light import, documented functions, tidy sources."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import assert_type

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.public import listed
from barometre.tables.table_set import Tables

# What scripts call today: these names stay.
KEPT = {
    *("read", "compute", "aggregate", "gap", "evolution", "rank", "diagnose", "priorities"),
    *("suppress", "audit_suppression", "idh4", "idt", "datasets", "composite", "cohort"),
}


def test_the_public_surface() -> None:
    """What is public is written once, and completion shows nothing else."""
    names = {name for _, name in listed(Path(bcs.__file__))}
    assert set(dir(bcs)) == names >= KEPT
    assert all(hasattr(bcs, name) for name in names)
    for room in (bcs.cohort, bcs.composite, bcs.datasets, bcs.plots):
        assert all(hasattr(room, name) for name in dir(room))
        assert not [name for name in dir(room) if name.startswith("_")]
    with pytest.raises(AttributeError, match="compare_all"):
        getattr(bcs, "compare_all")  # noqa: B009 - a name that type checkers refuse


def test_the_lowest_versions_tested_are_those_declared(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        name.lower(): bound
        for line in (*project["dependencies"], *project["optional-dependencies"]["test"])
        for name, bound in re.findall(r"^([\w-]+)(?:\[\w+\])?>=([\d.]+)$", line)
    }
    tested = project["optional-dependencies"]["test"]
    assert len(declared) == len(project["dependencies"]) + len(tested)
    pins = re.findall(
        r"(?m)^([\w-]+)==([\d.]+)$",
        (checkout / "constraints-min.txt").read_text(encoding="utf-8"),
    )
    lowest = {name.lower(): version for name, version in pins}
    for name, bound in declared.items():
        assert re.sub(r"(\.0)+$", "", lowest[name]) == re.sub(r"(\.0)+$", "", bound), name
    assert lowest.keys() - declared.keys() == {"click", "pyparsing"}  # which others ask for


def test_every_warning_can_be_named() -> None:
    """A script that silences or fails on a warning takes its class from ``bcs`` or its charts."""
    homes = Path(bcs.__file__).parent.rglob("*.py")
    classes = {
        name
        for file in homes
        for name in re.findall(r"(?m)^class (\w+Warning)\(", file.read_text(encoding="utf-8"))
    }
    assert classes - {*dir(bcs), *dir(bcs.plots)} == set()
    assert {"DistrictsWarning", "PseudonymWarning", "SourceWarning"} <= classes


def test_former_names_of_modules_still_lead_to_them() -> None:
    program = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "import barometre, barometre.export\n"
        "from barometre.errors import BarometreError\n"
        "from barometre.territories import check_codes\n"
        "from barometre.base import errors\n"
        "assert BarometreError is errors.BarometreError is barometre.BarometreError\n"
        "assert barometre.export.write_results is barometre.write_results\n"
        "import barometre.base.errors as same; assert same.__name__ == 'barometre.base.errors'"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


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


def _public_functions() -> list[tuple[str, object]]:
    return [(name, getattr(bcs, name)) for name in dir(bcs) if callable(getattr(bcs, name))] + [
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


def test_the_root_of_the_tree_is_what_the_readme_shows(checkout: Path) -> None:
    """What a command wrote beside the sources is not committed by mistake."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=checkout, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("needs a git checkout")
    top = {name.split("/")[0] for name in tracked.stdout.splitlines() if not name.startswith(".")}
    rooms = {"barometre", "indicators", "datasets", "docs", "tests", "benchmarks"}
    files = {
        "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "CITATION.cff", "Makefile",
        "pyproject.toml", "constraints.txt", "constraints-min.txt",
    }  # fmt: skip
    assert top <= rooms | files
