"""The documentation shows everything: charts, pages, errors, commands, proofs, links."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

import barometre as bcs
from barometre.cards.listing import load_cards
from tests.calls import commands

NOT_DRAWN = {"MapWarning", "Signed", "chart_data", "describe", "save_chart", "spine_rows", "to_svg"}


@pytest.fixture
def docs(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(checkout / "docs"))  # its modules import one another
    return checkout / "docs"


def page(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_every_chart_and_every_page_has_an_example(docs: Path) -> None:
    text = "\n".join(p.read_text("utf-8") for p in docs.glob("examples/*/plot_*.py"))
    charts = set(dir(bcs.plots)) - NOT_DRAWN
    assert len(charts) > 15
    assert {name for name in charts if f"plots.{name}(" not in text} == set()
    for shown in (
        "written.pages[",
        "written.index",
        "written.review",
        "cohort_page(",
        "write_results(",
    ):
        assert shown in text, shown


def test_examples_are_titled_and_ordered(docs: Path) -> None:
    conf = (docs / "conf.py").read_text("utf-8")
    for folder in (path for path in (docs / "examples").iterdir() if path.is_dir()):
        assert f'"{folder.name}"' in conf
        assert (folder / "GALLERY_HEADER.rst").exists()
        for path in folder.glob("*.py"):
            first, rule, empty = path.read_text("utf-8").splitlines()[1:4]
            assert rule == "=" * len(first), path
            assert not empty


def test_every_kind_of_error_and_of_warning_is_explained(docs: Path) -> None:
    shown = set(
        re.findall(r"^\| `(\w+)` \|", (docs / "errors.md").read_text("utf-8"), re.MULTILINE)
    )
    sources = Path(bcs.__file__).parent.rglob("*.py")
    classes = {
        name
        for path in sources
        for name in re.findall(
            r"(?m)^class (\w+)\((?:\w*Error|UserWarning)\)", path.read_text("utf-8")
        )
    }
    assert classes >= {"BarometreError", "SourceWarning"}
    assert classes - shown == set()


def test_every_command_and_option_is_on_its_page(docs: Path) -> None:
    text = page("commands_page").commands_page()
    for name, command in commands().items():
        section = text.split(f"## `barometre {name}`\n")[1].split("\n## ")[0]
        for given in command.params:
            for option in given.opts:
                if option.startswith("--") and option != "--help":
                    assert option in section, f"{name} {option}"


def test_messages_carry_their_remedy(docs: Path) -> None:
    text = page("messages_page").messages_page()
    assert text.count("\n| ") > 500
    assert "geopandas n'est pas installé ; pip install 'barometre\\[maps\\]'" in text


def test_every_result_of_another_program_is_in_the_table_of_proofs(docs: Path) -> None:
    tests = page("proofs_page").comparisons()
    programs = {program for test in tests if test.verbs for program in test.programs}
    files = {
        path.stem.partition("__")[2] for path in (docs.parent / "tests/proofs/results").glob("*")
    }
    for program in files:
        name, _, version = re.sub("^(py|R)-", "", program).rpartition("-")
        assert any(p.endswith(f"{name} {version}") for p in programs), program
    verbs = {verb for test in tests for verb in test.verbs}
    assert verbs >= {"kaplan_meier", "att_gt", "twfe", "Index.score"}


def test_the_page_of_an_indicator_holds_its_card(docs: Path) -> None:
    cards, writer = load_cards(), page("card_page")
    for name, card in cards.items():
        text = writer.card_page(card)
        assert text.startswith(f"({page('markdown_parts').target('indicateur', name)})=")
        assert text.count("\n## ") >= 4, name
        assert len(card.exemples) <= text.split("## Worked examples")[1].count("\n| ") - 1
    where = writer.card_page(cards["taux_logements_vacants"]).split("## Where to download")[1]
    assert "`rp_logement`" in where.split("## ")[0]
    assert "DS\\_RP\\_LOGEMENT" in where or "`DS_RP_LOGEMENT" in where


def test_links_of_the_readme_and_of_the_guide_lead_somewhere(docs: Path) -> None:
    root = docs.parent
    readme = (root / "README.md").read_text("utf-8")
    for name in re.findall(r"`(docs/[\w./]+|CONTRIBUTING\.md|indicators/|datasets/)`", readme):
        assert (root / name).exists(), name
    for path in (docs / "guide").glob("*.md"):
        for name in re.findall(r"\]\(([\w./]+\.md)", path.read_text("utf-8")):
            written = (root / ".gitignore").read_text("utf-8")
            target = (path.parent / name).resolve()
            assert target.exists() or f"docs/{target.name}" in written, f"{path.name}: {name}"


def test_the_sidebar_has_the_eight_parts(docs: Path) -> None:
    captions = re.findall(r"^:caption: (.+)$", (docs / "index.md").read_text("utf-8"), re.MULTILINE)
    assert captions == [
        *("Démarrer", "Guides", "Exemples", "Fiches"),
        *("Méthodes", "Référence", "Limites", "Nouveautés"),
    ]
