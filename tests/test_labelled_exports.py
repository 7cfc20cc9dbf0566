"""Exports "with labels": names of territories for codes, words for dimensions and columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.sources.forms.melodi.labelled import code_of, folded
from barometre.sources.reading import SourceWarning

RECENSEMENT = '"Géographie";"Niveau Géo";"Sexe";"Âge";"Mesure du recensement ";Période;Valeur'
LOGEMENT = (
    '"Géographie";"Niveau Géo";"Catégorie de logement";"Durée de séjour";"Type de logement";'
    '"Combustible";"Nombre de voitures du ménage";"Mesure du recensement ";"Garage-box-parking";'
    '"Nombre de pièces du logement";"Statut d’occupation du logement";'
    '"Période d’achèvement du logement";Période;Valeur'
)
FILOSOFI = (
    '"Géographie";"Niveau Géo";"Tranche d\'âge du référent fiscal";"Mesures filosofi";'
    '"Unité de mesure";"Quantité d\'unités (en puissance de 10)";"Statut de confidentialité";'
    '"Statut de l\'observation";Période;Valeur'
)
MEDIAN = "Niveau de vie médian (en euros)"
DARES = (
    "Date;Code région;Région;Code département;Département;Code commune;Commune;Type de données;"
    "Catégorie;Sexe;Tranche d'âge;Nombre de demandeurs d'emploi"
)


def write(folder: Path, name: str, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def people(
    name: str, value: str, *, age: str = "Total", sex: str = "Total", level: str = "Commune"
) -> str:
    return f'"{name}";"{level}";"{sex}";"{age}";"Population";2022;{value}'


def census(folder: Path, *rows: str) -> Path:
    return write(folder, "POP_RECENSEMENT.csv", RECENSEMENT, *rows)


def names(folder: Path, *rows: str) -> Path:
    return write(folder, "territoires.csv", "code;libelle;niveau", *rows)


def test_names_of_france_take_their_codes(tmp_path: Path) -> None:
    rows = (
        people("Denain", "20312,5"),
        people("Denain", "900", age="80 ans ou plus"),
        people("Denain", "9000", sex="Femme"),
        people("Les Ulis", "25633"),
        people(
            "Communauté d'agglomération de la Porte du Hainaut",
            "158351",
            level="Etablissement public de coopération intercommunal",
        ),
        people("Nord", "2600000", level="Département"),
        people("Hauts-de-France", "6000000", level="Région"),
        people("France métropolitaine", "65000000", level="France"),
        people("France", "68000000", level="France"),
        people("Lens", "1", level="Zone d'emploi 2020"),
    )
    tables = bcs.read(census(tmp_path, *rows))
    given = tables["population"]["population"].droplevel("annee").dropna().to_dict()
    assert given == {
        "59172": 20312.5, "91692": 25633, "200042190": 158351, "59": 2600000, "R32": 6000000,
        "METRO": 65000000,
    }  # fmt: skip
    assert tables["familles"]["personnes_80_ans_plus"]["59172", 2022] == 900
    assert tables.territoires.loc["59172", "libelle"] == "Denain"


def test_homonyms_are_refused_unless_a_list_tells(tmp_path: Path) -> None:
    path = census(tmp_path, people("Massy", "50597"))
    with pytest.raises(BarometreError, match=r"homonymes : Massy \(76415, 91377\)") as refused:
        bcs.read(path)
    assert "exporter à nouveau le jeu avec ses codes" in str(refused.value)
    tables = bcs.read(path, names(tmp_path, "91377;Massy;commune"))
    assert tables["population"]["population"]["91377", 2022] == 50597
    # In whatever order they are given: what needs the others is read last.
    both = names(tmp_path, "91377;Massy;commune", "71288;Massy;commune")
    with pytest.raises(BarometreError, match="homonymes"):
        bcs.read(both, path)


def test_names_without_code(tmp_path: Path) -> None:
    path = census(tmp_path, people("Ville imaginaire", "10"))
    with pytest.raises(BarometreError, match="code est inconnu : Ville imaginaire"):
        bcs.read(path)
    path = census(
        tmp_path, people("Ville imaginaire", "10"), people("Denain", "20"), people("Lourches", "30")
    )
    with pytest.warns(SourceWarning, match="1 territoire sans code, non lus : Ville imaginaire"):
        tables = bcs.read(path)
    assert set(tables["population"].index.get_level_values("code")) == {"59172", "59361"}


def test_dwellings_with_labels(tmp_path: Path) -> None:
    def row(value: str, **cells: str) -> str:
        shown = {"ocs": "Total", "cars": "Total", "tsh": "Total", "built": "Total"} | cells
        return (
            f'"Denain";"Commune";"{shown["ocs"]}";"Total";"Total";"Total";"{shown["cars"]}";"Logements";'
            f'"Total";"Total";"{shown["tsh"]}";"{shown["built"]}";2022;{value}'
        )

    homes = "Résidences principales"
    periods = ("Avant 1919", "De 1919 à 1945", "De 1946 à 1970", "De 1971 à 1990", "De 1991 à 2005",
               "De 2006 à AAAA")  # fmt: skip
    rows = [row("1000"), row("900", ocs=homes), row("80", ocs="Logements vacants"),
            row("300", ocs=homes, tsh="Locataire de logement parc social vide"),
            row("500", ocs=homes, cars="Ménage disposant d’une seule voiture"),
            row("100", ocs=homes, cars="Ménage disposant de deux voitures ou plus"),
            *(row("100,5", ocs=homes, built=period) for period in periods)]  # fmt: skip
    tables = bcs.read(write(tmp_path, "LOGEMENT_CARAC.csv", LOGEMENT, *rows))
    results = bcs.compute(tables).set_index("indicateur")["valeur"]
    assert results["taux_logements_vacants"] == 8
    assert results["part_logements_sociaux"] == pytest.approx(100 / 3)
    assert results["part_menages_sans_voiture"] == pytest.approx(100 / 3)
    assert results["part_residences_avant_1946"] == pytest.approx(100 / 3)


def test_incomes_with_labels(tmp_path: Path) -> None:
    rows = [
        f'"{name}";"Commune";"{age}";"{MEDIAN}";"Euros par an";"Unités";"{status}";"Normale";2021;{value}'
        for name, age, status, value in (
            ("Denain", "Total", "Diffusable", "14320"),
            ("Denain", "75 ans ou plus", "Diffusable", "16000"),
            ("Lourches", "Total", "Confidentiel (secret statistique)", ""),
        )
    ]
    tables = bcs.read(write(tmp_path, "POP_FILOSOFI_AGE.csv", FILOSOFI, *rows))
    results = bcs.compute(tables, "niveau_de_vie_median").set_index("code")
    assert results.loc["59172", "valeur"] == 14_320
    assert results.loc["59361", "statut"] == "secret"


def test_unknown_dimension_of_a_labelled_export(tmp_path: Path) -> None:
    header = RECENSEMENT.replace('"Âge"', '"Âge";"Nationalité"')
    row = '"Denain";"Commune";"Total";"Total";"Total";"Population";2022;1'
    with pytest.raises(BarometreError, match="Nationalité"):
        bcs.read(write(tmp_path, "DS_RP_POPULATION_PRINC.csv", header, row))


@pytest.mark.parametrize(
    ("dimension", "label", "code"),
    [
        ("AGE", "De 15 à 64 ans", "Y15T64"),
        ("AGE", "80 ans ou plus", "Y_GE80"),
        ("AGE", "Moins de 20 ans", "Y_LT20"),
        ("BUILD_END", "De 2006 à AAAA", "Y2006TAAAA"),
        ("BUILD_END", "Avant 1919", "Y_LT1919"),
        ("SEX", "TOTAL", "_T"),
        ("STUD_AREA", "Hors champ", "_Z"),
        ("SEX", "Autre", "Autre"),
    ],
)
def test_labels_become_codes(dimension: str, label: str, code: str) -> None:
    assert code_of(dimension, label) == code


def test_folding() -> None:
    assert folded("  Période d’achèvement\u00a0du  logement ") == "periode d'achevement du logement"


def test_job_seekers_with_labels(tmp_path: Path) -> None:
    rows = [
        f"{when};32;Hauts-de-France;59;Nord;59172;Denain;Brutes;{kind};{sex};{age};{n}"
        for when, kind, sex, age, n in (
            ("2023-T4", "ABC", "Total", "Total", 2340), ("2023-T4", "ABC", "Femmes", "Total", 1050),
            ("2023-T4", "A", "Total", "Total", 1500), ("2023-T3", "ABC", "Total", "Total", 9999),
            ("2023-T4", "ABC", "Total", "Moins de 25 ans", 300),
        )
    ]  # fmt: skip
    path = write(tmp_path, "export.csv", DARES, *rows, encoding="utf-8-sig")
    tables = bcs.read(path)
    assert tables["demandeurs_emploi"]["demandeurs_abc"]["59172", 2023] == 2340
    assert tables["demandeurs_emploi"]["demandeurs_abc_femmes"]["59172", 2023] == 1050


@pytest.mark.parametrize(
    ("level", "header", "code"),
    [
        ("com", "Numéro commune;Nom commune", "59172"),
        ("epci", "Numéro EPCI;Nom EPCI", "200042190"),
        ("dep", "Numéro Département;Nom Département", "59"),
    ],
)
@pytest.mark.parametrize("benefits", [("NDUR", "RSA", "AAH"), ("RSA", "PPA"), ("AAH",)])
def test_caf_exports_with_labels(
    tmp_path: Path, level: str, header: str, code: str, benefits: tuple[str, ...]
) -> None:
    """Whatever the benefits chosen: three prefixes, not a list."""
    prefixes = ("Nombre foyers", "Nombre personnes", "Montant total")
    columns = ";".join(f"{prefix} {benefit}" for benefit in benefits for prefix in prefixes)
    values = ";".join(f"{100 - 10 * i};{200 * i};{1000 * i}" for i, _ in enumerate(benefits))
    path = write(tmp_path, f"s_ben_{level}_f.csv", f"Date référence;{header};{columns}",
                 f"2024-12;{code};Ici;{values}", encoding="utf-8-sig")  # fmt: skip
    with pytest.warns(SourceWarning, match="jamais vus"):
        tables = bcs.read(path)
    table = tables["allocataires"].iloc[0]
    assert tables["allocataires"].index[0] == (code, 2024)
    expected = {"NDUR": "allocataires", "RSA": "allocataires_rsa_socle", "AAH": "allocataires_aah"}
    for benefit, column in expected.items():
        if benefit in benefits:
            assert table[column] == 100 - 10 * benefits.index(benefit)
        else:
            assert np.isnan(table[column])


# ---- childcare -----------------------------------------------------------------------------------

LEVELS = {
    "com": ("numcom;nomcom;numepci;nomepci;numdep;nomdep", "59172;Denain;200042190;CA;59;Nord", "59172"),
    "epci": ("numepci;nomepci;numdep;nomdep", "200042190;CA;59;Nord", "200042190"),
    "dep": ("numdep;nomdep", "59;Nord", "59"),
    "reg": ("numregi;nomregi", "32;Hauts-de-France", "R32"),
}  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.filterwarnings("ignore:.*jamais vus")
def test_childcare_at_every_level(tmp_path: Path, level: str) -> None:
    header, place, code = LEVELS[level]
    write(tmp_path, f"txcouv_pe_{level}.csv",
          f"annee;{header};txcouv_psu_col_{level};txcouv_ind_{level};txcouv_{level}",
          f"2022;{place};10;20;33,5")  # fmt: skip
    write(tmp_path, f"nbpla_pe_{level}.csv",
          f"annee;{header};pl_psu_col_{level};tot_offre_{level}", f"2022;{place};10;63")  # fmt: skip
    tables = bcs.read(tmp_path)
    assert tables["publies"]["taux_couverture_accueil_jeune_enfant"][code, 2022] == 33.5
    assert tables["accueil_jeune_enfant"]["places_accueil"][code, 2022] == 63


@pytest.mark.parametrize("swapped", [False, True])
def test_the_recent_file_has_revised_2022(tmp_path: Path, swapped: bool) -> None:
    header, place, _ = LEVELS["com"]
    columns = f"annee;{header};txcouv_com"
    old = write(
        tmp_path, "txcouv_pe_com_hist.csv", columns, f"2021;{place};30", f"2022;{place};31,1"
    )
    new = write(tmp_path, "txcouv_pe_com.csv", columns, f"2022;{place};32,5", f"2023;{place};33")
    tables = bcs.read(*((new, old) if swapped else (old, new)))
    rates = tables["publies"]["taux_couverture_accueil_jeune_enfant"]["59172"].sort_index()
    assert rates.to_dict() == {2021: 30, 2022: 32.5, 2023: 33}
    assert list(tables.statuts["motif"]) == ["révisé : 31,1 dans txcouv_pe_com_hist.csv"]


def test_two_files_of_the_same_years_are_not_a_revision(tmp_path: Path) -> None:
    header, place, _ = LEVELS["com"]
    for name, rate in (("txcouv_pe_com.csv", 31), ("txcouv_pe_com_bis.csv", 32)):
        write(tmp_path, name, f"annee;{header};txcouv_com", f"2022;{place};{rate}")
    with pytest.raises(BarometreError, match="ne garder qu'une source"):
        bcs.read(tmp_path)


@pytest.mark.parametrize("column", ["tauxcouv_com", "TAUXCOUV_COMM", "TAUXCOUV_COM"])
@pytest.mark.filterwarnings("ignore:.*jamais vus")
def test_childcare_of_every_commune(tmp_path: Path, column: str) -> None:
    path = write(tmp_path, "TAUXCOUV2020.csv",
                 f"NUM_COM;NOM_COM;NUM_EPCI;NOM_EPCI;NUMZEMPL;NOMZEMPL;{column};TAUXCOUV_EPCI",
                 "59172;Denain;200042190;CA;1;Valenciennes;50,5;40")  # fmt: skip
    tables = bcs.read(path)
    assert tables["publies"]["taux_couverture_accueil_jeune_enfant"]["59172", 2020] == 50.5


@pytest.mark.filterwarnings("ignore:.*jamais vus")
def test_childcare_with_labels_and_the_nation(tmp_path: Path) -> None:
    header = (
        "Date référence;Numéro Département;Numéro commune;Nom commune;Taux de couv EAJE - ensemble;"
        "Taux de couv assistantes maternelles;Taux de couv global"
    )
    write(tmp_path, "txcouv_pe_com.csv", header, "2022;59;59172;Denain;10,1;20,2;33,5")
    write(tmp_path, "txcouv_pe_nat.csv", "annee;national;txcouv_nat", "2022;France;58")
    tables = bcs.read(tmp_path)
    assert tables["publies"]["taux_couverture_accueil_jeune_enfant"].to_dict() == {
        ("59172", 2022): 33.5
    }
    with pytest.raises(BarometreError, match=r"champ .* pas établi"):
        bcs.read(tmp_path / "txcouv_pe_nat.csv")
