"""Producers' files on small ones made here with the true headers: every family, every trap."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.sources.reading import SourceWarning, check_files
from barometre.sources.wide.family import family_of, load_families, matches

# The small files here have few columns: what they lack is told, and is not their matter.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*attendues? absente:barometre.sources.reading.SourceWarning"
)

# Headers as the producers print them.
FILO = (
    "CODGEO;LIBGEO;NBMEN19;NBPERS19;NBUC19;Q119;Q219;Q319;Q3_Q1;D119;D219;D319;D419;D619;D719;D819;"
    "D919;RD;S80S2019;GI19;PACT19;PTSA19;PCHO19;PBEN19;PPEN19;PPAT19;PPSOC19;PPFAM19;PPMINI19;"
    "PPLOGT19;PIMPOT19"
)
IPRO = (
    "CODGEO;LIBGEO;TX_TOT_EMPL;TX_F_EMPL;TX_ET_EMPL;TX_TOT_EDLIM;TX_F_EDLIM;TX_ET_EDLIM;CA;NOTE_ASP;"
    "EVOL_CA_N_E ;NOTE_ASP_E;ABCDE;ABCDE_F;ABCDE_H;ABC;ABC_F;ABC_H;A;A_F;A_H;ABC_25;ABC_2649;ABC_50;"
    "ABC_FR;ABC_E;ABC_INFCAPBEP;ABC_CAPBEP;ABC_BAC;ABC_SUPBAC;ABC_DUR1;ABC_DUR2;ABC_DUR3;ABC_DUR4;"
    "NOTE_PE"
)
DEMO = (
    "CODGEO;LIBGEO;POP_MUN;POP_COM_QP;POP_COM;LIB_COM;TX_F;IND_JEUNE;TX_TOT_MEN1;TX_TOT_MEN6;TX_TOT_ET;"
    "NOTE_RP;A;PERCOU;AM;AI;ACSSENF;ACAVENF;AC3ENF;NOTE_CNAF"
)
REVN = (
    "CODGEO;LIBGEO;DISP_Q2;TP60;DISP_D1;DISP_D9;DISP_D1D9;PPSOC;NOTE_FILO;C;C_C2SNP;C_C2SP;NOTE_CNAM;A;"
    "APPA;ARSAS;AAAH;NOTE_CNAF"
)
CAF = "CODGEO;NOTE;A;PERCOU;AI;AM;ACSSENF;ACAVENF;AC3ENF;ENF;AAL;AAPL;AAAH;APPA;ARSAS"
LOGEMENT = (
    "CODGEO;P20_LOG;P20_RP;P20_RSECOCC;P20_LOGVAC;P20_RP_LOCHLMV;C20_RP_HSTU1P;C20_RP_HSTU1P_SUROCC;"
    "P20_RP_ACHTOT;P20_RP_ACH19;P20_RP_ACH45;P20_RP_ACH70;P20_RP_ACH90;P20_RP_VOIT1P;P14_LOG;P14_LOGVAC;"
    "P14_RP;P14_RSECOCC"
)
DIPLOMES = (
    "CODGEO;P20_POP1517;P20_POP1824;P20_SCOL1517;P20_SCOL1824;P20_NSCOL15P;P20_NSCOL15P_DIPLMIN;"
    "P20_NSCOL15P_BEPC;P20_NSCOL15P_CAPBEP;P20_NSCOL15P_BAC;P20_NSCOL15P_SUP2;P20_NSCOL15P_SUP34;"
    "P20_NSCOL15P_SUP5;P14_NSCOL15P;P14_NSCOL15P_DIPLMIN;P14_NSCOL15P_CAPBEP;P14_NSCOL15P_BAC;"
    "P14_NSCOL15P_SUP;P14_POP1517;P14_POP1824;P14_SCOL1517;P14_SCOL1824"
)
BPE = '"REG","DEP","DEPCOM","DCIRIS","AN","TYPEQU","NB_EQUIP"'
DARES = "date;code_commune;commune;categorie;sexe;tranche_d_age;type_de_donnees;nombre_de_demandeurs_d_emploi"
KITS = '"CODGEO";"ID_1";"ID_2";"ID_3";"ID_4";"ID_5";"ID_6";"ID_7";"ID_8";"ID_9"'


def line(header: str, separator: str = ";", **cells: object) -> str:
    """Write a row: the named cells, nothing elsewhere."""
    names = [name.strip(' "') for name in header.split(separator)]
    assert set(cells) <= set(names), set(cells) - set(names)
    return separator.join(str(cells.get(name, "")) for name in names)


def write(folder: Path, name: str, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def filo(folder: Path, *rows: str, name: str = "FILO2019_DISP_COM.csv", header: str = FILO) -> Path:
    return write(folder, name, header, *rows)


ROWS = (
    line(FILO, CODGEO="01001", LIBGEO="L'Abergement", NBMEN19=322, Q219=23970),
    line(FILO, CODGEO="59172", LIBGEO="Denain", NBMEN19=8000, Q219=14320, D119=8910, D919="22 360",
         RD="2,5", PPSOC19="24,8"),
)  # fmt: skip


def value(tables: bcs.Tables, table: str, column: str, code: str, year: int) -> float:
    return float(tables[table][column][code, year])


def test_one_file_feeds_its_indicators_at_its_year(tmp_path: Path) -> None:
    tables = bcs.read(filo(tmp_path, *ROWS))
    assert value(tables, "revenus", "niveau_de_vie_median", "59172", 2019) == 14_320
    assert value(tables, "revenus", "niveau_de_vie_d9", "59172", 2019) == 22_360
    results = bcs.compute(tables).set_index(["indicateur", "code"])
    assert results.loc[("part_prestations_sociales", "59172"), "valeur"] == 24.8
    assert results.loc[("part_prestations_sociales", "01001"), "statut"] == "secret"
    assert results.loc[("rapport_interdecile", "59172"), "origine"] == "calcule"
    assert list(tables.territoires.loc["59172"]) == ["Denain", "Denain", "commune"]


@pytest.mark.parametrize("level", ["COM", "EPCI", "DEP", "REG", "METROPOLE"])
def test_levels_come_from_the_name(tmp_path: Path, level: str) -> None:
    codes = {"COM": "59172", "EPCI": "200042190", "DEP": "59", "REG": "32", "METROPOLE": "1"}
    ours = {"REG": "R32", "METROPOLE": "METRO"}
    row = line(FILO, CODGEO=codes[level], Q219=20_000)
    tables = bcs.read(filo(tmp_path, row, name=f"FILO2019_DISP_{level}.csv"))
    assert tables["revenus"].index[0] == (ours.get(level, codes[level]), 2019)


def test_one_sigville_file_holds_several_years(tmp_path: Path) -> None:
    row = line(REVN, CODGEO="QP059050", LIBGEO="Centre", DISP_Q2="13 490", TP60="46,5", DISP_D1="8 000",
               DISP_D9="20 000", DISP_D1D9="2,5", NOTE_FILO=0, C="13 000", C_C2SNP="4 000", C_C2SP=900,
               NOTE_CNAM=0, A="5 000", ARSAS="1 500", AAAH="", NOTE_CNAF=3)  # fmt: skip
    tables = bcs.read(write(tmp_path, "REVN_2022.csv", REVN, row))
    assert value(tables, "revenus", "taux_pauvrete", "QP059050", 2018) == 46.5
    assert value(tables, "sante", "beneficiaires_c2s", "QP059050", 2021) == 4_900
    assert value(tables, "allocataires", "allocataires", "QP059050", 2020) == 5_000
    hidden = tables.statuts.set_index("colonne").loc["allocataires_aah"]
    assert (hidden["statut"], hidden["motif"], hidden["annee"]) == ("secret", "NOTE_CNAF = 3", 2020)


def test_the_reason_of_a_hidden_sum_quotes_the_token_not_a_value(tmp_path: Path) -> None:
    row = line(REVN, CODGEO="QP059050", C="13 000", C_C2SNP="4 321", C_C2SP="nd")
    told = bcs.read(write(tmp_path, "REVN_2022.csv", REVN, row)).statuts.set_index("colonne")
    assert told.loc["beneficiaires_c2s", "motif"] == "« nd » dans le fichier"
    assert not told["motif"].str.contains("4 321").any()


def test_a_secret_row_makes_a_secret_sum(tmp_path: Path) -> None:
    rows = [f'"32","59","59001","59001",2018,"F10{i}",{n}' for i, n in enumerate(("2", "nc", "nd"))]
    tables = bcs.read(write(tmp_path, "bpe_2018_dep59.csv", BPE, *rows))
    assert np.isnan(value(tables, "equipements", "equipements_sportifs", "59001", 2018))
    told = tables.statuts.set_index("colonne")
    assert told.loc["equipements_sportifs", "statut"] == "secret"


def test_job_seekers_and_published_census_shares(tmp_path: Path) -> None:
    row = line(IPRO, CODGEO="QP059058", TX_TOT_EMPL="48,6", ABC=113, ABC_F="", ABC_25=19, ABC_SUPBAC=17,
               ABC_DUR4=32, NOTE_PE=4)  # fmt: skip
    tables = bcs.read(write(tmp_path, "IPRO_2022.csv", IPRO, row))
    results = bcs.compute(tables).set_index(["indicateur", "annee"])
    assert list(results.loc[("taux_emploi_15_64", 2018), ["valeur", "origine"]]) == [
        48.6,
        "publie",
    ]
    assert results.loc[("part_femmes_defm", 2021), "statut"] == "secret"
    assert results.loc[("part_moins_26_ans_defm", 2021), "valeur"] == pytest.approx(100 * 19 / 113)


def test_the_population_of_neighbourhoods_is_that_of_its_census(tmp_path: Path) -> None:
    row = line(DEMO, CODGEO="QP059050", POP_MUN="13 204", A="4 414", AM=835, ACAVENF="1 172")
    tables = bcs.read(write(tmp_path, "DEMO_2021.csv", DEMO, row))
    assert value(tables, "population", "population", "QP059050", 2018) == 13_204
    assert value(tables, "allocataires", "allocataires_monoparents", "QP059050", 2019) == 835


def test_several_vintages_and_the_break_of_diplomas(tmp_path: Path) -> None:
    row = line(DIPLOMES, CODGEO="59172", P20_NSCOL15P=100, P20_NSCOL15P_DIPLMIN=25, P20_NSCOL15P_BEPC=10,
               P20_NSCOL15P_SUP2=5, P20_NSCOL15P_SUP34=4, P20_NSCOL15P_SUP5=1, P14_NSCOL15P=100,
               P14_NSCOL15P_DIPLMIN=40, P14_NSCOL15P_SUP=8)  # fmt: skip
    tables = bcs.read(write(tmp_path, "base-cc-diplomes-formation-2020.csv", DIPLOMES, row))
    results = bcs.compute(tables, ["part_non_diplomes", "part_diplomes_superieur"])
    values = results.set_index(["indicateur", "annee"])["valeur"]
    assert values["part_non_diplomes", 2020] == 35.0
    assert values["part_non_diplomes", 2014] == 40.0
    assert values["part_diplomes_superieur", 2020] == 10.0


def test_housing_over_two_vintages(tmp_path: Path) -> None:
    row = line(LOGEMENT, CODGEO="59172", P20_LOG=1000, P20_LOGVAC=100, P20_RP=880, P20_RSECOCC=20,
               P20_RP_LOCHLMV=220, P14_LOG=900, P14_LOGVAC=45, P14_RP=840, P14_RSECOCC=15)  # fmt: skip
    tables = bcs.read(write(tmp_path, "base-cc-logement-2020.csv", LOGEMENT, row))
    rates = bcs.compute(tables, "taux_logements_vacants").set_index("annee")["valeur"]
    assert rates.to_dict() == {2014: 5.0, 2020: 10.0}


def test_rows_are_added_up(tmp_path: Path) -> None:
    rows = ['"32","59","59001","59001",2018,"F101",2', '"32","59","59001","59001",2018,"F120",1',
            '"32","59","59002","59002",2018,"A208",4', '"32","59","59002","59002",2018,"F303",1']  # fmt: skip
    tables = bcs.read(write(tmp_path, "bpe_2018_dep59.csv", BPE, *rows))
    assert tables["equipements"]["equipements_sportifs"].tolist() == [3.0, 0.0]
    assert tables["equipements"]["equipements_culturels"].tolist() == [0.0, 1.0]


def test_long_files_of_job_seekers(tmp_path: Path) -> None:
    rows = [
        f"2023-T4;59172;Denain;{kind};{sex};Total;Brutes;{n}"
        for kind, sex, n in (("ABC", "Total", 2340), ("ABC", "Femmes", 1050), ("A", "Total", 1500))
    ]
    quarter = "2023-T3;59172;Denain;ABC;Total;Total;Brutes;9999"
    only = "2023-T3;59002;Ailleurs;ABC;Total;Total;Brutes;10"
    path = write(tmp_path, "dares_defm_communales-brutes.csv", DARES, *rows, quarter, only)
    tables = bcs.read(path)
    assert value(tables, "demandeurs_emploi", "demandeurs_abc", "59172", 2023) == 2340
    assert value(tables, "demandeurs_emploi", "demandeurs_abc_femmes", "59172", 2023) == 1050
    assert "59002" not in tables["demandeurs_emploi"].index.get_level_values("code")


def test_every_family_recognises_a_header_of_its_own() -> None:
    for family in load_families().values():
        header = [
            t.replace("{yyyy}", "2021").replace("{yy}", "21").replace("*", "x")
            for t in (*family.code[:1], *family.signature)
        ]
        found = family_of(header, "DEFM2022 ENSQP_2021" if family.nom_exige else "sans nom")
        assert found is not None, family.nom
        assert all(matches(t, header) for t in found.signature)


# ---- traps, one by one ---------------------------------------------------------------------------

TRAPS: dict[str, Callable[[str], bytes]] = {
    "bom": lambda text: text.encode("utf-8-sig"),
    "cp1252": lambda text: text.encode("cp1252"),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "trailing empty columns": lambda text: text.replace("\n", ";" * 150 + "\n").encode(),
    "header lower down": lambda text: f"Titre du fichier\nSource : Insee\n\n{text}".encode(),
    "an Ensemble row": lambda text: (text + "Ensemble;Ensemble" + ";" * 29 + "\n").encode(),
    "narrow no-break spaces": lambda text: text.replace("22 360", "22\u202f360").encode(),
    "no-break spaces": lambda text: text.replace("22 360", "22\u00a0360").encode("cp1252"),
    "points for commas": lambda text: text.replace("2,5", "2.5").replace("24,8", "24.8").encode(),
    "commas between cells": lambda text: text.replace("2,5", '"2,5"').replace("24,8", '"24,8"').replace(";", ",").encode(),
    "tabs between cells": lambda text: text.replace(";", "\t").encode(),
    "quoted cells": lambda text: text.replace("Denain", '"Denain ; centre"').encode(),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_traps_of_form(tmp_path: Path, trap: str) -> None:
    path = tmp_path / "FILO2019_DISP_COM.csv"
    text = "\n".join([FILO, *ROWS, ""])
    path.write_bytes(TRAPS[trap](text))
    tables = bcs.read(path)
    expected = bcs.read(filo(tmp_path, *ROWS, name="FILO2019_DISP_COM_bis.csv"))
    pd.testing.assert_frame_equal(tables["revenus"], expected["revenus"])
    pd.testing.assert_frame_equal(tables["publies"], expected["publies"])


def test_lost_zeros_are_given_back_and_counted(tmp_path: Path) -> None:
    rows = [line(FILO, CODGEO=code, Q219=20_000) for code in ("1001", "59172", "2A004", "75101")]
    with pytest.warns(SourceWarning, match="1 code : zéro initial rétabli"):
        tables = bcs.read(filo(tmp_path, *rows))
    assert tables["revenus"].index.get_level_values("code").tolist() == [
        "01001", "59172", "2A004", "75101",
    ]  # fmt: skip


@pytest.mark.parametrize("token", ["nd", "ns", "s", "ND"])
def test_secrecy_tokens(tmp_path: Path, token: str) -> None:
    tables = bcs.read(filo(tmp_path, line(FILO, CODGEO="59172", Q219=token, NBMEN19=12)))
    told = tables.statuts.set_index("colonne").loc["niveau_de_vie_median"]
    assert (told["statut"], told["motif"]) == ("secret", f"« {token} » dans le fichier")


def test_codes_of_no_territory_are_left_out(tmp_path: Path) -> None:
    rows = [
        line(CAF, CODGEO=code, A=500, NOTE=0) for code in ("590020101", "XXXXX", "99999", "NR", "")
    ]
    path = write(tmp_path, "data_CAF_2020_IRIS.csv", CAF, *rows)
    (report,) = check_files(path)
    assert (report.lignes, report.ignorees) == (1, 4)


def test_shuffled_and_dropped_columns(tmp_path: Path) -> None:
    names = FILO.split(";")
    frame = pd.DataFrame([row.split(";") for row in ROWS], columns=names)
    shuffled = frame.sample(frac=1, axis=1, random_state=1).drop(columns=["D119", "GI19"])
    path = tmp_path / "FILO2019_DISP_COM.csv"
    shuffled.to_csv(path, sep=";", index=False)
    tables = bcs.read(path)
    assert value(tables, "revenus", "niveau_de_vie_d9", "59172", 2019) == 22_360
    assert tables["revenus"]["niveau_de_vie_d1"].isna().all()


def test_zip_and_folder(tmp_path: Path) -> None:
    inside = filo(tmp_path, *ROWS)
    archive = tmp_path / "archives" / "filosofi.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        file.write(inside, "FILO2019_DISP_COM.csv")
        file.writestr("meta_FILO2019_DISP_COM.csv", "COD_VAR;LIB_VAR\nQ219;Médiane\n")
    pd.testing.assert_frame_equal(bcs.read(archive.parent)["revenus"], bcs.read(inside)["revenus"])


# ---- what is refused -----------------------------------------------------------------------------


def test_a_file_of_no_family_says_what_was_looked_for(tmp_path: Path) -> None:
    broken = FILO.replace("PIMPOT19", "AUTRE")
    path = filo(tmp_path, header=broken, name="revenus.csv")
    with pytest.raises(BarometreError, match=r"colonnes attendues absentes : PIMPOT\{yy\}"):
        bcs.read(path)
    with pytest.raises(BarometreError, match="non reconnu"):
        bcs.read(write(tmp_path, "rien.csv", "a;b;c", "1;2;3"))


def test_unreadable_cells_are_refused_with_their_column(tmp_path: Path) -> None:
    rows = [line(FILO, CODGEO="59172", Q219="environ 14 000", D119="12;3".replace(";", "/"))]
    with pytest.raises(BarometreError) as refused:
        bcs.read(filo(tmp_path, *rows))
    assert "Q219 : 1 cellule illisible (environ 14 000)" in str(refused.value)
    assert "D119" in str(refused.value)


def test_a_file_without_its_year_is_refused(tmp_path: Path) -> None:
    row = line(CAF, CODGEO="590020101", A=500)
    with pytest.raises(BarometreError, match="année : introuvable"):
        bcs.read(write(tmp_path, "caf.csv", CAF, row))


def test_a_territory_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match="en double : 59172 en 2019"):
        bcs.read(filo(tmp_path, ROWS[1], ROWS[1]))


def test_the_same_cell_given_otherwise_names_both_files(tmp_path: Path) -> None:
    filo(tmp_path, ROWS[1])
    filo(tmp_path, ROWS[1].replace("14320", "14321"), name="FILO2019_DISP_COM_corrige.csv")
    with pytest.raises(BarometreError) as refused:
        bcs.read(tmp_path)
    for words in (
        "revenus.niveau_de_vie_median",
        "14\u202f320 (FILO2019_DISP_COM.csv)",
        "corrige.csv",
    ):
        assert words in str(refused.value)


def test_an_unverified_family_warns(tmp_path: Path) -> None:
    header = "dtreffre;numepci;nomepci;indfoy_ndur;indfoy_rsa"
    path = write(tmp_path, "s_ben_epci_f.csv", header, "2022-12;200042190;CA;5000;1500")
    with pytest.warns(SourceWarning, match="jamais vus dans un vrai fichier"):
        tables = bcs.read(path)
    assert value(tables, "allocataires", "allocataires_rsa_socle", "200042190", 2022) == 1500


def test_check_says_what_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path, "data_CAF_2020_IRIS.csv", CAF,
                 line(CAF, CODGEO="590020101", A=500, AM=60, ACAVENF=120, AAAH=40, ARSAS=60))  # fmt: skip
    (report,) = check_files(path)
    assert (report.famille, report.niveau, report.annees) == ("caf_iris_com_qp", "iris", (2020,))
    assert "part_monoparents_allocataires" in report.indicateurs
    assert report.manques["taux_couverture_rsa"] == ("population.menages",)
    assert "PERCOU" in report.ignorees_colonnes


@given(
    data=st.binary(max_size=400),
    name=st.sampled_from(["FILO2019_DISP_COM.csv", "a.xlsx", "b.zip", "c.parquet"]),
)
def test_any_bytes_give_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = tmp_path_factory.mktemp("octets") / name
    path.write_bytes(data)
    with pytest.raises(BarometreError):
        bcs.read(path)
