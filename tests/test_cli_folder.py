"""From an empty folder to a workbook, by commands: check, compute, and what they set aside."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from tests.calls import call
from tests.conftest import ROOT

INSEE = ROOT.parent / "shared" / "data" / "insee"
HOMES = "code;annee;logements;logements_vacants\n"
HAINAUT = "200042190"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working folder with a file of two communes, one of which is elsewhere."""
    folder = tmp_path / "barometre"
    assert call("init", folder, "--epci", "La Porte du Hainaut").code == 0
    (folder / "sources" / "a" / "b").mkdir(parents=True)
    (folder / "sources" / "a" / "b" / "logements.csv").write_text(
        HOMES + "59172;2021;80;12\n59179;2021;100;7\n59606;2021;50;5\n59;2021;900;60\n", "utf-8"
    )
    return folder


def test_the_yearly_job_without_options(work: Path) -> None:
    (work / "sources" / "a" / "[bold]notes :warning:.md").write_text("x", "utf-8")
    checked = call("check", cwd=work, columns=80)
    assert checked.code == 0, checked.err
    first = " ".join(checked.out.split())
    assert first.startswith(
        "Avec ces fichiers : 1 indicateur pour 2 territoires (CA de la Porte du Hainaut :"
        " 2 communes), 2021."
    )
    assert max(map(len, checked.out.splitlines())) <= 80
    assert "[bold]notes :warning:.md" in checked.words
    assert "mis de côté" in checked.words
    done = call("compute", "--out", "r.xlsx", cwd=work)
    assert done.code == 0, done.err
    assert done.err.strip().startswith("mis de côté : a/[bold]notes :warning:.md (")
    assert call("compute", "--out", "r.xlsx", "--quiet", cwd=work).err == ""
    assert done.out.strip() == "r.xlsx : 1 indicateur, 3 territoires, 3 valeurs sur 3 lignes"
    assert set(bcs.read_results(work / "r.xlsx")["code"]) == {"59172", "59179", "59"}
    assert call("compute", "--out", "../r.csv", cwd=work / "sources").code == 0
    names = pd.read_csv(work / "r.csv", dtype=str).set_index("code")["libelle"]
    assert names.to_dict() == {"59172": "Denain", "59179": "Douchy-les-Mines", "59": "Nord"}


def test_the_page_of_ones_own_commune_without_options(tmp_path: Path) -> None:
    """Asked by its communes, a territory has their pages, and not that of its EPCI."""
    work = tmp_path / "denain"
    assert call("init", work, "--commune", "Denain").code == 0
    (work / "sources" / "logements.csv").write_text(
        HOMES + "59172;2021;80;12\n59179;2021;100;7\n200042190;2021;180;19\n59;2021;900;60\n",
        "utf-8",
    )
    written = call("report", "--out", "pages", "--processes", "1", cwd=work)
    assert written.code == 0, written.err
    assert sorted(path.name for path in (work / "pages").glob("*.html")) == [
        "59172.html",
        "index.html",
    ]


def test_the_details_of_each_file(work: Path) -> None:
    told = call("check", "--detail", cwd=work).words
    for words in ("colonnes utilisées", "logements.logements_vacants", "taux_logements_vacants"):
        assert words in told


def test_years_are_those_of_indicators(work: Path) -> None:
    creations = "code;annee;creations_auto_entrepreneurs\n59172;2024;12\n"
    (work / "sources" / "etablissements.csv").write_text(creations, "utf-8")
    assert "2 communes), 2021." in call("check", cwd=work).words  # a share lacks its denominator


def test_a_faulty_file_stops_everything_or_is_skipped_as_asked(work: Path) -> None:
    (work / "sources" / "logements-faux.csv").write_text(
        HOMES + "9172;2020;80;12\n59179;2020;x;7\n", "utf-8"
    )
    for command in (("check",), ("compute", "--out", "r.csv")):
        refused = call(*command, cwd=work)
        assert refused.code == 1
        for words in ("logements-faux.csv", "zéro initial perdu", "59179 en 2020 : x"):
            assert words in refused.err
        assert not (work / "r.csv").exists()
    for command in (("check",), ("compute", "--out", "r.csv")):
        skipped = call(*command, "--on-error", "skip", cwd=work)
        assert skipped.code == 3
        assert "ignoré comme demandé : " in skipped.err
        assert "logements-faux.csv" in skipped.err
    assert len(pd.read_csv(work / "r.csv")) == 3
    config = work / "barometre.toml"
    text = config.read_text("utf-8").replace(
        'fichier_fautif = "refuser"', 'fichier_fautif = "ignorer"'
    )
    config.write_text(text, "utf-8")
    assert call("check", cwd=work).code == 3
    assert call("check", "--on-error", "refuse", cwd=work).code == 1
    wrong = call("check", "--on-error", "passe", cwd=work)
    assert (wrong.code, "refuse, skip" in wrong.err) == (1, True)


