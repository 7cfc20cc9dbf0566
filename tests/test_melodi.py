"""Insee's long files (Melodi), on small ones made here with the true headers: every trap."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.sources.melodi.cubes import identifier, load_cubes
from barometre.sources.reading import SourceWarning, check_files

# Headers as Insee prints them.
LOGEMENT = (
    "GEO;GEO_OBJECT;OCS;L_STAY;TDW;CARS;RP_MEASURE;CARPARK;NOR;TSH;BUILD_END;NRG_SRC;FREQ;OBS_STATUS;"
    "TIME_PERIOD;OBS_VALUE"
)
EMPLOI = "GEO;GEO_OBJECT;SEX;EMPSTA_ENQ;AGE;EDUC;RP_MEASURE;FREQ;OBS_STATUS;TIME_PERIOD;OBS_VALUE"
BPE = "GEO;GEO_OBJECT;FACILITY_DOM;FACILITY_SDOM;FACILITY_TYPE;BPE_MEASURE;TIME_PERIOD;OBS_VALUE"
FILOSOFI = "FILOSOFI_MEASURE;GEO;GEO_OBJECT;UNIT_MEASURE;CONF_STATUS;OBS_STATUS;UNIT_MULT;TIME_PERIOD;OBS_VALUE"
POPREF = "GEO;GEO_OBJECT;FREQ;POPREF_MEASURE;TIME_PERIOD;OBS_VALUE"
NAVETTES_2021 = (
    "AGE;EMPSTA_ENQ;FREQ;GEO;GEO_OBJECT;RP_MEASURE;TRANS;WORK_AREA;TIME_PERIOD;OBS_VALUE"
)
NAVETTES_2023 = (
    "AGE;EMPSTA_ENQ;FREQ;GEO;GEO_OBJECT;RP_MEASURE;TRANS;WORK_AREA;OBS_STATUS;TIME_PERIOD;OBS_VALUE"
)
SIDE = "ACTIVITY;FREQ;GEO;GEO_OBJECT;LEGAL_FORM;SIDE_MEASURE;OBS_STATUS;TIME_PERIOD;OBS_VALUE"
UNIONS = (
    "GEO;GEO_OBJECT;FREQ;EC_MEASURE;SEASONAL_ADJUST;UNIT_MEASURE;MARSTA;OBS_STATUS_FR;OBS_STATUS;"
    "UNIT_MULT;DECIMALS;TIME_PERIOD;OBS_VALUE"
)
USUAL = {"FREQ": "A", "OBS_STATUS": "A", "CONF_STATUS": "F", "UNIT_MULT": "0", "GEO": "59172",
         "GEO_OBJECT": "COM"}  # fmt: skip


def row(header: str, value: object, year: object = 2023, **cells: object) -> dict[str, str]:
    """Make a row: the cells named, the usual attributes, the total elsewhere."""
    usual = dict.fromkeys(header.split(";"), "_T") | {k: v for k, v in USUAL.items() if k in header}
    assert set(cells) <= set(usual), set(cells) - set(usual)
    made = usual | cells | {"TIME_PERIOD": year, "OBS_VALUE": value}
    return {name: str(cell) for name, cell in made.items()}


def dwelling(value: object, year: object = 2023, **cells: object) -> dict[str, str]:
    return row(LOGEMENT, value, year, **{"RP_MEASURE": "DWELLINGS", "OCS": "_T"} | cells)


def write(
    folder: Path,
    name: str,
    rows: Iterable[dict[str, str]],
    header: str,
    *,
    quoted: Sequence[str] = (),
) -> Path:
    names = header.split(";")

    def cell(column: str, text: str) -> str:
        return f'"{text}"' if column in quoted else text

    lines = [";".join(cell(n, n) for n in names)]
    lines += [";".join(cell(n, one[n]) for n in names) for one in rows]
    path = folder / name
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def housing(folder: Path, *rows: dict[str, str], header: str = LOGEMENT, **options: Any) -> Path:
    return write(folder, "DS_RP_LOGEMENT_PRINC_2023_data.csv", rows, header, **options)


def value(tables: bcs.Tables, column: str, code: str, year: int = 2023) -> float:
    table, _, name = column.partition(".")
    return float(tables[table][name][code, year])


SIMPLE = (
    dwelling(1000),
    dwelling(900, OCS="DW_MAIN"),
    dwelling(80, OCS="DW_VAC"),
    dwelling(20, OCS="DW_SEC_DW_OCC"),
    dwelling(300, OCS="DW_MAIN", TSH="221"),
)


def test_a_long_file_feeds_its_indicators(tmp_path: Path) -> None:
    tables = bcs.read(housing(tmp_path, *SIMPLE))
    results = bcs.compute(tables).set_index("indicateur")["valeur"]
    assert results["taux_logements_vacants"] == 8.0
    assert results["part_logements_sociaux"] == pytest.approx(100 * 300 / 900)
    assert value(tables, "population.menages", "59172") == 900
    assert list(tables.territoires["niveau"]) == ["commune"]


# ---- forms: quotes, order, containers ------------------------------------------------------------


def zipped(folder: Path) -> Path:
    archive = folder / "DS_RP_LOGEMENT_PRINC_2023_CSV_FR.zip"
    with zipfile.ZipFile(archive, "w") as file:
        # 9. The name of the dictionary ends in data.csv too.
        dictionary = '"COD_VAR";"LIB_VAR";"COD_MOD";"LIB_MOD"\n"OCS";"Catégorie";"_T";"Total"\n'
        file.writestr("DS_RP_LOGEMENT_PRINC_2023_metadata.csv", dictionary)
        file.write(housing(folder, *SIMPLE), "DS_RP_LOGEMENT_PRINC_2023_data.csv")
    (folder / "DS_RP_LOGEMENT_PRINC_2023_data.csv").unlink()
    return archive


def parquet(folder: Path) -> Path:
    frame = pd.DataFrame(SIMPLE).astype({"OBS_VALUE": float})
    dated = frame.assign(TIME_PERIOD=[date(int(y), 1, 1) for y in frame["TIME_PERIOD"]])
    path = folder / "DS_RP_LOGEMENT_PRINC_2023.parquet"
    pq.write_table(pa.Table.from_pandas(dated, preserve_index=False), path)
    return path


def zipped_parquet(folder: Path) -> Path:
    """8. base_cc_logement_2023_parquet.zip is the same data set under another name."""
    archive = folder / "base_cc_logement_2023_parquet.zip"
    inside = parquet(folder)
    with zipfile.ZipFile(archive, "w") as file:
        file.write(inside, "base_cc_logement_2023.parquet")
    inside.unlink()
    return archive


def reversed_and_quoted(folder: Path) -> Path:
    header = ";".join(reversed(LOGEMENT.split(";")))
    texts = [name for name in LOGEMENT.split(";") if name not in ("TIME_PERIOD", "OBS_VALUE")]
    return housing(folder, *SIMPLE, header=header, quoted=texts)


def answer(folder: Path) -> Path:
    path = folder / "reponse.json"
    path.write_text(json.dumps(melodi_answer("DS_RP_LOGEMENT_PRINC", SIMPLE)), encoding="utf-8")
    return path


def melodi_answer(data_set: str, rows: Iterable[dict[str, str]]) -> dict[str, Any]:
    """Write rows as the API answers: the level, and a year that is not the data's, in GEO."""
    attributes = {"OBS_STATUS", "CONF_STATUS", "UNIT_MULT"}
    observations = []
    for one in rows:
        cells = {k: v for k, v in one.items() if k not in ("GEO", "GEO_OBJECT", "OBS_VALUE")}
        measure = {"value": float(one["OBS_VALUE"])} if one["OBS_VALUE"] else {}
        observations.append(
            {
                "attributes": {k: v for k, v in cells.items() if k in attributes},
                "dimensions": {k: v for k, v in cells.items() if k not in attributes}
                | {"GEO": f"2025-{one['GEO_OBJECT']}-{one['GEO']}"},
                "measures": {"OBS_VALUE_NIVEAU": measure},
            }
        )
    return {"identifier": data_set, "title": {"fr": "Titre"}, "observations": observations}


