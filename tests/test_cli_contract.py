"""Every command: its help, its example, run in a folder that holds what the example names."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from barometre.monitoring import create_edition, example_year, open_edition, write_records
from barometre.monitoring.indicator_sheet import EXAMPLE
from tests.calls import call, commands, example_of

LOGEMENTS = "code;annee;logements;logements_vacants\n59172;2021;80;12\n59179;2021;800;12\n"
COMPONENTS = (
    "code;icm;part_diplomes;niveau_de_vie_median;part_emploi_25_54;part_sup_bac;revenu_median\n"
    "59172;140,5;62;14320;55;20;14 320\n59032;105;70;18500;70;30;18 500\n"
    "METRO;100;75;21500;80;42;22 040\n"
)
BOUNDS = (
    "[limits]\nicm = [60, 160]\npart_diplomes = [50, 90]\nniveau_de_vie_median = [14090, 38860]\n"
)
COUNTS = "quartier;hommes;femmes;Ensemble\nDenain;40;7;47\nRaismes;50;60;110\nEnsemble;90;67;157\n"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that an example names."""
    folder = tmp_path_factory.mktemp("exemples")
    for name in ("mes-telechargements", "sources"):
        (folder / name).mkdir()
        (folder / name / "logements.csv").write_text(LOGEMENTS, "utf-8")
    tables = bcs.datasets.tables()
    results = bcs.compute(tables, ["taux_emploi_15_64", "taux_demandeurs_emploi_abc"])
    bcs.write_results(results, folder / "resultats.csv", tables.territoires)
    (folder / "composantes.csv").write_text(COMPONENTS, "utf-8")
    (folder / "bornes.toml").write_text(BOUNDS, "utf-8")
    (folder / "effectifs.csv").write_text(COUNTS, "utf-8")
    (folder / "fiche.toml").write_text(EXAMPLE, "utf-8")
    bcs.datasets.make_cohort(60, seed=1).to_csv(folder / "personnes.csv", index=False)
    write_records(example_year(), folder / "suivi" / "suivi.xlsx")
    small = results[results["code"] == "200042190"]
    create_edition(folder / "editions" / "2025", date="2025-03-01", results=small)
    changed = small.assign(valeur=small["valeur"] + 1)
    create_edition(folder / "editions" / "2026", date="2026-03-01", results=changed)
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "ici"))


def test_the_commands_are_those_that_are_told() -> None:
    assert set(commands()) == {
        "init", "indicators", "families", "check", "compute", "template", "demo", "gap",
        "evolution", "rank", "diagnose", "priorities", "idh4", "idt", "suppress", "monitor",
        "check-indicator", "edition create", "edition compare", "edition validate", "report",
        "cohort",
    }  # fmt: skip


@pytest.mark.parametrize("name", commands())
def test_each_help_has_an_example_and_explains_every_option(name: str) -> None:
    command = commands()[name]
    assert example_of(command)[: len(name.split())] == name.split()
    called = call(*name.split(), "--help", columns=80)
    assert called.code == 0
    assert "Exemple : barometre " + name in called.words
    assert max(map(len, called.out.splitlines())) <= 80
    for option in command.params:
        assert getattr(option, "help", None), f"{name} {option.name}"


PLACES = {"epci", "dep", "commune", "qpv", "zones"}
WITHOUT = {
    "init": "writes the territory", "demo": "that of the contract", "cohort": "people, not places",
    "indicators": "no data", "families": "no data", "template": "no data",
    "check-indicator": "no data", "edition create": "results as they were written",
    "edition compare": "editions as they were published", "edition validate": "no data",
}  # fmt: skip


@pytest.mark.parametrize("name", commands())
def test_a_command_that_reads_places_takes_ones_own(name: str) -> None:
    options = {str(option.name) for option in commands()[name].params}
    assert (options >= PLACES) == (name not in WITHOUT)


@pytest.mark.parametrize("name", [n for n in commands() if n != "demo"])  # demo : test_cli
def test_each_example_runs(name: str, folder: Path) -> None:
    if name == "edition create":
        shutil.rmtree(folder / "editions")
    called = call(*example_of(commands()[name]), cwd=folder, columns=80)
    assert called.code == 0, called.err
    assert called.out.strip()
    assert "Traceback" not in called.err
    assert max(map(len, called.out.splitlines())) <= 80


