"""compute: what it says of a value that is absent or given twice, and where it says nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.tables.table_set import Tables
from tests.test_compute import LOGEMENTS, VACANCY, frame, row, statuts


def test_a_doubtful_published_value_is_told_even_when_it_agrees() -> None:
    published = frame([("59172", 2021, 15.0)], VACANCY)
    said = statuts(("59172", 2021, "publies", VACANCY, "ok", "douteux", "contredit ailleurs"))
    tables = Tables({"logements": LOGEMENTS, "publies": published}, statuts=said)
    note = row(bcs.compute(tables), "59172")["note"]
    assert note == "calcul retenu ; valeur publiée : 15 (douteuse : contredit ailleurs)"


EQUIPEMENTS = frame(
    [("59172", 2018, 4.0), ("59064", 2018, 2.0), ("59002", 2018, np.nan)], "equipements_sportifs"
)
SPORT = "equipements_sportifs_10000"


def test_a_rate_that_lacks_its_denominator_says_so() -> None:
    people = frame([("59172", 2018, 20_000.0), ("59002", 2018, 5_000.0)], "population")
    results = bcs.compute({"equipements": EQUIPEMENTS, "population": people})
    assert row(results, "59172", SPORT)["valeur"] == 2.0
    lacking = row(results, "59064", SPORT)
    assert lacking["statut"] == "non_disponible"
    assert lacking["note"] == "dénominateur absent : Population municipale, table population"
    assert pd.isna(row(results, "59002", SPORT)["note"])  # it is the numerator that is absent


def test_what_is_counted_above_the_line_is_no_missing_denominator() -> None:
    sports = frame(
        [("59172", 2021, 4.0, np.nan), ("59064", 2021, np.nan, 5.0)],
        "licences_femmes",
        "licences_hommes",
    )
    results = bcs.compute({"licences": sports}, "part_femmes_licences")
    assert row(results, "59172", "part_femmes_licences")["note"].startswith("dénominateur absent")
    assert pd.isna(row(results, "59064", "part_femmes_licences")["note"])


def test_a_secret_reason_is_not_followed_by_another() -> None:
    people = frame([("59172", 2018, 20_000.0)], "population")
    said = statuts(("59064", 2018, "equipements", "equipements_sportifs", "secret", None, "nd"))
    tables = {"equipements": EQUIPEMENTS[EQUIPEMENTS["code"] != "59064"], "population": people}
    assert row(bcs.compute(Tables(tables, statuts=said)), "59064", SPORT)["note"] == "nd"


def test_a_denominator_that_no_territory_has_makes_no_rows() -> None:
    people = frame([("QP059050", 2018, 5_000.0)], "population")
    tables = {"equipements": EQUIPEMENTS, "population": people}
    assert SPORT not in set(bcs.compute(tables)["indicateur"])
    named = bcs.compute(tables, SPORT)
    assert named["note"].notna().tolist() == [True, True, False]


@pytest.mark.parametrize("levels_told", [True, False])
def test_the_file_of_a_level_does_not_fill_the_others(levels_told: bool) -> None:
    quarters = [("QP059050", 2021, 15_000.0, 40.0), ("QP059051", 2021, 14_000.0, np.nan)]
    communes = [("59172", 2021, 16_000.0, np.nan), ("2A004", 2021, 17_000.0, np.nan)]
    above = [("200042190", 2021, 18_550.0, np.nan), ("METRO", 2021, 22_000.0, 14.0)]
    incomes = frame([*communes, *quarters, *above], "niveau_de_vie_median", "taux_pauvrete")
    levels = ["commune", "commune", "qpv", "qpv", "epci", "france_metropolitaine"]
    places = pd.DataFrame({"libelle": incomes["code"], "niveau": levels if levels_told else ""})
    places.index = pd.Index(incomes["code"])
    tables = Tables({"revenus": incomes}, territoires=places)
    results = bcs.compute(tables)
    poor = results[results["indicateur"] == "taux_de_pauvrete"]
    assert poor["code"].tolist() == ["QP059050", "QP059051", "METRO"]
    assert (results["indicateur"] == "niveau_de_vie_median").sum() == 6
    named = bcs.compute(tables, "taux_de_pauvrete")
    assert named["code"].tolist() == poor["code"].tolist()


def test_a_reason_of_one_territory_keeps_its_level_and_year_only() -> None:
    years = [("59172", 2021), ("59064", 2021), ("59172", 2019)]
    counts = frame([(*key, 80.0, np.nan) for key in years], "logements", "logements_vacants")
    said = statuts(("59064", 2021, "logements", "logements_vacants", "secret", None, "nd"))
    results = bcs.compute(Tables({"logements": counts}, statuts=said))
    assert list(zip(results["code"], results["annee"], strict=True)) == years[:2]


def test_a_year_of_secrets_alone_is_told_even_without_a_reason() -> None:
    counts = frame(
        [("59172", 2020, 80.0, np.nan), ("59172", 2021, 80.0, 12.0)],
        "logements", "logements_vacants",
    )  # fmt: skip
    said = statuts(("59172", 2020, "logements", "logements_vacants", "secret", None, None))
    results = bcs.compute(Tables({"logements": counts}, statuts=said))
    results = results[results["indicateur"] == VACANCY]
    assert results.set_index("annee")["statut"].to_dict() == {2020: "secret", 2021: "ok"}


def test_of_two_secrets_the_computed_one_keeps_its_reason() -> None:
    counts = frame([("59172", 2021, 80.0, np.nan)], "logements", "logements_vacants")
    published = frame([("59172", 2021, np.nan)], VACANCY)
    said = statuts(
        ("59172", 2021, "logements", "logements_vacants", "secret", None, "moins de 11"),
        ("59172", 2021, "publies", VACANCY, "secret", None, "autre raison"),
    )
    tables = Tables({"logements": counts, "publies": published}, statuts=said)
    found = row(bcs.compute(tables), "59172")
    assert (found["statut"], found["note"], found["origine"]) == (
        "secret", "moins de 11", "calcule",
    )  # fmt: skip