@pytest.mark.parametrize("form", [zipped, parquet, zipped_parquet, reversed_and_quoted, answer])
def test_every_form_gives_the_same_tables(tmp_path: Path, form: Any) -> None:
    """6 and 11: columns are read by name; the level of an answer is inside GEO."""
    plain = tmp_path / "plain"
    plain.mkdir()
    expected = bcs.read(housing(plain, *SIMPLE))
    tables = bcs.read(form(tmp_path))
    for table in expected:
        pd.testing.assert_frame_equal(tables[table], expected[table])
    pd.testing.assert_frame_equal(tables.territoires, expected.territoires)


def test_the_dictionary_alone_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "DS_RP_LOGEMENT_PRINC_2023_metadata.csv"
    path.write_text("COD_VAR;LIB_VAR;COD_MOD;LIB_MOD\nOCS;Catégorie;_T;Total\n", encoding="utf-8")
    with pytest.raises(BarometreError, match="dictionnaire"):
        bcs.read(path)


# ---- 1. GEO is no key ----------------------------------------------------------------------------


def test_the_level_comes_from_the_object(tmp_path: Path) -> None:
    rows = [
        dwelling(10, GEO="33063"),
        dwelling(99, GEO="33063", GEO_OBJECT="BV2022"),
        dwelling(20, GEO="75", GEO_OBJECT="DEP"),
        dwelling(30, GEO="75", GEO_OBJECT="REG"),
        dwelling(40, GEO="243300316", GEO_OBJECT="EPCI"),
        dwelling(50, GEO="FM", GEO_OBJECT="FRANCE"),
        dwelling(60, GEO="F", GEO_OBJECT="FRANCE"),
        dwelling(5, GEO="75101", GEO_OBJECT="ARM"),
        *(
            dwelling(1, GEO="001", GEO_OBJECT=o)
            for o in ("AAV2020", "UU2020", "ZE2020", "ARR", "OTHER")
        ),
    ]
    path = housing(tmp_path, *rows)
    tables = bcs.read(path)
    given = tables["logements"]["logements"].droplevel("annee").to_dict()
    assert given == {"33063": 10, "75": 20, "R75": 30, "243300316": 40, "METRO": 50}
    assert dict(tables.territoires["niveau"]) == {
        "33063": "commune", "75": "departement", "R75": "region", "243300316": "epci",
        "METRO": "france_metropolitaine",
    }  # fmt: skip
    (report,) = check_files(path)
    assert report.ignorees == 8


