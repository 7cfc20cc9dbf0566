"""A folder as people fill it: what is read, set aside, refused, and which file a value is from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cards.listing import indicator_card
from barometre.datasets.places.members import members
from barometre.sources.found_members import find_memberships
from barometre.sources.origin import files_of
from barometre.sources.reading import check_files, read_files

HOMES = "code;annee;logements;logements_vacants\n"
HAINAUT = "200042190"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "2021" / "nord" / "logements.csv", HOMES + "59172;2021;80;12\n")
    write(tmp_path / "logements-2020.csv", HOMES + "59172;2020;80;10\n")
    write(tmp_path / "dictionnaire.csv", "COD_VAR;LIB_VAR\nLOG;Logements\n")
    write(tmp_path / "a lire.md", "# [notes]\n")
    (tmp_path / "carte.png").write_bytes(b"\x89PNG")
    (tmp_path / "2021" / "notice.pdf").write_bytes(b"%PDF")
    (tmp_path / "~$logements.xlsx").write_bytes(b"verrou")
    (tmp_path / "2021" / "._logements.csv").write_bytes(b"\x00\x05\x16\x07")
    write(tmp_path / ".git" / "logements.csv", HOMES + "59172;2021;1;1\n")
    return tmp_path


def test_sub_folders_are_read_and_what_is_no_data_is_listed(folder: Path) -> None:
    found = read_files(folder)
    assert found.tables["logements"]["logements_vacants"].to_dict() == {
        ("59172", 2020): 10, ("59172", 2021): 12,
    }  # fmt: skip
    aside = {report.fichier for report in found.reports if not report.lignes}
    assert {Path(name).name for name in aside} == {
        "dictionnaire.csv", "a lire.md", "carte.png", "notice.pdf",
    }  # fmt: skip
    assert found.skipped == ()


def test_a_faulty_file_names_all_its_faults_and_does_not_hide_the_others(folder: Path) -> None:
    write(folder / "faux" / "logements-a.csv", HOMES + "9172;2021;80;12\n59179;2021;-1;2\n")
    write(folder / "faux" / "logements-b.csv", HOMES + "59179;2021;80;douze\n")
    with pytest.raises(BarometreError) as refused:
        bcs.read(folder)
    for words in ("logements-a.csv", "zéro initial perdu", "−1", "logements-b.csv", "douze"):
        assert words in str(refused.value)
    with pytest.warns(UserWarning, match="ignoré comme demandé"):
        kept = bcs.read(folder, on_error="skip")
    assert list(kept["logements"].index) == list(read_files(folder, on_error="skip").tables["logements"].index)  # fmt: skip
    found = read_files(folder, on_error="skip")
    assert len(found.skipped) == 2
    assert len(found.tables["logements"]) == 2
    with pytest.raises(BarometreError, match=r"logements-a\.csv"):
        check_files(folder)
    assert {report.fichier for report in check_files(folder, on_error="skip")} >= {
        "logements.csv", "logements-2020.csv",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a lire.md", "carte.png", "inconnu.csv"])
def test_a_file_given_by_its_name_must_be_read(folder: Path, name: str) -> None:
    write(folder / "inconnu.csv", "a;b\n1;2\n")
    assert len(read_files(folder).tables["logements"]) == 2
    with pytest.raises(BarometreError, match=name.split()[-1]):
        bcs.read(folder / name)


def test_a_folder_without_data_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match="aucun fichier"):
        bcs.read(tmp_path)
    write(tmp_path / "notes.txt", "COD_VAR;LIB_VAR\nx;y\n")
    with pytest.raises(BarometreError, match=r"aucune valeur à lire : notes\.txt"):
        bcs.read(tmp_path)


def test_the_same_cell_twice(tmp_path: Path) -> None:
    write(tmp_path / "logements-2023.csv", HOMES + "59172;2021;80;12\n")
    write(tmp_path / "logements-2024.csv", HOMES + "59172;2021;80;12\n")
    assert len(bcs.read(tmp_path)["logements"]) == 1
    write(tmp_path / "logements-2024.csv", HOMES + "59172;2021;80;16\n")
    with pytest.raises(BarometreError) as refused:
        bcs.read(tmp_path)
    for words in ("logements-2023.csv", "logements-2024.csv", "59172", "2021", "12", "16"):
        assert words in str(refused.value)
    recent = bcs.read(tmp_path, same="recent")
    assert recent["logements"]["logements_vacants"].item() == 16


# ---- who is in what -----------------------------------------------------------------------------


def test_memberships_are_found_whatever_holds_them(folder: Path) -> None:
    towns = pd.DataFrame(
        {"COM": ["59172", "1001"], "EPCI": [HAINAUT, "200069193"], "DEP": ["59", "1"]}
    )
    (folder / "geo").mkdir()
    towns.to_csv(folder / "geo" / "communes.csv", sep=";", index=False)
    with pd.ExcelWriter(folder / "geo" / "intercommunalites.xlsx") as book:
        renamed = towns.rename(columns={"COM": "CODGEO"}).assign(LIBGEO="x")
        renamed.to_excel(book, sheet_name="Composition", startrow=5, index=False)
    write(folder / "geo" / "passage.csv", "DEPCOM_HIST,DEPCOM\n59999,59172\n")
    write(
        folder / "geo" / "qpv.csv",
        "code_qp;lib_qp;insee_com;siren_epci\nQN05999M;x;59172;" + HAINAUT,
    )
    write(folder / "geo" / "departements.csv", "COM;DEP\n59172;59\n")
    write(
        folder / "DEMO_2021.csv",
        "CODGEO;LIBGEO;POP_MUN;POP_COM_QP;LIB_COM\nEnsemble;;9;;\nQP059050;x;1 000;9;Valenciennes\nQP059031;x;1 000;9;Valenciennes\n",
    )
    found = find_memberships(folder)
    assert [name for name, _ in found] == [
        "DEMO_2021.csv", "passage.csv", "communes.csv", "intercommunalites.xlsx [Composition]", "qpv.csv",
    ]  # fmt: skip
    place = bcs.selection(epci=HAINAUT, membership=[frame for _, frame in found])
    assert place.codes == {"commune": ("59172",), "qpv": ("QN05999M", *_of_2015())}
    assert place.keeps(["59999", "59179"]).tolist() == [True, False]
    other = bcs.selection(epci="245901160", membership=[frame for _, frame in found[:1]])
    assert "QP059031" in other.codes["qpv"]  # the communes that SIG-Ville names
    assert find_memberships(folder / "2021") == []


def _of_2015() -> list[str]:
    codes = bcs.selection(epci=HAINAUT).codes["qpv"]
    return [code for code in codes if code.startswith("QP")]


def test_a_passage_is_followed_to_what_exists() -> None:
    base = members()
    deleted = base.former.index[0]
    passage = pd.DataFrame(
        {"DEPCOM_HIST": ["59999", "59998", "59172", "59997"],
         "DEPCOM": ["59172", deleted, "59179", "01999"]}
    )  # fmt: skip
    with pytest.raises(BarometreError, match="0000Z"):
        members(passage.assign(DEPCOM=["59172", deleted, "59179", "0000Z"]))
    followed = members(passage).former
    assert followed["59999"] == "59172"
    assert followed["59998"] == base.former[deleted]  # in two steps
    assert "59172" not in followed.index  # it exists
    assert "59997" not in followed.index  # it leads nowhere
    assert followed[base.former.index].equals(base.former)


# ---- where values come from ---------------------------------------------------------------------


def test_the_files_of_each_value(tmp_path: Path) -> None:
    write(tmp_path / "logements-a.csv", HOMES + "59172;2021;80;\n59179;2021;90;9\n")
    write(tmp_path / "vacants.csv", "code;annee;logements_vacants\n59172;2021;12\n")
    write(tmp_path / "publies.csv", "code;annee;rapport_interdecile\n59;2019;3,4\n")
    found = read_files(tmp_path)
    results = bcs.compute(found.tables)
    files = files_of(results, found.parts)
    named = results.assign(fichier=files).set_index(["code", "indicateur"])["fichier"]
    assert named["59179", "taux_logements_vacants"] == "logements-a.csv"
    assert named["59172", "taux_logements_vacants"] == "logements-a.csv ; vacants.csv"
    assert named["59", "rapport_interdecile"] == "publies.csv"


def test_the_files_are_those_that_a_search_by_hand_finds() -> None:
    names = ("qpv_2024", "minima_sociaux_2021", "emploi_15_64_2019")
    parts = [(name, bcs.datasets.tables(name)) for name in names]
    results = bcs.compute(bcs.datasets.tables())
    files = files_of(results, parts)
    assert files.index.equals(results.index)
    assert (files != "").any()
    rows = results.assign(fichier=files).sample(60, random_state=1)
    for row in rows.to_dict("records"):
        inputs = dict(indicator_card(row["indicateur"]).entrees)
        given = {name: _holds(tables, inputs, row) for name, tables in parts}
        asked = {"publies": [row["indicateur"]]}
        printed = {name: _holds(tables, asked, row) for name, tables in parts}
        if row["origine"] in ("publie", "deduit") and any(printed.values()):
            given = printed
        assert row["fichier"] == " ; ".join(name for name, held in given.items() if held), row


def _holds(
    tables: bcs.Tables, inputs: Mapping[str, Sequence[str]], row: Mapping[Hashable, Any]
) -> bool:
    for table, columns in inputs.items():
        for column in columns:
            if table in tables and column in tables[table]:
                cells = tables[table][column]
                known = cells.dropna().index
                if (row["code"], row["annee"]) in known:
                    return True
            said = tables.statuts
            here = (said["table"] == table) & (said["colonne"] == column)
            here &= (said["code"] == row["code"]) & (said["annee"] == row["annee"])
            if here.any():
                return True
    return False


def test_a_note_or_an_empty_file_is_set_aside_unless_it_bears_the_name_of_data(
    tmp_path: Path,
) -> None:
    (tmp_path / "logements.csv").write_text("code;annee;logements\n59172;2021;80\n", "utf-8")
    (tmp_path / "lisez moi.txt").write_text("bonjour", "utf-8")
    (tmp_path / "vide.csv").write_bytes(b"")
    told = {report.fichier: report for report in check_files(tmp_path)}
    assert told["lisez moi.txt"].genre == told["vide.csv"].genre == "autre"
    assert told["vide.csv"].avertissements == ("fichier vide, mis de côté",)
    (tmp_path / "FILO2018_DISP_COM.csv").write_text("CODGEO;autre\n59172;12\n", "utf-8")
    told = {report.fichier: report for report in check_files(tmp_path)}
    assert "sans ses colonnes" in told["FILO2018_DISP_COM.csv"].avertissements[0]
    for name in ("FILO2019_DISP_COM.csv", "logements_2022.csv"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(BarometreError, match=f"{name} : fichier vide"):
            check_files(tmp_path)
        (tmp_path / name).unlink()
    with pytest.raises(BarometreError, match=r"lisez moi\.txt : aucune ligne"):
        check_files(tmp_path / "lisez moi.txt")


def test_two_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder, empty in (("a", 12), ("b/c", 13)):
        (tmp_path / folder).mkdir(parents=True)
        text = f"code;annee;logements;logements_vacants\n59172;2021;80;{empty}\n"
        (tmp_path / folder / "logements.csv").write_text(text, "utf-8")
    with pytest.raises(BarometreError) as refused:
        read_files(tmp_path)
    for name in ("a/logements.csv", "b/c/logements.csv"):
        assert name in str(refused.value)
    (tmp_path / "a" / "logements.csv").rename(tmp_path / "logements.csv")
    with pytest.raises(BarometreError, match=r"13 \(b/c/logements.csv\) et 12 \(logements.csv\)"):
        read_files(tmp_path)