def test_a_year_of_the_contract(folder: Path) -> None:
    board = call("monitor", "suivi", "--year", "2025", "--out", "t.xlsx", cwd=folder)
    assert board.code == 0
    assert "Suivi du contrat en 2025" in board.out
    with pd.ExcelFile(folder / "t.xlsx") as book:
        assert set(book.sheet_names) >= {"objectifs", "actions", "crédits"}
    quiet = call("monitor", "suivi", "--quiet", cwd=folder)
    assert (quiet.code, quiet.out) == (0, "")
    assert "Suivi du contrat en 2025" in call("monitor", "--example", cwd=folder).out
    assert call("monitor", "suivi", "--out", "t.csv", cwd=folder).code == 2
    assert call("monitor", "rien", cwd=folder).code == 1
    (folder / "vide").mkdir()
    assert "dossier de travail" in call("monitor", cwd=folder / "vide").words


def test_the_dashboard_of_a_part_of_the_territory(folder: Path) -> None:
    year = example_year()
    own = year["actions"][year["actions"]["qpv"] == "QN05953M"]
    done = call("monitor", "suivi", "--qpv", "QN05953M", "--out", "p.xlsx", cwd=folder)
    assert done.code == 0, done.err
    actions = pd.read_excel(folder / "p.xlsx", "actions")
    assert actions["n"].sum() == len(own) > 0
    money = year["financements"]
    asked = money[(money["qpv"] == "QN05953M") & (money["annee"] == 2025)]["montant"].sum()
    assert round(pd.read_excel(folder / "p.xlsx", "crédits")["montant"].sum(), 2) == round(asked, 2)
    assert len(pd.read_excel(folder / "p.xlsx", "objectifs")) == len(year["objectifs"])
    away = call("monitor", "suivi", "--commune", "Lille", cwd=folder)
    assert (away.code, "rien de Lille" in away.err) == (1, True)


def test_monitor_in_a_working_folder(folder: Path) -> None:
    assert call("init", ".", "--commune", "Denain", cwd=folder).code == 0
    assert "Suivi du contrat en 2025" in call("monitor", cwd=folder / "sources").out


def test_an_indicator_sheet(folder: Path) -> None:
    assert call("check-indicator", "fiche.toml", cwd=folder).code == 0
    (folder / "fiche.toml").write_text(EXAMPLE.replace('sens = "hausse"', 'sens = "[b]mieux[/b]"'))
    faulty = call("check-indicator", "fiche.toml", cwd=folder)
    assert faulty.code == 1
    assert "[b]mieux[/b]" in faulty.out
    assert call("check-indicator", "rien.toml", cwd=folder).code == 1


def test_an_edition_from_draft_to_validated(folder: Path) -> None:
    done = call(
        "edition", "create", "e/2027", "--results", "resultats.csv", "--date", "2027-03-01",
        "--suivi", "suivi", "--file", "fiche.toml", "--source", "effectifs.csv", cwd=folder,
    )  # fmt: skip
    assert done.code == 0, done.err
    edition = open_edition(folder / "e" / "2027")
    assert set(edition.tables) == set(example_year())
    assert call("edition", "validate", "e/2027", "--by", "moi", cwd=folder).code == 0
    again = ("edition", "create", "e/2027", "--results", "resultats.csv", "--date", "2027-03-01")
    assert call(*again, cwd=folder).code == 1
    same = call("edition", "compare", "e/2027", "e/2027", cwd=folder)
    assert "Aucune différence" in same.out
    for arguments, code in (
        (("edition", "compare", "editions/2025", "editions/2026", "--reason", "caprice"), 1),
        (("edition", "compare", "editions/2025", "rien"), 1),
        (("edition", "create", "f", "--results", "resultats.csv", "--date", "demain"), 1),
        (("edition", "create", "f", "--results", "resultats.csv"), 2),
    ):
        refused = call(*arguments, cwd=folder)
        assert refused.code == code, arguments
        assert refused.err


def test_two_files_of_one_name_do_not_hide_each_other(folder: Path) -> None:
    (folder / "b").mkdir()
    shutil.copy(folder / "fiche.toml", folder / "b" / "fiche.toml")
    files = ("--file", "fiche.toml", "--file", "b/fiche.toml")
    create = ("edition", "create", "e", "--results", "resultats.csv", "--date", "2027-03-01")
    refused = call(*create, *files, cwd=folder)
    assert refused.code == 2
    assert "fiche.toml" in refused.err


def test_the_page_of_the_command_line_shows_every_example(checkout: Path) -> None:
    page = (checkout / "docs" / "command_line.md").read_text("utf-8")
    shown = {tuple(shlex.split(text)) for text in re.findall(r"\| `(barometre [^`]*)` \|", page)}
    assert shown == {("barometre", *example_of(command)) for command in commands().values()}