def test_without_its_object_a_code_is_refused(tmp_path: Path) -> None:
    header = LOGEMENT.replace("GEO_OBJECT;", "")
    with pytest.raises(BarometreError, match="GEO_OBJECT : colonne absente"):
        bcs.read(housing(tmp_path, *SIMPLE, header=header))


def test_codes_have_the_form_of_their_level(tmp_path: Path) -> None:
    with pytest.warns(SourceWarning, match="1 code : zéro initial rétabli"):
        tables = bcs.read(housing(tmp_path, dwelling(10, GEO="1001")))
    assert tables["logements"].index[0] == ("01001", 2023)
    with pytest.raises(BarometreError, match="« 590 »"):
        bcs.read(housing(tmp_path, dwelling(10, GEO="590")))


# ---- 2. totals beside details --------------------------------------------------------------------


def test_totals_and_details_are_never_added(tmp_path: Path) -> None:
    rows = [
        row(BPE, n, FACILITY_DOM=d, FACILITY_SDOM=s, FACILITY_TYPE=t, BPE_MEASURE="FACILITIES")
        for d, s, t, n in (
            ("_T", "_T", "_T", 30), ("F", "_T", "_T", 12), ("A", "_T", "_T", 18),
            ("F", "F1", "_T", 9), ("F", "F1", "F111", 4), ("F", "F1", "F113", 5), ("F", "F2", "_T", 3),
        )
    ]  # fmt: skip
    tables = bcs.read(write(tmp_path, "DS_BPE_2025_data.csv", rows, BPE))
    assert value(tables, "equipements.equipements_sportifs", "59172") == 9
    # F = F1 + F2: no row of F3 is a zero that is proven
    assert value(tables, "equipements.equipements_culturels", "59172") == 0
    assert tables.statuts.empty


