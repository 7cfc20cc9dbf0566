"""Every key of ``barometre.toml`` changes what the commands do, and what they write."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pandas as pd
import pytest

import barometre as bcs
from barometre.cards.listing import indicator_card
from barometre.monitoring import example_year, write_records
from barometre.monitoring.indicator_sheet import EXAMPLE
from barometre.pages.workspace import Config, load_config
from tests.calls import call

HAINAUT = "200042190"
ACTIVE = "code;annee;population_15_64_ans;actifs_occupes_15_64_ans\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working folder whose source has two communes, three references and one elsewhere."""
    folder = tmp_path / "barometre"
    assert call("init", folder, "--epci", HAINAUT).code == 0
    rows = [("59172", 1200, 552), ("59179", 900, 531), (HAINAUT, 9000, 4950), ("59", 90_000, 54_000),
            ("METRO", 900_000, 576_000), ("245901160", 8000, 4720), ("QP059058", 700, 300)]  # fmt: skip
    text = "".join(f"{code};2021;{people};{work}\n" for code, people, work in rows)
    (folder / "sources" / "activite.csv").write_text(ACTIVE + text, "utf-8")
    people = "".join(f"{code};2021;20000\n" for code in ("59172", "59179"))
    (folder / "sources" / "population.csv").write_text("code;annee;population\n" + people, "utf-8")
    return folder


def set_key(folder: Path, section: str, **keys: object) -> None:
    """Write keys in a section: what is there already is replaced."""
    path = folder / "barometre.toml"
    lines = path.read_text("utf-8").splitlines()
    for name, value in keys.items():
        written = "[" + ", ".join(f'"{v}"' for v in value) + "]" if isinstance(value, list) else (
            f'"{value}"' if isinstance(value, str) else str(value))  # fmt: skip
        lines = [line for line in lines if not line.startswith(f"{name} = ")]
        lines.insert(lines.index(f"[{section}]") + 1, f"{name} = {written}")
    path.write_text("\n".join(lines), "utf-8")
    load_config(path)


def rates(path: Path) -> pd.Series:
    frame = pd.read_csv(path, dtype={"code": str})
    return frame[frame["indicateur"] == "taux_emploi_15_64"].set_index("code")["borne_inf"]


def codes_of(path: Path, column: str = "code") -> set[str]:
    return set(pd.read_csv(path, dtype={column: str})[column])


def test_references_are_those_that_are_read_and_compared_with(work: Path) -> None:
    assert call("compute", "--out", "r.csv", cwd=work).code == 0
    assert codes_of(work / "r.csv") == {"59172", "59179", "QP059058", HAINAUT, "59", "METRO"}
    assert call("gap", "--out", "g.csv", cwd=work).code == 0
    assert codes_of(work / "g.csv", "reference") == {HAINAUT, "59", "METRO"}
    set_key(work, "references", codes=["CA Valenciennes Métropole", "59"])
    assert call("compute", "--out", "r.xlsx", cwd=work).code == 0
    sheet = openpyxl.load_workbook(work / "r.xlsx")["tableau"]
    assert [sheet.cell(3, 1).value, sheet.cell(4, 1).value] == ["245901160", "59"]
    assert call("gap", "--out", "g.csv", cwd=work).code == 0
    assert codes_of(work / "g.csv", "reference") == {"245901160", "59"}
    assert "METRO" not in codes_of(work / "g.csv")
    set_key(work, "references", codes=["Valencienne"])
    refused = call("compute", "--out", "z.csv", cwd=work)
    assert (refused.code, "59606 (Valenciennes" in refused.err) == (1, True)


def test_a_reference_that_is_named_is_read_too(work: Path) -> None:
    done = call("gap", "--reference", "CA Valenciennes Métropole", "--out", "g.csv", cwd=work)
    assert done.code == 0, done.err
    assert codes_of(work / "g.csv", "reference") == {"245901160"}
    options = ("--reference", "METRO", "--reference", "245901160", "--order", "code")
    assert (
        call("compute", "--out", "r.xlsx", *options, "--edition", "mars 2026", cwd=work).code == 0
    )
    book = openpyxl.load_workbook(work / "r.xlsx")
    shown = [book["tableau"].cell(row, 1).value for row in (3, 4)]
    assert shown == ["METRO", "245901160"]
    guide = {row[0].value: row[1].value for row in book["lisez-moi"].iter_rows()}
    assert guide["Édition"] == "mars 2026"
    assert call("compute", "--out", "r.xlsx", "--order", "taille", cwd=work).code == 1


def test_the_conventions_are_used(work: Path) -> None:
    call("compute", "--out", "r.csv", "--intervals", cwd=work)
    call("gap", "--reference", HAINAUT, "--theme", "emploi", "--out", "g.csv", cwd=work)
    before = rates(work / "r.csv")
    classes = pd.read_csv(work / "g.csv", dtype={"code": str}).set_index("code")["classe"]
    assert classes["59179"] == "supérieur"  # 59.0 beside 55.0
    set_key(work, "seuils", confiance=0.8, effet_plan_personnes=3.0, proche=0.1)
    call("compute", "--out", "r.csv", "--intervals", cwd=work)
    call("gap", "--reference", HAINAUT, "--theme", "emploi", "--out", "g.csv", cwd=work)
    after = rates(work / "r.csv")
    tables = bcs.read(work / "sources")
    design = bcs.SurveyDesign(deff_persons=3.0, level=0.8)
    expected = bcs.compute(tables, "taux_emploi_15_64", intervals=design).set_index("code")
    known = before.notna()
    assert known.any()
    assert (after != before)[known].all()
    assert after.round(9).equals(expected["borne_inf"].loc[after.index].round(9))
    classes = pd.read_csv(work / "g.csv", dtype={"code": str}).set_index("code")["classe"]
    assert classes["59179"] == "proche"


