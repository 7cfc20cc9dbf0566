"""Every family of files: what identifies it apart from what feeds it, and where it is found."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.sources.reading import SourceWarning, check_files, families
from barometre.sources.wide.family import Family, Mapped, load_families, matches, named
from tests.test_sources import write

# The small files here have few columns: what they lack is told, and is not their matter.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*attendues? absente:barometre.sources.reading.SourceWarning"
)

YEARS = {"rp_logement_2022": 2022, "rp_dossier_complet_2022": 2022, "filosofi_qpv_avant_2018": 2015,
         "rp_comparateur": 2022, "sirene_teco": 2021}  # fmt: skip
CODES = {
    "commune": ("59172", "59446"),
    "epci": ("200042190", "245901160"),
    "departement": ("59", "62"),
    "region": ("32", "11"),
    "iris": ("591720101", "591720102"),
    "qpv": ("QP059050", "QP059051"),
}
FILES = {
    "base_tous_salaries": "base-cc-bases-tous-salaries-2021",
    "bpe": "bpe_2021_dep59",
    "caf_donnees_ouvertes": "s_ben_com_f",
    "caf_donnees_ouvertes_rsa": "rsa_s_type_com_f",
    "caf_iris_com_qp": "data_CAF2021_COM",
    "caf_libelles_com": "s_ben_com_f",
    "caf_libelles_dep": "s_ben_dep",
    "caf_libelles_epci": "s_ben_epci_f",
    "caf_donnees_ouvertes_dep": "s_ben_dep",
    "caf_donnees_ouvertes_epci": "s_ben_epci_f",
    "insee_defm_qpv": "DEFM2022",
    "filosofi_ensqp": "revenu-disponible-qp15-2021_ENSQP",
    "sigville_logt": "LOGT_2023",
    "sigville_educ": "EDUC_2022",
    "cnam_c2s": "data_CNAM2021_COM",
    "dares_defm": "dares_defm_communales-brutes",
    "dares_defm_libelles": "dares_defm_communales-brutes",
    "drees_apl": "APL 2021",
    "estimations_qpv_2024": "estimations-demographiques",
    "filosofi_cc": "base-cc-filosofi-2021",
    "filosofi_disp": "FILO2021_DISP_COM",
    "filosofi_disp_pauvres": "FILO2021_DISP_PAUVRES_COM",
    "filosofi_iris": "BASE_TD_FILO_DISP_IRIS_2021",
    "filosofi_qpv": "revenu-disponible-qp15-2021_QP",
    "filosofi_qpv_avant_2018": "revenu-disponible-quartiers-2015",
    "filosofi_qpv_classeur": "data_filo21_qp_revdis",
    "filosofi_qpv_panel": "filosofi_qpv_panel_2012_2021",
    "licences_sportives": "lic-data-2021",
    "observatoire_export": "neet_communes_2018",
    "observatoire_fragilites": "sans_medecin_traitant_declare_commune_2021",
    "observatoire_kitscarto_com": "datacom",
    "observatoire_kitscarto_epci": "dataepci",
    "rp_caracteristiques_emploi": "base-cc-caract_emp-2021",
    "rp_comparateur": "base_cc_comparateur",
    "rp_couples_familles_menages": "base-cc-coupl-fam-men-2021",
    "rp_diplomes_formation": "base-cc-diplomes-formation-2021",
    "rp_dossier_complet": "dossier_complet",
    "rp_dossier_complet_2022": "dossier_complet",
    "rp_emploi_pop_active": "base-cc-emploi-pop-active-2021",
    "rp_evol_struct_pop": "base-cc-evol-struct-pop-2021",
    "rp_ic_activite_residents": "base-ic-activite-residents-2021",
    "rp_ic_couples_familles_menages": "base-ic-couples-familles-menages-2021",
    "rp_ic_diplomes_formation": "base-ic-diplomes-formation-2021",
    "rp_ic_evol_struct_pop": "base-ic-evol-struct-pop-2021",
    "rp_ic_logement": "base-ic-logement-2021",
    "rp_logement": "base-cc-logement-2021",
    "rp_logement_2022": "base-cc-logement-2022",
    "rpls_communes": "data_RPLS2024_COM",
    "rpls_qpv": "rpls_qpv_2022",
    "sigville_demo": "DEMO_2021",
    "sigville_ipro": "IPRO_2021",
    "sigville_revn": "REVN_2022",
    "sirene_teco": "TECO_2021",
    "tauxcouv_annuel": "TAUXCOUV2021",
    "txcouv_pe_libelles": "txcouv_pe_com",
} | {
    f"{kind}_{level}": f"{kind}_{level}"
    for kind in ("nbpla_pe", "txcouv_pe")
    for level in ("com", "dep", "epci", "reg")
}  # fmt: skip
"""The name of a file of each family, as its producer gives it."""

CELLS = {
    r"\d{4}-T4|\d{4}-12(-\d{2})?": "2021-T4",
    r"F1\d\d": "F101",
    r"F3\d\d": "F303",
    "ABC|A, ?B, ?C": "ABC",
    "Total|Ensemble": "Total",
    "Femmes?": "Femmes",
}
"""A cell that each rule keeps; another rule is a word."""


def filled(family: Family, template: str) -> str:
    """Write a name of the vintage of the family."""
    year = YEARS.get(family.nom, 2021)
    text = template.replace("{yyyy}", str(year)).replace("{yy}", f"{year % 100:02d}")
    return text.replace("*", "x")


def header_of(family: Family) -> list[str]:
    """List what identifies a family, then all that feeds it at that vintage."""
    year = YEARS.get(family.nom, 2021)
    fed: dict[str, Mapped] = {}
    for mapped in family.colonnes:
        if mapped.depuis <= year <= mapped.jusqua:
            fed.setdefault(mapped.vers, mapped)
    feeding = [name for mapped in fed.values()
               for name in (*mapped.codes, *mapped.filtre, mapped.note)]  # fmt: skip
    names = [*family.code[:1], *family.libelle[:1], *family.annee_colonne[:1], *family.garder,
             *family.signature, *feeding]  # fmt: skip
    header: list[str] = []
    for template in names:
        if template and not matches(template, header):
            header.append(filled(family, template))
    return header


def rows_of(family: Family, header: list[str], *, zero: bool) -> list[list[str]]:
    """Fill rows that the family reads: two territories, the numbers of columns distinct, or 0."""
    hit = named(family, FILES[family.nom])
    level = family.niveau or family.niveaux.get(
        ((hit.groupdict().get("niveau") or "") if hit else "").upper(), "commune"
    )
    filters = [{**family.garder, **mapped.filtre} for mapped in family.colonnes] or [{}]
    rows = []
    for i, code in enumerate(CODES[level]):
        for rules in {tuple(sorted(kept.items())) for kept in filters}:
            given = {name: CELLS.get(rule, rule) for name, rule in rules}
            given |= dict.fromkeys(family.code, code) | dict.fromkeys(family.libelle, f"Lieu {i}")
            year = dict.fromkeys(set(family.annee_colonne) - set(family.garder), "2021")
            note = {mapped.note: "0" for mapped in family.colonnes if mapped.note}
            cells = note | year | given
            rows.append(
                [
                    cells.get(n, number(family, n, zero=zero, place=i + k))
                    for k, n in enumerate(header)
                ]
            )
    return rows


def number(family: Family, column: str, *, zero: bool, place: int) -> str:
    """Write a number: distinct, or such that no part is above its total."""
    rates = [m for m in family.colonnes if m.table == "publies"]
    rate = any(matches(template, [column]) for mapped in rates for template in mapped.codes)
    return ("2" if rate else "0") if zero else str(12 + place % 60)


Cells = dict[tuple[str, str, str, int], float]


def read_cells(tables: bcs.Tables) -> Cells:
    cells: Cells = {}
    for name in tables:
        for column, values in tables[name].items():
            given = values.dropna()
            for (code, year), value in zip(given.index.tolist(), given.tolist(), strict=True):
                cells[name, str(column), code, year] = value
    return cells


def read(
    folder: Path, family: Family, header: list[str], rows: list[list[str]]
) -> tuple[Cells, str]:
    """Read a file of the family: its cells, and all that is told."""
    lines = [";".join(header), *(";".join(row) for row in rows)]
    path = write(folder, f"{FILES[family.nom]}.csv", *lines)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        tables = bcs.read(path)
    return read_cells(tables), "\n".join(str(warning.message) for warning in told)


def whole_file(folder: Path, family: Family) -> tuple[list[str], list[list[str]], Cells]:
    """Give a file of the family that is read: parts above their total are put to zero."""
    header = header_of(family)
    try:
        rows = rows_of(family, header, zero=False)
        return header, rows, read(folder, family, header, rows)[0]
    except BarometreError:
        rows = rows_of(family, header, zero=True)
        return header, rows, read(folder, family, header, rows)[0]


def used(template: str, column: str, header: list[str]) -> bool:
    return any(column in found for found in matches(template, header).values())


def some_of(family: Family, header: list[str]) -> list[tuple[int, str]]:
    """List the columns to drop: all, or of a file of many what identifies it and one in ten."""
    key = [*family.signature, *family.code, *family.annee_colonne, *family.garder]
    return [
        (place, name)
        for place, name in enumerate(header)
        if len(header) < 60 or place % 10 == 0 or any(matches(t, [name]) for t in key)
    ]


@pytest.mark.parametrize("name", sorted(load_families()))
def test_a_file_without_one_of_its_columns(tmp_path: Path, name: str) -> None:
    """It is read without it, or refused in words that name a column one cannot do without."""
    family = load_families()[name]
    if not family.colonnes:  # recognised, and nothing is read in it
        return
    header, rows, whole = whole_file(tmp_path, family)
    assert whole
    optional = {m.vers for m in family.colonnes if m.facultatif or family.au_choix}
    outcomes = set()
    for place, dropped in some_of(family, header):
        short = [n for i, n in enumerate(header) if i != place]
        less = [[c for i, c in enumerate(row) if i != place] for row in rows]
        feeds = {m.vers for m in family.colonnes if any(used(t, dropped, header) for t in m.codes)}
        try:
            cells, told = read(tmp_path, family, short, less)
        except BarometreError as error:
            refusal = str(error)
            cells, told = {}, ""
        else:
            refusal = ""
        lost = {f"{table}.{column}" for table, column, *_ in whole.keys() - cells.keys()}
        if refusal:
            outcomes.add("refused")
            needed = [*family.code, *family.annee_colonne, *family.garder]
            needed += [n for m in family.colonnes for n in (*m.filtre, *m.codes)]
            shown = [t for t in needed if matches(t, [dropped]) and t in refusal]
            assert shown, (dropped, refusal)
        else:
            outcomes.add("read")
            assert cells.items() <= whole.items(), dropped
            assert lost <= feeds, dropped
            # A panel without one of its two figures has the form of a table of ours.
            expected = set() if name == "filosofi_qpv_panel" else lost - optional
            assert all(column in told for column in expected), (dropped, told)
    assert outcomes  # every family has a column


def test_a_file_is_given_for_every_family() -> None:
    assert FILES.keys() == load_families().keys()
    unnamed = [f.nom for f in load_families().values() if f.noms and not named(f, FILES[f.nom])]
    assert unnamed == []


def test_every_family_says_where_its_files_are_found() -> None:
    known = families()
    assert known["ou"].str.len().gt(20).all()
    assert known["ou"].str.contains(r"\.fr\b|Observatoire des fragilités|panel assemblé").all()


# ---- empty cells -------------------------------------------------------------------------------


def reasons(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SourceWarning)
        statuts = bcs.read(path).statuts
    return {
        (str(row.code), str(row.colonne)): (str(row.statut), str(row.motif))
        for row in statuts.itertuples()
    }


def test_an_empty_cell_is_what_the_producer_says(tmp_path: Path) -> None:
    header = "CODGEO;NOTE;A;PERCOU;AI;AM;ACSSENF;ACAVENF;AC3ENF;ENF;AAAH;ARSAS"
    rows = ["591720101;0;900;2100;300;100;90;310;80;700;60;", "591720102;3;;;;;;;;;;",
            "591720103;;;;;;;;;;;", "591720104;0;900;2100;300;100;90;310;80;700;60;200"]  # fmt: skip
    said = reasons(write(tmp_path, "data_CAF2021_IRIS.csv", header, *rows))
    hidden = ("secret", "cellule vide : secret statistique du producteur")
    assert said["591720101", "allocataires_rsa_socle"] == hidden
    assert said["591720102", "allocataires"] == ("secret", "NOTE = 3")
    # A row without note is of a place that the file does not cover.
    unknown = ("non_disponible", "non diffusé par le producteur")
    assert said["591720103", "allocataires"] == unknown


def test_without_a_note_the_reason_claims_nothing(tmp_path: Path) -> None:
    header = "CODGEO;NBUC19;Q219;D919;PIMPOT19;PPSOC19"
    path = write(tmp_path, "FILO2019_DISP_COM.csv", header, "59172;8000;14000;30000;-10;25",
                 "59446;300;15000;;;")  # fmt: skip
    found = reasons(path)["59446", "niveau_de_vie_d9"]
    assert found == ("secret", "non diffusé par le producteur")


def test_a_census_share_of_a_neighbourhood_is_not_called_secret(tmp_path: Path) -> None:
    header = "CODGEO;POP_MUN;IND_JEUNE;TX_TOT_MEN1;TX_TOT_ET;NOTE_RP;A;AM;ACAVENF;NOTE_CNAF"
    rows = ["QP059050;2400;1,8;32,5;;0;900;100;310;0", "QP974001;2400;;;;6;900;100;310;0",
            "QP059051;2400;1,9;33,5;12,5;0;900;100;310;0"]  # fmt: skip
    said = reasons(write(tmp_path, "DEMO_2021.csv", header, *rows))
    unknown = ("non_disponible", "non diffusé par le producteur")
    assert said["QP059050", "part_population_etrangere"] == unknown
    assert said["QP974001", "indice_jeunesse"] == ("non_disponible", "NOTE_RP = 6")


# ---- a year that is not established --------------------------------------------------------------


@pytest.mark.parametrize("year", [2017, 2018])
def test_census_shares_of_an_unknown_year_are_not_read(tmp_path: Path, year: int) -> None:
    header = "CODGEO;POP_MUN;IND_JEUNE;TX_TOT_MEN1;TX_TOT_ET;A;AM;ACAVENF;NOTE_CNAF"
    row = "QP059050;2400;1,8;32,5;12,1;900;100;310;0"
    demo = write(tmp_path, f"DEMO_{year}.csv", header, row)
    with pytest.warns(SourceWarning, match="TX_TOT_MEN1.*année du recensement non établie"):
        tables = bcs.read(demo)
    assert "publies" not in tables
    assert tables["population"].index.tolist() == [("QP059050", 2013)]
    header = "CODGEO;TX_TOT_EMPL;TX_TOT_EPREC;ABC;ABC_F;ABC_DUR4;NOTE_PE"
    ipro = write(tmp_path, f"IPRO_{year}.csv", header, "QP059050;34,1;25,6;2149;902;608;0")
    with pytest.warns(SourceWarning, match="TX_TOT_EMPL, TX_TOT_EPREC : année du recensement"):
        tables = bcs.read(ipro)
    assert "publies" not in tables


def test_census_shares_are_dated_from_the_file_of_2019_on(tmp_path: Path) -> None:
    header = "CODGEO;TX_TOT_EMPL;TX_TOT_EPREC;ABC;ABC_F;ABC_DUR4;NOTE_PE"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SourceWarning)
        tables = [
            bcs.read(
                write(tmp_path, f"IPRO_{y}.csv", header, f"QP059050;{y - 1985},5;25,6;9;5;6;0")
            )
            for y in (2019, 2020)
        ]
    rates = [t["publies"]["taux_emploi_15_64"].dropna().to_dict() for t in tables]
    assert rates == [{("QP059050", 2015): 34.5}, {("QP059050", 2016): 35.5}]


def test_the_case_of_the_column_of_codes_does_not_count(tmp_path: Path) -> None:
    header = "codGeo;NBUC19;Q219;D919;PIMPOT19"
    path = write(tmp_path, "FILO2019_DISP_COM.csv", header, "59172;8000;14000;30000;-10")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SourceWarning)
        assert np.isclose(bcs.read(path)["revenus"]["niveau_de_vie_median"].iloc[0], 14_000)


# ---- other editions and copies of a file ---------------------------------------------------------


def read_quiet(path: Path) -> bcs.Tables:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SourceWarning)
        return bcs.read(path)


def test_sets_of_neighbourhoods_are_not_the_territory_that_they_lie_in(tmp_path: Path) -> None:
    header = "CODGEO;LIBGEO;DISP_TP60_A21;DISP_MED_A21"
    rows = ["200042190;CA de la Porte du Hainaut;48,1;14210", "59;Nord;45,2;14500",
            "00;France métropolitaine;42,6;15010"]  # fmt: skip
    tables = read_quiet(write(tmp_path, "revenu-disponible-qp15-2021_ENSQP.csv", header, *rows))
    assert tables["revenus"]["taux_pauvrete"].to_dict() == {
        ("ENSQP_200042190", 2021): 48.1,
        ("ENSQP_59", 2021): 45.2,
        ("ENSQP_METRO", 2021): 42.6,
    }
    assert tables.territoires["niveau"].tolist() == [
        "ensemble_qpv_epci", "ensemble_qpv_departement", "ensemble_qpv_france"
    ]  # fmt: skip
    levels = set(bcs.compute(tables)["code"])
    assert not levels & {"200042190", "59", "METRO"}


def test_neighbourhoods_and_their_sets_in_one_archive(tmp_path: Path) -> None:
    header = "CODGEO;LIBGEO;DISP_TP60_A21;DISP_MED_A21"
    with zipfile.ZipFile(tmp_path / "revenus_pauvrete_2021_qp15.zip", "w") as archive:
        archive.writestr("revenu-disponible-qp15-2021_QP.csv",
                         f"{header}\nQP059050;QP059050;48,1;14210\n")  # fmt: skip
        archive.writestr("revenu-disponible-qp15-2021_ENSQP.csv", f"{header}\n59;Nord;45,2;14500\n")
        archive.writestr(
            "meta_indic-revenu-disponible-qp15-2021_QP.csv",
            "COD_VAR;LIB_VAR;COD_MOD;LIB_MOD\nCODGEO;Quartier;QP059050;Chabaud-Latour\n"
            "DISP_MED_A21;Médiane;;\n",
        )
    tables = read_quiet(tmp_path / "revenus_pauvrete_2021_qp15.zip")
    assert sorted(tables["revenus"].index.get_level_values("code")) == ["ENSQP_59", "QP059050"]
    assert tables.territoires.loc["QP059050", "libelle"] == "Chabaud-Latour"


def test_the_newest_comparator_is_read(tmp_path: Path) -> None:
    header = "CODGEO;P22_POP;SUPERF;P22_LOG;P22_RP;P22_RP_PROP;P22_EMPLT_SAL;MED_SL23;PR_MD60_23"
    rows = ["59172;20000;11;9500;8600;3000;7000;15210;41,5", "59001;300;5;150;vm;90;20;vm;vm"]
    tables = read_quiet(write(tmp_path, "base_cc_comparateur.csv", header, *rows))
    assert tables["revenus"]["niveau_de_vie_median"]["59172", 2023] == 15_210
    assert tables["revenus"]["taux_pauvrete"]["59172", 2023] == 41.5
    assert tables["logements"]["logements"]["59172", 2022] == 9_500
    said = tables.statuts.set_index(["code", "colonne"])["statut"]
    assert said["59001", "residences_principales"] == "non_disponible"
    assert said["59001", "niveau_de_vie_median"] == "non_disponible"


def test_a_column_with_its_own_vintage_is_not_called_absent(tmp_path: Path) -> None:
    header = "CODGEO;P22_POP;SUPERF;P22_RP_PROP;P22_EMPLT_SAL;MED21;TP6021"
    path = write(tmp_path, "base_cc_comparateur.csv", header, "59172;20000;11;3000;7000;14890;43")
    with pytest.warns(SourceWarning) as told:
        bcs.read(path)
    assert not any("niveau_de_vie_median" in str(w.message) for w in told)


def test_housing_of_neighbourhoods(tmp_path: Path) -> None:
    header = "codGeo;libGeo;nbLsPls;txLsRp;partResVac;partResPrincSurocc;partResPrincAch19;partResPrincAch19_45"
    row = "QP059050;Centre;850;52,1;11,5;9,8;20,5;18,1"
    tables = read_quiet(write(tmp_path, "LOGT_2023.csv", header, row))
    found = read_cells(tables)
    assert found == {
        ("publies", "taux_logements_vacants", "QP059050", 2019): 11.5,
        ("publies", "taux_surpeuplement", "QP059050", 2019): 9.8,
        ("publies", "part_residences_avant_1946", "QP059050", 2019): pytest.approx(38.6),
        ("publies", "part_logements_sociaux", "QP059050", 2021): 52.1,
    }


def test_schooling_of_neighbourhoods(tmp_path: Path) -> None:
    header = "CODGEO;LIBGEO;TX_NSNE_16A25;TX_TOT_DIPLBAC2;EFF_E6;RET_E6"
    tables = read_quiet(
        write(tmp_path, "EDUC_2022.csv", header, "QP059050;Centre;31,2;12,4;96;14,2")
    )
    assert tables["publies"]["part_diplomes_superieur"]["QP059050", 2018] == 12.4
    results = bcs.compute(tables).set_index(["code", "annee", "indicateur"])["valeur"]
    # 16 to 25 years old: never the indicator of 15 to 24.
    assert results["QP059050", 2018, "part_jeunes_non_inseres_16_25"] == 31.2
    assert "part_jeunes_non_inseres" not in results.index.get_level_values("indicateur")


def test_job_seekers_without_the_census(tmp_path: Path) -> None:
    header = "CODGEO;LIBGEO;ABCDE;ABC;ABC_F;A;ABC_25;ABC_E;ABC_DUR4;NOTE_PE"
    row = "QN05950M;Centre;2400;2149;902;1400;419;300;608;0"
    tables = read_quiet(write(tmp_path, "DEFM2024_QP24.csv", header, row))
    assert tables["demandeurs_emploi"]["demandeurs_abc"].to_dict() == {("QN05950M", 2024): 2149}
    # By another name, nothing tells the year: the columns are those of IPRO.
    with pytest.raises(BarometreError):
        read_quiet(write(tmp_path, "demandeurs.csv", header, row))


@pytest.mark.parametrize(
    ("name", "header", "row", "code", "level"),
    [
        ("s_ben_epci_f", "dtreffre;numepci;nomepci;indfoy_rsa", "200042190;CA", "200042190", "epci"),
        ("s_ben_dep", "dtreffre;numdep;nomdep;indfoy_rsa;indfoy_aah", "59;Nord", "59", "departement"),
        ("s_ben_com_f", "dtreffre;numcomdo;nomcom;indfoy_rsa", "59172;Denain", "59172", "commune"),
        ("export", "Date référence;Numéro commune;Nom commune;Nombre foyers RSA;Montant total RSA",
         "59172;Denain", "59172", "commune"),
    ],
)  # fmt: skip
def test_open_data_of_the_caf_at_every_level(
    tmp_path: Path, name: str, header: str, row: str, code: str, level: str
) -> None:
    numbers = ";".join(["1260"] + ["35"] * (header.count(";") - 3))
    tables = read_quiet(write(tmp_path, f"{name}.csv", header, f"2024-12-01;{row};{numbers}"))
    assert tables["allocataires"]["allocataires_rsa_socle"].to_dict() == {(code, 2024): 1260}
    assert tables.territoires.loc[code, "niveau"] == level


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("s_ben_nat", "dtreffre;indfoy_ndur;indfoy_rsa", "2024-12-01;13000000;1800000"),
        ("s_ben_nat", "Date référence;Nombre foyers NDUR;Nombre foyers RSA", "2024-12-01;13000000;1800000"),
        ("txcouv_pe_nat", "annee;national;txcouv_nat", "2022;France;60,3"),
    ],
)  # fmt: skip
def test_a_national_line_is_set_aside_beside_others(
    tmp_path: Path, name: str, header: str, row: str
) -> None:
    write(tmp_path, f"{name}.csv", header, row)
    write(tmp_path, "logements.csv", "code;annee;logements;logements_vacants", "59172;2021;1000;80")
    assert list(bcs.read(tmp_path)) == ["logements"]


def test_a_label_is_taken_from_another_file(tmp_path: Path) -> None:
    header = "CODGEO;POP_MUN;IND_JEUNE;TX_TOT_MEN1;TX_TOT_ET;A;AM;ACAVENF;NOTE_CNAF"
    write(tmp_path, "A_DEMO_2021_QP.csv", header, "QP059050;2400;1,8;32,5;12,1;900;100;310;0")
    header = "CODGEO;LIBGEO;TX_TOT_EMPL;TX_TOT_EDLIM;ABC;ABC_F;ABC_DUR4;NOTE_PE"
    write(tmp_path, "IPRO_2021.csv", header, "QP059050;Chabaud-Latour;34,1;25,6;2149;902;608;0")
    tables = read_quiet(tmp_path)
    assert tables.territoires.loc["QP059050", "libelle"] == "Chabaud-Latour"


def test_a_sheet_of_districts_is_not_read_beside_communes(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    header = ["CODGEO", "LIBGEO", "P22_LOG", "P22_LOGVAC", "P22_RP", "P22_RP_LOCHLMV",
              "P22_RP_ACH1919", "P22_RP_ACH1945", "P22_RP_ACHTOT"]  # fmt: skip
    rows = {
        "COM_2022": ["75056", "Paris", 1_400_000, 130_000, 1_100_000, 250_000, 9, 9, 99],
        "ARM_2022": ["75101", "Paris 1er", 14_000, 2_000, 9_000, 700, 9, 9, 99],
    }
    for name, row in rows.items():
        sheet = book.create_sheet(name)
        for title in ("Logement en 2022", "Source : Insee", "", "Libellés"):
            sheet.append([title])
        sheet.append(header)
        sheet.append(row)
    book.create_sheet("Variables_2022").append(["VARIABLE", "LIBELLE"])
    path = tmp_path / "base-cc-logement-2022.xlsx"
    book.save(path)
    assert read_quiet(path)["logements"].index.tolist() == [("75056", 2022)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SourceWarning)
        genres = {r.fichier.split("[")[-1].rstrip("]"): r.genre for r in check_files(path)}
    assert genres == {
        "COM_2022": "valeurs",
        "ARM_2022": "arrondissements",
        "Variables_2022": "notice",
    }


def test_a_file_that_feeds_nothing_says_so(tmp_path: Path) -> None:
    unknown = write(tmp_path, "apl.csv", "codgeo;libgeo;an;apl_mg_hmep", "59172;Denain;2021;3,2")
    with pytest.raises(BarometreError, match=r"aucune valeur à lire.*apl_mg_hmep"):
        bcs.read(unknown)
    known = write(tmp_path, "neet.csv", "codgeo;libgeo;an;part_non_inseres", "59172;Denain;2021;31")
    with pytest.warns(SourceWarning, match=r"apl\.csv : .*apl_mg_hmep"):
        tables = bcs.read(known, unknown)
    assert read_cells(tables) == {("publies", "part_jeunes_non_inseres", "59172", 2021): 31.0}
    renamed = write(tmp_path, "REVN_2022.csv", "CODGEO;LIBGEO;DISP;TAUX", "QP059050;Centre;1;2")
    with pytest.raises(BarometreError, match="REVN_2022"):
        bcs.read(renamed)


def test_a_family_without_column_of_ours_says_why(tmp_path: Path) -> None:
    path = write(
        tmp_path, "rpls_qpv_2022.csv", "CodGeo;LibGeo;nbLsPls;txVac", "QP059050;Centre;500;2"
    )
    with pytest.warns(SourceWarning, match="Aucune colonne n'est lue : nbLsPls compte"):
        assert not len(bcs.read(path))