def test_a_cut_file_proves_no_zero(tmp_path: Path) -> None:
    """The domain is there, none of its sub-domains: rows were taken away, nothing is zero."""
    rows = [row(BPE, 12, FACILITY_DOM="F", BPE_MEASURE="FACILITIES")]
    rows.append(
        row(BPE, 4, GEO="01001", FACILITY_DOM="F", FACILITY_SDOM="F1", BPE_MEASURE="FACILITIES")
    )
    tables = bcs.read(write(tmp_path, "DS_BPE_2025_data.csv", rows, BPE))
    assert np.isnan(value(tables, "equipements.equipements_sportifs", "59172"))
    said = tables.statuts.set_index(["code", "colonne"])
    assert said.loc[("59172", "equipements_sportifs"), "motif"] == "pas de ligne dans le fichier"


def test_a_dimension_that_is_not_known_refuses_the_file(tmp_path: Path) -> None:
    header = LOGEMENT.replace("NRG_SRC", "NRG_SRC;ENERGY_CLASS")
    rows = [one | {"ENERGY_CLASS": "_T"} for one in SIMPLE]
    with pytest.raises(BarometreError, match="ENERGY_CLASS : inconnue du jeu DS_RP_LOGEMENT_PRINC"):
        bcs.read(housing(tmp_path, *rows, header=header))


def test_a_value_that_is_not_asked_for_is_dropped(tmp_path: Path) -> None:
    others = [
        dwelling(5000, RP_MEASURE="DWELLINGS_ROOMS"),
        dwelling(7, TDW="1"),
        dwelling(3, OCS="NEW_CODE"),
    ]
    tables = bcs.read(housing(tmp_path, *SIMPLE, *others))
    assert value(tables, "logements.logements", "59172") == 1000


# ---- 3. statuses ---------------------------------------------------------------------------------


def test_observation_statuses(tmp_path: Path) -> None:
    rows = [
        dwelling("", GEO="59001", OBS_STATUS="K"),
        dwelling("", GEO="59002", OBS_STATUS="O"),
        dwelling(12, GEO="59003", OBS_STATUS="W"),
        dwelling(13, GEO="59004", OBS_STATUS="P"),
        dwelling("", GEO="59005", OBS_STATUS="M"),
        dwelling(9, GEO="59006", OBS_STATUS="K"),
        dwelling(9, GEO="59007", OBS_STATUS="O"),
    ]
    tables = bcs.read(housing(tmp_path, *rows))
    dwellings = tables["logements"]["logements"].droplevel("annee")
    assert set(dwellings.index) == {"59002", "59003", "59004", "59005", "59007"}
    assert dwellings.dropna().to_dict() == {"59003": 12, "59004": 13}
    said = tables.statuts.set_index(["colonne", "code"]).loc["logements"]
    assert list(said.loc["59002", ["statut", "motif"]]) == ["non_disponible", "OBS_STATUS = O"]
    assert said.loc["59004", "motif"] == "valeur provisoire (OBS_STATUS = P)"


