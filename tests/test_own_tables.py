"""Our own tables as CSV, as French and English spreadsheets export them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.sources.reading import SourceWarning, read
from barometre.tables.table_set import Tables, combine


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


HEADER = "code;annee;logements;logements_vacants"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (f"{HEADER}\n01001;2021;1 200;12,5\n59172;2021;80;12\n", "utf-8"),
        (f"{HEADER}\n01001;2021;1\u00a0200;12,5\n59172;2021;80;12\n", "cp1252"),
        (f"{HEADER}\r\n01001;2021;1\u202f200;12,5\r\n59172;2021;80;12\r\n", "utf-8-sig"),
        (f"{HEADER};;;\n01001;2021;1200;12,5;;;\n59172;2021;80;12;;;\n\n", "utf-8"),
        (f"{HEADER}\n01001;2021;1200;12,5\n59172;2021;80;12\n".replace(";", "\t"), "utf-8"),
        ('code,annee,logements,logements_vacants\n01001,2021,"1 200","12,5"\n59172,2021,80,12\n', "utf-8"),
        ("code,annee,logements,logements_vacants\n01001,2021,1200,12.5\n59172,2021,80,12\n", "utf-8"),
    ],
)  # fmt: skip
def test_dialects(tmp_path: Path, text: str, encoding: str) -> None:
    tables = read(write(tmp_path / "logements_2021.csv", text, encoding))
    assert tables["logements"].index.get_level_values("code").tolist() == ["01001", "59172"]
    assert tables["logements"]["logements"].tolist() == [1200.0, 80.0]
    assert tables["logements"]["logements_vacants"].tolist() == [12.5, 12.0]


def test_tokens_keep_their_reason(tmp_path: Path) -> None:
    text = f"{HEADER}\n59172;2021;80;nd\n59002;2021;80;-\n59038;2021;80;\n59064;2021;80;NS\n"
    tables = read(write(tmp_path / "logements.csv", text))
    results = bcs.compute(tables, "taux_logements_vacants").set_index("code")
    assert results["statut"].to_dict() == {
        "59172": "secret", "59002": "sans_objet", "59038": "non_disponible", "59064": "secret",
    }  # fmt: skip
    assert results["note"]["59172"] == "« nd » dans le fichier"


def test_a_table_is_recognised_by_its_columns(tmp_path: Path) -> None:
    path = write(
        tmp_path / "export.csv", "code;annee;libelle;logements_vacants\n59172;2021;Denain;3\n"
    )
    tables = read(path)
    assert list(tables) == ["logements"]
    assert tables.territoires["libelle"].to_dict() == {"59172": "Denain"}


def test_published_values_and_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "publies.csv", "code;annee;taux_emploi_15_64\n59;2019;58,6\n")
    write(tmp_path / "logements.csv", f"{HEADER}\n59172;2021;80;12\n")
    write(tmp_path / "territoires.csv", "code;libelle;niveau\n59;Nord;departement\n")
    write(
        tmp_path / "statuts.csv",
        "code;annee;table;colonne;statut\n59;2020;publies;taux_emploi_15_64;secret\n",
    )
    tables = read(tmp_path)
    results = bcs.compute(tables).set_index(["code", "annee"])
    assert results.loc[("59", 2019), "valeur"] == 58.6
    assert results.loc[("59", 2020), "statut"] == "secret"
    assert tables.territoires["libelle"]["59"] == "Nord"


def test_bundled_datasets_by_name() -> None:
    assert set(read("qpv_2024", "c2s_2022")) == {"population", "revenus", "sante", "publies"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("logements.csv", f"{HEADER}\n1001;2021;80;12\n", "zéro initial perdu"),
        ("logements.csv", f"{HEADER}\n59172;2021;beaucoup;12\n", "1 cellule illisible (59172 en 2021 : beaucoup)"),
        ("logements.csv", f"{HEADER};vides\n59172;2021;80;12;1\n", "vides : colonne inconnue"),
        ("logements.csv", f"{HEADER}\n59172;2021;80\n", "1 ligne sans le nombre de colonnes"),
        ("logements.csv", f"{HEADER}\n59172;2021;80;12;99\n", "1 ligne sans le nombre de colonnes"),
        ("logements.csv", f"{HEADER};logements\n59172;2021;80;12;1\n", "colonnes en double"),
        ("logements.csv", "code;logements\n59172;80\n", "annee : colonne absente"),
        ("logements.csv", f"{HEADER}\n59172;N-1;80;12\n", "années illisibles"),
        ("logements.csv", "", "fichier vide"),
        ("export.csv", "code;annee;menages\n59172;2021;80\n", "conviennent à plusieurs tables"),
        ("export.csv", "code;annee;logements;couleur\n59172;2021;80;1\n", "table logements : colonnes inconnues : « couleur »"),
        ("export.csv", "a;b\n1;2\n", "non reconnu (colonnes lues : a, b)"),
        ("export.csv", "PK\x00\x01\n", "ce n'est pas un fichier texte"),
    ],
)  # fmt: skip
def test_a_refused_file_is_named_with_its_fault(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(BarometreError) as refused:
        read(write(tmp_path / name, text))
    assert said in str(refused.value)
    assert name in str(refused.value)


def test_all_refused_sources_are_told(tmp_path: Path) -> None:
    bad = write(tmp_path / "logements.csv", f"{HEADER}\n1001;2021;80;12\n")
    with pytest.raises(BarometreError) as refused:
        read(bad, "rien", tmp_path / "absent.csv")
    for words in ("logements.csv", "« rien » n'est ni un fichier", "absent.csv"):
        assert words in str(refused.value)
    (tmp_path / "vide").mkdir()
    with pytest.raises(BarometreError, match="aucun fichier de données"):
        read(tmp_path / "vide")
    with pytest.raises(BarometreError, match="aucune source"):
        read()


def test_results_of_a_file_equal_those_of_the_frame(tmp_path: Path) -> None:
    tables = bcs.datasets.make_tables(30, 2021, secrecy=False)
    for name in tables:
        tables[name].to_csv(tmp_path / f"{name}.csv")
    pd.testing.assert_frame_equal(
        bcs.compute(read(tmp_path)), bcs.compute(tables), check_exact=True
    )


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("O1001", r"« O1001 » \(01001 \?\)"),
        ("2a004", r"« 2a004 » \(2A004 \?\)"),
        ("'59172", r"« '59172 » \(59172 \?\)"),
        ("qn05950m", r"« qn05950m » \(QN05950M \?\)"),
        ("2,00042E+08", r"« 2,00042E\+08 »"),
    ],
)
def test_damaged_codes_are_no_names(tmp_path: Path, code: str, shown: str) -> None:
    text = f"{HEADER}\n{code};2021;80;12\n59172;2020;80;12\n"
    with pytest.raises(BarometreError, match=f"1 code abîmé : {shown}"):
        read(write(tmp_path / "logements.csv", text))


def test_names_of_sets_with_digits_stay_names(tmp_path: Path) -> None:
    names = ["ENSQP_59", "O1", "13 communes du Sud", "Zone 2", "CAPH-2024", "QP du Nord (59)"]
    text = "\n".join([HEADER, *(f"{name};2021;80;12" for name in names), ""])
    tables = read(write(tmp_path / "logements.csv", text))
    assert tables["logements"].index.get_level_values("code").tolist() == names


def test_years_to_come_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "logements.csv", f"{HEADER}\n59172;2099;80;12\n")
    with pytest.warns(SourceWarning, match="années à venir : 2099"):
        read(path)


def test_a_status_of_another_key_than_a_table_of_one_row() -> None:
    """Neither its code nor its year is in the table: a row is added for it."""
    frame = pd.DataFrame({"code": ["59172"], "annee": [2021], "logements": [80.0]})
    said = {"code": "59606", "annee": 2020, "table": "logements", "colonne": "logements",
            "statut": "secret"}  # fmt: skip
    tables = Tables(
        {"logements": frame},
        statuts=pd.DataFrame([said]).reindex(columns=[*said, "qualite", "motif"]),
    )
    assert tables["logements"].index.tolist() == [("59172", 2021), ("59606", 2020)]
    remarks = tables.remarks("logements", "logements")
    assert remarks is not None
    assert remarks.statut.tolist() == [0, 1]


def test_tables_filtered_by_hand_are_put_together() -> None:
    """A missing code that no row has any more stays in the levels of the index."""
    rows = pd.DataFrame({"code": ["59172", None], "annee": 2021, "logements": [1.0, 2.0]})
    summed = rows.astype({"code": "str"}).groupby(["code", "annee"], dropna=False).sum()
    kept = summed[summed.index.get_level_values("code").notna()]
    other = pd.DataFrame({"code": ["01001"], "annee": [2021], "logements": [10.0]})
    both = combine([Tables({"logements": kept}), Tables({"logements": other})])
    assert both["logements"]["logements"].to_dict() == {("59172", 2021): 1, ("01001", 2021): 10}


def test_nothing_and_names_of_others_are_not_put_together() -> None:
    with pytest.raises(BarometreError, match="rien à réunir"):
        combine([])
    with pytest.raises(BarometreError, match="1 nom pour 2 jeux"):
        combine([Tables({}), Tables({})], ["x"])