def test_memberships_of_the_folder_win(work: Path) -> None:
    geo = work / "sources" / "geo"
    geo.mkdir()
    (geo / "communes_epci.csv").write_text(
        "COM;LIBGEO;EPCI;LIBEPCI;DEP;REG\n59172;Denain;200042190;CA [b]x[/b];59;32\n"
        "59606;Valenciennes;200042190;CA;59;32\n1001;L'Abergement;200069193;CC;1;84\n", "utf-8"
    )  # fmt: skip
    (geo / "passage.csv").write_text("DEPCOM_HIST,DEPCOM\n59999,59172\n", "utf-8")
    checked = call("check", cwd=work)
    assert checked.code == 0, checked.err
    assert "(CA de la Porte du Hainaut : 2 communes)" in checked.words
    assert "qui priment sur celles du paquet : passage.csv, communes_epci.csv" in checked.words
    assert "utilisé" in checked.words
    call("compute", "--out", "r.csv", cwd=work)
    assert set(pd.read_csv(work / "r.csv", dtype={"code": str})["code"]) == {"59172", "59606", "59"}
    named = call("compute", "sources", "--epci", HAINAUT, "--out", "s.csv", cwd=work)
    assert named.code == 0
    assert (work / "s.csv").read_bytes() == (work / "r.csv").read_bytes()


def test_a_faulty_membership_is_refused_or_skipped(work: Path) -> None:
    (work / "sources" / "communes.csv").write_text("COM;EPCI\n59172;2000\n", "utf-8")
    refused = call("check", cwd=work)
    assert (refused.code, "communes.csv" in refused.err) == (1, True)
    skipped = call("check", "--on-error", "skip", cwd=work)
    assert skipped.code == 3
    assert "ignoré comme demandé : communes.csv" in skipped.err


def test_the_same_cell_from_two_files(work: Path) -> None:
    (work / "sources" / "logements-2024.csv").write_text(HOMES + "59172;2021;80;16\n", "utf-8")
    refused = call("compute", "--out", "r.csv", cwd=work)
    assert refused.code == 1
    for words in ("logements.csv", "logements-2024.csv", "--same recent"):
        assert words in refused.err
    done = call("compute", "--out", "r.csv", "--same", "recent", "--files", cwd=work)
    assert done.code == 0, done.err
    rows = pd.read_csv(work / "r.csv", dtype={"code": str}).set_index("code")
    assert rows["valeur"]["59172"] == 20
    assert rows["fichier"]["59179"] == "logements.csv"
    assert set(rows["fichier"]["59172"].split(" ; ")) == {"logements.csv", "logements-2024.csv"}
    assert call("compute", "--out", "r.csv", "--same", "neuf", cwd=work).code == 1