def test_confidential_values_are_secret(tmp_path: Path) -> None:
    rows = [
        row(FILOSOFI, "", FILOSOFI_MEASURE="MED_SL", UNIT_MEASURE="EUR_YR", CONF_STATUS="C"),
        row(FILOSOFI, 21, FILOSOFI_MEASURE="PR_MD60", UNIT_MEASURE="PT", CONF_STATUS="C"),
        row(FILOSOFI, 18_550, GEO="200042190", GEO_OBJECT="EPCI", FILOSOFI_MEASURE="MED_SL",
            UNIT_MEASURE="EUR_YR"),
        row(FILOSOFI, "", GEO="200042190", GEO_OBJECT="EPCI", FILOSOFI_MEASURE="D1_SL",
            UNIT_MEASURE="EUR_YR", OBS_STATUS="O"),
    ]  # fmt: skip
    tables = bcs.read(write(tmp_path, "DS_FILOSOFI_CC_2023_data.csv", rows, FILOSOFI))
    results = bcs.compute(tables, ["niveau_de_vie_median", "taux_de_pauvrete"])
    shown = results.set_index(["indicateur", "code"])
    assert shown.loc[("niveau_de_vie_median", "59172"), "statut"] == "secret"
    assert shown.loc[("taux_de_pauvrete", "59172"), "statut"] == "secret"
    assert not results["note"].astype(str).str.contains("21").any()
    assert shown.loc[("niveau_de_vie_median", "200042190"), "valeur"] == 18_550
    # 7. In 2023 only the median and the poverty rate are published below the department.
    assert np.isnan(value(tables, "revenus.niveau_de_vie_d1", "200042190"))


def test_a_multiplier_applies(tmp_path: Path) -> None:
    one = row(FILOSOFI, "18.55", FILOSOFI_MEASURE="MED_SL", UNIT_MEASURE="EUR_YR", UNIT_MULT="3")
    tables = bcs.read(write(tmp_path, "DS_FILOSOFI_CC_2021_data.csv", [one], FILOSOFI))
    assert value(tables, "revenus.niveau_de_vie_median", "59172") == pytest.approx(18_550)


def test_the_reason_of_a_sum_is_that_of_its_hidden_part(tmp_path: Path) -> None:
    rows = [*SIMPLE, dwelling(5, OCS="DW_MAIN", CARS="C1"),
            dwelling("", OCS="DW_MAIN", CARS="C_GE2", OBS_STATUS="O")]  # fmt: skip
    tables = bcs.read(housing(tmp_path, *rows))
    assert np.isnan(value(tables, "deplacements.menages_avec_voiture", "59172"))
    said = tables.statuts.set_index("colonne").loc["menages_avec_voiture"]
    assert said["motif"] == "OBS_STATUS = O"


# ---- 4 and 5. vintages, construction -------------------------------------------------------------

PERIODS = ("Y_LT1919", "Y1919T1945", "Y1946T1970", "Y1971T1990", "Y1991T2005", "Y2006TAAAA")


def test_three_vintages_and_codes_that_change(tmp_path: Path) -> None:
    old = ("Y_LT1946", *PERIODS[2:])
    rows = [dwelling(n, 2023, OCS="DW_MAIN", BUILD_END=p) for n, p in enumerate(PERIODS, 1)]
    rows += [dwelling(10 * n, 2012, OCS="DW_MAIN", BUILD_END=p) for n, p in enumerate(old, 1)]
    rows += [dwelling(1000 * n, y, OCS="DW_MAIN") for n, y in enumerate((2012, 2017, 2023), 1)]
    tables = bcs.read(housing(tmp_path, *rows))
    before = tables["logements"]["residences_avant_1946"]["59172"].dropna().to_dict()
    assert before == {2023: 3.0, 2012: 10.0}
    # 5. The whole is the sum of the periods, never the total, which counts later dwellings too.
    known = tables["logements"]["residences_date_connue"]["59172"].dropna().to_dict()
    assert known == {2023: 21.0, 2012: 150.0}
    homes = tables["logements"]["residences_principales"]["59172"].to_dict()
    assert homes == {2012: 1000, 2017: 2000, 2023: 3000}