def test_the_threshold_of_secrecy_is_that_of_suppress_and_of_monitor(work: Path) -> None:
    (work / "n.csv").write_text("q;F;H\nA;8;20\nB;30;40\n", "utf-8")
    table = example_year()
    write_records(table, work / "suivi" / "suivi.xlsx")
    hidden = {}
    for small in (11, 5, 200):
        set_key(work, "seuils", secret=small)
        assert call("suppress", "n.csv", "--out", "s.csv", cwd=work).code == 0
        assert call("monitor", "--quiet", "--out", "t.xlsx", cwd=work).code == 0
        people = pd.read_excel(work / "t.xlsx", sheet_name="actions")["beneficiaires"]
        shown = pd.read_csv(work / "s.csv", index_col=0)
        hidden[small] = (int(shown.isna().sum().sum()), int(people.isna().sum()))
    assert hidden[5] == (0, 0)
    assert hidden[11][0] > 0
    assert hidden[200][1] > 0
    assert call("suppress", "n.csv", "--threshold", "2", "--out", "s.csv", cwd=work).code == 0
    assert pd.read_csv(work / "s.csv", index_col=0).notna().all(axis=None)


def test_the_year_the_folders_and_the_language_are_used(work: Path) -> None:
    write_records(example_year(2024), work / "contrat" / "suivi.xlsx")
    set_key(work, "editions", suivi="contrat", dossier="publie", annee=2024)
    set_key(work, "sorties", langue="en")
    told = call("monitor", "--out", "t.xlsx", cwd=work)
    assert told.code == 0, told.err
    assert "Follow-up of the contract in 2024" in told.out
    assert "Suivi du contrat en 2024" in call("monitor", "--lang", "fr", cwd=work).out
    with pd.ExcelFile(work / "t.xlsx") as book:
        assert {"targets", "commitments"} <= set(book.sheet_names)
    assert call("compute", "--out", "r.xlsx", cwd=work).code == 0
    sheets = openpyxl.load_workbook(work / "r.xlsx")
    assert sheets.sheetnames == ["read me", "table", "gaps", "resultats", "indicators"]
    heads = [cell.value for cell in sheets["table"][2]]
    label = indicator_card("taux_emploi_15_64").libelle["en"]
    assert f"{label} (%), 2021" in heads
    options = ("--results", "r.xlsx", "--date", "2025-03-01")
    assert call("edition", "create", *options, cwd=work).code == 0
    edition = bcs.monitoring.open_edition(work / "publie" / "2024")
    assert set(edition.tables) == set(example_year())  # the follow-up of the folder
    assert set(edition.inputs) == {"activite.csv", "population.csv"}
    assert edition.parameters["seuils"]["secret"] == 11
    set_key(work, "editions", annee=2025)
    assert call("edition", "create", *options, cwd=work).code == 0
    compared = call("edition", "compare", cwd=work)
    assert (compared.code, compared.out.strip()) == (
        0,
        "Aucune différence entre les deux éditions.",
    )


def test_pages_and_sheets_follow_the_folder(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The language, the year and the threshold of the folder are those of every command."""
    given: dict[str, object] = {}

    def record(*_: object, **options: object) -> SimpleNamespace:
        given.update(options)
        return SimpleNamespace(summary=lambda: "fait")

    monkeypatch.setattr("barometre.pages.territory.files.report", record)
    monkeypatch.setattr("barometre.pages.people.files.cohort_page", record)
    (work / "fiche.toml").write_text(EXAMPLE.replace('sens = "hausse"', 'sens = "mieux"'), "utf-8")
    (work / "p.csv").write_text("personne;vague\na;2024\na;2025\nb;2024\n", "utf-8")
    set_key(work, "seuils", secret=40)
    set_key(work, "sorties", langue="en")
    set_key(work, "editions", annee=2024)
    for asked, expected in (((), 40), (("--threshold", "12"), 12)):
        assert call("cohort", "p.csv", *asked, cwd=work).code == 0
        assert given["threshold"] == expected
    for options, lang, year in (((), "en", 2024), (("--lang", "fr", "--year", "2025"), "fr", 2025)):
        assert call("report", *options, cwd=work).code == 0
        assert (given["lang"], given["year"]) == (lang, year)
    told = call("check-indicator", "fiche.toml", cwd=work)
    assert "« mieux » is no direction" in told.out
    assert (
        "n'est pas un sens" in call("check-indicator", "fiche.toml", "--lang", "fr", cwd=work).out
    )
    assert call("check-indicator", "fiche.toml", "--lang", "de", cwd=work).code == 1


def test_no_key_is_left_without_test() -> None:
    """The keys that another file tests: `test_workspace` (territory), `test_cli_folder` (sources)."""
    here = {"codes", "langue", "dossier", "suivi", "annee", "secret", "proche", "confiance",
            "effet_plan_menages", "effet_plan_personnes"}  # fmt: skip
    elsewhere = {"epci", "departement", "commune", "quartier", "zones", "appartenances", "millesime",
                 "fichier_fautif", "valeurs_differentes"}  # fmt: skip
    config = Config(dossier=Path())
    sections = [getattr(config, part.name) for part in dataclasses.fields(config)[1:]]
    keys = {key.name for section in sections for key in dataclasses.fields(section)}
    assert keys == here | elsewhere