def test_the_files_of_values_are_kept_by_every_output(work: Path) -> None:
    for name in ("r.csv", "r.xlsx", "r.parquet"):
        assert call("compute", "--out", name, "--files", cwd=work).code == 0
    assert call("compute", "--out", "e.csv", "--csv", "excel", "--files", cwd=work).code == 0
    assert pd.read_parquet(work / "r.parquet")["fichier"].unique().tolist() == ["logements.csv"]
    sheet = pd.read_excel(work / "r.xlsx", sheet_name="resultats")
    assert sheet["fichier"].unique().tolist() == ["logements.csv"]
    read = [bcs.read_results(work / name) for name in ("r.csv", "r.xlsx", "r.parquet", "e.csv")]
    assert all(one.equals(read[0]) for one in read)
    refused = call("compute", "r.csv", "--out", "z.csv", "--files", cwd=work)
    assert (refused.code, "--files" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (("--level", "commune"), {"59172", "59179"}),
        (("--commune", "Denain"), {"59172", "59"}),
        (("--dep", "59"), {"59172", "59179", "59606", "59"}),
        (("--zones", "zones.csv"), {"59606"}),
        (
            ("--year", "2021", "--indicator", "taux_logements_vacants", "--level", "departement"),
            {"59"},
        ),
        (("--year", "latest", "--theme", "logement", "--level", "departement"), {"59"}),
    ],
)
def test_what_is_kept(work: Path, options: tuple[str, ...], codes: set[str]) -> None:
    (work / "zones.csv").write_text("code\n59606\n", "utf-8")
    done = call("compute", "--out", "r.csv", *options, cwd=work)
    assert done.code == 0, done.err
    found = set(pd.read_csv(work / "r.csv", dtype={"code": str})["code"])
    assert found - {"59"} == codes - {"59"}
    assert codes <= found


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("init", "x"), 2, "--epci"),
        (("init", "x", "--epci", "Valenciennes"), 1, "CA Valenciennes Métropole"),
        (("init", "."), 2, "--epci"),
        (("init", ".", "--dep", "59"), 1, "existe déjà"),
        (("compute", "--out", "r.csv", "--year", "deux"), 2, "latest"),
        (("compute", "--out", "r.csv", "--csv", "ods"), 1, "excel"),
        (("compute", "--out", "sources/a/b/logements.csv"), 1, "serait remplacé"),
        (("compute", "--out", "r.csv", "--indicator", "taux_emploi_15_64"), 1, "taux_emploi_15_64"),
        (("check", "--epci", "rien du tout"), 1, "rien du tout"),
        (("check", "--qpv", "QP05999"), 1, "QP05999"),
        (("template", "logement", "--out", "t.csv"), 1, "logements"),
        (("template", "logements", "--out", "t.pdf"), 2, ".xlsx"),
        (("indicators", "--export", "i.pdf"), 2, ".xlsx"),
        (("check", "rien.csv"), 1, "rien.csv"),
    ],
)
def test_refusals(work: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    before = {p: p.read_bytes() for p in work.rglob("*") if p.is_file()}
    refused = call(*arguments, cwd=work)
    assert refused.code == code
    assert said in " ".join(refused.err.split())
    assert {p: p.read_bytes() for p in work.rglob("*") if p.is_file()} == before


def test_without_a_working_folder_sources_are_asked_for(tmp_path: Path) -> None:
    refused = call("check", cwd=tmp_path)
    assert refused.code == 2
    assert "barometre init" in " ".join(refused.err.split())


def test_templates_and_the_dictionary(tmp_path: Path) -> None:
    assert call("template", "suivi", "--out", "s.xlsx", cwd=tmp_path).code == 0
    assert call("template", "actions", "--out", "a.csv", cwd=tmp_path).code == 0
    assert call("template", "logements", "--out", "l.xlsx", cwd=tmp_path).code == 0
    assert call("indicators", "emploi", "--export", "i.csv", cwd=tmp_path).code == 0
    themes = pd.read_csv(tmp_path / "i.csv")["theme"].nunique()
    assert themes == 1
    assert call("indicators", "--export", "i.xlsx", cwd=tmp_path).code == 0
    words = pd.read_excel(tmp_path / "i.xlsx", index_col="indicateur")
    assert set(words.index) == set(bcs.catalogue().index)
    vacant = words.loc["taux_logements_vacants"]
    assert vacant["formules"].startswith(
        "base-cc-logement-{yyyy} (commune, epci) : 100 * P{yy}_LOGVAC"
    )
    assert vacant["entrees"] == "logements : logements_vacants, logements"
    assert words["definition"].str.len().min() > 20
    assert words["borne_max"].isna()["population"]
    assert "taux_emploi_15_64" in call("indicators", "emploi", columns=80).out
    assert "filosofi" in call("families", columns=80).out


@pytest.mark.skipif(not INSEE.exists(), reason="the files of Insee are not beside the clone")
def test_the_files_of_insee_give_one_workbook(tmp_path: Path) -> None:
    """The rest of the folder is measured by hand: reading all of it is long."""
    work = tmp_path / "mon-barometre"
    assert call("init", work, "--epci", HAINAUT).code == 0
    for name in ("filosofi/FILO2019_DISP_COM.csv", "filosofi/FILO2019_DISP_EPCI.csv",
                 "filosofi/FILO2019_DISP_METROPOLE.csv", "qpv/DEMO_2021.csv",
                 "geo/communes_epci.csv", "geo/table_passage_com_historique.csv", "README.md"):  # fmt: skip
        (work / "sources" / name).parent.mkdir(exist_ok=True)
        (work / "sources" / name).symlink_to(INSEE / name)
    done = call("compute", "--out", "b.xlsx", cwd=work)
    assert done.code == 0, done.err
    other = call("check", "sources", "--epci", "CA Valenciennes Métropole", cwd=work)
    assert "35 communes, 14 QPV" in other.words
    levels = bcs.read_results(work / "b.xlsx")["code"].drop_duplicates()
    assert levels.str.fullmatch(r"\d{5}").sum() == 47
    assert levels.str.match("QP0").sum() == 13
    assert {HAINAUT, "METRO"} <= set(levels)