def test_a_period_without_row_is_a_zero_that_says_so(tmp_path: Path) -> None:
    rows = [dwelling(n, OCS="DW_MAIN", BUILD_END=p) for n, p in enumerate(PERIODS, 1)]
    rows += [
        dwelling(n, GEO="59001", OCS="DW_MAIN", BUILD_END=p) for n, p in enumerate(PERIODS[1:], 1)
    ]
    tables = bcs.read(housing(tmp_path, *rows))
    assert value(tables, "logements.residences_date_connue", "59001") == 15
    assert value(tables, "logements.residences_avant_1946", "59001") == 1
    said = tables.statuts.set_index(["code", "colonne"])["motif"]
    assert said["59001", "residences_avant_1946"] == "sans ligne dans le fichier, compté pour zéro"
    assert ("59172", "residences_avant_1946") not in said.index


def test_diplomas_of_every_vintage(tmp_path: Path) -> None:
    header = (
        "GEO;GEO_OBJECT;SEX;AGE;EDUC;STUD_AREA;RP_MEASURE;FREQ;OBS_STATUS;TIME_PERIOD;OBS_VALUE"
    )
    fixed = {"AGE": "Y_GE15", "STUD_AREA": "_Z", "RP_MEASURE": "POP"}
    codes = {
        2023: {"_T": 100, "001T100_RP": 20, "200_RP": 5, "500_RP": 10, "600_RP": 6, "700_RP": 4},
        2012: {"_T": 100, "001T200_RP": 35, "500_RP": 9, "600T702_RP": 8},
    }
    rows = [
        row(header, n, y, EDUC=c, **fixed)
        for y, of_year in codes.items()
        for c, n in of_year.items()
    ]
    with pytest.warns(SourceWarning, match="jamais vus sur de vraies lignes"):
        tables = bcs.read(write(tmp_path, "DS_RP_DIPLOMES_PRINC_2023_data.csv", rows, header))
    shares = bcs.compute(tables).set_index(["indicateur", "annee"])["valeur"]
    assert shares["part_non_diplomes", 2023] == 25 and shares["part_non_diplomes", 2012] == 35
    assert shares["part_diplomes_superieur", 2023] == 20
    assert shares["part_diplomes_superieur", 2012] == 17


def test_cars_by_whatever_codes_the_file_has(tmp_path: Path) -> None:
    some = [dwelling(900, OCS="DW_MAIN"), dwelling(700, OCS="DW_MAIN", CARS="C1"),
            dwelling(100, OCS="DW_MAIN", CARS="C_GE2")]  # fmt: skip
    at_least_one = dwelling(800, OCS="DW_MAIN", CARS="C_GE1")
    for i, rows in enumerate(
        ([*some, at_least_one], [some[0], at_least_one],
         [some[0], dwelling(100, OCS="DW_MAIN", CARS="C0")])
    ):  # fmt: skip
        folder = tmp_path / str(i)
        folder.mkdir()
        tables = bcs.read(housing(folder, *rows))
        assert value(tables, "deplacements.menages_avec_voiture", "59172") == 800


# ---- 10 to 16 ------------------------------------------------------------------------------------


def test_a_row_served_with_two_precisions_is_one_value(tmp_path: Path) -> None:
    rows = [row(POPREF, v, POPREF_MEASURE="PMUN") for v in ("2038.779062", "2038.77906173258")]
    path = write(tmp_path, "DS_POPULATIONS_REFERENCE_2023_data.csv", rows, POPREF)
    assert value(bcs.read(path), "population.population", "59172") == 2038.77906173258
    rows.append(row(POPREF, "2039.1", POPREF_MEASURE="PMUN"))
    path = write(tmp_path, "DS_POPULATIONS_REFERENCE_2023_data.csv", rows, POPREF)
    with pytest.raises(BarometreError, match="deux fois autrement"):
        bcs.read(path)


def test_populations_side_by_side(tmp_path: Path) -> None:
    rows = [
        row(POPREF, n, POPREF_MEASURE=m) for m, n in (("PMUN", 90), ("PCAP", 10), ("PTOT", 100))
    ]
    path = tmp_path / "api.json"
    path.write_text(json.dumps(melodi_answer("DS_POPULATIONS_REFERENCE", rows)), encoding="utf-8")
    assert value(bcs.read(path), "population.population", "59172") == 90


