"""compute: which value wins, which status is told, which year is taken, what is refused."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError, TableError, UnknownNameError
from barometre.cards.listing import load_cards
from barometre.engine.alignment import align
from barometre.engine.results import Results
from barometre.engine.values import PublishedDifference
from barometre.tables.table_set import Tables, combine


def frame(rows: Sequence[tuple[object, ...]], *columns: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["code", "annee", *columns])


def statuts(*rows: tuple[object, ...]) -> pd.DataFrame:
    columns = ["code", "annee", "table", "colonne", "statut", "qualite", "motif"]
    return pd.DataFrame(list(rows), columns=columns)


LOGEMENTS = frame(
    [("59172", 2021, 80, 12), ("01001", 2021, 100, np.nan), ("59002", 2021, 0, 0)],
    "logements",
    "logements_vacants",
)
VACANCY = "taux_logements_vacants"


def row(results: pd.DataFrame, code: str, indicator: str = VACANCY) -> pd.Series:
    kept = results[(results["code"] == code) & (results["indicateur"] == indicator)]
    assert len(kept) == 1
    return kept.iloc[0]


def test_a_computed_value_an_unavailable_one_and_an_undefined_one() -> None:
    results = Results.validate(bcs.compute({"logements": LOGEMENTS}))
    assert results["code"].tolist() == ["59172", "01001", "59002"]
    assert results["valeur"].tolist()[0] == 15.0
    assert results["statut"].tolist() == ["ok", "non_disponible", "non_defini"]
    assert set(results["origine"]) == {"calcule"}
    assert results[["borne_inf", "borne_sup", "qualite", "note"]].isna().all(axis=None)


def test_the_computed_value_wins() -> None:
    published = frame(
        [("59172", 2021, 15.0), ("01001", 2021, 9.1), ("QP059050", 2021, 20.0)], VACANCY
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = bcs.compute({"logements": LOGEMENTS, "publies": published}, check_published=True)
    assert row(results, "59172")["origine"] == "calcule"
    assert pd.isna(row(results, "59172")["note"])  # they agree: nothing to look at
    assert row(results, "01001")[["valeur", "origine"]].tolist() == [9.1, "publie"]
    assert pd.isna(row(results, "01001")["note"])
    assert row(results, "QP059050")["valeur"] == 20.0
    assert results["code"].tolist() == ["59172", "01001", "59002", "QP059050"]


def test_a_difference_beyond_rounding_is_reported() -> None:
    tables = {"revenus": frame([("A", 2019, 10_360, 31_450), ("B", 2019, 10_000, 31_000)],
                               "niveau_de_vie_d1", "niveau_de_vie_d9")}  # fmt: skip
    rounded = frame([("A", 2019, 3.0), ("B", 2019, 3.1)], "rapport_interdecile")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bcs.compute(tables | {"publies": rounded}, check_published=True)
    wrong = rounded.assign(rapport_interdecile=[3.1, 3.1])
    with pytest.warns(PublishedDifference, match="1 valeur calculée hors de l'arrondi") as told:
        results = bcs.compute(tables | {"publies": wrong}, check_published=True)
    assert "rapport_interdecile, A en 2019 : calculé 3,035714, publié 3,1" in str(told[0].message)
    assert "écart de −0,064286" in row(results, "A", "rapport_interdecile")["note"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quiet = bcs.compute(tables | {"publies": wrong})
    pd.testing.assert_frame_equal(quiet, results)


def test_ten_differences_are_quoted_and_the_others_counted() -> None:
    codes = [f"590{i:02d}" for i in range(12)]
    counts = pd.DataFrame({"code": codes, "annee": 2021, "logements": 100, "logements_vacants": 10})
    published = pd.DataFrame({"code": codes, "annee": 2021, VACANCY: 11.5})
    with pytest.warns(PublishedDifference, match="et 2 autres"):
        bcs.compute({"logements": counts, "publies": published}, check_published=True)


def test_a_secret_count_makes_a_secret_value() -> None:
    said = statuts(("01001", 2021, "logements", "logements_vacants", "secret", None, "nd"))
    results = bcs.compute(Tables({"logements": LOGEMENTS}, statuts=said))
    assert row(results, "01001")["statut"] == "secret"
    assert row(results, "01001")["note"] == "nd"
    assert row(results, "59172")["statut"] == "ok"


def test_a_published_value_replaces_a_secret_count() -> None:
    said = statuts(("01001", 2021, "logements", "logements_vacants", "secret", None, "nd"))
    published = frame([("01001", 2021, 9.1)], VACANCY)
    tables = Tables({"logements": LOGEMENTS, "publies": published}, statuts=said)
    value = row(bcs.compute(tables), "01001")
    assert value[["valeur", "statut", "origine"]].tolist() == [9.1, "ok", "publie"]


def test_the_strongest_reason_is_told() -> None:
    said = statuts(
        ("01001", 2021, "logements", "logements_vacants", "sans_objet", None, "hors champ"),
        ("01001", 2021, "publies", VACANCY, "secret", None, "masqué"),
        ("59002", 2021, "publies", VACANCY, "non_disponible", None, "pas encore paru"),
    )
    published = frame([("01001", 2021, np.nan), ("59002", 2021, np.nan)], VACANCY)
    tables = Tables({"logements": LOGEMENTS, "publies": published}, statuts=said)
    results = bcs.compute(tables)
    assert row(results, "01001")["statut"] == "secret"
    assert row(results, "59002")["statut"] == "non_defini"


def test_a_published_reason_stands_only_where_nothing_is_computed() -> None:
    said = statuts(
        ("59172", 2021, "publies", VACANCY, "non_disponible", None, "pas encore paru"),
        ("01001", 2021, "publies", VACANCY, "non_disponible", None, "pas encore paru"),
    )
    published = frame([("59172", 2021, np.nan), ("01001", 2021, np.nan)], VACANCY)
    results = bcs.compute(Tables({"logements": LOGEMENTS, "publies": published}, statuts=said))
    known, absent = row(results, "59172"), row(results, "01001")
    assert known[["valeur", "statut", "origine"]].tolist() == [15.0, "ok", "calcule"]
    assert pd.isna(known["note"])
    assert absent[["statut", "origine", "note"]].tolist() == [
        "non_disponible",
        "publie",
        "pas encore paru",
    ]


def test_a_doubtful_count_makes_a_doubtful_value() -> None:
    said = statuts(("59172", 2021, "logements", "logements", "ok", "douteux", "contredit"))
    value = row(bcs.compute(Tables({"logements": LOGEMENTS}, statuts=said)), "59172")
    assert value[["valeur", "qualite", "note"]].tolist() == [15.0, "douteux", "contredit"]


def test_a_doubtful_count_does_not_make_an_absent_value_known() -> None:
    said = statuts(("01001", 2021, "logements", "logements", "ok", "douteux", "contredit"))
    assert (
        row(bcs.compute(Tables({"logements": LOGEMENTS}, statuts=said)), "01001")["statut"]
        == "non_disponible"
    )


def test_the_same_reason_is_told_once() -> None:
    said = statuts(
        ("01001", 2021, "logements", "logements_vacants", "secret", None, "nd"),
        ("A", 2021, "logements", "logements_vacants", "secret", None, "nd"),
        ("A", 2021, "logements", "logements", "secret", None, "nd"),
    )
    results = bcs.compute(Tables({"logements": LOGEMENTS}, statuts=said))
    assert row(results, "A")[["statut", "note"]].tolist() == ["secret", "nd"]


def test_a_producers_statistic_is_published_not_computed() -> None:
    income = frame([("59", 2019, 20_290)], "niveau_de_vie_median")
    assert (
        row(bcs.compute({"revenus": income}), "59", "niveau_de_vie_median")["origine"] == "publie"
    )


# ---- years --------------------------------------------------------------------------------------

RECIPIENTS = frame(
    [("A", 2021, 30, 70), ("B", 2021, 30, 70), ("C", 2021, 30, 70), ("D", 2021, 30, 70)],
    "allocataires_aah",
    "allocataires_rsa_socle",
)
HOUSEHOLDS = frame(
    [("A", 2021, 1000), ("A", 2019, 500), ("B", 2019, 800), ("C", 2017, 400), ("D", 2022, 500)],
    "menages",
)
COVERAGE = "taux_couverture_minima_sociaux"


def test_the_denominator_is_of_the_same_year_else_of_the_latest_earlier_one() -> None:
    results = bcs.compute({"allocataires": RECIPIENTS, "population": HOUSEHOLDS})
    a, b, c, d = (row(results, code, COVERAGE) for code in "ABCD")
    assert a["valeur"] == 10.0
    assert pd.isna(a["note"])
    assert b["valeur"] == 12.5
    assert b["note"] == "population : données de 2019"
    assert load_cards()[COVERAGE].ecart_millesimes_max == 3
    assert c["statut"] == "non_disponible"  # four years back is too far
    assert d["statut"] == "non_disponible"  # a later census says nothing of an earlier year


def test_a_second_table_of_several_columns_is_brought_to_the_year_of_the_first() -> None:
    """Two columns of another table at once: each keeps to its own values."""
    card = load_cards()["taux_emploi_15_64"]
    activity = frame([("A", 2019, 60, 100), ("B", 2021, 30, 50)],
                     "actifs_occupes_15_64_ans", "population_15_64_ans")  # fmt: skip
    two = replace(
        card,
        ecart_millesimes_max=3,
        entrees={"allocataires": ("allocataires_aah",), "activite": card.entrees["activite"]},
    )
    tables = Tables({"allocataires": RECIPIENTS[:3], "activite": activity})
    aligned = align(two, "activite", tables, tables.index_of("allocataires")).frame
    assert aligned["actifs_occupes_15_64_ans"].tolist()[:2] == [60.0, 30.0]
    assert aligned["population_15_64_ans"].tolist()[:2] == [100.0, 50.0]
    assert aligned.iloc[2].isna().all()


def test_a_secret_denominator_of_an_earlier_year_keeps_its_reason() -> None:
    said = statuts(("B", 2021, "population", "menages", "secret", None, "trop petit"))
    tables = Tables({"allocataires": RECIPIENTS, "population": HOUSEHOLDS[:1]}, statuts=said)
    assert row(bcs.compute(tables), "B", COVERAGE)["statut"] == "secret"


def test_a_year_without_source_is_left_out() -> None:
    two_years = pd.concat([LOGEMENTS, frame([("59172", 2020, 80)], "logements")])
    for asked in (None, VACANCY):
        assert set(bcs.compute({"logements": two_years}, asked)["annee"]) == {2021}


def test_an_indicator_asked_for_answers_even_when_nothing_is_known() -> None:
    asked = bcs.compute({"logements": LOGEMENTS}, "taux_surpeuplement")
    assert asked["statut"].tolist() == ["non_disponible"] * 3
    assert bcs.compute({"logements": LOGEMENTS[:1].drop(columns="logements_vacants")}).empty


def test_an_absent_value_is_not_explained_by_the_vintage_of_its_denominator() -> None:
    recipients = frame([("B", 2021, 100)], "allocataires")
    tables = {"allocataires": recipients, "population": HOUSEHOLDS}
    assert COVERAGE not in set(bcs.compute(tables)["indicateur"])


def test_rows_are_by_indicator_then_year_then_as_received() -> None:
    rows = [("B", 2021, 10, 1), ("A", 2020, 10, 2), ("A", 2021, 10, 3)]
    results = bcs.compute({"logements": frame(rows, "logements", "logements_vacants")})
    assert list(zip(results["code"], results["annee"], strict=True)) == [
        ("A", 2020), ("B", 2021), ("A", 2021),
    ]  # fmt: skip


# ---- what is asked for --------------------------------------------------------------------------


def test_missing_tables_mean_fewer_indicators() -> None:
    assert set(bcs.compute({"logements": LOGEMENTS})["indicateur"]) == {VACANCY}
    nothing = bcs.compute({})
    assert nothing.empty
    Results.validate(nothing)


def test_an_indicator_asked_for_without_its_table_is_an_error_that_names_it() -> None:
    with pytest.raises(BarometreError) as refused:
        bcs.compute({"logements": LOGEMENTS}, [VACANCY, "taux_emploi_15_64", COVERAGE])
    assert "2 indicateurs demandés sans données (tables données : logements)" in str(refused.value)
    assert "taux_emploi_15_64 : table « activite » absente" in str(refused.value)
    assert "« allocataires », « population »" in str(refused.value)


def test_a_published_value_is_enough_for_an_indicator_asked_for() -> None:
    published = frame([("59", 2021, 58.6)], "taux_emploi_15_64")
    assert bcs.compute({"publies": published}, "taux_emploi_15_64")["valeur"].tolist() == [58.6]


def test_an_unknown_indicator_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="taux_logements_vacants"):
        bcs.compute({"logements": LOGEMENTS}, "taux_logement_vacant")


def test_indicators_come_in_the_order_asked_for() -> None:
    income = frame([("59", 2019, 20_290, 10_000, 30_000)],
                   "niveau_de_vie_median", "niveau_de_vie_d1", "niveau_de_vie_d9")  # fmt: skip
    results = bcs.compute({"revenus": income}, ["rapport_interdecile", "niveau_de_vie_median"])
    assert results["indicateur"].tolist() == ["rapport_interdecile", "niveau_de_vie_median"]


# ---- the set of tables --------------------------------------------------------------------------


def test_a_secret_cell_that_holds_a_value_is_refused() -> None:
    said = statuts(("59172", 2021, "logements", "logements", "secret", None, "nd"))
    with pytest.raises(TableError, match=r"\(secret\) mais renseignée, dont 59172 en 2021"):
        Tables({"logements": LOGEMENTS}, statuts=said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"statut": "cache"}, "statut : inconnu : cache"),
        ({"colonne": "logement"}, "« logements.logement » inconnu"),
        ({"table": None}, "table : 1 cellule vide"),
        ({"colonne": None}, "colonne : 1 cellule vide"),
        ({"code": np.nan}, "code : 1 cellule vide"),
        ({"code": 1001}, "code : 1 cellule sans texte (1001), zéro initial perdu ?"),
        ({"annee": 2021.5}, "annee : 1 cellule sans année entière (2021.5)"),
        ({"annee": None}, "annee : 1 cellule sans année entière"),
    ],
)
@pytest.mark.parametrize("kind", [None, "object", "category"])
def test_wrong_statuts_are_refused(change: dict[str, Any], said: str, kind: Any) -> None:
    rows = statuts(("01001", 2021, "logements", "logements_vacants", "secret", None, "nd"))
    rows = rows.assign(**change)
    rows = rows if kind is None else rows.astype(kind)
    with pytest.raises(TableError) as refused:
        Tables({"logements": LOGEMENTS}, statuts=rows)
    assert said in str(refused.value)


def test_statuts_without_a_column_are_refused() -> None:
    rows = statuts(("01001", 2021, "logements", "logements_vacants", "secret", None, "nd"))
    with pytest.raises(TableError, match="motif : colonne absente"):
        Tables({"logements": LOGEMENTS}, statuts=rows.drop(columns="motif"))


def test_all_refused_tables_are_told_at_once() -> None:
    bad = LOGEMENTS.assign(logements=-1)
    with pytest.raises(TableError) as refused:
        Tables({"logements": bad, "revenus": bad})
    said = str(refused.value)
    assert said.startswith("tables logements, revenus refusées : 4 défauts")
    assert "logements, logements : 3 valeurs hors des limites" in said
    assert "revenus" in said.split("refusées", 1)[1]


def test_the_set_cannot_be_changed_through_what_it_gives() -> None:
    tables = Tables({"logements": LOGEMENTS})
    given = tables["logements"]
    given["logements"] = 0.0
    assert tables["logements"]["logements"].iloc[0] == 80.0
    with pytest.raises(TypeError):
        tables["logements"] = LOGEMENTS  # type: ignore[index]  # that is the point
    with pytest.raises(KeyError):
        tables["revenus"]
    with pytest.raises(UnknownNameError):
        tables["logement"]
    assert repr(tables) == "Tables(logements (3 lignes))"


def test_combining_sets() -> None:
    first = Tables({"logements": LOGEMENTS[:1]})
    second = Tables({"logements": LOGEMENTS[1:], "revenus": frame([("59", 2019, 20_290)],
                                                                  "niveau_de_vie_median")})  # fmt: skip
    both = combine([first, second])
    pd.testing.assert_frame_equal(both["logements"], Tables({"logements": LOGEMENTS})["logements"])
    assert list(both) == ["logements", "revenus"]
    other = Tables({"logements": LOGEMENTS[:1].assign(logements=81)})
    with pytest.raises(
        BarometreError,
        match=r"1 cellule à deux valeurs, dont 59172 en 2021 : 80 \(a\.csv\) et 81 \(b\.csv\)",
    ):
        combine([first, second, other], ["a.csv", "c.csv", "b.csv"])


def test_combining_forgets_the_reason_of_a_cell_that_another_source_gives() -> None:
    said = statuts(("01001", 2021, "logements", "logements_vacants", "secret", None, "nd"))
    hidden = Tables({"logements": LOGEMENTS[1:2]}, statuts=said)
    known = Tables({"logements": LOGEMENTS[1:2].assign(logements_vacants=9.0)})
    assert combine([hidden, known]).statuts.empty
    assert row(bcs.compute(combine([known, hidden])), "01001")["valeur"] == 9.0


def test_an_estimated_cell_makes_an_estimated_value() -> None:
    said = statuts(("59172", 2021, "logements", "logements", "ok", "estime", "couverture 90 %"))
    value = row(bcs.compute(Tables({"logements": LOGEMENTS}, statuts=said)), "59172")
    assert value[["origine", "note"]].tolist() == ["estime", "couverture 90 %"]
