"""Real producers' files, when they are there: nothing lost, nothing shifted, right years.

The reference is a plain pandas reading of the same file, written apart from the library's readers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.sources.reading import check_files
from tests.conftest import ROOT

FOLDER = ROOT.parent / "shared" / "data" / "insee"
pytestmark = [
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="producers' files are not ours to redistribute: absent here"
    ),
    pytest.mark.filterwarnings("ignore::barometre.sources.reading.SourceWarning"),
]


def plain(path: Path, separator: str = ";") -> pd.DataFrame:
    """Read every cell as text, then what looks like a French number as a number."""
    texts = pd.read_csv(path, sep=separator, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    return texts.rename(columns=str.strip)


def number(texts: pd.Series[str]) -> pd.Series[float]:
    cleaned = texts.str.replace(r"[\s\u00a0\u202f]", "", regex=True).str.replace(",", ".")
    return pd.to_numeric(cleaned, errors="coerce")


@dataclass(frozen=True)
class File:
    """A file, what it must be recognised as, and our columns with theirs (added up) and their year."""

    path: str
    family: str
    level: str
    code: str
    columns: dict[str, tuple[str, int]]
    separator: str = ";"
    left_out: tuple[str, ...] = ("Ensemble", "NA")
    recoded: dict[str, str] = field(default_factory=dict)


def filosofi(name: str, level: str, yy: int) -> File:
    year = 2000 + yy
    return File(
        f"filosofi/{name}.csv", "filosofi_disp", level, "CODGEO",
        {
            "revenus.menages_fiscaux": (f"NBMEN{yy}", year),
            "revenus.niveau_de_vie_median": (f"Q2{yy}", year),
            "revenus.niveau_de_vie_d1": (f"D1{yy}", year),
            "revenus.niveau_de_vie_d9": (f"D9{yy}", year),
            "revenus.part_prestations_sociales": (f"PPSOC{yy}", year),
            "publies.rapport_interdecile": ("RD", year),
        },
    )  # fmt: skip


LEVELS = {
    "COM": "commune", "EPCI": "epci", "DEP": "departement", "REG": "region",
    "METROPOLE": "france_metropolitaine",
}  # fmt: skip
FILES = [
    *(filosofi(f"FILO20{yy}_DISP_{short}", level, yy) for yy in (18, 19) for short, level in LEVELS.items()),
    *(filosofi(f"FILO20{yy}_DISP_{s}", LEVELS[s], yy) for yy in (14, 15, 16, 17) for s in ("DEP", "REG", "METROPOLE")),
    File(
        "filosofi/BASE_TD_FILO_DISP_IRIS_2019.csv", "filosofi_iris", "iris", "IRIS",
        {
            "revenus.niveau_de_vie_median": ("DISP_MED19", 2019),
            "revenus.taux_pauvrete": ("DISP_TP6019", 2019),
            "revenus.niveau_de_vie_d9": ("DISP_D919", 2019),
            "revenus.part_prestations_sociales": ("DISP_PPSOC19", 2019),
        },
    ),
    File(
        "qpv/IPRO_2021.csv", "sigville_ipro", "qpv", "CODGEO",
        {
            "demandeurs_emploi.demandeurs_abc": ("ABC", 2020),
            "demandeurs_emploi.demandeurs_abc_femmes": ("ABC_F", 2020),
            "demandeurs_emploi.demandeurs_abc_moins_26_ans": ("ABC_25", 2020),
            "demandeurs_emploi.demandeurs_abc_etrangers": ("ABC_E", 2020),
            "publies.taux_emploi_15_64": ("TX_TOT_EMPL", 2017),
            "publies.part_emplois_precaires": ("TX_TOT_EDLIM", 2017),
        },
    ),
    File(
        "qpv/DEMO_2021.csv", "sigville_demo", "qpv", "CODGEO",
        {
            "allocataires.allocataires": ("A", 2019),
            "allocataires.allocataires_monoparents": ("AM", 2019),
            "allocataires.allocataires_couples_avec_enfant": ("ACAVENF", 2019),
            "population.population": ("POP_MUN", 2018),
            "publies.part_menages_une_personne": ("TX_TOT_MEN1", 2017),
        },
    ),
    File(
        "qpv/REVN_2021.csv", "sigville_revn", "qpv", "CODGEO",
        {
            "revenus.niveau_de_vie_median": ("DISP_Q2", 2017),
            "revenus.taux_pauvrete": ("TP60", 2017),
            "revenus.niveau_de_vie_d1": ("DISP_D1", 2017),
            "revenus.niveau_de_vie_d9": ("DISP_D9", 2017),
            "sante.assures": ("C", 2020),
            "sante.beneficiaires_c2s": ("CC2S", 2020),
            "allocataires.allocataires_rsa_socle": ("ARSAS", 2019),
            "allocataires.allocataires_aah": ("AAAH", 2019),
        },
    ),
    File(
        "qpv/REVN_2022.csv", "sigville_revn", "qpv", "CODGEO",
        {
            "revenus.niveau_de_vie_median": ("DISP_Q2", 2018),
            "sante.assures": ("C", 2021),
            "sante.beneficiaires_c2s": ("C_C2SNP + C_C2SP", 2021),
            "allocataires.allocataires": ("A", 2020),
        },
    ),
    *(
        File(
            f"caf/data_CAF_{year}_IRIS.csv", "caf_iris_com_qp", "iris", "CODGEO",
            {
                "allocataires.allocataires": ("A", year),
                "allocataires.allocataires_monoparents": ("AM", year),
                "allocataires.allocataires_couples_avec_enfant": ("ACAVENF", year),
                "allocataires.allocataires_aah": ("AAAH", year),
                "allocataires.allocataires_rsa_socle": ("ARSAS", year),
            },
        )
        for year in (2019, 2020)
    ),
    File(
        "rp/dossier_complet_2022_extrait_nord.csv", "rp_dossier_complet", "commune", "CODGEO",
        {
            "population.population_60_74_ans": ("P22_POP6074", 2022),
            "population.population_75_ans_plus": ("P22_POP7589 + P22_POP90P", 2022),
            "familles.menages_une_personne": ("C22_MENPSEUL", 2022),
            "familles.familles_monoparentales": ("C22_FAMMONO", 2022),
            "activite.chomeurs_15_64_ans": ("P22_CHOM1524 + P22_CHOM2554 + P22_CHOM5564", 2022),
        },
    ),
    File(
        "observatoire/datacom.csv", "observatoire_kitscarto_com", "commune", "CODGEO",
        {
            "sante.apl_medecins_generalistes": ("ID_2", 2015),
            "publies.part_jeunes_non_inseres": ("ID_4", 2015),
            "publies.taux_emploi_15_64": ("ID_6", 2015),
            "publies.taux_logements_vacants": ("ID_7", 2015),
        },
    ),
    File(
        "observatoire/dataepci.csv", "observatoire_kitscarto_epci", "epci", "epci2018",
        {
            "sante.apl_medecins_generalistes": ("ID_2", 2015),
            "publies.taux_emploi_15_64": ("ID_6", 2015),
            "revenus.niveau_de_vie_median": ("ID_9", 2015),
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: Path(file.path).stem)
def test_nothing_is_lost(file: File) -> None:
    path = FOLDER / file.path
    tables = bcs.read(path)
    (report,) = check_files(path)
    assert (report.famille, report.niveau) == (file.family, file.level)
    raw = plain(path, file.separator)
    raw = raw[~raw[file.code].isin(file.left_out)]
    for ours, (theirs, year) in file.columns.items():
        table, column = ours.split(".")
        expected = sum(number(raw[name]) for name in theirs.split(" + "))
        assert isinstance(expected, pd.Series)
        here = tables[table].xs(year, level="annee")[column]
        assert len(here) == len(raw), ours
        assert here.notna().sum() == expected.notna().sum(), ours
        assert here.sum() == pytest.approx(expected.sum(), rel=1e-12), ours
        np.testing.assert_allclose(here.to_numpy(), expected.to_numpy(), rtol=1e-12)


def test_facilities_are_added_up() -> None:
    path = FOLDER / "bpe" / "bpe_2018_dep59.csv"
    raw = plain(path, ",")
    count = raw["NB_EQUIP"].astype(float)
    sport = count[raw["TYPEQU"].str.match(r"F1\d\d$")].groupby(raw["DEPCOM"]).sum()
    tables = bcs.read(path)["equipements"]
    assert set(tables.index.get_level_values("annee")) == {2018}
    ours = tables.xs(2018, level="annee")["equipements_sportifs"]
    assert len(ours) == raw["DEPCOM"].nunique()
    assert ours.sum() == sport.sum()
    pd.testing.assert_series_equal(
        ours[ours > 0].sort_index(), sport.sort_index(), check_names=False, check_index_type=False
    )


def test_the_panel_of_neighbourhoods_holds_its_years() -> None:
    path = FOLDER / "qpv" / "filosofi_qpv_panel_2012_2021.csv"
    raw = pd.read_csv(path, dtype={"code": str})
    ours = bcs.read(path)["revenus"]["taux_pauvrete"].dropna()
    expected = raw.set_index(["code", "annee"])["taux_pauvrete"].dropna()
    pd.testing.assert_series_equal(
        ours.sort_index(), expected.sort_index(), check_names=False, check_index_type=False
    )


def test_social_housing_by_neighbourhood_is_recognised() -> None:
    (report,) = check_files(FOLDER / "rpls" / "rpls_qpv_2022.csv")
    assert report.famille == "rpls_qpv"


def test_the_ratio_of_deciles_is_the_printed_one() -> None:
    tables = bcs.read(FOLDER / "qpv" / "REVN_2021.csv")
    results = bcs.compute(tables, "rapport_interdecile")
    computed = results[results["origine"] == "calcule"].set_index("code")["valeur"].dropna()
    printed = (
        tables["publies"].xs(2017, level="annee")["rapport_interdecile"].reindex(computed.index)
    )
    assert len(computed) > 1000
    # Deciles are printed to ten euros and their ratio to one decimal.
    assert ((computed - printed).abs() <= 0.05 + 0.01).all()


def test_several_files_of_one_table_are_joined() -> None:
    tables = bcs.read(
        FOLDER / "filosofi" / "FILO2018_DISP_COM.csv",
        FOLDER / "filosofi" / "FILO2019_DISP_COM.csv",
        FOLDER / "filosofi" / "FILO2019_DISP_EPCI.csv",
        FOLDER / "filosofi" / "FILO2019_DISP_REG.csv",
        FOLDER / "filosofi" / "FILO2019_DISP_DEP.csv",
    )
    medians = tables["revenus"]["niveau_de_vie_median"]
    assert medians["200042190", 2019] == 18_550
    assert medians["59", 2019] == 20_290
    assert medians["R32", 2019] == 20_360
    assert medians["59172", 2019] == 14_320
    assert set(medians.index.get_level_values("annee")) == {2018, 2019}


def test_the_47_communes_add_up_to_their_agglomeration() -> None:
    """Published facts: 63 016 households, a median of 18 550 that no mean of medians gives."""
    tables = bcs.read(FOLDER / "filosofi" / "FILO2019_DISP_COM.csv")
    with pytest.warns(UserWarning, match="zéro"):
        members = bcs.read_membership(FOLDER / "geo" / "communes_epci.csv", "epci")
    members = members[members == "200042190"]
    assert len(members) == 47
    union = bcs.aggregate(tables, members)
    published = bcs.read(FOLDER / "filosofi" / "FILO2019_DISP_EPCI.csv")
    assert of_the_ca(union, "revenus.menages_fiscaux", 2019) == 63_016
    assert of_the_ca(published, "revenus.menages_fiscaux", 2019) == 63_016
    assert np.isnan(of_the_ca(union, "revenus.niveau_de_vie_median", 2019))
    averaged = bcs.aggregate(tables, members, weighted_mean=True, weights=_households(tables))
    mean = of_the_ca(averaged, "revenus.niveau_de_vie_median", 2019)
    assert bcs.round_half_up(mean) == 18_704
    assert of_the_ca(published, "revenus.niveau_de_vie_median", 2019) == 18_550
    results = bcs.compute(averaged, "niveau_de_vie_median")
    assert set(results["origine"]) == {"estime"}


def of_the_ca(tables: bcs.Tables, column: str, year: int) -> float:
    table, name = column.split(".")
    values = tables[table][name].xs(year, level="annee")
    return float(values.to_numpy()[values.index == "200042190"][0])


def _households(tables: bcs.Tables) -> pd.Series[float]:
    return tables["revenus"]["menages_fiscaux"]


def test_the_accessibility_of_the_agglomeration_is_a_weighted_mean() -> None:
    """4.906 published; the population of 2015 is not here, that of 2018 gives it within 0.005."""
    communes = bcs.read(FOLDER / "observatoire" / "datacom.csv")
    with pytest.warns(UserWarning, match="zéro"):
        members = bcs.read_membership(FOLDER / "geo" / "communes_epci.csv", "epci")
    members = members[members == "200042190"]
    filosofi = bcs.read(FOLDER / "filosofi" / "FILO2018_DISP_COM.csv")["revenus"]
    people = filosofi["personnes_menages_fiscaux"].droplevel("annee")
    union = bcs.aggregate(communes, members, weighted_mean=True, weights=people)
    printed = bcs.read(FOLDER / "observatoire" / "dataepci.csv")
    published = of_the_ca(printed, "sante.apl_medecins_generalistes", 2015)
    assert bcs.round_half_up(published, 3) == 4.906
    mean = of_the_ca(union, "sante.apl_medecins_generalistes", 2015)
    assert mean == pytest.approx(published, abs=0.005)