def test_a_dimension_that_the_file_lacks_is_no_fault(tmp_path: Path) -> None:
    """12. The edition of 2021 has neither OBS_STATUS nor the dimensions of the detailed table."""
    fixed = {"AGE": "Y_GE15", "EMPSTA_ENQ": "1", "RP_MEASURE": "POP"}
    for header in (NAVETTES_2021, NAVETTES_2023):
        rows = [
            row(header, 100, **fixed),
            row(header, 70, TRANS="5", **fixed),
            row(header, 30, WORK_AREA="10", **fixed),
        ]
        tables = bcs.read(write(tmp_path, "DS_RP_NAVETTES_PRINC_data.csv", rows, header))
        shares = bcs.compute(tables).set_index("indicateur")["valeur"]
        assert shares["part_actifs_voiture"] == 70
        assert shares["part_actifs_hors_commune"] == 70


@pytest.mark.parametrize("name", ["DS_FILOSOFI_CC", "DS_FILOSOFI_CC_2021", "ds_filosofi_cc"])
def test_identifiers_that_moved(tmp_path: Path, name: str) -> None:
    """14."""
    one = row(FILOSOFI, 18_550, FILOSOFI_MEASURE="MED_SL", UNIT_MEASURE="EUR_YR")
    tables = bcs.read(write(tmp_path, f"{name}_data.csv", [one], FILOSOFI))
    assert value(tables, "revenus.niveau_de_vie_median", "59172") == 18_550


@pytest.mark.parametrize(
    ("stem", "found"),
    [
        ("DS_RP_LOGEMENT_PRINC_2023_data", "DS_RP_LOGEMENT_PRINC"),
        ("DS_RP_LOGEMENT_PRINC_2023_CSV_FR", "DS_RP_LOGEMENT_PRINC"),
        ("DS_RP_LOGEMENT_PRINC_valenciennes", "DS_RP_LOGEMENT_PRINC"),
        ("ds_bpe_2024_data (1)", "DS_BPE"),
        ("reponse DS_FILOSOFI_CC", "DS_FILOSOFI_CC"),
        ("base_cc_logement_2023", ""),
    ],
)
def test_identifier_in_a_name(stem: str, found: str) -> None:
    assert identifier(stem) == found


def test_enterprises_are_not_establishments(tmp_path: Path) -> None:
    counts = [row(SIDE, 11, SIDE_MEASURE="BURE")]
    path = write(tmp_path, "DS_SIDE_CREA_ENT_COM_2025_data.csv", counts, SIDE)
    with pytest.raises(BarometreError, match="DS_SIDE_CREA_ENT_COM.*DS_SIDE_CREA_ETAB_COM"):
        bcs.read(path)
    renamed = write(tmp_path, "creations.csv", counts, SIDE)
    with pytest.raises(BarometreError, match="jamais entreprises"):
        bcs.read(renamed)
    both = [*counts, row(SIDE, 14, SIDE_MEASURE="UNIT_LOC_BURE")]
    with pytest.warns(SourceWarning):
        tables = bcs.read(write(tmp_path, "DS_SIDE_CREA_COM_data.csv", both, SIDE))
    assert value(tables, "etablissements.creations", "59172") == 14


def test_no_creation_is_an_absent_row(tmp_path: Path) -> None:
    rows = [row(SIDE, 14, y, SIDE_MEASURE="UNIT_LOC_BURE") for y in (2022, 2023)]
    rows.append(row(SIDE, 2, 2023, GEO="59001", SIDE_MEASURE="UNIT_LOC_BURE"))
    with pytest.warns(SourceWarning):
        tables = bcs.read(write(tmp_path, "DS_SIDE_CREA_ETAB_COM_data.csv", rows, SIDE))
    assert value(tables, "etablissements.creations", "59001", 2022) == 0
    said = tables.statuts.set_index(["code", "annee"])["motif"]
    assert said["59001", 2022] == "sans ligne dans le fichier, compté pour zéro"


def test_the_silence_of_an_answer_proves_nothing(tmp_path: Path) -> None:
    rows = [row(SIDE, 14, y, SIDE_MEASURE="UNIT_LOC_BURE") for y in (2022, 2023)]
    rows.append(row(SIDE, 2, 2023, GEO="59001", SIDE_MEASURE="UNIT_LOC_BURE"))
    path = tmp_path / "api.json"
    path.write_text(json.dumps(melodi_answer("DS_SIDE_CREA_ETAB_COM", rows)), encoding="utf-8")
    with pytest.warns(SourceWarning):
        tables = bcs.read(path)
    assert ("59001", 2022) not in tables["etablissements"].index


def test_years_and_months_in_one_column(tmp_path: Path) -> None:
    """15."""
    rows = [row(POPREF, n, y, POPREF_MEASURE="PMUN") for n, y in ((90, 2023), (7, "2023-01"))]
    path = write(tmp_path, "DS_POPULATIONS_REFERENCE_data.csv", rows, POPREF)
    assert bcs.read(path)["population"]["population"].to_dict() == {("59172", 2023): 90}
    (report,) = check_files(path)
    assert report.ignorees == 1


def test_two_sources_of_one_column(tmp_path: Path) -> None:
    """16. A detailed table repeats the figures of the main one: the same, or both are named."""
    header = "GEO;GEO_OBJECT;FREQ;TIME_PERIOD;RP_MEASURE;OCS;OBS_VALUE"
    series = [row(header, 1000, RP_MEASURE="DWELLINGS")]
    housing(tmp_path, *SIMPLE)
    write(tmp_path, "DS_RP_SERIE_HISTORIQUE_data.csv", series, header)
    assert value(bcs.read(tmp_path), "logements.logements", "59172") == 1000
    series[0]["OBS_VALUE"] = "1001"
    write(tmp_path, "DS_RP_SERIE_HISTORIQUE_data.csv", series, header)
    with pytest.raises(BarometreError) as refused:
        bcs.read(tmp_path)
    assert "DS_RP_LOGEMENT_PRINC_2023_data.csv" in str(refused.value)
    assert "DS_RP_SERIE_HISTORIQUE_data.csv" in str(refused.value)


# ---- what is not read ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DS_DEVDUR_data.csv", "DS_INCONNU_2030_data.csv"])
def test_a_data_set_that_is_not_read_says_which_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(BarometreError) as refused:
        bcs.read(write(tmp_path, name, [row(UNIONS, 3)], UNIONS))
    for words in ("Melodi", name.split("_data")[0].removesuffix("_2030"), "DS_RP_LOGEMENT_PRINC"):
        assert words in str(refused.value)


def test_a_data_set_without_name_is_told_by_its_dimensions(tmp_path: Path) -> None:
    tables = bcs.read(write(tmp_path, "export.csv", SIMPLE, LOGEMENT))
    assert value(tables, "logements.logements", "59172") == 1000
    with pytest.raises(BarometreError, match=r"dimensions \(EC_MEASURE, SEASONAL_ADJUST, MARSTA\)"):
        bcs.read(write(tmp_path, "export.csv", [row(UNIONS, 3)], UNIONS))


@pytest.mark.parametrize("text", ["", "[]", "{}", "[1]", '{"a": 1}', "{", '{"observations": [3]}'])
def test_any_json_gives_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reponse.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BarometreError, match=r"reponse\.json"):
        bcs.read(path)


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match="OBS_VALUE : cellules illisibles"):
        bcs.read(housing(tmp_path, dwelling("environ 10")))


def test_every_data_set_feeds_what_is_ours() -> None:
    cubes = load_cubes()
    fed = {target.vers for cube in cubes.values() for target in cube.colonnes}
    assert len(fed) > 40
    for cube in cubes.values():
        assert bool(cube.refus) != bool(cube.colonnes), cube.nom
        for target in cube.colonnes:
            for way in target.codes:
                assert cube.terms(way), target.vers
